package rejects

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Lines are the numbers of rejected lines.
type Lines map[generation]map[int64]bool

type generation struct {
	source string
	id     int64
}

// Of are those of one generation of a source.
func (l Lines) Of(source string, id int64) map[int64]bool { return l[generation{source, id}] }

// Read returns the lines that are in dir's reject file and its predecessor, also
// while another process writes them.
func Read(dir string) (Lines, error) {
	lines := Lines{}
	for _, name := range []string{Name + ".1", Name} {
		if err := lines.read(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reject file: %w", err)
		}
	}
	return lines, nil
}

func (l Lines) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var e struct {
			Source     string `json:"source"`
			Generation int64  `json:"generation"`
			LineNumber int64  `json:"line_number"`
		}
		if json.Unmarshal(in.Bytes(), &e) != nil {
			continue // the last one, which is being written
		}
		of := generation{e.Source, e.Generation}
		if l[of] == nil {
			l[of] = map[int64]bool{}
		}
		l[of][e.LineNumber] = true
	}
	return in.Err()
}
