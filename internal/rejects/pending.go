package rejects

import (
	"encoding/base64"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/flow"
)

// A Pending line is in the reject files and was not redelivered. It may be a refused point of
// a rollup.
type Pending struct {
	Rollup     string // the key of that; "" for a line of a log
	Source     string
	Generation int64
	LineNumber int64
	Number     int64 // never 0
	Reason     flow.Reason
	Line       []byte
	Whole      bool // else Line is not all of it, or not as it was
}

// Pendings are the pending lines of a state directory. Nothing else may write to its reject
// files meanwhile, but for appending.
type Pendings struct {
	dir     string
	is      func(source string) bool
	pending map[int]bool // by their place among all entries
}

// ReadPending finds the pending lines of some sources.
func ReadPending(dir string, is func(source string) bool) (*Pendings, error) {
	type line struct {
		generation
		number int64
	}
	places, deltas := map[line][]int{}, map[delta]int{}
	at := 0
	err := each(dir, func(v *fastjson.Value, g generation, number int64) {
		at++
		rollup := string(v.GetStringBytes("rollup"))
		switch kind := string(v.GetStringBytes("kind")); {
		case kind == Redelivered && rollup != "":
			delete(deltas, deltaOf(v, g, rollup))
		case kind == Redelivered:
			delete(places, line{g, number})
		case kind == Rollup && is(g.source):
			deltas[deltaOf(v, g, rollup)] = at
		case kind == "" && is(g.source):
			places[line{g, number}] = append(places[line{g, number}], at)
		}
	})
	p := &Pendings{dir: dir, is: is, pending: map[int]bool{}}
	for _, all := range places {
		for _, place := range all {
			p.pending[place] = true
		}
	}
	for _, place := range deltas {
		p.pending[place] = true
	}
	return p, err
}

// Len is how many there are.
func (p *Pendings) Len() int { return len(p.pending) }

// Each calls do for each of them, the oldest first, until there is an error.
func (p *Pendings) Each(do func(Pending) error) error {
	at := 0
	var stop error
	err := each(p.dir, func(v *fastjson.Value, g generation, number int64) {
		if at++; !p.pending[at] || stop != nil {
			return
		}
		line, whole := wholeLine(v)
		stop = do(Pending{
			Rollup: string(v.GetStringBytes("rollup")), Source: g.source, Generation: g.id, LineNumber: v.GetInt64("line_number"), Number: number,
			Reason: flow.Reason(v.GetStringBytes("reason")), Line: line, Whole: whole,
		})
	})
	if stop != nil {
		return stop
	}
	return err
}

// wholeLine returns the line of an entry, and whether that is all of it as it was.
func wholeLine(v *fastjson.Value) (line []byte, whole bool) {
	if text := v.GetStringBytes("line_base64"); len(text) > 0 {
		line, err := base64.StdEncoding.AppendDecode(nil, text)
		return line, err == nil
	}
	line = v.GetStringBytes("line")
	return line, !v.Exists("line_bytes") && !mayBeInvalid(line)
}
