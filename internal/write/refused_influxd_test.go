package write_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

// delivered is a writer before a real influxd, while it runs.
type delivered struct {
	*feed
	t      *testing.T
	db     *influxdtest.Server
	config influx.Config
	log    *logged
	lives  lives // for its reject file
	in     chan flow.Batch
	ended  chan error
}

// deliverTo runs a writer until finish. Point n is text(n).
func deliverTo(t *testing.T, db *influxdtest.Server, c influx.Config, batchPoints int, text func(n int) string) *delivered {
	t.Helper()
	st := stats.New(time.Now())
	d := &delivered{
		feed: newFeed(t, st), t: t, db: db, config: c, log: newLogged(), lives: lives{t: t, dir: t.TempDir()},
		in: make(chan flow.Batch), ended: make(chan error, 1),
	}
	d.text = text
	if c.URL == "" {
		c.URL = db.URL()
	}
	c.Timeout, c.InFlight, c.Log = 20*time.Second, 2, slog.New(slog.DiscardHandler)
	client, err := influx.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	file, err := rejects.Open(stateDir(t, d.lives.dir), 100<<20, nil, st, slog.New(d.log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	w := write.New(write.Config{BatchPoints: batchPoints, FlushInterval: 50 * time.Millisecond, InFlight: 2}, client, file, &acks{}, st, slog.New(d.log))
	go func() { d.ended <- w.Run(t.Context(), d.in) }()
	return d
}

func (d *delivered) send(points int) {
	for ; points > 0; points -= 1000 {
		d.in <- d.batch(strings.Repeat(string(point), min(points, 1000)))
	}
}

// settled waits until no line is in flight.
func (d *delivered) settled() {
	d.t.Helper()
	for deadline := time.Now().Add(time.Minute); d.stats.Snapshot(time.Now()).Books.InFlight > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("after a minute the books are %+v", d.stats.Snapshot(time.Now()).Books)
		}
	}
}

// finish checks that all points are stored but these, which are in the reject
// file for a reason with these words.
func (d *delivered) finish(reason string, rejected ...int) {
	d.t.Helper()
	close(d.in)
	if err := <-d.ended; err != nil {
		d.t.Errorf("Run = %v", err)
	}
	stored, err := d.db.Count(d.t.Context(), d.config.Database, "m", "")
	if err != nil {
		d.t.Fatal(err)
	}
	want := stats.Books{Read: int64(d.numPoints), Written: int64(d.numPoints - len(rejected)), Rejected: int64(len(rejected))}
	if books := d.stats.Snapshot(time.Now()).Books; books != want || stored != want.Written {
		d.t.Errorf("books are %+v, want %+v, and %d points are stored", books, want, stored)
	}
	var got []int
	for number, reasons := range d.lives.entries() {
		got = append(got, int(number))
		if len(reasons) != 1 || !strings.Contains(reasons[0], reason) {
			d.t.Errorf("line %d has entries %q, want one with %q", number, reasons, reason)
		}
	}
	slices.Sort(got)
	slices.Sort(rejected)
	if !slices.Equal(got, rejected) {
		d.t.Errorf("lines %d are rejected, want %d", got, rejected)
	}
	d.checkReleased()
}

// version is that of the server, which is old if it is 1.8 or before.
func (d *delivered) version() (old bool, version string) {
	d.t.Helper()
	client, err := influx.New(influx.Config{URL: d.db.URL(), Database: "x", Timeout: 20 * time.Second, InFlight: 1})
	if err != nil {
		d.t.Fatal(err)
	}
	defer client.Close()
	is, err := client.Server(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.HasPrefix(strings.TrimPrefix(is.Version, "v"), "1.6.") || strings.HasPrefix(is.Version, "1.8."), is.Version
}

// compressed runs a test with gzip and without.
func compressed(t *testing.T, test func(t *testing.T, c influx.Config)) {
	t.Helper()
	for _, zip := range []bool{false, true} {
		t.Run(fmt.Sprintf("gzip=%t", zip), func(t *testing.T) {
			database := strings.ToLower(strings.NewReplacer("/", "_", "=", "_").Replace(t.Name()))
			test(t, influx.Config{Database: database, Gzip: zip})
		})
	}
}

// What InfluxDB refuses of points, and all of the good ones are stored.
func TestInfluxDBRefuses(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Config: map[string]any{
		"data.index-version": "inmem", "data.max-values-per-tag": 100, "data.max-series-per-database": 0,
	}})
	t.Run("type conflict", func(t *testing.T) {
		for _, wrong := range []int{1, 2, 3333, 5000} {
			for _, there := range []bool{true, false} {
				if wrong == 1 && !there {
					continue // the first point decides
				}
				t.Run(fmt.Sprint(wrong, there), func(t *testing.T) {
					compressed(t, func(t *testing.T, c influx.Config) { testTypeConflict(t, db, c, wrong, there) })
				})
			}
		}
	})
	t.Run("values per tag", func(t *testing.T) {
		compressed(t, func(t *testing.T, c influx.Config) {
			d := deliverTo(t, db, c, 200, func(n int) string { return fmt.Sprintf("m,t=v%d v=1i %d", min(n, 100), n) })
			d.send(150) // the limit is reached
			d.settled()
			var bad []int
			d.text = func(n int) string {
				value := n % 100
				if n%40 == 0 {
					bad = append(bad, n)
					value = 100 + n
				}
				return fmt.Sprintf("m,t=v%d v=1i %d", max(1, value), n)
			}
			d.send(200)
			d.finish("refused: influxdb answered 400: partial write: max-values-per-tag limit exceeded (100/100)", bad...)
		})
	})
	t.Run("unparsable", func(t *testing.T) {
		compressed(t, func(t *testing.T, c influx.Config) {
			d := deliverTo(t, db, c, 1000, func(n int) string {
				if n == 77 {
					return "m v=NaN 77"
				}
				return fmt.Sprintf("m v=1i %d", n)
			})
			d.send(1000)
			d.finish("invalid number", 77)
		})
	})
	t.Run("retention", func(t *testing.T) {
		compressed(t, func(t *testing.T, c influx.Config) { testRetention(t, db, c) })
	})
	t.Run("retention policy missing", func(t *testing.T) {
		compressed(t, func(t *testing.T, c influx.Config) {
			c.RetentionPolicy = "two weeks"
			now := time.Now().UnixNano()
			d := deliverTo(t, db, c, 1000, func(n int) string { return fmt.Sprintf("m v=1i %d", now+int64(n)) })
			d.send(2500)
			for !strings.Contains(d.stats.Snapshot(time.Now()).InfluxDB.LastError, "retention policy not found") {
				time.Sleep(5 * time.Millisecond)
			}
			query(t, db, fmt.Sprintf(`CREATE RETENTION POLICY "two weeks" ON %q DURATION 2w REPLICATION 1 DEFAULT`, c.Database))
			d.finish("")
		})
	})
}

func query(t *testing.T, db *influxdtest.Server, statement string) {
	t.Helper()
	if _, err := db.Query(t.Context(), "", statement); err != nil {
		t.Fatal(err)
	}
}

// One point of 5,000 has another type; the field is there, or new with them.
func testTypeConflict(t *testing.T, db *influxdtest.Server, c influx.Config, wrong int, there bool) {
	t.Helper()
	d := deliverTo(t, db, c, 5000, func(n int) string { return fmt.Sprintf("m v=1i %d", n) })
	if there {
		d.send(1)
		d.settled()
		wrong++
	}
	d.text = func(n int) string {
		if n == wrong {
			return fmt.Sprintf("m v=0.5 %d", n)
		}
		return fmt.Sprintf("m v=1i %d", n)
	}
	d.send(5000)
	d.finish("field type conflict", wrong)
}

// A backlog that begins a month before what is kept.
func testRetention(t *testing.T, db *influxdtest.Server, c influx.Config) {
	t.Helper()
	query(t, db, fmt.Sprintf(`CREATE DATABASE %q WITH DURATION 1d REPLICATION 1 SHARD DURATION 1h`, c.Database))
	const total, kept = 50_000, 1_000
	now := time.Now()
	// Minutes apart, up to now; no point is near the edge.
	edge := now.Add(-24*time.Hour + 30*time.Second)
	d := deliverTo(t, db, c, 5000, func(n int) string {
		return fmt.Sprintf("m v=1i %d", edge.Add(time.Duration(n-(total-kept)-1)*time.Minute).UnixNano())
	})
	d.send(total)
	d.finish("expired", upTo(total-kept)...)
	if batches := d.stats.Snapshot(time.Now()).InfluxDB.Batches; batches > 20 {
		t.Errorf("%d requests were acknowledged: lines that are too old were sent", batches)
	}
}

// The series of a database are limited.
func TestInfluxDBHasAllItsSeries(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Config: map[string]any{"data.index-version": "inmem", "data.max-series-per-database": 100}})
	compressed(t, func(t *testing.T, c influx.Config) {
		d := deliverTo(t, db, c, 200, func(n int) string { return fmt.Sprintf("m,t=v%d v=1i %d", n, n) })
		d.send(100)
		d.settled()
		var bad []int
		d.text = func(n int) string {
			if n%40 == 0 {
				bad = append(bad, n)
				return fmt.Sprintf("m,t=v%d v=1i %d", n, n)
			}
			return fmt.Sprintf("m,t=v%d v=1i %d", n%100+1, n)
		}
		d.send(200)
		d.finish("refused: influxdb answered 400: partial write: max-series-per-database ", bad...)
	})
}

// Bodies are limited; and a line that is over the limit by itself is rejected.
func TestInfluxDBTakesSmallBodies(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Config: map[string]any{"http.max-body-size": 20_000}})
	for _, zip := range []bool{false, true} {
		t.Run(fmt.Sprintf("gzip=%t", zip), func(t *testing.T) {
			long := strings.Repeat("x", 30_000)
			c := influx.Config{Database: fmt.Sprintf("small_%t", zip), Gzip: zip}
			d := deliverTo(t, db, c, 5000, func(n int) string {
				if n == 4321 {
					return fmt.Sprintf(`m v=1i,long=%q %d`, long, n)
				}
				return fmt.Sprintf("m,path=/some/path/that/is/long/%d v=1i %d", n%7, n)
			})
			d.send(10_000)
			if old, _ := d.version(); zip && old { // the limit is for what is compressed
				d.finish("")
			} else {
				d.finish("refused: influxdb answered 413", 4321)
			}
		})
	}
}

// Wrong credentials, then right ones: nothing is lost meanwhile.
func TestInfluxDBWantsCredentials(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Username: "admin", Password: "right"})
	query(t, db, "CREATE DATABASE nginx")
	for _, zip := range []bool{false, true} {
		user := fmt.Sprintf("writer_%t", zip)
		c := influx.Config{Database: "nginx", Gzip: zip, Username: user, Password: "secret"}
		at := int64(1)
		if zip {
			at = 1_000_000
		}
		d := deliverTo(t, db, c, 500, func(n int) string { return fmt.Sprintf("m,user=%s v=1i %d", user, at+int64(n)) })
		d.send(1000)
		says := func(words string) {
			t.Helper()
			for deadline := time.Now().Add(time.Minute); !strings.Contains(d.stats.Snapshot(time.Now()).InfluxDB.LastError, words); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("InfluxDB is %+v, want an error with %q", d.stats.Snapshot(time.Now()).InfluxDB, words)
				}
			}
		}
		says("401")
		query(t, db, fmt.Sprintf("CREATE USER %s WITH PASSWORD 'secret'", user))
		says("403")
		query(t, db, fmt.Sprintf("GRANT WRITE ON nginx TO %s", user))
		close(d.in)
		if err := <-d.ended; err != nil {
			t.Errorf("Run = %v", err)
		}
		n, err := db.Count(t.Context(), "nginx", "m", fmt.Sprintf("\"user\" = '%s'", user))
		if books := d.stats.Snapshot(time.Now()).Books; n != 1000 || err != nil || books.Written != 1000 {
			t.Errorf("Count = %d, %v, books are %+v, want 1000", n, err, books)
		}
		if begins, ends := d.log.count(outageBegins), d.log.count(outageEnds); begins != 1 || ends != 1 {
			t.Errorf("said %d times that it began, %d times that it ended", begins, ends)
		}
		if matches, err := filepath.Glob(filepath.Join(d.lives.dir, "*.1")); err != nil || len(matches) > 0 {
			t.Errorf("%v, %v", matches, err)
		}
	}
}

// A policy has a write window, from 1.12 on (make e2e-influxd VERSION=1.13.2): who may
// ask for it and who may not, lines outside are never held, and cost few requests.
func TestInfluxDBHasAWriteWindow(t *testing.T) {
	const password = "secret"
	db := influxdtest.New(t, influxdtest.Options{Username: "admin", Password: password})
	query(t, db, `CREATE DATABASE window WITH DURATION 30d`)
	if _, err := db.Query(t.Context(), "", `CREATE RETENTION POLICY hours ON window DURATION 7d REPLICATION 1 DEFAULT FUTURE LIMIT 1h PAST LIMIT 1h`); err != nil {
		t.Skipf("this influxd has no write windows: %v", err)
	}
	query(t, db, `CREATE USER writer WITH PASSWORD 'secret'`)
	query(t, db, `GRANT WRITE ON window TO writer`)
	for user, most := range map[string]int64{"admin": 1, "writer": 30} {
		t.Run(user, func(t *testing.T) {
			if _, err := db.Query(t.Context(), "window", `DROP SERIES FROM m`); err != nil {
				t.Fatal(err)
			}
			const outsideOf, good = 5000, 200
			now := time.Now()
			var rejected []int
			d := deliverTo(t, db, influx.Config{Database: "window", Username: user, Password: password}, outsideOf+good, func(n int) string {
				ago := time.Duration(n) * time.Second
				if n%26 != 0 {
					rejected = append(rejected, n)
					if ago += 2 * time.Hour; n%2 == 0 {
						ago = -ago
					}
				} else {
					ago /= 10
				}
				return fmt.Sprintf("m v=1i %d", now.Add(-ago).UnixNano())
			})
			began := time.Now()
			d.send(outsideOf + good)
			d.settled()
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
			requests := d.stats.Snapshot(time.Now()).InfluxDB.Batches
			reasons := d.stats.Snapshot(time.Now()).RejectedReasons
			if requests > most || reasons["expired"] == 0 || reasons["future"] == 0 || len(reasons) != 2 {
				t.Errorf("%d requests were acknowledged, reasons are %v", requests, reasons)
			}
			d.finish("", rejected...)
		})
	}
}
