package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sums are what lines add up to, by window and tags; of fields named _max the greatest.
type sums map[string]map[string]int64

func (s sums) add(key, field string, n int64) {
	if s[key] == nil {
		s[key] = map[string]int64{}
	}
	if strings.HasSuffix(field, "_max") {
		s[key][field] = max(s[key][field], n)
		return
	}
	s[key][field] += n
}

// addTime adds a time, which was observed.
func (s sums) addTime(key, name string, ms int64) {
	s.add(key, name+"_ms", ms)
	s.add(key, name+"_ms_max", ms)
	bucket := 0
	for bound := int64(1000); bucket < 62 && ms*1000 > bound; bound = bound * 6 / 5 {
		bucket++
	}
	s.add(key, fmt.Sprintf("%s_b%02d", name, bucket), 1)
}

// traffic makes the lines of a log with a time to the millisecond, some out of order, a few
// that no format fits, and what they add up to in windows of a second and of ten.
type traffic struct {
	r           *rand.Rand
	at          time.Time
	step        time.Duration // from line to line, at most
	late        float64       // share of lines that are hours late
	pages       int
	source      string
	lines       int64
	rejected    int64
	site, paths sums
}

func newTraffic() *traffic {
	return &traffic{
		r: rand.New(rand.NewPCG(1, 2)), at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), step: 2 * time.Millisecond,
		pages: 26, source: "web", site: sums{}, paths: sums{},
	}
}

const trafficFormat = `$msec "$request" $status $bytes_sent $body_bytes_sent $request_length $request_time $upstream_response_time`

func (g *traffic) text(n int) string {
	var b strings.Builder
	for range n {
		g.lines++
		if g.r.IntN(500) == 0 {
			g.rejected++
			b.WriteString("this is no request\n")
			continue
		}
		g.at = g.at.Add(time.Duration(g.r.Int64N(int64(g.step) + 1)).Truncate(time.Millisecond))
		at := g.at.Add(-time.Duration(g.r.ExpFloat64()*500) * time.Millisecond)
		if g.r.Float64() < g.late {
			at = at.Add(-time.Duration(g.r.IntN(5*3600)) * time.Second)
		}
		g.line(&b, at, page(g.r.IntN(g.pages)), []int{200, 200, 304, 404, 503, 101}[g.r.IntN(6)])
	}
	return b.String()
}

// page is a path of letters: numbers are folded.
func page(n int) string {
	path := "/page/"
	for ; n >= 26; n /= 26 {
		path += string(rune('a' + n%26))
	}
	return path + string(rune('a'+n))
}

func (g *traffic) line(b *strings.Builder, at time.Time, path string, status int) {
	size, ms, upstream, text, tries := g.r.IntN(100_000), int64(g.r.ExpFloat64()*300), int64(-1), "-", int64(0)
	if g.r.IntN(100) == 0 {
		ms = g.r.Int64N(100_000)
	}
	if g.r.IntN(4) > 0 {
		upstream = ms * 9 / 10
		text = fmt.Sprintf("%d.%03d", upstream/1000, upstream%1000)
		if tries = 1; g.r.IntN(10) == 0 {
			text, tries, upstream = "0.007, "+text, 2, upstream+7
		}
	}
	fmt.Fprintf(b, "%d.%03d \"GET %s HTTP/1.1\" %d %d %d %d %d.%03d %s\n", at.Unix(), at.Nanosecond()/1e6, path, status,
		size+300, size, size%977, ms/1000, ms%1000, text)
	for _, of := range []struct {
		sums sums
		key  string
	}{
		{g.site, fmt.Sprintf("%d status=%d", at.Unix(), status)},
		{g.paths, fmt.Sprintf("%d path=%s status_class=%dxx", at.Unix()/10*10, path, status/100)},
	} {
		of.sums.add(of.key, "requests", 1)
		of.sums.add(of.key, "bytes_sent", int64(size+300))
		of.sums.add(of.key, "body_bytes_sent", int64(size))
		of.sums.add(of.key, "request_length", int64(size%977))
		if tries > 0 {
			of.sums.add(of.key, "upstream_tries", tries)
		}
		if status == 101 { // a tunnel, whose time says nothing
			continue
		}
		of.sums.addTime(of.key, "request_time", ms)
		if upstream >= 0 {
			of.sums.addTime(of.key, "upstream_response_time", upstream)
		}
	}
}

// rollup reads what a rollup adds up to, every field by window and tags.
func (b *bench) rollup(measurement, interval, where string, tags ...string) sums {
	b.t.Helper()
	series, err := b.db.Query(b.t.Context(), database, fmt.Sprintf(
		"SELECT sum(*), max(request_time_ms_max) AS greatest, max(upstream_response_time_ms_max) AS upstream_greatest FROM %s "+
			"WHERE source != 'tailflux' AND %s GROUP BY time(%s), %s fill(none)", measurement, where, interval, strings.Join(tags, ", ")))
	if err != nil {
		b.t.Fatal(err)
	}
	all := sums{}
	for _, s := range series {
		for _, row := range s.Values {
			at, err := row[0].(json.Number).Int64()
			if err != nil {
				b.t.Fatal(err)
			}
			key := fmt.Sprint(at / 1e9)
			for _, tag := range tags {
				key += fmt.Sprintf(" %s=%s", tag, s.Tags[tag])
			}
			for i, column := range s.Columns[1:] {
				field := fieldOf(column)
				if row[i+1] == nil || field == "" {
					continue
				}
				n, err := row[i+1].(json.Number).Int64()
				if err != nil {
					b.t.Fatal(err)
				}
				all.add(key, field, n)
			}
		}
	}
	return all
}

// fieldOf is the field of a column, "" if it is none: greatest times are not added up.
func fieldOf(column string) string {
	switch column {
	case "greatest":
		return "request_time_ms_max"
	case "upstream_greatest":
		return "upstream_response_time_ms_max"
	case "sum_request_time_ms_max", "sum_upstream_response_time_ms_max":
		return ""
	}
	return strings.TrimPrefix(column, "sum_")
}

// allPoints is a condition that all points meet.
const allPoints = "time > 0"

func (b *bench) wantRollups(g *traffic) {
	b.t.Helper()
	b.wantSums("site", g.site, b.rollup("site", "1s", allPoints, "status"))
	b.wantSums("paths", g.paths, b.rollup("paths", "10s", allPoints, "path", "status_class"))
}

func (b *bench) wantSums(name string, want, got sums) {
	b.t.Helper()
	if len(want) == 0 {
		b.t.Fatalf("%s: the log adds up to nothing", name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("%s differs from the log (-want +got):\n%.3000s", name, diff)
	}
}
