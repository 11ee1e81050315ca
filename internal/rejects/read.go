package rejects

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/statedir"
)

// Lines are the numbers of the rejected lines of all sources.
type Lines map[generation]map[int64]bool

// Of returns the rejected line numbers of one generation of a source.
func (l Lines) Of(source string, id int64) map[int64]bool { return l[generation{source, id}] }

// Read returns the lines in the reject files of a state directory. It may be called
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
		f, err := statedir.OpenRead(dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			_, err = look(f, note)
			f.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("reject file: %w", err)
		}
	}
	return lines, nil
}
