package write_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

var (
	schedules = flag.Int("front.schedules", 4, "how many random schedules of answers")
	firstSeed = flag.Uint64("front.seed", 1, "of the first one")
)

// Random schedules of everything that may happen between tailflux and InfluxDB,
// with lines in between that InfluxDB refuses: every good line is a point once,
// every bad one is in the reject file once, and in the end all is well.
func TestWhateverInfluxDBAnswers(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	played := make(chan *influxdtest.Front, *schedules)
	t.Run("schedules", func(t *testing.T) {
		for seed := *firstSeed; seed < *firstSeed+uint64(*schedules); seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				played <- runSchedule(t, db, seed)
			})
		}
	})
	times := map[influxdtest.Act]int{}
	for range len(played) {
		front := <-played
		for _, act := range influxdtest.Acts {
			times[act] += front.Done(act)
		}
	}
	for _, act := range influxdtest.Acts {
		if times[act] == 0 {
			t.Errorf("%q was not played", act)
		}
	}
}

func runSchedule(t *testing.T, db *influxdtest.Server, seed uint64) *influxdtest.Front {
	t.Helper()
	const lines, troubles, bad = 3000, 32, 4
	dice := rand.New(rand.NewPCG(seed, 3))
	database := fmt.Sprintf("schedule_%d", seed)
	inTheWay := rand.New(rand.NewPCG(seed, 4)) // another one: it is asked by other goroutines
	left := troubles
	front, err := influxdtest.NewFront(db.URL(), func() influxdtest.Act {
		if left == 0 || inTheWay.IntN(3) > 0 {
			return influxdtest.Pass
		}
		left--
		return influxdtest.Acts[1+inTheWay.IntN(len(influxdtest.Acts)-1)]
	})
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	st := stats.New(time.Now())
	f := newFeed(t, st)
	wrong := map[int]bool{}
	for range bad {
		wrong[2+dice.IntN(lines*9/10)] = true // the first one makes the field an integer
	}
	sum := int64(0)
	f.text = func(n int) string {
		if wrong[n] {
			return fmt.Sprintf(`m,source=web v="text" %d`, n)
		}
		sum += int64(n)
		return fmt.Sprintf(`m,source=web v=%di %d`, n, n)
	}
	client, err := influx.New(influx.Config{
		URL: front.URL, Database: database, Timeout: 400 * time.Millisecond, InFlight: 2, Gzip: seed%2 == 0,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	rj, log := &rejectFile{}, newLogged()
	c := write.Config{BatchPoints: 20 + dice.IntN(300), FlushInterval: 50 * time.Millisecond, InFlight: 1 + dice.IntN(3)}
	w := write.New(c, client, rj, &acks{}, st, slog.New(log))
	in := make(chan flow.Batch)
	ended := make(chan error, 1)
	go func() { ended <- w.Run(t.Context(), in) }()
	in <- f.batch("p")
	for st.Snapshot(time.Now()).Books.Written < 1 {
		time.Sleep(time.Millisecond)
	}
	for f.at.Line <= lines {
		kinds := strings.Repeat("p", 1+dice.IntN(40)) + "xfe"
		in <- f.batch(kinds[:1+dice.IntN(len(kinds))])
		if dice.IntN(20) == 0 {
			time.Sleep(time.Duration(dice.IntN(100)) * time.Millisecond)
		}
		checkBalance(t, st.Snapshot(time.Now()).Books)
	}
	close(in)
	if err := <-ended; err != nil {
		t.Errorf("Run = %v", err)
	}

	refused := 0
	for _, e := range rj.entries {
		if strings.HasPrefix(string(e.Reason), "refused: ") {
			refused++
			if !strings.Contains(string(e.Reason), "field type conflict") {
				t.Errorf("line %d is rejected: %s", e.LineNumber, e.Reason)
			}
		}
	}
	for n := range wrong {
		if n > f.numPoints {
			delete(wrong, n)
		}
	}
	if refused != len(wrong) {
		t.Errorf("%d lines are refused, want %d", refused, len(wrong))
	}
	good := int64(f.numPoints - len(wrong))
	rows, err := db.Query(t.Context(), database, "SELECT COUNT(v), SUM(v) FROM m")
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	got := fmt.Sprint(rows[0].Values[0][1:])
	if want := fmt.Sprint([]any{json.Number(fmt.Sprint(good)), json.Number(fmt.Sprint(sum))}); got != want {
		t.Errorf("number of points and sum of their values are %s, want %s", got, want)
	}
	snap := st.Snapshot(time.Now())
	if b := snap.Books; b.Written != good || b.Rejected != int64(len(rj.entries)) || b.InFlight != 0 {
		t.Errorf("books are %+v, want %d written and %d rejected", b, good, len(rj.entries))
	}
	if n, m := log.count(outageBegins), log.count(outageEnds); !snap.InfluxDB.Up || n != m {
		t.Errorf("InfluxDB is %+v; said %d times that an outage began, %d times that it ended", snap.InfluxDB, n, m)
	}
	f.checkReleased()
	return front
}

// A balancer gives requests to one server after another, and one of them is none: no line is
// at fault.
func TestOneOfTheServersIsNone(t *testing.T) {
	for name, text := range map[string]string{"page": "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>", "text": "Bad Request"} {
		for servers := 2; servers <= 3; servers++ {
			t.Run(fmt.Sprintf("%s of one of %d", name, servers), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					turn, dice := 0, rand.New(rand.NewPCG(1, 1))
					s.answers = func(points []int, _ string) error {
						if dice.IntN(16) == 0 {
							turn++ // somebody else's request
						}
						if turn++; turn%servers == 0 {
							return answer(400, text)
						}
						for _, p := range points {
							s.stored[p] = true
						}
						return nil
					}
					b := start(t, write.Config{BatchPoints: 1, InFlight: 1}, sink{write: s.write}, &rejectFile{})
					for range 400 {
						b.send(points(1))
						time.Sleep(time.Second)
					}
					b.finish()
					s.check(b)
				})
			})
		}
	}
}
