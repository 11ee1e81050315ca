// Tailflux follows nginx access logs and writes one point per request to
// InfluxDB 1.x:
//
//	nginx ──► access.log ──► read ──chunks──► parse ──batches──► write ──► InfluxDB
//
// This file is the pipeline, state.go what survives a restart, signals.go how it
// stops; root.go is the command line, with a file for each command.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
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

// job is what to do with the pipeline other than to follow the logs for ever.
type job struct {
	scenes   string   // directory for what is seen of the logs, or ""
	once     bool     // end at the last newline of the logs
	files    []string // import these instead, as logs of the only source
	progress func(tail.Progress)
}

// run builds the pipeline, starts it and waits for its end.
func run(c *config.Config, do job, log *slog.Logger) error {
	st := stats.New(time.Now())
	kept, err := openState(c, do.once, st, log)
	if err != nil {
		return err
	}
	defer kept.close()
	client, err := openInflux(c, log)
	if err != nil {
		return err
	}
	defer client.Close()
	if do.files != nil {
		if err := readable(context.Background(), client, "import"); err != nil {
			return err
		}
	}
	token, err := c.HTTPToken()
	if err != nil {
		return config.UsageError{Err: err}
	}
	listener, err := listen(c.Listen, do.once, log)
	if err != nil {
		return err
	}
	if do.once && do.files == nil {
		if err := kept.known(c); err != nil {
			return err
		}
	}
	if err := kept.begin(c, log); err != nil {
		return err
	}

	// Tag values and detected formats reach the disk before the points that
	// depend on them; that no format fits is saved with the checkpoint.
	store, passed := durable{client, kept}, durableCheckpoint{kept.checkpoint, kept}

	lines, points := pools(c)
	reader := tail.New(tailConfig(c, do, kept), lines, st, log)
	parser := parse.New(kept.shaper, int(c.MaxLineBytes), points, st, log)
	unit, delivery := service.New(st, log), writeConfig(c)
	if !do.once {
		delivery.Watchdog = write.Watchdog{Alive: unit.Alive, Every: unit.Watchdog()}
	}
	writer := write.New(delivery, store, kept.rejects, passed, st, log)
	chunks := make(chan flow.Chunk, channelItems)
	batches := make(chan flow.Batch, channelItems)
	handler := monitor.Handler(monitor.Info{
		Version: version,
		Read:    monitor.Channel{Length: func() int { return len(chunks) }, Capacity: func() int { return cap(chunks) }},
		Write:   monitor.Channel{Length: func() int { return len(batches) }, Capacity: func() int { return cap(batches) }},
		Token:   func() string { return token },
	}, st)

	// Only the reader hears the first signal; the others end when their input
	// does. Everyone hears the second context: a stage failed, or draining
	// took too long.
	reading, stopReading := context.WithCancel(context.Background())
	g, running := errgroup.WithContext(context.Background())
	running, stopRunning := context.WithCancel(running)
	defer stopRunning()
	defer onSignal(stopReading, stopRunning, st, log)()
	defer context.AfterFunc(running, stopReading)()
	defer context.AfterFunc(reading, unit.Stopping)()

	log.Info("started", "version", version, "url", c.InfluxDB.URL, "listen", addr(listener))
	unit.Ready()
	serving, stopServing := context.WithCancel(running)
	g.Go(func() error { return reader.Run(reading, chunks) })
	g.Go(func() error { return parser.Run(running, chunks, batches) })
	g.Go(func() error {
		defer stopServing() // the last stage is done
		return writer.Run(running, batches)
	})
	g.Go(func() error {
		unit.Run(serving)
		return nil
	})
	if listener != nil {
		g.Go(func() error { return monitor.Serve(serving, listener, handler) })
	}
	return cmp.Or(kept.end(g.Wait(), do, st, log), reader.Refused(), misfits(c, do, st))
}

func tailConfig(c *config.Config, do job, kept *state) tail.Config {
	t := tail.Config{
		MaxLine: int(c.MaxLineBytes), RotateWait: c.RotateWait, Wakeups: c.Wakeups,
		Checkpoint: kept.checkpoint, Once: do.once, Scenes: do.scenes, Import: do.files, Progress: do.progress,
	}
	if do.files != nil {
		t.Judge = kept.judge(c)
	}
	for i, s := range c.Sources {
		fromEnd := s.Start == "end" && !do.once
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
		Hold: c.OnReject == "hold", Timeout: c.InfluxDB.Timeout,
	}
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

// listen opens the address of the HTTP server; nil without one. A run that ends
// by itself goes without when a daemon has the address.
func listen(address string, once bool, log *slog.Logger) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	network := "tcp"
	if host, _, err := net.SplitHostPort(address); err == nil && strings.Contains(host, ".") && net.ParseIP(host) != nil {
		network = "tcp4" // 0.0.0.0 is not [::] too
	}
	l, err := net.Listen(network, address)
	if err == nil {
		return l, nil
	}
	if once {
		log.Info("running without /monitor", "err", err)
		return nil, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen: %w (is another tailflux running? choose another address with --listen)", err)
	}
	return nil, fmt.Errorf("listen: %w (choose an address of this machine with --listen)", err)
}

func addr(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

func openInflux(c *config.Config, log *slog.Logger) (*influx.Client, error) {
	access, err := c.Access()
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	db := c.InfluxDB
	return influx.New(influx.Config{
		URL: db.URL, Database: db.Database, RetentionPolicy: db.RetentionPolicy,
		Username: db.Username, Password: access.Password, Token: access.Token, TLS: access.TLS, Headers: access.Headers,
		Gzip: db.Gzip, Timeout: db.Timeout, InFlight: db.InFlight, Log: log,
	})
}
