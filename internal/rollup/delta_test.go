package rollup_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Each hour has a point of zeros, and has it again after five minutes: a database that was
// made anew meanwhile has lost it.
func TestZerosAreWrittenAgain(t *testing.T) {
	const begin = 1_795_168_800
	s := rollup.New(defaults[:1], "web1", 1<<20)
	g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
	open := s.Begin(at(g, 1), fromStart, noIntents)
	line := int64(1)
	for _, row := range []struct {
		after time.Duration // of the clock
		line  time.Duration // its time
		want  string        // times of points of zeros
	}{
		{0, 0, "1795168800"},
		{time.Minute, time.Minute, ""},
		{4 * time.Minute, -time.Hour, "1795165200"}, // a late one
		{4 * time.Minute, 4 * time.Minute, ""},
		{5 * time.Minute, 5 * time.Minute, "1795168800"},
		{5 * time.Minute, -time.Hour, "1795165200"},
		{9 * time.Minute, 9 * time.Minute, ""},
		{60 * time.Minute, 60 * time.Minute, "1795172400"},
		{61 * time.Minute, 59 * time.Minute, "1795168800"},
		{62 * time.Minute, 62 * time.Minute, ""},
	} {
		s.Add(open, 0, line, &accesslog.Measures{At: begin*1e9 + int64(row.line)}, []byte(",status=200"))
		line++
		open.Reach(at(g, line), nil, time.Unix(begin, 0).Add(row.after))
		text, n := s.Cut(rollup.Open{Generation: open}).Append(make([]byte, 0, 32<<10))
		got := ""
		for point := range bytes.Lines(text) {
			if rollup.IsZeros(point) {
				got += string(point[bytes.LastIndexByte(point, ' ')+1 : len(point)-len("000000000\n")])
			}
		}
		if got != row.want || n != 1+len(row.want)/10 {
			t.Errorf("after %v, a line of %v: zeros at %q in %d points, want at %q", row.after, row.line, got, n, row.want)
		}
	}
}
