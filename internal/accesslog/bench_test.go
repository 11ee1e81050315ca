package accesslog_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// realistic are the captures of realistic lines in one of the generator's formats, with the
// lines behind one another in memory as a log has them.
func realistic(t testing.TB, format string, lines int) (names []string, all [][][]byte) {
	t.Helper()
	g, err := nginxlog.New(nginxlog.Options{Format: format})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := nginxlog.Format(format)
	compiled, err := logformat.CompileFormat(text)
	if err != nil {
		t.Fatal(err)
	}
	var log []byte
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for i := range lines {
		log = g.Append(log, at.Add(time.Duration(i)*10*time.Millisecond))
	}
	matcher := compiled.NewMatcher()
	for rest := log; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		found, ok := matcher.Match(rest[:end:end])
		if !ok {
			t.Fatalf("%q does not match", rest[:end])
		}
		for i := range found {
			found[i] = found[i][:len(found[i]):min(cap(found[i]), len(found[i])+32)] // they are within the line
		}
		all = append(all, append([][]byte(nil), found...))
		rest = rest[end+1:]
	}
	return compiled.Names(), all
}

// BenchmarkLines is what a line costs once it is matched, without rollups and with those that
// are there by default.
func BenchmarkLines(b *testing.B) {
	for _, format := range []string{"timed", "combined", "json"} {
		for _, rollups := range []bool{false, true} {
			name := format
			s := standard
			s.Fold = true
			if format == "json" {
				s.Escape, s.Lists = "json", true
			}
			if rollups {
				name += ", rollups"
				s.Rollups = [][]string{{"method", "status"}, {"path", "status_class"}, {"status_class"}}
			}
			b.Run(name, func(b *testing.B) {
				names, lines := realistic(b, format, 50_000)
				s.Values = &limit{max: 100_000, seen: map[string]bool{}}
				e, err := accesslog.New(names, s)
				if err != nil {
					b.Fatal(err)
				}
				dst := make([]byte, 0, 4096)
				b.ReportAllocs()
				at := 0
				for b.Loop() {
					captures := lines[at]
					if at++; at == len(lines) {
						at = 0
					}
					dst, _ = e.Append(dst[:0], captures, int64(at))
					if rollups {
						e.Measures(captures)
						e.Series(captures)
					}
				}
			})
		}
	}
}
