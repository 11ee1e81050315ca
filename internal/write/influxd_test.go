package write_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

// InfluxDB is away at the start, killed, and loses its database on the way:
// every point is there in the end, but those of the database that was dropped.
func TestInfluxDBGoesAndComes(t *testing.T) {
	const lines, rejected = 12_000, 12_000 / 6
	db := influxdtest.New(t, influxdtest.Options{})
	db.Kill()
	st := stats.New(time.Now())
	f := newFeed(t, st)
	f.stamp = func(n int) int64 { return int64(n) }
	client, err := influx.New(influx.Config{
		URL: db.URL(), Database: "nginx", Timeout: 10 * time.Second, InFlight: 2, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	file, err := rejects.Open(stateDir(t, t.TempDir()), 1<<20, nil, st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log := newLogged()
	c := write.Config{BatchPoints: 300, FlushInterval: 50 * time.Millisecond, InFlight: 2}
	w := write.New(c, client, file, &acks{}, st, slog.New(log))
	in := make(chan flow.Batch)
	ended := make(chan error, 1)
	go func() { ended <- w.Run(t.Context(), in) }()

	restart := func() {
		t.Helper()
		if err := db.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(until func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !until(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("after a minute InfluxDB is %+v", st.Snapshot(time.Now()).InfluxDB)
			}
		}
	}
	allWritten := func() bool { return st.Snapshot(time.Now()).Books.Written == int64(f.numPoints) }
	lost := int64(0) // with the database
	for sent := 0; sent < lines; sent += 60 {
		switch sent {
		case 300: // fewer than fill a request
			wait(func() bool { return log.count(outageBegins) == 1 })
			restart()
		case 3000:
			wait(allWritten)
			db.Kill()
		case 3600: // fewer than fill what is in flight
			restart()
		case 6000: // with requests on the way
			db.Kill()
			restart()
		case 9000:
			wait(allWritten)
			lost = int64(f.numPoints)
			if n, err := db.Count(t.Context(), "nginx", "m", ""); n != lost || err != nil {
				t.Errorf("Count = %d, %v, want %d", n, err, lost)
			}
			if _, err := db.Query(t.Context(), "", `DROP DATABASE nginx`); err != nil {
				t.Fatal(err)
			}
		}
		in <- f.batch("pppppxpppppxpppppxpppppxpppppxpppppxpppppxpppppxpppppxpppppx")
	}
	close(in)
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}
	if n, err := db.Count(t.Context(), "nginx", "m", ""); n != int64(f.numPoints)-lost || err != nil {
		t.Errorf("Count = %d, %v, want %d", n, err, int64(f.numPoints)-lost)
	}
	want := stats.Books{Read: lines, Written: lines - rejected, Rejected: rejected}
	snap := st.Snapshot(time.Now())
	if snap.Books != want {
		t.Errorf("books are %+v, want %+v", snap.Books, want)
	}
	if !snap.InfluxDB.Up || snap.InfluxDB.Retries == 0 {
		t.Errorf("InfluxDB is %+v", snap.InfluxDB)
	}
	if n, m := log.count(outageBegins), log.count(outageEnds); n != m || n < 3 {
		t.Errorf("said %d times that it began, %d times that it ended", n, m)
	}
	f.checkReleased()
}
