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

// defaults are the two rollups that are on without being asked for.
var defaults = []rollup.Definition{
	{Measurement: "nginx_site", Interval: 10 * time.Second, Tags: []string{"method", "status"}},
	{Measurement: "nginx_paths", Interval: time.Minute, Tags: []string{"path", "status_class"}},
}

// benchLine is a line of 1,000 a second.
type benchLine struct {
	m           accesslog.Measures
	site, paths []byte
}

func benchLines(n int) (lines []benchLine) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		status := []int{200, 200, 200, 200, 200, 200, 304, 404, 500}[r.IntN(9)]
		path := int(r.ExpFloat64() * 40)
		lines = append(lines, benchLine{
			m: accesslog.Measures{
				At: 1_795_168_800e9 + int64(i)*1e6, Sizes: [3]int64{int64(r.IntN(50_000)), int64(r.IntN(50_000)), 300},
				Times: [2]int64{int64(r.ExpFloat64() * 80), int64(r.ExpFloat64() * 60)}, Tries: 1,
			},
			site:  fmt.Appendf(nil, ",method=%s,status=%d", []string{"GET", "POST", "GET", "HEAD"}[r.IntN(4)], status),
			paths: fmt.Appendf(nil, ",path=/api/v1/objects/:id/parts/%d,status_class=%dxx", path, status/100),
		})
	}
	return lines
}

func fromStart(string) int64           { return 1 }
func noIntents(string) []rollup.Intent { return nil }
func at(g *flow.Generation, line int64) flow.Position {
	return flow.Position{Generation: g, Offset: line * 100, Line: line}
}

func BenchmarkAddDefaults(b *testing.B) {
	lines := benchLines(100_000)
	s := rollup.New(defaults, "web1", 16<<20)
	g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
	open := s.Begin(at(g, 1), fromStart, noIntents)
	room := make([]byte, 0, 256<<10)
	number, deltas := int64(1), 0
	pass := func(n int) {
		for range n {
			l := &lines[number%int64(len(lines))]
			s.Add(open, 0, number, &l.m, l.site)
			s.Add(open, 1, number, &l.m, l.paths)
			if number++; number%60_000 == 0 {
				open.Reach(at(g, number), []byte("x"), time.Time{})
				for _, o := range s.End() {
					for c := s.Cut(o); c.More(); {
						_, n := c.Append(room)
						deltas += n
					}
				}
			}
		}
	}
	pass(200_000)
	b.ReportAllocs()
	for b.Loop() {
		pass(1)
	}
}
