package rejects

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/statedir"
)

// Lines are the numbers of the lines of all sources that were rejected, and not
// redelivered since.
type Lines map[generation]map[int64]bool

// Of returns the rejected line numbers of one generation of a source.
func (l Lines) Of(source string, id int64) map[int64]bool { return l[generation{source, id}] }

// Read returns the lines in the reject files of a state directory. It may be called
// while another process writes them.
func Read(dir string) (Lines, error) {
	lines := Lines{}
	err := each(dir, func(v *fastjson.Value, g generation, number int64) {
		if string(v.GetStringBytes("kind")) == Redelivered {
			delete(lines[g], number)
			return
		}
		if lines[g] == nil {
			lines[g] = map[int64]bool{}
		}
		lines[g][number] = true
	})
	return lines, err
}

// each calls do for each entry in the reject files of a directory, the oldest first.
func each(dir string, do func(v *fastjson.Value, g generation, number int64)) error {
	note := func(entry []byte) {
		v, err := fastjson.ParseBytes(entry)
		if err != nil {
			return
		}
		do(v, generation{string(v.GetStringBytes("source")), v.GetInt64("generation")}, numberOf(v))
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
			return fmt.Errorf("reject file: %w", err)
		}
	}
	return nil
}

// BySource counts the lines of each source.
func (l Lines) BySource() map[string]int64 {
	all := map[string]int64{}
	for g, numbers := range l {
		all[g.source] += int64(len(numbers))
	}
	return all
}
