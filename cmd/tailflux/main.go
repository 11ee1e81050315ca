// Tailflux follows nginx access logs and writes one point per request to
// InfluxDB 1.x:
//
//	nginx ──► access.log ──► read ──chunks──► parse ──batches──► write ──► InfluxDB
//
// This file is the pipeline, job.go what it is run for, state.go what survives a restart,
// signals.go how it stops, reload.go how it takes another configuration over; root.go is the
// command line, with a file for each command.
package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/explain"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/monitor"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/service"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
	"github.com/tailflux/tailflux/internal/write"
)

// version is set by the linker.
var version = "devel"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// run opens what stays, and runs the pipeline: again for each configuration that a reload
// brings, until a signal ends it.
func run(c *config.Config, do job, log *slog.Logger) error {
	st := stats.New(time.Now())
	kept, err := openState(c, do, st, log)
	if err != nil {
		return err
	}
	defer kept.close()
	to, err := openSink(kept, log)
	if err != nil {
		return err
	}
	defer to.close()
	if do.mode == importing && c.Raw {
		if err := readable(context.Background(), to.client(), "import"); err != nil {
			return err
		}
	}
	token, err := c.HTTPToken()
	if err != nil {
		return config.UsageError{Err: err}
	}
	listener, err := listen(c.Listen, do.mode.readsOnce(), log)
	if err != nil {
		return err
	}
	if do.mode == readingOnce {
		if err := kept.known(c); err != nil {
			return err
		}
	}
	if err := kept.begin(); err != nil {
		return err
	}
	p := newPipeline(kept, to, do, st, log)
	defer p.close()
	p.use(c, token)
	p.reads(kept.config)
	p.show(c)
	next, err := newReloads(p, do)
	if err != nil {
		return err
	}

	// Only the reader hears the first signal; the others end when their input
	// does. Everyone hears the second context: a stage failed, or draining
	// took too long.
	reading, stopReading := context.WithCancel(context.Background())
	g, running := errgroup.WithContext(context.Background())
	running, stopRunning := context.WithCancel(running)
	defer stopRunning()
	defer onSignal(do.hangups, stopReading, stopRunning, next.onSIGHUP(), st, log)()
	defer context.AfterFunc(running, stopReading)()
	defer context.AfterFunc(reading, p.unit.Stopping)()

	log.Info("started", "version", version, "url", c.InfluxDB.URL, "listen", addr(listener))
	p.unit.Ready()
	serving, stopServing := context.WithCancel(running)
	g.Go(func() error {
		defer stopServing()
		return p.repeat(reading, running, next)
	})
	g.Go(func() error {
		p.unit.Run(serving)
		return nil
	})
	if listener != nil {
		g.Go(func() error { return monitor.Serve(serving, listener, p.monitor()) })
	}
	err = g.Wait()
	return cmp.Or(kept.end(err, isClosed(p.reader.CaughtUp()), st, log), p.reader.Failed(), misfits(c, do, st))
}

// pipeline is the three stages, and what they share.
type pipeline struct {
	kept   *state
	sink   *sink
	unit   *service.Service
	reader *tail.Reader
	parser *parse.Parser
	own    *write.Own // points about tailflux itself
	stats  *stats.Stats
	log    *slog.Logger

	chunks  atomic.Pointer[chan flow.Chunk] // of this run
	batches atomic.Pointer[chan flow.Batch]
	token   atomic.Pointer[string]   // of /monitor
	hosts   atomic.Pointer[[]string] // by which it may be asked for
	misfits atomic.Pointer[explain.Misfits]
	kind    atomic.Pointer[func(name, path string) string] // of the lines of a source
	live    atomic.Pointer[live.Board]                     // what happened lately; nil: nobody keeps it
	history *historian                                     // of /history
}

// newPipeline makes the reader and the parser for the configuration that is in force; each
// run has a writer of its own.
func newPipeline(kept *state, to *sink, do job, st *stats.Stats, log *slog.Logger) *pipeline {
	lines, points := pools(kept.config)
	p := &pipeline{
		kept: kept, sink: to, unit: service.New(st, log), stats: st, log: log,
		reader:  tail.New(tailConfig(kept.config, do, kept), lines, st, log),
		parser:  parse.New(kept.shaper, int(kept.config.MaxLineBytes), points, st, log),
		own:     &write.Own{Memory: monitor.ResidentBytes, AtStart: do.mode == following},
		history: &historian{log: log},
	}
	kept.rollups.addUp(p.parser, kept.config.Raw)
	return p
}

func (p *pipeline) close() {
	p.history.close()
	p.reader.Close()
}

// repeat runs the stages again after each reload, and whenever the store has lost what it
// acknowledged, until reading ends.
func (p *pipeline) repeat(reading, running context.Context, next *reloads) error {
	for {
		if err := p.run(reading, running, next); err != nil {
			return err
		}
		switch {
		case p.kept.trail.isLost() && reading.Err() == nil:
			if err := p.rewind(); err != nil {
				return err
			}
		case !next.takeOver(reading):
			return nil
		}
	}
}

// run runs the stages until reading ends, or a reload is asked for, and all that was read
// is settled.
func (p *pipeline) run(stopping, running context.Context, next *reloads) error {
	chunks, batches := make(chan flow.Chunk, channelItems), make(chan flow.Batch, channelItems)
	p.chunks.Store(&chunks)
	p.batches.Store(&batches)
	// Tag values and detected formats reach the disk before the points that
	// depend on them; that no format fits is saved with the checkpoint.
	passed := durableCheckpoint{p.kept.checkpoint, p.kept}
	delivery := next.writeConfig()
	delivery.Cuts = p.kept.cuts()
	delivery.Policy = func(name string) write.Sink { return inPolicy{p.sink, name} }
	if p.kept.config.SelfMetrics {
		p.own.Host, p.own.Policy, delivery.Own = p.kept.host, p.kept.config.RollupsPolicy(), p.own
	}
	writer := write.New(delivery, p.sink, p.kept.rejects, passed, p.stats, p.log)

	g, running := errgroup.WithContext(running)
	reading, stopReading := context.WithCancel(stopping)
	defer stopReading()
	defer context.AfterFunc(running, stopReading)()
	enough := make(chan struct{}) // was read, for a reload
	settled, settle := context.WithCancel(running)
	g.Go(func() error {
		err := p.reader.RunUntil(reading, enough, chunks)
		if next.pending() != nil || p.kept.trail.isLost() {
			p.reader.Stand(settled)
		}
		return err
	})
	g.Go(func() error { return p.parser.Run(running, chunks, batches) })
	g.Go(func() error {
		defer settle() // the last stage is done
		err := writer.Run(running, batches)
		if err == nil {
			p.kept.trail.drain(stopping, p.unit.Alive)
			_ = passed.Save() // which logs trouble
			next.save(stopping)
		}
		return err
	})
	g.Go(func() error {
		p.kept.trail.watch(settled, func(ctx context.Context) (influx.Server, error) { return p.sink.client().Server(ctx) })
		return nil
	})
	lost, _, _ := p.kept.trail.state()
	g.Go(func() error {
		next.stand(settled, lost, func() { close(enough) })
		return nil
	})
	err := g.Wait()
	_ = passed.Save() // what the trail got last
	return err
}

// rewind makes the next run read from where the checkpoint stands, as a start does.
func (p *pipeline) rewind() error {
	c := p.kept.config
	p.stats.ReadAgain(time.Now()) // what waits for a cut
	p.stats.Reconnected()         // the writer that comes next knows of no outage
	p.kept.trail.reset()
	if err := p.kept.openRejects(c); err != nil {
		return err
	}
	p.kept.rollups = newRollups(p.kept)
	p.kept.rollups.addUp(p.parser, c.Raw)
	p.reader.Rewind()
	return nil
}

func tailConfig(c *config.Config, do job, kept *state) tail.Config {
	t := tail.Config{
		MaxLine: int(c.MaxLineBytes), RotateWait: c.RotateWait, Wakeups: c.Wakeups,
		Checkpoint: kept.checkpoint, Once: do.mode.readsOnce(), Scenes: do.scenes, Import: do.files, Progress: do.progress,
		Ends: kept.rollups != nil,
	}
	if do.mode == importing {
		t.Judge = kept.judge(c)
	}
	for i, s := range c.Sources {
		fromEnd := s.Start == "end" && !do.mode.readsOnce()
		if s.IsGlob() {
			t.Globs = append(t.Globs, tail.Glob{Config: i, Name: s.Name, Pattern: s.Path, Exclude: c.Exclude, FromEnd: fromEnd, Leave: kept.leave(i)})
		} else {
			t.Sources = append(t.Sources, tail.Source{Config: i, Name: s.Name, Path: s.Path, FromEnd: fromEnd})
		}
	}
	return t
}

func writeConfig(c *config.Config) write.Config {
	return write.Config{
		BatchPoints: c.InfluxDB.BatchPoints, FlushInterval: c.InfluxDB.FlushInterval, InFlight: c.InfluxDB.InFlight,
		Timeout: c.InfluxDB.Timeout,
	}
}

// channelItems is the capacity of the two channels. What they hold at most is
// bounded in bytes, by the pools; a full channel makes its sender wait.
const channelItems = 64

// pools returns the memory of everything that is on the way: lines as they were
// read, and line protocol. It is enough for the requests in flight, one more
// that is being collected, and the channels.
func pools(c *config.Config) (lines, points *flow.Pool) {
	const channels = 2 << 20
	size := logformat.PiecesBytes(int(c.MaxLineBytes))
	blocks := max(4, ((c.InfluxDB.InFlight+1)*write.MaxRequestBytes*4/3+channels)/size)
	return flow.NewPool(blocks, size), flow.NewPool(blocks, size)
}
