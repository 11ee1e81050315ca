// Demo shows tailflux at work on this machine: a generator imitates nginx,
// bin/tailflux follows its log, a real influxd takes the points. Everything
// listens on loopback ports of its own and keeps its data in .cache/demo.
//
//	generator ──► access.log ──► tailflux ──► influxd
//	    │                          │             │
//	    └──── lines written ── = ──┴─ rejected ──┴─ points, and requests in each rollup
//
// At the end, after -duration or at Ctrl-C, it compares them, and fails unless
// they add up.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
	"github.com/tailflux/tailflux/mock/feed"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

func main() {
	duration := flag.Duration("duration", 0, "end by itself after this time, such as 30s; without it at Ctrl-C")
	rate := flag.Float64("rate", 2000, "lines a second")
	dir := flag.String("dir", ".cache/demo", "directory for logs and data; it is emptied")
	tailflux := flag.String("tailflux", "bin/tailflux", "the program to show")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, *dir, *tailflux, *rate, *duration)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

const (
	database  = "nginx"
	drainTime = 20 * time.Second // for what is on the way at the end
)

func run(ctx context.Context, dir, tailflux string, rate float64, duration time.Duration) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	binary, err := influxdtest.Binary(ctx, os.Stderr)
	if err != nil {
		return err
	}
	db, err := influxdtest.Start(ctx, influxdtest.Options{Dir: filepath.Join(dir, "influxd"), Binary: binary})
	if err != nil {
		return err
	}
	defer db.Kill()

	log := filepath.Join(dir, "access.log")
	generator, err := feed.New(feed.Options{
		Log:      nginxlog.Options{Garbage: 0.01, Torn: 0.001},
		Rate:     rate,
		Duration: duration,
		Path:     log,
		Rotation: feed.Rotation{Every: 10 * time.Second, Keep: 3, Lag: 50 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	daemon, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: tailflux, URL: db.URL(), State: filepath.Join(dir, "state"), Output: filepath.Join(dir, "tailflux.log"),
		Args: []string{"--path", log, "--name", "demo", "--format", "timed", "--start", "beginning", "--influxdb-database", database},
	})
	if err != nil {
		return err
	}
	defer daemon.Kill()
	if _, err := daemon.WaitFor(drainTime, func(tailfluxtest.Report) bool { return true }); err != nil {
		return err
	}
	explain(daemon, db.URL(), log, duration)
	if err := watch(ctx, generator, daemon); err != nil {
		return err
	}
	return compare(generator.Summary().Lines, daemon, db)
}

// explain says where to look.
func explain(d *tailfluxtest.Daemon, influxd, log string, duration time.Duration) {
	end := "Ctrl-C ends it."
	if duration > 0 {
		end = fmt.Sprintf("It ends by itself after %v.", duration)
	}
	fmt.Printf(`
The log      tail -f %s
tailflux     curl %s/monitor
rejects      tail -f %s
InfluxDB     curl -G %s/query --data-urlencode db=%s \
               --data-urlencode 'q=SELECT count(bytes_sent) FROM nginx_access WHERE time > now() - 10s GROUP BY status'
             … 'q=SELECT sum(requests) FROM nginx_site GROUP BY time(10s), status'

%s

The live page, in a browser:   %s/

`, log, d.URL, d.RejectFile(), influxd, database, end, d.URL)
}

// watch runs the generator and prints a line of figures every second, until the
// generator has written everything or ctx ends.
func watch(ctx context.Context, generator *feed.Feed, d *tailfluxtest.Daemon) error {
	done := make(chan error, 1)
	go func() { done <- generator.Run(ctx) }() // waited for below
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	fmt.Println("generated       read    written   rejected  in flight    lines/s  memory MB")
	for {
		select {
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				err = nil
			}
			return err
		case <-d.Gone:
			return d.Wait()
		case <-tick.C:
		}
		generated := generator.Summary().Lines
		m, err := d.Monitor(context.Background())
		if err != nil {
			return err
		}
		fmt.Printf("%9d %10d %10d %10d %10d %10.0f %10.1f\n", generated, m.Lines.Read, m.Lines.Written,
			m.Lines.Rejected, m.Lines.InFlight, m.Throughput.Lines.Over1s, float64(m.MemoryBytes)/(1<<20))
	}
}

// compare waits until everything generated has arrived, stops tailflux, and
// counts.
func compare(generated int64, d *tailfluxtest.Daemon, db *influxdtest.Server) error {
	_, err := d.WaitFor(drainTime, func(r tailfluxtest.Report) bool {
		return r.Lines.Read == generated && r.Lines.InFlight == 0
	})
	if err != nil {
		return fmt.Errorf("%d lines were generated: %w", generated, err)
	}
	if err := d.Stop(); err != nil {
		return err
	}
	points, err := db.Count(context.Background(), database, "nginx_access", "")
	if err != nil {
		return err
	}
	rejected, err := d.Rejects()
	if err != nil {
		return err
	}
	fmt.Printf("\n%d lines generated = %d points in InfluxDB + %d lines in the reject file\n", generated, points, rejected)
	if generated != points+rejected {
		return fmt.Errorf("that does not add up: %d lines are missing", generated-points-rejected)
	}
	for _, rollup := range config.DefaultRollups() {
		requests, deltas, err := addedUp(db, rollup.Measurement)
		if err != nil {
			return err
		}
		fmt.Printf("%-11s  %d requests, in %d points of %v\n", rollup.Measurement, requests, deltas, rollup.Interval)
		if requests != points {
			return fmt.Errorf("%s does not add up: it has %d requests and should have %d", rollup.Measurement, requests, points)
		}
	}
	return nil
}

// addedUp is how many requests a rollup counts, and in how many points.
func addedUp(db *influxdtest.Server, rollup string) (requests, points int64, err error) {
	all, err := db.Query(context.Background(), database, "SELECT sum(requests), count(requests) FROM "+rollup)
	if err != nil || len(all) == 0 {
		return 0, 0, err
	}
	row := all[0].Values[0]
	for i, to := range []*int64{&requests, &points} {
		if *to, err = row[1+i].(json.Number).Int64(); err != nil {
			return 0, 0, err
		}
	}
	return requests, points, nil
}
