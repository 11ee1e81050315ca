package parse_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/parse"
)

// A source whose lines are not in its format is in trouble until one is, and warned of
// once: after twenty lines, or when the first ones have been so for ten seconds.
func TestLinesThatAreNotInTheirFormat(t *testing.T) {
	badTime := strings.Replace(good, "20/Nov", "31/Feb", 1)
	many := func(line string, n int) string { return strings.Repeat(line+"\n", n) }
	type step struct {
		text  string
		wait  time.Duration
		wants bool // trouble
	}
	for _, tt := range []struct {
		name   string
		steps  []step
		warned int
	}{
		{"they are", []step{{many(good, 50), time.Minute, false}}, 0},
		{"twenty", []step{{many("x", 20), 0, true}}, 1},
		{"nineteen", []step{{many("x", 19), 9 * time.Second, false}}, 0},
		{"twenty, one at a time", []step{{many("x", 10), 0, false}, {many("x", 9), 0, false}, {many("x", 1), 0, true}}, 1},
		{"one, and ten seconds", []step{{many("x", 1), 9 * time.Second, false}, {"", time.Second, true}}, 1},
		{"ten seconds since the first", []step{{many("x", 1), 6 * time.Second, false}, {many("x", 1), 4 * time.Second, true}}, 1},
		{"times cannot be read", []step{{many(badTime, 20), 0, true}}, 1},
		{"empty lines say nothing", []step{{many("", 100), time.Minute, false}, {many("x", 1) + many("", 50), 0, false}}, 0},
		{"one is", []step{{many("x", 10) + good + "\n" + many("x", 10), time.Minute, false}}, 0},
		{"they are again", []step{{many("x", 30), 0, true}, {many(good, 1), 0, false}}, 1},
		{"they stop to be", []step{{many(good, 300), 0, false}, {many("x", 19), time.Minute, false}, {many("x", 1), 0, true}}, 1},
		{"within one read", []step{{many(good, 300) + many("x", 20), 0, true}}, 1},
		{"it goes on", []step{{many("x", 3000), 0, true}, {many("x", 3000), 0, true}, {many("x", 3000), 0, true}}, 1},
		{"to and fro", []step{{many("x", 20), 0, true}, {many(good, 1), 0, false}, {many("x", 20), 0, true}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, "combined", 4, 1<<20)
				format, err := logformat.CompileFormat("combined")
				if err != nil {
					t.Fatal(err)
				}
				var log strings.Builder
				s.parser = parse.New(fixed(t, format, accesslog.Schema{Measurement: "m", Host: "h", Source: "s"}), maxLine,
					flow.NewPool(64, 1<<20), s.stats, slog.New(slog.NewTextHandler(&log, nil)))
				in, out := make(chan flow.Chunk), make(chan flow.Batch, 1000)
				go func() { _ = s.parser.Run(t.Context(), in, out) }()
				for i, step := range tt.steps {
					if step.text != "" {
						in <- s.chunk(t, step.text, 1, 0)
					}
					time.Sleep(step.wait)
					synctest.Wait()
					trouble := s.stats.Snapshot(time.Now()).Sources[0].Unfit
					if (trouble != "") != step.wants || step.wants && !strings.Contains(trouble, "tailflux explain") {
						t.Errorf("after step %d the trouble is %q", i, trouble)
					}
				}
				close(in)
				synctest.Wait()
				if n := strings.Count(log.String(), "level=WARN"); n != tt.warned {
					t.Errorf("%d warnings, want %d:\n%s", n, tt.warned, &log)
				}
			})
		})
	}
}
