package rollup_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
)

// importLog is an import of a log from a state directory of its own, which is interrupted
// now and then, and reads its file in pieces of any size.
func importLog(w *world, log *modelLog) map[string]map[string]int64 {
	w.store = map[string]map[string]int64{}
	source := &flow.Source{Name: "web"}
	g := &flow.Generation{Source: source, ID: -1, FirstLine: log.first}
	end := log.first + int64(len(log.lines))
	from := []int64{log.first, log.first} // acknowledged
	book := rollup.NewBook(&failingDisk{}, nil)
	book.KeepsMilliseconds(w.coarse)
	for complete := false; !complete; {
		s := rollup.New(defaults, "web1", 100) // a budget that is no reason to cut an import
		s.LimitImports(50, 17)
		line := slices.Min(from)
		key := func(key string) int64 {
			return from[slices.IndexFunc(defaults, func(d rollup.Definition) bool { return d.Key() == key })]
		}
		open := s.Begin(at(g, line), key, noIntents)
		cut := func(o rollup.Open) {
			c := s.Cut(o)
			for c.More() {
				text, _ := c.Append(make([]byte, 0, 9<<10))
				rollup.Restamp(text, &c.Cut, book.Register(&c.Cut))
				for _, point := range slices.Collect(splitLines(text)) {
					w.insert(point)
				}
			}
			if w.r.IntN(3) > 0 { // else the acknowledgement is lost
				from[o.Rollup] = c.End.Line
			}
		}
		for line < end && w.r.IntN(30) > 0 {
			for n := 1 + w.r.IntN(40); n > 0 && line < end; n-- {
				if line >= open.Due() {
					break
				}
				l := &log.lines[line-log.first]
				for i := range defaults {
					if !l.rejected && open.Counts(i, line) {
						s.Add(open, i, line, &l.m, []byte(l.tags[i]))
					}
				}
				line++
			}
			open.Reach(at(g, line), nil, time.Time{})
			for _, i := range s.Due(open) {
				cut(rollup.Open{Generation: open, Rollup: i})
			}
			if _, ok := s.Largest(); ok {
				w.t.Error("an import is cut for its memory")
			}
			if due := s.Tick(w.now); len(due) > 0 {
				w.t.Error("an import is cut by the clock")
			}
			w.now = w.now.Add(1e11)
		}
		if open := s.End(); len(open) > 0 {
			w.t.Error("an import is cut because it was interrupted")
		}
		if complete = line == end; complete {
			for _, o := range s.Leave(open) {
				cut(o)
			}
			complete = slices.Min(from) == end
		}
	}
	return w.store
}

// Importing a file again from another state directory gives the same points, however it is
// read, and whenever it was interrupted.
func TestImportGivesTheSamePoints(t *testing.T) {
	for seed := range uint64(100) {
		w := &world{t: t, r: rand.New(rand.NewPCG(seed, 2)), now: time.Unix(1_795_168_800, 0), coarse: seed%2 == 1}
		log := &modelLog{first: 1 + w.r.Int64N(1e9)}
		for len(log.lines) < 300 {
			w.grow(log)
		}
		once, twice := importLog(w, log), importLog(w, log)
		for _, all := range []map[string]map[string]int64{once, twice} {
			maps.DeleteFunc(all, func(key string, _ map[string]int64) bool { return rollup.IsZeros([]byte(key + " ")) })
		}
		if !maps.EqualFunc(once, twice, maps.Equal[map[string]int64, map[string]int64]) {
			t.Fatalf("seed %d: %d points, and %d the second time, which differ", seed, len(once), len(twice))
		}
		var want, got int64
		for i := range log.lines {
			if !log.lines[i].rejected {
				want += int64(len(defaults))
			}
		}
		for _, fields := range once {
			got += fields["requests"]
		}
		if got != want {
			t.Errorf("seed %d: the points add up to %d requests, want %d", seed, got, want)
		}
	}
}
