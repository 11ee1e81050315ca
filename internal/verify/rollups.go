package verify

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Rollup says how a rollup compares with the lines of a file. Its JSON is documented in
// docs/old-logs.md.
type Rollup struct {
	Measurement string   `json:"measurement"`
	Pending     int64    `json:"pending"`  // lines that are not delivered yet
	Outside     int64    `json:"outside"`  // lines from when it was not configured
	Refused     int64    `json:"refused"`  // lines in points that InfluxDB refused
	Expected    int64    `json:"expected"` // lines
	Found       int64    `json:"found"`
	Compared    int64    `json:"compared"` // windows
	Windows     []Window `json:"windows"`  // that differ
}

// A Window is one whose sums differ.
type Window struct {
	Time     time.Time        `json:"time"`
	Expected map[string]int64 `json:"expected"` // the fields that differ
	Found    map[string]int64 `json:"found"`
}

func (w *Window) print(b *strings.Builder) {
	fmt.Fprintf(b, "  %s", w.Time.Format("2006-01-02T15:04:05Z"))
	for _, field := range rollup.SumFields {
		if want, ok := w.Expected[field]; ok {
			fmt.Fprintf(b, "  %s %d of %d", field, w.Found[field], want)
		}
	}
	b.WriteByte('\n')
}

// spans are the lines of a file that a destination got.
type spans struct {
	all  []span // those of one generation ascending
	over bool   // nothing is to come
}

// span is one, and the last line of the file in it; 0 if none is.
type span struct {
	checkpoint.Span
	last int64
}

func spansOf(records []checkpoint.Record, destination string) (s spans) {
	for i := range records {
		for _, got := range records[i].Got(destination) {
			s.all = append(s.all, span{Span: got})
		}
		s.over = s.over || records[i].Finished
	}
	return s
}

// place is where a line is, as a destination sees it.
type place int

const (
	inside  place = iota
	behind        // the last that it got
	outside       // what it was to get
)

func (s spans) place(number int64) place {
	at := outside
	for _, sp := range s.all {
		if number >= sp.From && number < sp.To {
			return inside
		}
		if at = behind; number < sp.From || s.over {
			at = outside
		}
	}
	return at
}

// reach notes a line of the file, which come in their order, whatever becomes of it.
func (s spans) reach(number int64) {
	for i := range s.all {
		if sp := &s.all[i]; number >= sp.From && number < sp.To {
			sp.last = number
		}
	}
}

// have reports whether the number of a delta's first line is one of the file's.
func (s spans) have(number int64) bool {
	return slices.ContainsFunc(s.all, func(of span) bool { return of.last > 0 && rollup.Between(number, of.From, of.last+1) })
}

// lack reports whether the log had lines that the file has not, as a copy of it may: they
// are in the same points.
func (s spans) lack() bool {
	return slices.ContainsFunc(s.all, func(of span) bool { return of.last > 0 && of.To < math.MaxInt64 && of.last+1 < of.To })
}

// sums are what lines add up to in a rollup.
type sums struct {
	Rollup
	rollup.Definition
	source      string
	approximate bool
	spans       spans
	redelivered map[int64]bool // numbers in stamps of lines that are added up alone
	windows     map[int64]*rollup.Plain
	refused     []rejects.Delta
}

// sums are those of all rollups, of no line yet.
func (v *Verifier) sums(result *Verdict, records []checkpoint.Record) (all []*sums) {
	for _, d := range v.rollups {
		s := &sums{
			Rollup: Rollup{Measurement: d.Measurement, Windows: []Window{}}, Definition: d, source: result.Source, approximate: result.Approximate,
			spans: spansOf(records, d.Key()), redelivered: map[int64]bool{}, windows: map[int64]*rollup.Plain{},
		}
		seen := map[int64]bool{}
		for _, r := range records {
			if !seen[r.Generation] {
				s.refused = slices.AppendSeq(s.refused, v.rejected.Deltas(result.Source, r.Generation))
			}
			seen[r.Generation] = true
		}
		s.refused = slices.DeleteFunc(s.refused, func(of rejects.Delta) bool { return of.Rollup != d.Key() })
		all = append(all, s)
	}
	return all
}

// add adds a line, unless it is not there yet.
func (s *sums) add(is *known, m *accesslog.Measures, approximate bool) {
	if place := s.spans.place(is.number); !approximate && place != inside {
		if place == behind {
			s.Pending++
		} else {
			s.Outside++
		}
		return
	}
	if is.redelivered {
		s.redelivered[rollup.Redelivered(is.number)] = true
	}
	s.Expected++
	s.window(m.At).Add(m)
}

// reach notes a line of the file for all rollups.
func reach(all []*sums, number int64) {
	for _, s := range all {
		s.spans.reach(number)
	}
}

func (s *sums) window(at int64) *rollup.Plain {
	at = s.Window(at)
	of := s.windows[at]
	if of == nil {
		of = &rollup.Plain{}
		s.windows[at] = of
	}
	return of
}

// has reports whether a delta is of the file.
func (s *sums) has(stamp int64) bool {
	number := s.Number(stamp)
	return s.approximate || s.redelivered[number] || s.spans.have(number)
}

// leaveOut leaves out what InfluxDB refused.
func (s *sums) leaveOut() {
	for _, point := range s.refused {
		stamp, ok := lineproto.Stamp(point.Line)
		if !ok || !s.has(stamp) {
			continue
		}
		refused, window := rollup.PlainOf(string(point.Line)), s.window(stamp)
		for i := range window {
			window[i] -= refused[i]
		}
		s.Refused += refused[0]
		s.Expected -= refused[0]
	}
}

// manyPoints is how many points are asked for at once, about.
const manyPoints = 20_000

// compare compares with what is in InfluxDB.
func (s *sums) compare(ctx context.Context, points Points, host string) error {
	s.leaveOut()
	of := influx.Rollup{
		Measurement: s.Definition.Measurement, RetentionPolicy: s.RetentionPolicy, Fields: rollup.SumFields,
		Source: s.source, Host: host,
	}
	rest, atOnce := slices.Sorted(maps.Keys(s.windows)), 10
	s.Compared = int64(len(rest))
	for len(rest) > 0 {
		some := rest[:min(atOnce, len(rest))]
		rest = rest[len(some):]
		found, n, err := s.found(ctx, points, of, some)
		if err != nil {
			return err
		}
		for _, at := range some {
			s.judge(at, *s.windows[at], found[at])
		}
		if n < manyPoints/2 {
			atOnce *= 2
		} else if n > manyPoints {
			atOnce = max(1, atOnce/2)
		}
	}
	return nil
}

// found is what is in windows, which are ascending, and how many points that are.
func (s *sums) found(ctx context.Context, points Points, of influx.Rollup, windows []int64) (sums map[int64]rollup.Plain, n int, err error) {
	deltas, err := points.Deltas(ctx, of, windows[0], end(windows[len(windows)-1], s.Interval))
	sums = map[int64]rollup.Plain{}
	for _, d := range deltas {
		if !s.has(d.At) {
			continue
		}
		at := s.Window(d.At)
		sum := sums[at]
		for i, n := range d.Fields {
			sum[i] += n
		}
		sums[at] = sum
	}
	return sums, len(deltas), err
}

// end is the last nanosecond of a window. The last window of all is cut short in 2262, where
// 64 bits end; InfluxDB's last one is the one before that.
func end(window int64, interval time.Duration) int64 {
	return min(window, math.MaxInt64-int64(interval)) + int64(interval) - 1
}

// judge compares a window. Lines that are not in the file may be in it, too, if nothing is
// known of the file, or if it lacks some.
func (s *sums) judge(at int64, want, got rollup.Plain) {
	w := Window{Time: time.Unix(0, at).UTC(), Expected: map[string]int64{}, Found: map[string]int64{}}
	for i, field := range rollup.SumFields {
		if s.approximate || s.spans.lack() {
			got[i] = min(got[i], want[i])
		}
		if got[i] != want[i] {
			w.Expected[field], w.Found[field] = want[i], got[i]
		}
	}
	s.Found += got[0]
	if len(w.Found) > 0 {
		s.Windows = append(s.Windows, w)
	}
}
