package rejects

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/statedir"
)

// Lines are the numbers of rejected lines.
type Lines map[generation]map[int64]bool

// Of are those of one generation of a source.
func (l Lines) Of(source string, id int64) map[int64]bool { return l[generation{source, id}] }

// Read returns the lines that are in dir's reject file and its predecessor, also
// while another process writes them.
func Read(dir string) (Lines, error) {
	lines := Lines{}
	note := func(entry []byte) {
		v, err := fastjson.ParseBytes(entry)
		if err != nil {
			return
		}
		g := generation{string(v.GetStringBytes("source")), v.GetInt64("generation")}
		if lines[g] == nil {
			lines[g] = map[int64]bool{}
		}
		lines[g][v.GetInt64("line_number")] = true
	}
	for _, name := range []string{statedir.RejectsPrev, statedir.Rejects} {
		if _, _, err := survey(filepath.Join(dir, name), note); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reject file: %w", err)
		}
	}
	return lines, nil
}
