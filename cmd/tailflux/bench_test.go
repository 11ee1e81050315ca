package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/mock/nginxlog"
)

// BenchmarkOnce is the whole program, per line, from a file to a server that
// throws the points away. With the tutorials' expression it meets lines that the
// expression does not match, and regexp has to say so.
func BenchmarkOnce(b *testing.B) {
	lineage, err := os.ReadFile("../../docs/performance/lineage.txt")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, lines string
		flags       []string
	}{
		{"timed", "timed", []string{"--rollups=none", "--format", "timed"}},
		{"timed-rollups", "timed", []string{"--raw=false", "--format", "timed"}},
		{"timed-both", "timed", []string{"--format", "timed"}},
		{"combined", "combined", []string{"--rollups=none", "--format", "combined"}},
		{"tutorial", "timed", []string{"--rollups=none", "--regexp", strings.TrimSpace(string(lineage))}},
	} {
		b.Run(c.name, func(b *testing.B) {
			const lines = 200_000
			log := writeLog(b, c.lines, lines)
			sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusNoContent)
			}))
			defer sink.Close()
			for b.Loop() {
				code := execute(append([]string{
					"run", "--once", "--path", log, "--start", "beginning", "--listen", "127.0.0.1:0",
					"--influxdb-url", sink.URL, "--state-dir", b.TempDir(),
				}, c.flags...), io.Discard, io.Discard)
				if code != 0 {
					b.Fatalf("exit code %d", code)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
		})
	}
}

func writeLog(b *testing.B, format string, lines int) (path string) {
	g, err := nginxlog.New(nginxlog.Options{Format: format})
	if err != nil {
		b.Fatal(err)
	}
	var log []byte
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for i := range lines {
		log = g.Append(log, at.Add(time.Duration(i)*time.Millisecond))
	}
	path = filepath.Join(b.TempDir(), "access.log")
	if err := os.WriteFile(path, log, 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}
