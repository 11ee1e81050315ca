package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/tailflux/tailflux/internal/statedir"
)

// disk saves to the two files in the state directory.
type disk struct {
	dir    *statedir.Dir
	saving chan struct{} // holds one token while a save is under way
}

// load reads the latest good save, and the one before it if it is good too, and renames bad
// files. Both are zero if there is no good one.
func (d *disk) load(log *slog.Logger) (used, earlier content, err error) {
	latest, err := read(d.dir.Path(""), statedir.Checkpoint)
	before, errBefore := read(d.dir.Path(""), statedir.CheckpointPrev)
	if err == nil {
		if errBefore == nil || errors.Is(errBefore, fs.ErrNotExist) {
			return latest, before, nil
		}
		return latest, before, d.dir.SetAside(statedir.CheckpointPrev, errBefore)
	}
	for _, err := range []error{err, errBefore} {
		if errors.Is(err, statedir.ErrNewer) {
			return used, earlier, err
		}
	}
	kept, errKept := d.setAside(err, errBefore)
	switch {
	case errKept != nil:
		return used, earlier, fmt.Errorf("state_dir: %w", errKept)
	case kept == nil: // there is none, or a save ended between its two renames
	case errBefore == nil:
		log.Error("checkpoint cannot be used, using the one before it; some lines are read again and become the same points",
			"err", err, "kept_as", kept)
	default:
		log.Error("no usable checkpoint, starting over as configured by start; run tailflux verify to find gaps; "+
			"do not run tailflux import on logs that were already followed, it would store them twice",
			"err", errors.Join(err, errBefore), "kept_as", kept)
	}
	return before, earlier, nil
}

// Read returns the state of each source, by name, from the checkpoint in dir, and
// nil if there is none. It may be called while another process uses the directory.
func Read(dir string) (map[string]*Source, error) {
	latest, err := read(dir, statedir.Checkpoint)
	if err == nil {
		latest.explicit()
		return latest.Sources, nil
	}
	before, errBefore := read(dir, statedir.CheckpointPrev)
	switch {
	case errBefore == nil:
		before.explicit()
		return before.Sources, nil
	case errors.Is(err, fs.ErrNotExist) && errors.Is(errBefore, fs.ErrNotExist):
		return nil, nil
	}
	return nil, fmt.Errorf("state_dir: %w", errors.Join(err, errBefore))
}

// setAside renames the files that exist and are bad, and returns their new names.
func (d *disk) setAside(latest, before error) (kept []string, err error) {
	for _, file := range []struct {
		name string
		bad  error
	}{{statedir.Checkpoint, latest}, {statedir.CheckpointPrev, before}} {
		if file.bad == nil || errors.Is(file.bad, fs.ErrNotExist) {
			continue
		}
		as, err := d.dir.Keep(file.name)
		if err != nil {
			return nil, errors.Join(file.bad, err)
		}
		kept = append(kept, as)
	}
	return kept, nil
}

func read(dir, name string) (c content, err error) {
	data, err := statedir.Read(dir, name)
	if err != nil {
		return c, err // which names the file
	}
	if c, err = decode(data); err != nil {
		return content{}, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return c, nil
}

// save replaces the file. After a crash there is a good one: the new one, or the
// old one under either name.
func (d *disk) save(data []byte) error {
	return d.dir.ReplaceKeeping(statedir.Checkpoint, statedir.CheckpointPrev, data)
}
