package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
	"github.com/tailflux/tailflux/internal/write"
)

// stuck is a shaper that hangs when it is asked, until hangs is closed. It stands for whatever may
// hang in the parse stage.
type stuck struct{ hangs chan struct{} }

func (s stuck) Lines(flow.Position, []byte) (*shape.Lines, int64, error) {
	<-s.hangs
	return nil, 0, context.Canceled
}

func (stuck) Missed(shape.Miss) (*shape.Lines, int64, error) { return nil, 0, nil }

// deaf is an InfluxDB that is there, and gets nothing.
type deaf struct{ write.Sink }

func (deaf) Prepare(context.Context) (string, error)          { return "1.8.10", nil }
func (deaf) Probe(context.Context) error                      { return nil }
func (deaf) Retention(context.Context) (influx.Window, error) { return influx.Window{}, nil }

// The three stages as they are, and a watchdog of a minute: it hears that all is well
// while they work and while the log is quiet, and nothing more once one hangs.
func TestWatchdogOfThePipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := slog.New(slog.DiscardHandler), t.TempDir()
		st := stats.New(time.Now())
		state, err := statedir.Open(filepath.Join(dir, "state"), log)
		if err != nil {
			t.Fatal(err)
		}
		defer state.Close()
		saved, err := checkpoint.Open(state, st, log)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "access.log")
		add := func(text string) {
			t.Helper()
			f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err == nil {
				_, err = f.WriteString(text)
				f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		add("")

		var heard atomic.Int64
		start := time.Now()
		alone := func() time.Duration { return time.Since(start) - time.Duration(heard.Load()) }
		shaper := stuck{make(chan struct{})}
		lines, points := flow.NewPool(4, 64<<10), flow.NewPool(4, 64<<10)
		reader := tail.New(tail.Config{Sources: []tail.Source{{Name: "web", Path: path}}, MaxLine: 4 << 10, Checkpoint: saved}, lines, st, log)
		parser := parse.New(shaper, 4<<10, points, st, log)
		writer := write.New(write.Config{
			BatchPoints: 5000, FlushInterval: time.Second, InFlight: 2, Timeout: 10 * time.Second,
			Watchdog: write.Watchdog{Every: time.Minute, Alive: func() { heard.Store(int64(time.Since(start))) }},
		}, deaf{}, nil, saved, st, log)
		chunks, batches := make(chan flow.Chunk, 64), make(chan flow.Batch, 64)
		ctx, cancel := context.WithCancel(t.Context())
		var g errgroup.Group
		g.Go(func() error { return reader.Run(ctx, chunks) })
		g.Go(func() error { return parser.Run(context.Background(), chunks, batches) })
		g.Go(func() error { return writer.Run(context.Background(), batches) })

		time.Sleep(time.Hour)
		if alone() >= time.Minute {
			t.Errorf("in a quiet hour it heard nothing for %v", alone())
		}
		add("one line\n")
		time.Sleep(3 * time.Minute)
		if alone() < time.Minute {
			t.Errorf("parse hangs, and %v ago it heard that all is well", alone())
		}
		cancel()
		close(shaper.hangs)
		_ = g.Wait()
	})
}
