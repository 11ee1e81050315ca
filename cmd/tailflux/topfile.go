package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/monitor"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
	"github.com/tailflux/tailflux/internal/top"
	"github.com/tailflux/tailflux/internal/write"
)

// followForTop reads the only source of a configuration and keeps nothing of it: the state
// is in memory, and points go nowhere. With once it ends behind the last newline, and the
// answer is that of the end. done ends it.
func followForTop(ctx context.Context, c *config.Config, once bool) (o top.Options, done func() error, err error) {
	log := slog.New(slog.DiscardHandler) // the terminal shows what is wrong
	st := stats.New(time.Now())
	kept := &state{mode: logMode(once), stats: st, log: log, config: c, checkpoint: checkpoint.InMemory(nil)}
	if kept.shaper, err = shape.Open(shape.Options{Config: c, Host: "none", Fresh: true, Once: once, Log: log}); err != nil {
		return o, nil, err
	}
	lines, points := pools(c)
	p := &pipeline{
		kept: kept, stats: st, log: log, history: &historian{log: log},
		reader: tail.New(tailConfig(c, job{mode: logMode(once)}, kept), lines, st, log),
		parser: parse.New(kept.shaper, int(c.MaxLineBytes), points, st, log),
	}
	// A log that is read from the start comes in faster than a daemon can look at each line.
	// Here that may take twice as long, so that the lists cover every line of the log.
	board := live.New(live.Config{FullAddresses: c.HTTP.FullAddresses, EveryLine: true})
	p.live.Store(board)
	p.parser.Show(board)
	p.use(c, "")
	p.reads(c)

	reading, stop := context.WithCancel(ctx)
	var failed error // once ended is closed
	ended := make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		defer close(ended)
		failed = p.look(reading)
		return nil
	})
	done = func() error {
		stop()
		defer p.reader.Close()
		return g.Wait()
	}
	answers := p.monitor()
	o = top.Options{Name: c.Sources[0].Path, Alone: true, Ask: func(ctx context.Context) ([]byte, error) {
		if once {
			<-ended
		}
		select {
		case <-ended:
			if err := cmp.Or(failed, ctx.Err()); err != nil {
				return nil, top.EndedError{Err: err}
			}
		default:
		}
		return monitor.Ask(ctx, answers, "/live")
	}}
	return o, done, nil
}

// look runs the stages, the last of which keeps nothing.
func (p *pipeline) look(reading context.Context) error {
	chunks, batches := make(chan flow.Chunk, channelItems), make(chan flow.Batch, channelItems)
	p.chunks.Store(&chunks)
	p.batches.Store(&batches)
	g, running := errgroup.WithContext(context.WithoutCancel(reading))
	reading, stop := context.WithCancel(reading)
	defer stop()
	defer context.AfterFunc(running, stop)()
	writer := write.New(writeConfig(p.kept.config), nowhere{}, noRejects{}, p.kept.checkpoint, p.stats, p.log)
	g.Go(recovered(func() error { return p.reader.Run(reading, chunks) }))
	g.Go(recovered(func() error { return p.parser.Run(running, chunks, batches) }))
	g.Go(recovered(func() error { return writer.Run(running, batches) }))
	return cmp.Or(g.Wait(), p.reader.Failed())
}

// recovered turns a panic into an error, which is printed once the terminal is restored.
func recovered(run func() error) func() error {
	return func() (err error) {
		defer func() {
			if why := recover(); why != nil {
				err = fmt.Errorf("panic: %v\n%s", why, debug.Stack())
			}
		}()
		return run()
	}
}

// nowhere takes every point and keeps none.
type nowhere struct{}

func (nowhere) Prepare(context.Context) (string, error)          { return "none", nil }
func (nowhere) Probe(context.Context) error                      { return nil }
func (nowhere) Write(context.Context, [][]byte) error            { return nil }
func (nowhere) Retention(context.Context) (influx.Window, error) { return influx.Window{}, nil }

// noRejects takes every entry and keeps none.
type noRejects struct{}

func (noRejects) Append(entries []rejects.Entry) (int, error) { return len(entries), nil }
func (noRejects) Replays(string, int64, int64) bool           { return false }
func (noRejects) Replayed(rejects.Entry) (flow.Reason, bool)  { return "", false }
