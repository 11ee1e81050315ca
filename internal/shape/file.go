package shape

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/tailflux/tailflux/internal/statedir"
)

// load hands the contents of a file in the state directory to parse, and reports
// whether there was one. A file that cannot be read, or that parse refuses, is set
// aside: a damaged one never ends the daemon. One by a newer tailflux is
// [statedir.ErrNewer].
func load(dir *statedir.Dir, name string, parse func(data []byte) error) (found bool, err error) {
	found, err = look(filepath.Dir(dir.Path(name)), name, parse)
	if err == nil || errors.Is(err, statedir.ErrNewer) {
		return found, err
	}
	return false, dir.SetAside(name, err)
}

// look does the same for a program that must not change the directory: the error
// says why the file cannot be used.
func look(dir, name string, parse func(data []byte) error) (found bool, err error) {
	data, err := statedir.Read(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = parse(data)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return true, nil
}

// checkVersion refuses the version of a file, which files have had none of so
// far, when it is of a newer format.
func checkVersion(version json.RawMessage) error {
	var number int
	if len(version) > 0 && json.Unmarshal(version, &number) == nil && number > 1 {
		return fmt.Errorf("version %d: %w", number, statedir.ErrNewer)
	}
	return nil
}
