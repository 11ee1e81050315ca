package report

import (
	"io"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
)

// An input is a file, a pipe or standard input, plain or compressed.
type input struct {
	name    string // for people
	info    fs.FileInfo
	changed time.Time
	size    int64 // on the disk; 0 of what is not there

	stdin io.Reader
	opened
}

// opened is what there is of an input while it is open.
type opened struct {
	log     *logfile.Log // nil: it is no regular file
	pipe    *os.File
	unpacks io.Closer
	read    atomic.Int64 // bytes
}

// oldestFirst returns the files in the order of their last changes, each once, and what is
// no file behind them.
func oldestFirst(o Options) (files []*input, err error) {
	for _, path := range o.Files {
		f := &input{name: path, changed: time.Now()}
		if path == StandardInput {
			f.name, f.stdin = "standard input", o.Stdin
		} else if f.info, err = os.Stat(path); err != nil {
			return nil, err
		}
		if f.info != nil && f.info.Mode().IsRegular() {
			f.changed, f.size = f.info.ModTime(), f.info.Size()
		}
		if !slices.ContainsFunc(files, f.is) {
			files = append(files, f)
		}
	}
	slices.SortStableFunc(files, func(a, b *input) int { return a.changed.Compare(b.changed) })
	return files, nil
}

func (f *input) is(other *input) bool {
	if f.info == nil || other.info == nil {
		return f.info == nil && other.info == nil
	}
	return os.SameFile(f.info, other.info)
}

// open opens it. What it returns is for one goroutine; whoever had it calls close.
func (f *input) open() (r io.Reader, err error) {
	if f.size > 0 || f.info != nil && (f.info.Mode().IsRegular() || f.info.IsDir()) {
		if f.log, err = logfile.OpenLog(f.name); err != nil {
			return nil, err
		}
		return tally{f.log, &f.read}, nil
	}
	from := f.stdin
	if from == nil {
		if f.pipe, err = os.Open(f.name); err != nil {
			return nil, err
		}
		from = f.pipe
	}
	z, err := logfile.Stream(tally{from, &f.read}, f.name)
	if err != nil {
		return nil, err
	}
	f.unpacks = z
	return z, nil
}

// remedy is how to find out what its lines are.
func (f *input) remedy() string {
	if f.log == nil {
		return "try tailflux explain with some of them"
	}
	return "try tailflux explain --file " + f.name
}

// at is how many bytes of it were read.
func (f *input) at() int64 {
	if f.log != nil {
		if _, packed := f.log.Content.(*logfile.Compressed); packed {
			at, _ := f.log.File.Seek(0, io.SeekCurrent)
			return at
		}
	}
	return f.read.Load()
}

func (f *input) close() {
	if f.unpacks != nil {
		_ = f.unpacks.Close()
	}
	if f.pipe != nil {
		f.pipe.Close()
	}
	if f.log != nil {
		f.log.Close()
	}
}

// tally adds up what is read.
type tally struct {
	r io.Reader
	n *atomic.Int64
}

func (t tally) Read(p []byte) (n int, err error) {
	n, err = t.r.Read(p)
	t.n.Add(int64(n))
	return n, err
}
