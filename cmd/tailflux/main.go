// Tailflux follows nginx access logs and writes one point per request to
// InfluxDB 1.x:
//
//	nginx ──► access.log ──► read ──chunks──► parse ──batches──► write ──► InfluxDB
//
// This file is the pipeline; commands.go is the command line around it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/monitor"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
	"github.com/tailflux/tailflux/internal/write"
)

// version is set by the linker.
var version = "devel"

// stopWithin is how long what was read may take to be delivered after a signal.
const stopWithin = 10 * time.Second

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// job is what to do with the pipeline other than to follow the logs for ever.
type job struct {
	once     bool     // end at the end of what is there
	files    []string // read these instead, as logs of the only source
	progress func(tail.Progress)
}

// run builds the pipeline, starts it and waits for its end.
func run(c *config.Config, do job, log *slog.Logger) error {
	st := stats.New(time.Now())
	state, err := statedir.Open(c.StateDir, log)
	if err != nil {
		return config.UsageError{Err: err}
	}
	defer state.Close()
	saved, err := openCheckpoint(state, st, log)
	if err != nil {
		return err
	}
	sources, err := openSources(c, state, do.once, st, log)
	if err != nil {
		return err
	}
	defer sources.values.Close()
	shape, err := openShaping(c, sources.host, log)
	if err != nil {
		return err
	}
	client, err := openInflux(c, log)
	if err != nil {
		return err
	}
	defer client.Close()
	rejected, err := rejects.Open(state, c.RejectsMaxBytes, saved.Undelivered, st, log)
	if err != nil {
		return err
	}
	defer rejected.Close()
	listener, err := listen(c.Listen, do.once, log)
	if err != nil {
		return err
	}

	lines, points := pools(c)
	reader := tail.New(tail.Config{
		Sources: sources.tail, Globs: sources.globs, MaxLine: int(c.MaxLineBytes), RotateWait: c.RotateWait, Wakeups: c.Wakeups,
		Checkpoint: saved, Once: do.once, Import: do.files, Progress: do.progress,
	}, lines, st, log)
	parser, err := parse.New(sources.parse, int(c.MaxLineBytes), points, st)
	if err != nil {
		return err
	}
	writer := write.New(write.Config{
		BatchPoints: c.InfluxDB.BatchPoints, FlushInterval: c.InfluxDB.FlushInterval, InFlight: c.InfluxDB.InFlight,
		Hold: c.OnReject == "hold",
	}, durable{client, sources.values}, rejected, saved, st, log)

	chunks := make(chan flow.Chunk, channelItems)
	batches := make(chan flow.Batch, channelItems)
	handler := monitor.Handler(monitor.Info{
		Version: version,
		Read:    monitor.Channel{Length: func() int { return len(chunks) }, Capacity: func() int { return cap(chunks) }},
		Write:   monitor.Channel{Length: func() int { return len(batches) }, Capacity: func() int { return cap(batches) }},
	}, st)

	// Only the reader hears the first signal; the others end when their input
	// does. Everyone hears the second context: a stage failed, or draining
	// took too long.
	reading, stopReading := context.WithCancel(context.Background())
	g, running := errgroup.WithContext(context.Background())
	running, stopRunning := context.WithCancel(running)
	defer stopRunning()
	stopSignals := onSignal(stopReading, stopRunning, log)
	defer stopSignals()
	defer context.AfterFunc(running, stopReading)()

	log.Info("started", "version", version, "sources", len(c.Sources), "influxdb", c.InfluxDB.URL, "listen", addr(listener))
	serving, stopServing := context.WithCancel(running)
	g.Go(func() error { return reader.Run(reading, chunks) })
	g.Go(func() error { return parser.Run(running, chunks, batches) })
	g.Go(func() error {
		defer stopServing() // the last stage is done
		return writer.Run(running, batches)
	})
	if listener != nil {
		g.Go(func() error { return monitor.Serve(serving, listener, handler) })
	}
	err = g.Wait()
	books := st.Snapshot(time.Now()).Books
	if err == nil && books.InFlight == 0 {
		err = shape.delivered(do)
	}
	log.Info("stopped", "read", books.Read, "written", books.Written, "rejected", books.Rejected, "filtered", books.Filtered, "in_flight", books.InFlight)
	return err
}

// channelItems is the capacity of the two channels. What they hold at most is
// bounded in bytes, by the pools; a full channel makes its sender wait.
const channelItems = 64

// pools returns the memory of everything that is on the way: lines as they were
// read, and line protocol. It is enough for the requests in flight, one more
// that is being collected, and the channels.
func pools(c *config.Config) (lines, points *flow.Pool) {
	const leastBlock, channels = 256 << 10, 2 << 20
	size := max(leastBlock, 2*(int(c.MaxLineBytes)+1))
	blocks := max(4, ((c.InfluxDB.InFlight+1)*write.MaxRequestBytes*4/3+channels)/size)
	return flow.NewPool(blocks, size), flow.NewPool(blocks, size)
}

// onSignal stops reading at the first signal and everything stopWithin later,
// or exits at the second one. The returned function ends that.
func onSignal(stopReading, stopRunning context.CancelFunc, log *slog.Logger) func() {
	// timeout(1) sends its signal twice: to the process and to its group.
	const twice = 20 * time.Millisecond
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	over := make(chan struct{})
	go func() {
		var warned sync.Once
		var first time.Time
		var late <-chan time.Time
		for {
			select {
			case s := <-signals:
				switch {
				case s == syscall.SIGHUP:
					warned.Do(func() { log.Warn("SIGHUP does nothing; restart tailflux for another configuration") })
				case first.IsZero():
					stopReading()
					log.Info("stopping", "signal", s.String(), "at_most", stopWithin)
					first, late = time.Now(), time.After(stopWithin)
				case time.Since(first) > twice:
					os.Exit(exitFailed)
				}
			case <-late:
				stopRunning()
				return
			case <-over:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(over)
	}
}

// listen opens the address of the HTTP server; nil without one. A run that ends
// by itself goes without when a daemon has the address.
func listen(address string, once bool, log *slog.Logger) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	if once {
		log.Info("no /monitor for this run", "err", err)
		return nil, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen: %w (another tailflux? choose with --listen)", err)
	}
	return nil, fmt.Errorf("listen: %w (want an address of this machine: choose with --listen)", err)
}

func addr(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

func openInflux(c *config.Config, log *slog.Logger) (*influx.Client, error) {
	password, err := c.Password()
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	db := c.InfluxDB
	return influx.New(influx.Config{
		URL: db.URL, Database: db.Database, RetentionPolicy: db.RetentionPolicy,
		Username: db.Username, Password: password,
		Gzip: db.Gzip, Timeout: db.Timeout, InFlight: db.InFlight, Log: log,
	})
}
