package rejects

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Lines are the lines of all sources that have entries.
type Lines map[generation]*entries

// entries are those of a generation.
type entries struct {
	rejected, redelivered map[int64]flow.Reason // by the number of the line
	deltas                map[delta]Delta
}

// Delta is a point of a rollup that was refused.
type Delta struct {
	Rollup string // its key
	Number int64  // of the first line of its cut
	Line   []byte // the point
	Reason flow.Reason
}

var none entries

func (l Lines) of(source string, id int64) *entries { return cmp.Or(l[generation{source, id}], &none) }

// Of returns the lines of one generation of a source that were rejected, and not
// redelivered since, by their numbers.
func (l Lines) Of(source string, id int64) map[int64]flow.Reason { return l.of(source, id).rejected }

// Redelivered returns those that were redelivered, with why they had been rejected.
func (l Lines) Redelivered(source string, id int64) map[int64]flow.Reason {
	return l.of(source, id).redelivered
}

// Deltas returns the refused points of rollups that were made of a generation, and not
// redelivered since.
func (l Lines) Deltas(source string, id int64) iter.Seq[Delta] {
	return maps.Values(l.of(source, id).deltas)
}

// Read returns the lines in the reject files of a state directory. It may be called
// while another process writes them.
func Read(dir string) (Lines, error) {
	lines := Lines{}
	err := each(dir, func(v *fastjson.Value, g generation, number int64) {
		of := lines[g]
		if of == nil {
			of = &entries{map[int64]flow.Reason{}, map[int64]flow.Reason{}, map[delta]Delta{}}
			lines[g] = of
		}
		key, reason := string(v.GetStringBytes("rollup")), flow.Reason(v.GetStringBytes("reason"))
		switch kind := string(v.GetStringBytes("kind")); {
		case kind == Rollup:
			text, _ := wholeLine(v)
			of.deltas[deltaOf(v, g, key)] = Delta{key, number, bytes.Clone(text), reason}
		case kind == Redelivered && key != "":
			delete(of.deltas, deltaOf(v, g, key))
		case kind == Redelivered:
			delete(of.rejected, number)
			of.redelivered[number] = reason
		default:
			of.rejected[number] = reason
		}
	})
	return lines, err
}

// deltaOf identifies the delta that an entry is about.
func deltaOf(v *fastjson.Value, g generation, key string) delta {
	return delta{g, key, string(v.GetStringBytes("line"))}
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

// BySource counts the lines of each source, and its points of rollups.
func (l Lines) BySource() map[string]int64 {
	all := map[string]int64{}
	for g, entries := range l {
		all[g.source] += int64(len(entries.rejected) + len(entries.deltas))
	}
	return all
}
