package influx_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

const flagsOfAnother = `flag{name="httpListenAddr", value=":8480", is_set="true"} 1
vm_app_start_timestamp 1795896000
`

// What VictoriaMetrics says of its flags decides what is said of it, and which lines are too old.
func TestVictoriaIsSetUp(t *testing.T) {
	single := func(flags string) string {
		return "vm_rows{type=\"storage/small\"} 5\n" + strings.Repeat("# filler\n", 20_000) + flags + "vm_app_start_timestamp 1795896118\n"
	}
	flag := func(name, value string) string {
		return `flag{name="` + name + `", value="` + value + `", is_set="true"} 1` + "\n"
	}
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name, metrics string
		raw           bool
		says          string
		warns         bool
		kept          influx.Window
	}{
		{
			"as it is shipped", single(flag("dedup.minScrapeInterval", "0s") + flag("futureRetention", "2d") + flag("maxBackfillAge", "0") + flag("retentionPeriod", "1M")),
			false, "start it with -dedup.minScrapeInterval=1ms; what is older than its retention of 31 days is rejected", true,
			influx.Window{Past: 31 * day, Future: 2 * day},
		},
		{
			"for rollups", single(flag("dedup.minScrapeInterval", "1ms") + flag("retentionPeriod", "2y")),
			false, "its -dedup.minScrapeInterval=1ms makes what is sent again count once", false,
			influx.Window{Past: 730 * day},
		},
		{
			"for rollups, with points of lines", single(flag("dedup.minScrapeInterval", "1ms") + flag("retentionPeriod", "12")),
			true, "throws away most points of lines", true,
			influx.Window{Past: 372 * day},
		},
		{
			"for points of lines", single(flag("dedup.minScrapeInterval", "0s") + flag("retentionPeriod", "36h")),
			true, "raw: false is recommended", true,
			influx.Window{Past: 36 * time.Hour},
		},
		{
			"for scrapes", single(flag("dedup.minScrapeInterval", "30s") + flag("retentionPeriod", "3w")),
			false, "its -dedup.minScrapeInterval=30s throws away parts of rollups", true,
			influx.Window{Past: 21 * day},
		},
		{
			"without old lines", single(flag("dedup.minScrapeInterval", "1ms") + flag("maxBackfillAge", "1d") + flag("retentionPeriod", "1.5y")),
			false, "older than its retention of 1 days", false,
			influx.Window{Past: day},
		},
		{"part of a cluster", flagsOfAnother, false, "which cannot be asked; it drops what is outside its retention without a word", true, influx.Window{}},
		{"part of a cluster, with points of lines", flagsOfAnother, true, "raw: false is recommended", true, influx.Window{}},
		{"behind a password", "", false, "which cannot be asked", true, influx.Window{}},
		{"of a later kind", single(flag("retentionPeriod", "a while")), false, "which cannot be asked", true, influx.Window{}},
	} {
		for _, path := range []string{"", "/influx"} {
			t.Run(tt.name+path, func(t *testing.T) {
				s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case path + "/ping":
						w.WriteHeader(http.StatusNoContent)
					case path + "/query":
						_, _ = io.WriteString(w, `{"results":[{"name":"databases","columns":["name"],"values":[["_internal"]]}]}`)
					case "/metrics":
						if tt.metrics == "" {
							w.WriteHeader(http.StatusUnauthorized)
						}
						_, _ = io.WriteString(w, tt.metrics)
					default:
						w.WriteHeader(http.StatusNotFound)
					}
				})
				var log bytes.Buffer
				c := newClient(t, s.URL+path, func(c *influx.Config) { c.Raw, c.Log = tt.raw, slog.New(slog.NewTextHandler(&log, nil)) })
				if _, err := c.Prepare(t.Context()); err != nil {
					t.Fatal(err)
				}
				says := log.String()
				if warns := strings.Contains(says, "level=WARN"); warns != tt.warns || !strings.Contains(says, tt.says) || strings.Count(says, "\n") != 1 {
					t.Errorf("says %s, want %q, as a warning: %t", says, tt.says, tt.warns)
				}
				if kept, err := c.Retention(t.Context()); err != nil || kept != tt.kept {
					t.Errorf("Retention = %v, %v, want %v", kept, err, tt.kept)
				}
			})
		}
	}
}
