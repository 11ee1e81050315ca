package rollup_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
)

// A log of which no line ends a window is cut by the clock, a while after each interval.
func TestTick(t *testing.T) {
	s := rollup.New(defaults, "web1", 1<<20)
	g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
	open := s.Begin(at(g, 1), fromStart, noIntents)
	began := time.Unix(1_795_168_803, 0)
	open.Reach(at(g, 5), nil, began)
	for _, row := range []struct {
		after time.Duration
		want  []int
	}{{11 * time.Second, nil}, {12 * time.Second, []int{0}}, {61 * time.Second, nil}, {62 * time.Second, []int{1}}} {
		due := s.Tick(began.Add(row.after))
		var got []int
		for _, o := range due {
			got = append(got, o.Rollup)
			if c := s.Cut(o); c.Deltas != 0 || c.More() || c.End.Line != 5 {
				t.Errorf("the cut of lines that count nothing: %+v", c.Cut)
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("Tick after %v = %v, want %v", row.after, got, row.want)
		}
	}
}

// A log that is followed is cut before the first line of each window, so that each has one
// delta. One that is read faster than it was written is not.
func TestTurns(t *testing.T) {
	const begin = 1_795_168_800
	for _, row := range []struct {
		name string
		skip int64         // seconds of the first window
		pace time.Duration // of the clock, for each second of the log
		want int           // cuts of ten windows
	}{
		{"followed", 0, time.Second, 9},
		{"followed, and late", 0, 1200 * time.Millisecond, 9},
		{"followed from the middle of a window", 7, time.Second, 10},
		{"catching up slowly", 0, 800 * time.Millisecond, 9},
		{"a backlog", 0, time.Millisecond, 0},
	} {
		s := rollup.New(defaults[:1], "web1", 1<<20)
		g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
		open := s.Begin(at(g, 1), fromStart, noIntents)
		cuts, now := 0, time.Unix(begin, 0)
		for line := int64(1); line <= 1000; line++ {
			m := accesslog.Measures{At: (begin + row.skip + (line-1)/10) * 1e9} // ten a second
			if open.Turns(line, m.At) {
				for _, i := range s.Due(open) {
					c := s.Cut(rollup.Open{Generation: open, Rollup: i})
					if cuts++; c.Deltas != 1 || c.End.Line != line || (line+10*row.skip)%100 != 1 {
						t.Errorf("%s: a cut at line %d, of %d windows", row.name, line, c.Deltas)
					}
					c.Append(make([]byte, 0, 9<<10))
				}
			}
			s.Add(open, 0, line, &m, []byte(",status=200"))
			open.Reach(at(g, line+1), nil, now)
			now = now.Add(row.pace / 10)
		}
		if cuts != row.want {
			t.Errorf("%s: %d cuts of ten windows, want %d", row.name, cuts, row.want)
		}
	}
}

// Of a log that is followed, windows are cut soon after they have ended, whoever writes to it;
// but not before what is late as a rule.
func TestWindowsAreCutWhenTheyEnd(t *testing.T) {
	const begin = 1_795_168_800
	type line struct{ at, comes float64 } // seconds
	type cut struct {
		after float64
		lines int64
	}
	for _, row := range []struct {
		name  string
		lines []line
		want  []cut // of windows of 10 s
	}{
		{"a request", []line{{8, 8}}, []cut{{12, 1}}},
		{"at the begin of a window", []line{{0, 0}}, []cut{{12, 1}}},
		{"now and then", []line{{2, 2}, {6, 6}, {13, 13}, {37, 37}}, []cut{{12, 2}, {22, 1}, {42, 1}}},
		{"the next window begins before", []line{{8, 8}, {10.5, 10.5}}, []cut{{10.5, 1}, {22, 1}}},
		{"times of whole seconds", []line{{8, 8.9}, {9, 9.9}}, []cut{{12, 2}}},
		{"buffered for 5 s, busy", []line{{0, 3}, {2, 3}, {7, 8}, {9, 13}, {11, 13}, {17, 18}, {19, 23}, {21, 23}}, []cut{{13, 4}, {23, 3}, {34, 1}}},
		{"buffered for 5 s, quiet", []line{{1, 6}}, []cut{{18, 1}}},
		{"a late line", []line{{8, 8}, {9, 13}, {48, 48}}, []cut{{12, 1}, {18, 1}, {52, 1}}},
		{"a late line, and the next window", []line{{8, 8}, {9.9, 12.5}, {10.1, 12.7}, {21, 21}}, []cut{{12, 1}, {21, 2}, {32, 1}}},
		{"an hour behind", []line{{2, 3602}, {14, 3603}}, []cut{{3614, 2}}},
		{"a clock that is ahead", []line{{45, 8}}, []cut{{20, 1}}},
	} {
		s := rollup.New(defaults[:1], "web1", 1<<20)
		g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
		open := s.Begin(at(g, 1), fromStart, noIntents)
		var got []cut
		number, rest := int64(1), row.lines
		for tenth := range 40_000 { // of seconds
			now := time.Unix(begin, int64(tenth)*1e8)
			end := func(o rollup.Open) {
				c := s.Cut(o)
				got = append(got, cut{float64(tenth) / 10, c.Lines})
				c.Append(make([]byte, 0, 32<<10))
			}
			open.Arrive(now)
			for len(rest) > 0 && rest[0].comes <= float64(tenth)/10 {
				m := accesslog.Measures{At: begin*1e9 + int64(rest[0].at*1e9)}
				for open.Turns(number, m.At) {
					open.Reach(at(g, number), nil, now)
					for _, i := range s.Due(open) {
						end(rollup.Open{Generation: open, Rollup: i})
					}
				}
				s.Add(open, 0, number, &m, []byte(",status=200"))
				number, rest = number+1, rest[1:]
			}
			open.Reach(at(g, number), nil, now)
			if tenth%10 == 0 {
				for _, o := range s.Tick(now) {
					end(o)
				}
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: cuts (seconds, lines) %v, want %v", row.name, got, row.want)
		}
	}
}
