package statedir

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Journal is a file to which records are appended. Its size counts durable bytes only, so
// that an append that failed is repeated at the same place: after a failed fsync the
// kernel may have dropped what it could not write. It is for one goroutine at a time.
type Journal struct {
	dir  *Dir
	name string
	f    *os.File // nil until Replace
	size int64
}

// Journal returns the journal of a name. f is its open file, which the journal closes; nil
// if there is none yet.
func (d *Dir) Journal(name string, f *os.File) *Journal { return &Journal{dir: d, name: name, f: f} }

// ContinueAt cuts off what stands after end, and makes durable what a killed process left.
func (j *Journal) ContinueAt(end int64) error {
	if err := j.f.Truncate(end); err != nil {
		return err
	}
	j.size = end
	return j.f.Sync()
}

// Append returns nil when the records are there for good. If not, the same ones are
// appended again, and stand there once.
func (j *Journal) Append(records []byte) error {
	if err := j.restore(); err != nil {
		return err
	}
	if _, err := j.f.WriteAt(records, j.size); err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil {
		return err
	}
	j.size += int64(len(records))
	return nil
}

// Replace replaces everything.
func (j *Journal) Replace(all []byte) error {
	if err := j.dir.Replace(j.name, all); err != nil {
		return err
	}
	f, err := j.dir.OpenFile(j.name, os.O_RDWR)
	if err != nil {
		return err
	}
	if j.f != nil {
		j.f.Close()
	}
	j.f, j.size = f, int64(len(all))
	return nil
}

// restore puts the file back if somebody moved or removed it: the one that is held open
// has every record, and the next start must find them.
func (j *Journal) restore() error {
	held, err := j.f.Stat()
	if err != nil {
		return err
	}
	at, err := os.Stat(j.dir.Path(j.name))
	if err == nil && os.SameFile(at, held) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	all := make([]byte, j.size)
	if _, err := j.f.ReadAt(all, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return j.Replace(all)
}

// Close closes the file.
func (j *Journal) Close() error { return j.f.Close() }
