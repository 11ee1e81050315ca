package stats_test

import (
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// All is parsed up to the last look where the logs were read to their ends, and else up to
// the last line of the log that is furthest behind.
func TestReached(t *testing.T) {
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	end := stats.Source{Open: true, Files: 1, Offset: 100, Size: 100, LastLine: at(-50)}
	change := func(to func(*stats.Source)) stats.Source {
		s := end
		to(&s)
		return s
	}
	behind := change(func(s *stats.Source) { s.Offset, s.LastLine = 50, at(-30) })
	further := change(func(s *stats.Source) { s.Offset, s.LastLine = 50, at(-40) })
	for _, tt := range []struct {
		name    string
		sources []stats.Source
		looked  time.Time
		waiting int64 // lines that parse has not received
		want    time.Time
	}{
		{"no logs", nil, at(0), 0, time.Time{}},
		{"to the end", []stats.Source{end}, at(0), 0, at(-1)},
		{"to the end, before any line", []stats.Source{change(func(s *stats.Source) { s.LastLine = time.Time{} })}, at(0), 0, at(-1)},
		{"behind", []stats.Source{behind}, at(0), 0, at(-30)},
		{"behind, before any line", []stats.Source{change(func(s *stats.Source) { s.Offset, s.LastLine = 50, time.Time{} })}, at(0), 0, time.Time{}},
		{"one of two is behind", []stats.Source{end, behind}, at(0), 0, at(-30)},
		{"both are behind", []stats.Source{behind, further}, at(0), 0, at(-40)},
		{"lines are on the way", []stats.Source{end}, at(0), 5, at(-50)},
		{"a rotated file is open, too", []stats.Source{change(func(s *stats.Source) { s.Files = 2 })}, at(0), 0, at(-50)},
		{"trouble", []stats.Source{change(func(s *stats.Source) { s.Trouble = "permission denied" })}, at(0), 0, at(-50)},
		{"one is not there", []stats.Source{end, {Trouble: "no such file"}}, at(0), 0, at(-1)},
		{"one is gone for good", []stats.Source{end, change(func(s *stats.Source) { s.Dropped, s.Offset = true, 1 })}, at(0), 0, at(-1)},
		{"nobody looks", []stats.Source{end}, time.Time{}, 0, at(-50)},
		{"nobody looked for long", []stats.Source{end}, at(-20), 0, at(-21)},
	} {
		s := stats.New(began)
		for i, source := range tt.sources {
			s.AddSource("web", "access.log")
			s.UpdateSource(i, func(is *stats.Source) { *is = source })
		}
		s.Looked(tt.looked)
		s.Read(began, tt.waiting, 0)
		if got := s.Reached(); !got.Equal(tt.want) {
			t.Errorf("%s: reached %v, want %v", tt.name, got, tt.want)
		}
	}
}
