package logformat_test

import (
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

func BenchmarkMatch(b *testing.B) {
	timed, combined := logLines(1000, timedFormat), logLines(1000, combinedFormat)
	run := func(name string, m *logformat.Matcher, lines [][]byte) {
		b.Run(name, func(b *testing.B) {
			size := 0
			for _, line := range lines {
				size += len(line)
			}
			b.SetBytes(int64(size / len(lines)))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := m.Match(lines[i]); !ok {
					b.Fatalf("no match: %q", lines[i])
				}
				if i++; i == len(lines) {
					i = 0
				}
			}
			b.ReportMetric(float64(m.Slow)/float64(b.N), "slow/line")
		})
	}
	run("timed/scanner", mustFormat(b, "timed").NewMatcher(), timed)
	run("timed/regexp", mustFormat(b, "timed").NewSlowMatcher(), timed)
	run("combined/scanner", mustFormat(b, "combined").NewMatcher(), combined)
	run("combined/regexp", mustFormat(b, "combined").NewSlowMatcher(), combined)
	run("json/scanner", mustFormat(b, "escape=json '"+jsonFormat+"'").NewMatcher(), logLines(1000, jsonFormat))
	run("json/regexp", mustFormat(b, "escape=json '"+jsonFormat+"'").NewSlowMatcher(), logLines(1000, jsonFormat))
	run("json-preset/skeleton", mustFormat(b, "json").NewMatcher(), logLines(1000, objectFormat))
	run("json-preset/fastjson", mustFormat(b, "json").NewSlowMatcher(), logLines(1000, objectFormat))
	run("lineage/scanner", mustRegexp(b, lineage).NewMatcher(), timed)
	run("lineage/regexp", mustRegexp(b, lineage).NewSlowMatcher(), timed)
}

// Lines that do not match must not be dear: the wrong format in the
// configuration makes every line one of them.
func BenchmarkRefuse(b *testing.B) {
	run := func(name, format, line string) {
		b.Run(name, func(b *testing.B) {
			m := mustFormat(b, format).NewMatcher()
			bytes := []byte(line)
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := m.Match(bytes); ok {
					b.Fatalf("%q matches", line)
				}
			}
		})
	}
	run("garbage", "timed", "2026/11/20 10:00:00 [error] 17#17: *1 connect() failed (111: Connection refused) while connecting to upstream")
	run("combined-as-timed", "timed", combinedLine)
}

// What it costs to find that a line is of no known format, and which one of them it is of:
// with format auto each line is asked about that does not match.
func BenchmarkNearest(b *testing.B) {
	for name, line := range map[string]string{
		"cut": timedLine[:90], "garbage": "2026/11/20 10:00:00 [error] 17#17: *1 connect() failed (111: Connection refused)",
		"object": `{"level":"info","msg":"nothing"}`, "timed": timedLine,
	} {
		b.Run(name, func(b *testing.B) {
			bytes := []byte(line)
			b.ReportAllocs()
			for b.Loop() {
				logformat.Nearest(bytes)
			}
		})
	}
}
