package rollup_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
)

// few admits that many values, of all tags together.
type few struct {
	most  int
	known map[string]bool
}

func (f *few) Admit(tag int, value []byte) bool {
	key := fmt.Sprint(tag, string(value))
	if !f.known[key] && len(f.known) < f.most {
		f.known[key] = true
	}
	return f.known[key]
}

// adder adds lines up, finding cells by their series or, as its slow twin, by their tags.
type adder struct {
	quick, raw bool
	encoder    *accesslog.Encoder
	sums       *rollup.Sums
	open       []*rollup.Generation
	text       []byte
}

var captured = []string{"msec", "request", "status", "request_time"}

// twins are an adder and its slow twin, of the default rollups, one without tags, and one
// with more than a series has.
func twins(t testing.TB, raw bool, most int) (all [2]*adder) {
	definitions := append([]rollup.Definition{
		{Measurement: "all", Interval: time.Second},
		{Measurement: "each", Interval: time.Second, Tags: []string{"path", "method", "status", "protocol", "status_class"}},
	}, defaults...)
	s := accesslog.Schema{Measurement: "m", Tags: []string{"path", "status"}, Fields: []string{"request_time"}, Fold: true}
	for _, d := range definitions {
		s.Rollups = append(s.Rollups, d.Tags)
	}
	for i := range all {
		s.Values = &few{most, map[string]bool{}}
		e, err := accesslog.New(captured, s)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = &adder{quick: i == 0, raw: raw, encoder: e, sums: rollup.New(definitions, "web1", 1<<30)}
		for id := range int64(2) {
			g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: id + 1, FirstLine: 1}
			all[i].open = append(all[i].open, all[i].sums.Begin(at(g, 1), fromStart, noIntents))
		}
	}
	return all
}

// add adds a line as the stage does.
func (a *adder) add(t testing.TB, generation int, line int64, captures [][]byte) (again int) {
	var outcome accesslog.Outcome
	if a.raw {
		a.text, outcome = a.encoder.Append(a.text[:0], captures, line)
	} else {
		outcome = a.encoder.Judge(captures, line)
	}
	if outcome != accesslog.Point {
		t.Fatalf("%q is %d, no point", captures, outcome)
	}
	m := a.encoder.Measures(captures)
	series := a.encoder.Series(captures)
	next := func(of int) int {
		if !a.quick {
			return of
		}
		return a.sums.AddRemembered(a.open[generation], of, line, m, series)
	}
	again = len(series)
	for of := next(0); of < len(series); of = next(of + 1) {
		again--
		a.sums.Add(a.open[generation], of, line, m, a.encoder.AppendRollupTags(nil, of, captures))
		if a.quick {
			a.sums.Remember(&series[of])
		}
	}
	return again
}

// cut returns the deltas of a rollup.
func (a *adder) cut(generation, of int, line int64) (deltas string) {
	a.open[generation].Reach(at(a.open[generation].Generation, line), nil, time.Time{})
	for c := a.sums.Cut(rollup.Open{Generation: a.open[generation], Rollup: of}); c.More(); {
		text, _ := c.Append(make([]byte, 0, 64<<10))
		deltas += string(text)
	}
	return deltas
}

func compare(t testing.TB, both [2]*adder, generation, of int, line int64) {
	t.Helper()
	if got, want := both[0].cut(generation, of, line), both[1].cut(generation, of, line); got != want {
		t.Fatalf("cut before line %d of rollup %d: got\n%swant\n%s", line, of, got, want)
	}
}

// Cells that are found by their series are those that are found by their tags, whatever was
// cut, forgotten or refused before.
func FuzzSeries(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x40\x41\x42\x00\x01\x02\xf0\x00\x41\xf1\x00\xff\x01\x02\x03\xf2\xf3\x01"), uint8(3), true)
	f.Add([]byte("aabbccabcabc\xf7abc\xf2abcddee\xf5abcdeee"), uint8(0), false)
	f.Add([]byte("\x80\x80\x81\x90\x80\xc0\xc0\xd0\xf1\xf2\x80\x90"), uint8(200), false)
	f.Fuzz(func(t *testing.T, order []byte, most uint8, raw bool) {
		both := twins(t, raw, int(most))
		clock := int64(1_795_168_800)
		for i, c := range order {
			line, generation := int64(i+1), i%5/4
			if c >= 0xf0 {
				if clock += int64(c % 16); c%4 < 2 {
					compare(t, both, generation, int(c%4+c/4%2), line)
				}
				continue
			}
			request := "-" // neither method nor path
			if c%16 > 0 {
				request = fmt.Sprintf("%s /%c/%d/x HTTP/1.%d", []string{"GET", "POST"}[c/16%2], 'a'+c%16/2, c, c%2)
			}
			late := int64(c % 3 / 2)
			captures := [][]byte{fmt.Appendf(nil, "%d.000", clock-late), []byte(request), fmt.Appendf(nil, "%d", int(c/64)*100+100), []byte("0.0" + fmt.Sprint(i%10) + "0")}
			for _, a := range both {
				a.add(t, generation, line, captures)
			}
		}
		for of := range both[0].sums.States() {
			for generation := range both[0].open {
				compare(t, both, generation, of, int64(len(order)+1))
			}
		}
	})
}

// The same with more series than are remembered, and more values.
func TestMoreSeriesThanAreRemembered(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	both := twins(t, false, 1<<30)
	again, lines := 0, 30_000
	for i := range lines {
		path := int(r.ExpFloat64() * 1000)
		captures := [][]byte{
			fmt.Appendf(nil, "%d.%03d", 1_795_168_800+i/1000, i%1000),
			fmt.Appendf(nil, "GET /p%d/%d HTTP/1.1", path, r.IntN(3)),
			fmt.Appendf(nil, "%d", 200+r.IntN(3)*100), []byte("0.100"),
		}
		for _, a := range both {
			again += a.add(t, i%2, int64(i+1), captures)
		}
		if of := r.IntN(4000); of < len(both[0].sums.States()) {
			compare(t, both, i%2, of, int64(i+2))
		}
	}
	for of := range both[0].sums.States() {
		for generation := range both[0].open {
			compare(t, both, generation, of, int64(lines+2))
		}
	}
	if again < lines {
		t.Errorf("%d of %d cells were found by their series", again, 4*lines)
	}
}

// Lines of a window are found by their series from the second one on.
func TestSeriesFindTheirCells(t *testing.T) {
	for _, raw := range []bool{false, true} {
		a := twins(t, raw, 100)[0]
		line := int64(0)
		for _, tt := range []struct {
			what, at, path, status string
			want                   int // of all, each, nginx_site and nginx_paths
		}{
			{"first", "1795168800.000", "/a/1", "200", 0},
			{"same", "1795168800.000", "/a/1", "200", 3},
			{"folded to the same", "1795168800.000", "/a/2", "200", 3},
			{"another status", "1795168800.000", "/a/1", "201", 2},
			{"another path", "1795168800.000", "/b", "201", 2},
			{"the next second", "1795168801.000", "/b", "201", 2},
			{"the next 10 s", "1795168810.000", "/b", "201", 1},
			{"no status", "1795168810.000", "/b", "-", 1},
			{"none again", "1795168810.000", "/b", "-", 3},
		} {
			line++
			captures := [][]byte{[]byte(tt.at), []byte("GET " + tt.path + " HTTP/1.1"), []byte(tt.status), []byte("0.100")}
			if got := a.add(t, 0, line, captures); got != tt.want {
				t.Errorf("raw %t, %s: %d cells were found by their series, want %d", raw, tt.what, got, tt.want)
			}
		}
	}
}
