package rollup_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/influxdb1-client/models"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
)

// The buckets are at most a fifth apart, from 1 ms to beyond a minute, and each time is in
// the one that its bounds say.
func TestScale(t *testing.T) {
	if first := rollup.Upper(0); first != 1000 {
		t.Errorf("Upper(0) = %d µs, want 1 ms", first)
	}
	if last := rollup.Upper(rollup.Buckets - 2); last <= 60e6 {
		t.Errorf("the last bound is %d µs, want more than a minute", last)
	}
	for b := 1; b < rollup.Buckets-1; b++ {
		if low, high := rollup.Upper(b-1), rollup.Upper(b); high <= low || 5*high > 6*low {
			t.Errorf("bounds %d and %d: %d and %d µs, want at most a fifth apart", b-1, b, low, high)
		}
	}
	check := func(ms int64) {
		b := rollup.Bucket(ms)
		if b > 0 && ms*1000 <= rollup.Upper(b-1) {
			t.Errorf("Bucket(%d) = %d, want one below", ms, b)
		}
		if b < rollup.Buckets-1 && ms*1000 > rollup.Upper(b) {
			t.Errorf("Bucket(%d) = %d, want one above", ms, b)
		}
	}
	for ms := range int64(100_000) {
		check(ms)
	}
	for _, ms := range []int64{1 << 20, 1 << 40, math.MaxInt64 / 1000} {
		check(ms)
	}
}

func TestKeyIsOfWhatDecidesWhereLinesGo(t *testing.T) {
	same := rollup.Definition{Measurement: "m", Interval: time.Minute, Tags: []string{"a", "b"}}
	other := same
	other.Tags = []string{"b", "a"}
	if same.Key() != other.Key() {
		t.Errorf("keys %q and %q differ by the order of the tags", same.Key(), other.Key())
	}
	for name, change := range map[string]func(*rollup.Definition){
		"measurement": func(d *rollup.Definition) { d.Measurement = "n" },
		"interval":    func(d *rollup.Definition) { d.Interval = time.Hour },
		"tags":        func(d *rollup.Definition) { d.Tags = []string{"a"} },
		"joined tags": func(d *rollup.Definition) { d.Tags = []string{"a b"} },
		"policy":      func(d *rollup.Definition) { d.RetentionPolicy = "year" },
	} {
		other := same
		change(&other)
		if other.Key() == same.Key() {
			t.Errorf("another %s has the key %q, too", name, same.Key())
		}
	}
	if got := rollup.Measurement(same.Key()); got != "m" {
		t.Errorf("Measurement(%q) = %q, want %q", same.Key(), got, "m")
	}
}

// sums are the fields of all points of a series and window, added up; of fields named _max
// the greatest.
type sums map[string]map[string]int64

func (s sums) add(series string, field string, n int64) {
	if s[series] == nil {
		s[series] = map[string]int64{}
	}
	if strings.HasSuffix(field, "_max") {
		s[series][field] = max(s[series][field], n)
		return
	}
	s[series][field] += n
}

// window cuts the line number off a stamp.
func window(at int64, interval time.Duration) int64 { return at - at%int64(interval) }

// addPoints adds what influxd's own parser reads; the points of zeros are left out.
func (s sums) addPoints(t testing.TB, text []byte, interval time.Duration) {
	t.Helper()
	points, err := models.ParsePoints(text)
	if err != nil {
		t.Fatalf("ParsePoints(%.200q) = %v", text, err)
	}
	for _, p := range points {
		fields, err := p.Fields()
		if err != nil {
			t.Fatal(err)
		}
		if p.Tags().GetString("source") == "tailflux" {
			if len(fields) != 2*rollup.Buckets {
				t.Errorf("the point of zeros has %d fields, want %d", len(fields), 2*rollup.Buckets)
			}
			if p.UnixNano()%int64(time.Hour) != 0 {
				t.Errorf("the point of zeros is at %d, want the begin of an hour", p.UnixNano())
			}
			for field, n := range fields {
				if n != int64(0) {
					t.Errorf("%s of the point of zeros is %v", field, n)
				}
			}
			continue
		}
		series := fmt.Sprintf("%s %d", p.Key(), window(p.UnixNano(), interval))
		for field, n := range fields {
			s.add(series, field, n.(int64))
		}
	}
}

// addLine adds a line in the most obvious way.
func (s sums) addLine(series string, m accesslog.Measures) {
	s.add(series, "requests", 1)
	if m.Tries > 0 {
		s.add(series, "upstream_tries", m.Tries)
	}
	for i, size := range m.Sizes {
		if size >= 0 {
			s.add(series, accesslog.Sizes[i], size)
		}
	}
	for i, ms := range m.Times {
		if ms < 0 {
			continue
		}
		name, bucket := accesslog.Times[i], rollup.Buckets-1
		for b := rollup.Buckets - 2; b >= 0; b-- {
			if ms*1000 <= rollup.Upper(b) {
				bucket = b
			}
		}
		s.add(series, name+"_ms", ms)
		s.add(series, name+"_ms_max", ms)
		s.add(series, rollup.BucketField(name, bucket), 1)
	}
}

func (s sums) compare(t testing.TB, got sums) {
	t.Helper()
	for series := range got {
		if s[series] == nil {
			t.Errorf("%s is there, and has no line", series)
		}
	}
	wrong := 0
	for series, fields := range s {
		for field, want := range fields {
			if n, ok := got[series][field]; !ok || n != want {
				if wrong++; wrong < 5 {
					t.Errorf("%s: %s = %d (there: %t), want %d", series, field, n, ok, want)
				}
			}
		}
		for field := range got[series] {
			if _, ok := fields[field]; !ok {
				t.Errorf("%s: %s is there, and no line has it", series, field)
			}
		}
	}
}

// randomMeasures are of a line that may lack anything, and is late or not.
func randomMeasures(r *rand.Rand, at int64) accesslog.Measures {
	m := accesslog.Measures{At: at - int64(r.ExpFloat64()*10e9), Tries: int64(r.IntN(4))}
	for i := range m.Sizes {
		if m.Sizes[i] = -1; r.IntN(4) > 0 {
			m.Sizes[i] = int64(r.IntN(100_000))
		}
	}
	for i := range m.Times {
		if m.Times[i] = -1; r.IntN(4) > 0 {
			m.Times[i] = int64(math.Exp(r.NormFloat64()*3 + 3))
		}
	}
	return m
}

// Whatever is cut wherever, the deltas add up to the lines, for each series and window.
func TestDeltasAddUp(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := rollup.New(defaults, "web 1", 16<<20)
		g := &flow.Generation{Source: &flow.Source{Name: "my,web"}, ID: 1, FirstLine: 1}
		open := s.Begin(at(g, 1), fromStart, noIntents)
		var got, want [2]sums
		for i := range got {
			got[i], want[i] = sums{}, sums{}
		}
		cut := func(o rollup.Open) {
			for c := s.Cut(o); c.More(); {
				text, n := c.Append(make([]byte, 0, 8<<10+r.IntN(20_000)))
				if got := bytes.Count(text, []byte{'\n'}); got != n || n == 0 {
					t.Fatalf("Append returned %d points and said %d", got, n)
				}
				got[o.Rollup].addPoints(t, text, defaults[o.Rollup].Interval)
			}
		}
		for number := int64(1); number < 2000; number++ {
			m := randomMeasures(r, 1_795_168_800e9+number*1e8)
			tags := [2]string{
				fmt.Sprintf(",method=GET,status=%d", 200+r.IntN(3)),
				fmt.Sprintf(",path=/%s%d,status_class=2xx", strings.Repeat("a", r.IntN(300)), r.IntN(20)),
			}
			for i, d := range defaults {
				s.Add(open, i, number, &m, []byte(tags[i]))
				key := fmt.Sprintf(`%s,host=web\ 1%s,source=my\,web%s %d`, d.Measurement, tags[i][:strings.IndexByte(tags[i][1:], ',')+1], tags[i][strings.IndexByte(tags[i][1:], ',')+1:], window(m.At, d.Interval))
				if i == 0 { // influxd sorts tags by their keys
					key = fmt.Sprintf(`%s,host=web\ 1%s,source=my\,web,status=%s %d`, d.Measurement, ",method=GET", tags[i][len(",method=GET,status="):], window(m.At, d.Interval))
				}
				want[i].addLine(key, m)
			}
			open.Reach(at(g, number+1), nil, time.Time{})
			if r.IntN(300) == 0 {
				cut(rollup.Open{Generation: open, Rollup: r.IntN(2)})
			}
		}
		for _, o := range s.End() {
			cut(o)
		}
		if n := s.States()[0].Lines + s.States()[1].Lines; n != 0 {
			t.Errorf("%d lines are open after the end", n)
		}
		for i := range got {
			want[i].compare(t, got[i])
		}
	}
}

func TestNothingIsAllocatedPerLine(t *testing.T) {
	lines := benchLines(10_000)
	s := rollup.New(defaults, "web1", 16<<20)
	g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
	open := s.Begin(at(g, 1), fromStart, noIntents)
	number := int64(0)
	pass := func() {
		for i := range lines {
			number++
			s.Add(open, 0, number, &lines[i].m, lines[i].site)
			s.Add(open, 1, number, &lines[i].m, lines[i].paths)
		}
	}
	pass()
	if n := testing.AllocsPerRun(10, pass); n != 0 {
		t.Errorf("%v allocations in %d lines", n, len(lines))
	}
}

// A log may end before the place where a cut is to end: what can still be read of it is in a
// delta that begins where that one did.
func TestLeftBeforeTheEndOfACut(t *testing.T) {
	s := rollup.New(defaults[:1], "web1", 1<<20)
	g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
	open := s.Begin(at(g, 1), fromStart, func(key string) []rollup.Intent {
		return []rollup.Intent{{Rollup: key, Source: "web", Generation: 1, Begin: 1, End: 100}}
	})
	m := accesslog.Measures{At: 1_795_168_800e9}
	for line := range int64(49) {
		s.Add(open, 0, line+1, &m, []byte(",status=200"))
	}
	open.Reach(at(g, 50), nil, time.Time{})
	if cuts, lines := s.End(), s.States()[0].Lines; len(cuts) > 0 || lines != 49 {
		t.Errorf("a stop cuts %d rollups and leaves %d lines, want none and 49", len(cuts), lines)
	}
	all := s.Leave(open)
	if len(all) != 1 {
		t.Fatalf("the end of the log cuts %d rollups, want 1", len(all))
	}
	c := s.Cut(all[0])
	text, _ := c.Append(make([]byte, 0, 9<<10))
	if c.Begin != 1 || c.End.Line != 50 || !strings.HasSuffix(string(text), " 1795168800000000001\n") {
		t.Errorf("the cut is from %d to %d: %q", c.Begin, c.End.Line, text)
	}
}

// A log that was left may come back for an hour, however often it is rotated meanwhile.
func TestManyLogsAreLeft(t *testing.T) {
	s := rollup.New(defaults, "web1", 1<<20)
	source := &flow.Source{Name: "web"}
	first := &flow.Generation{Source: source, ID: 1, FirstLine: 1}
	for id := range int64(700) {
		g := &flow.Generation{Source: source, ID: id + 1, FirstLine: id*1000 + 1}
		open := s.Begin(at(g, g.FirstLine), func(string) int64 { return g.FirstLine }, noIntents)
		open.Reach(at(g, g.FirstLine+10), nil, time.Time{})
		for _, o := range s.Leave(open) {
			s.Cut(o)
		}
	}
	if s.Of(first) == nil {
		t.Error("the first log is forgotten")
	}
	if s.Of(&flow.Generation{Source: source, ID: 701}) != nil {
		t.Error("a log is known that never was")
	}
}
