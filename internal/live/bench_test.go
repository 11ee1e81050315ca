package live_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// realistic are captures of realistic lines of now, which stay as they are.
func realistic(t testing.TB, lines int) (all [][][]byte, by *accesslog.Encoder) {
	t.Helper()
	g, err := nginxlog.New(nginxlog.Options{Format: "timed"})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := nginxlog.Format("timed")
	format, err := logformat.CompileFormat(text)
	if err != nil {
		t.Fatal(err)
	}
	by, err = accesslog.New(format.Names(), accesslog.Schema{
		Measurement: "m", Host: "h", Source: "s", Fold: true, Tags: []string{"method", "status", "scheme", "path"},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Minute)
	for i := range lines {
		line := g.Append(nil, at.Add(time.Duration(i)*10*time.Millisecond))
		captures, ok := format.NewMatcher().Match(line[:len(line)-1])
		if !ok {
			t.Fatalf("%q does not match", line)
		}
		all = append(all, captures)
	}
	return all, by
}

// BenchmarkAdd is what a line costs, beside the part that the parse stage does anyway: as many
// as come, and each of them for top lists, too.
func BenchmarkAdd(b *testing.B) {
	for _, bench := range []struct {
		name   string
		config live.Config
		add    bool
	}{
		{"without", live.Config{}, false},
		{"sampled", live.Config{}, true},
		{"every line", live.Config{EveryLine: true}, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			lines, by := realistic(b, 6000)
			board := live.New(bench.config)
			b.ReportAllocs()
			at, point := 0, make([]byte, 0, 1024)
			tick := time.Now()
			used := used()
			for b.Loop() {
				captures := lines[at]
				if at++; at == len(lines) {
					at = 0
					if now := time.Now(); now.Sub(tick) > time.Second {
						board.Publish(now)
						tick = now
					}
				}
				point, _ = by.Append(point[:0], captures, int64(at))
				by.Measures(captures)
				if bench.add {
					board.Add(by, captures, "web")
				}
			}
			b.ReportMetric(float64(used().Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// used returns how much time of processors the process uses from now on; a machine that does
// other things, too, does not change that much.
func used() func() time.Duration {
	now := func() time.Duration {
		var is syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &is); err != nil {
			panic(err)
		}
		return time.Duration(is.Utime.Nano() + is.Stime.Nano())
	}
	from := now()
	return func() time.Duration { return now() - from }
}

// BenchmarkPublish is what is done once a second, with full lists.
func BenchmarkPublish(b *testing.B) {
	lines, by := realistic(b, 60_000)
	board := live.New(live.Config{EveryLine: true})
	for i, captures := range lines {
		by.Judge(captures, int64(i))
		board.Add(by, captures, "web")
	}
	used := used()
	for b.Loop() {
		by.Judge(lines[0], 1)
		board.Add(by, lines[0], "web")
		board.Publish(time.Now())
	}
	b.ReportMetric(float64(used().Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(len(board.Snapshot().Top.Full)), "full-lists")
}
