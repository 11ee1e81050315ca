package service_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/service"
	"github.com/tailflux/tailflux/internal/stats"
)

func TestSentence(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	log := func(change func(*stats.Source)) []stats.Source {
		source := stats.Source{Name: "web", Path: "/var/log/nginx/access.log", Open: true}
		change(&source)
		return []stats.Source{source}
	}
	lag := func(age time.Duration, bytes int64) []stats.Source {
		return log(func(s *stats.Source) { s.LastLine, s.Size = now.Add(-age), bytes })
	}
	trouble := log(func(s *stats.Source) { s.Trouble = "open /var/log/nginx/access.log: permission denied" })
	away := func(d time.Duration) stats.InfluxDB {
		return stats.InfluxDB{Outage: d, LastError: "connection refused"}
	}
	for _, tt := range []struct {
		want string
		is   stats.Snapshot
	}{
		{"0 lines/s, 0 s behind", stats.Snapshot{}},
		{"0.3 lines/s, 0 s behind", stats.Snapshot{LinesPerSecond: stats.Rates{Over1s: 3, Over10s: 0.3}}},
		{"10 lines/s, 0 s behind", stats.Snapshot{LinesPerSecond: stats.Rates{Over10s: 9.96}}},
		{"999 lines/s, 0 s behind", stats.Snapshot{LinesPerSecond: stats.Rates{Over10s: 999.4}}},
		{"3,214 lines/s, 0 s behind", stats.Snapshot{LinesPerSecond: stats.Rates{Over10s: 3214}}},
		{"1,203,214 lines/s, 0 s behind", stats.Snapshot{LinesPerSecond: stats.Rates{Over10s: 1203214}}},

		// Lines wait for others; a quiet log is old, and not behind.
		{"0 lines/s, 0 s behind", stats.Snapshot{Undelivered: 2 * time.Second}},
		{"0 lines/s, 7 s behind", stats.Snapshot{Undelivered: 7*time.Second + 900*time.Millisecond}},
		{"0 lines/s, 0 s behind", stats.Snapshot{Sources: lag(time.Hour, 0)}},
		{"0 lines/s, 119 s behind", stats.Snapshot{Sources: lag(119*time.Second, 1)}},
		{"0 lines/s, 2 min behind", stats.Snapshot{Sources: lag(120*time.Second, 1), Undelivered: 7 * time.Second}},
		{"0 lines/s, 47 h behind", stats.Snapshot{Sources: lag(47*time.Hour, 1)}},
		{"0 lines/s, 3 days behind", stats.Snapshot{Sources: lag(72*time.Hour, 1)}},

		{"InfluxDB away for 42 s; 0 lines wait: connection refused", stats.Snapshot{InfluxDB: away(42 * time.Second)}},
		{
			"InfluxDB away for 2 min; 1 line waits: connection refused",
			stats.Snapshot{InfluxDB: away(2 * time.Minute), Books: stats.Books{Read: 9, InFlight: 1}},
		},
		{
			"InfluxDB away for 5 h; 12,000 lines and 34MB of logs wait: connection refused",
			stats.Snapshot{InfluxDB: away(5 * time.Hour), Books: stats.Books{InFlight: 12000}, Sources: lag(time.Hour, 34e6)},
		},

		{"0 lines/s, 0 s behind; source web: open /var/log/nginx/access.log: permission denied", stats.Snapshot{Sources: trouble}},
		{"0 lines/s, 0 s behind; source web: no line fits", stats.Snapshot{Sources: log(func(s *stats.Source) { s.Unfit = "no line fits" })}},
		{
			"0 lines/s, 0 s behind; source sites: no file matches /logs/*.log",
			stats.Snapshot{Globs: []stats.Glob{{Name: "sites", Trouble: "no file matches /logs/*.log"}}},
		},
		{
			"InfluxDB away for 1 s; 0 lines wait: connection refused; reading is paused, the reject file cannot be written: no space left; and 2 more, see /readyz",
			stats.Snapshot{InfluxDB: away(time.Second), RejectsTrouble: "no space left", Checkpoint: stats.Checkpoint{Trouble: "no space left"}, Sources: trouble},
		},
	} {
		if got := service.Sentence(&tt.is, now); got != tt.want {
			t.Errorf("%+v is %q, want %q", tt.is, got, tt.want)
		}
	}
}

// Whatever an answer quotes, it is one message of one line, which systemd takes as it is.
func TestSentenceIsOneLine(t *testing.T) {
	received := listen(t)
	s, _, _ := newService(t)
	for _, note := range []string{
		"a\nMAINPID=1", "a\r\nREADY=1", "a\x00b\x1b[31m", "\xff\xfe", strings.Repeat("é", 1000), strings.Repeat("日", 1000) + "\nSTOPPING=1",
	} {
		s.Reloaded(note)
		got, ok := strings.CutPrefix(received(), "READY=1\nSTATUS=")
		if !ok || strings.ContainsAny(got, "\n\r\x00\x1b") || !utf8.ValidString(got) || len(got) > 310 {
			t.Errorf("of %q it sends %q", note, got)
		}
	}
}
