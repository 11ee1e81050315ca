package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/tailflux/tailflux/internal/statedir"
)

// disk is the two files in the state directory.
type disk struct {
	dir    *statedir.Dir
	saving chan struct{} // holds one token while a save is under way
}

// load reads the latest save that is good; nil when there is none. Bad files are
// set aside.
func (d *disk) load(log *slog.Logger) (map[string]*Source, error) {
	latest, err := read(d.dir.Path("."), statedir.Checkpoint)
	if err == nil {
		return latest, nil
	}
	before, errBefore := read(d.dir.Path("."), statedir.CheckpointPrev)
	for _, err := range []error{err, errBefore} {
		if errors.Is(err, statedir.ErrNewer) {
			return nil, err
		}
	}
	kept, errKept := d.setAside(err, errBefore)
	switch {
	case errKept != nil:
		return nil, fmt.Errorf("state_dir: %w", errKept)
	case kept == nil: // there is none, or a save ended between its two renames
	case errBefore == nil:
		log.Error("checkpoint is unreadable, using the one before it; some lines are read again, which is harmless",
			"err", err, "kept_as", kept)
	default:
		log.Error("no usable checkpoint, starting over as configured by start; run tailflux verify to find gaps; "+
			"do not run tailflux import on logs that were already followed, it would store them twice",
			"err", errors.Join(err, errBefore), "kept_as", kept)
	}
	return before, nil
}

// Read returns what the checkpoint in dir holds for each source, by its name. It
// may be called while another process uses the directory. Without a good
// checkpoint nothing is known.
func Read(dir string) (map[string]*Source, error) {
	latest, err := read(dir, statedir.Checkpoint)
	if err == nil {
		return latest, nil
	}
	before, errBefore := read(dir, statedir.CheckpointPrev)
	switch {
	case errBefore == nil:
		return before, nil
	case errors.Is(err, fs.ErrNotExist) && errors.Is(errBefore, fs.ErrNotExist):
		return nil, nil
	}
	return nil, fmt.Errorf("state_dir: %w", errors.Join(err, errBefore))
}

// setAside keeps the files that are there and bad, and returns under which names.
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

func read(dir, name string) (map[string]*Source, error) {
	data, err := statedir.Read(dir, name)
	if err != nil {
		return nil, err // it names the file
	}
	sources, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return sources, nil
}

// save replaces the file. Whatever happens, a good one is there: the new one, or
// the one before it under its name or the other.
func (d *disk) save(data []byte) error {
	return d.dir.ReplaceKeeping(statedir.Checkpoint, statedir.CheckpointPrev, data)
}
