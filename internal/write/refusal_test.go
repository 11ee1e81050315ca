package write_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/write"
)

// inRequests are what clients ask for, to be taken for words of the server.
var inRequests = []string{
	"/x pending deletion", "/x points beyond retention policy", "/x points outside retention policy", "/x timeout", "/413",
	"/x partial write: shard 7 is pending deletion dropped=0", "/{\"error\":\"database is required\"}", `/"`, `/\`, "/'", "/dropped=0",
	"/field type conflict", "/influxdb answered 413",
}

// refusing is a server that refuses some points with an answer, and stores the others.
func refusing(s *server, bad func(n int) bool, said func(bad []int) error) {
	s.answers = func(points []int, _ string) error {
		var refused []int
		for _, n := range points {
			if bad(n) {
				refused = append(refused, n)
			} else {
				s.stored[n] = true
			}
		}
		if len(refused) > 0 {
			for _, n := range refused {
				s.stored[n] = false
			}
			return said(refused)
		}
		return nil
	}
}

// A refusal quotes what a client asked for: one reject, and the others are stored.
func TestClientWritesTheWordsOfRefusals(t *testing.T) {
	for _, asked := range inRequests {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			refusing(s, func(n int) bool { return n == 51 }, func([]int) error {
				return answer(400, fmt.Sprintf("partial write: max-values-per-tag limit exceeded (200/100): measurement=%q tag=%q value=%q dropped=1", "nginx_access", "path", asked))
			})
			b := start(t, write.Config{BatchPoints: 101}, sink{write: s.write}, &rejectFile{})
			b.send(points(101))
			b.finish()
			s.check(b, 51)
			if n := len(s.sizes); n > 20 || b.log.count(outageBegins) != 0 {
				t.Errorf("%q: %d requests", asked, n)
			}
			if reasons := b.stats.Snapshot(time.Now()).RejectedReasons; reasons["refused: max-values-per-tag limit exceeded"] != 1 {
				t.Errorf("%q: reasons are %v", asked, reasons)
			}
		})
	}
}

// The same of a real InfluxDB.
func TestInfluxDBQuotesClients(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Config: map[string]any{
		"data.index-version": "inmem", "data.max-values-per-tag": 100, "data.max-series-per-database": 0,
	}})
	var bad []int
	escaped := strings.NewReplacer(" ", `\ `, ",", `\,`, "=", `\=`)
	d := deliverTo(t, db, influx.Config{Database: "quoted"}, 200, func(n int) string { return fmt.Sprintf("m,path=/%d v=1i %d", n, n) })
	d.send(200)
	d.settled()
	d.text = func(n int) string {
		if i := n/10 - 21; n%10 == 0 && i >= 0 && i < len(inRequests) {
			bad = append(bad, n)
			path := escaped.Replace(inRequests[i])
			if strings.HasSuffix(path, `\`) {
				path += "-"
			}
			return fmt.Sprintf("m,path=%s v=1i %d", path, n)
		}
		return fmt.Sprintf("m,path=/%d v=1i %d", n%200+1, n)
	}
	d.send(200)
	d.finish("refused: influxdb answered 400: partial write: max-values-per-tag limit exceeded (", bad...)
}

// answersOf are refusals in words that are not known, by status.
var answersOf = []error{
	answer(403, "<html>forbidden</html>"), answer(406, ""),
	answer(400, "it rains"), answer(400, ""), answer(400, `{"reason":"no"}`), answer(422, "refused by the gateway"),
	answer(400, "partial write: shard 7 is pending deletion dropped=1"), answer(400, "<html>400</html>"),
	&influx.AnswerError{Status: 422, Code: "unprocessable entity", Message: "no"},
	&influx.AnswerError{Status: 201, Code: "invalid", Message: "partial write has occurred, 1 out of 1000 points rejected"},
	&influx.AnswerError{Status: 206, Code: "invalid", Message: "1 out of 1000 points rejected"},
}

// A line that is refused again and again while others are stored is a reject, whatever
// the words, after a bounded number of requests.
func TestRefusedWhateverTheWords(t *testing.T) {
	for _, said := range answersOf {
		for _, batch := range []int{1, 2, 100, 1000} {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				bad := []int{2, 70, 71, 900}
				refusing(s, func(n int) bool { return slices.Contains(bad, n) }, func([]int) error { return said })
				b := start(t, write.Config{BatchPoints: batch, InFlight: 1}, sink{write: s.write}, &rejectFile{})
				b.send(points(1000))
				b.finish()
				s.check(b, bad...)
				if n, most := len(s.sizes), 1000/batch+170; n > most {
					t.Errorf("%v, by %d: %d requests, want at most %d", said, batch, n, most)
				}
				if took := time.Since(s.at[0]); took > 20*time.Second {
					t.Errorf("%v, by %d: it took %s", said, batch, took)
				}
			})
		}
	}
}

// Whatever refuses all requests is no reason to reject anything: not from the start,
// nor later, and when it is over everything is stored.
func TestRequestsAreRefused(t *testing.T) {
	for _, said := range answersOf[:8] {
		for _, first := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				broken := first
				s.answers = func([]int, string) error {
					if broken {
						return said
					}
					return nil
				}
				b := start(t, write.Config{BatchPoints: 100}, sink{write: s.write}, &rejectFile{})
				b.send(points(100))
				time.Sleep(time.Minute)
				s.mu.Lock()
				broken = true
				s.mu.Unlock()
				b.send(points(50))
				time.Sleep(time.Hour)
				if b.rejects.shown() != "" {
					t.Errorf("%v: rejected %q", said, b.rejects.shown())
				}
				s.mu.Lock()
				broken, s.sizes = false, nil
				s.mu.Unlock()
				b.finish()
				s.check(b)
				if n := len(s.sizes); n > 8 {
					t.Errorf("%v: when it was over, it took %d requests", said, n)
				}
			})
		}
	}
}

// outside are refusals of points for their time.
var outside = map[string]func(n int) error{
	"1.8": func(int) error { return answer(400, "partial write: points beyond retention policy dropped=0") },
	"1.12.2": func(n int) error {
		return answer(400, fmt.Sprintf("partial write: points beyond retention policy or outside permissible write window dropped=%d for database: nginx", n))
	},
	"1.13": func(n int) error {
		return answer(400, fmt.Sprintf("partial write: dropped %d points outside retention policy of duration 168h0m0s - oldest point m at T dropped because it violates a Retention Policy Lower Bound at T dropped=%d", n, n))
	},
	"write window": func(n int) error {
		return answer(400, fmt.Sprintf("partial write: dropped 0 points outside retention policy of duration 720h0m0s and %d points outside write window (-1h0m0s to 1h0m0s) - oldest point m dropped because it violates a Retention Policy Lower Bound", n))
	},
	"2.x": func(n int) error {
		return &influx.AnswerError{Status: 422, Code: "unprocessable entity", Message: fmt.Sprintf("failure writing points to database: partial write: dropped %d points outside retention policy of duration 1h0m0s", n)}
	},
	"unknown": func(n int) error { return answer(400, fmt.Sprintf("partial write: %d points are not wanted", n)) },
	"422":     func(int) error { return &influx.AnswerError{Status: 422, Code: "x", Message: "not wanted"} },
	"plain":   func(int) error { return answer(400, "not wanted") },
}

// windows is what a policy takes around now.
type window struct{ past, future time.Duration }

// between refuses points that are outside a window, with an answer.
func between(s *server, stamp func(n int) int64, w window, said func(n int) error) {
	refusing(s, func(n int) bool {
		ago := time.Since(time.Unix(0, stamp(n)))
		return ago > w.past || -ago > w.future
	}, func(bad []int) error { return said(len(bad)) })
}

// Lines outside what is kept, wherever they stand among others: with few requests, and
// held never.
func TestBoundaryInTime(t *testing.T) {
	const total, good = 5200, 200
	for name, said := range outside {
		for _, hold := range []bool{false, true} {
			for _, order := range []string{"first", "last", "among"} {
				for _, to := range []string{"past", "future", "both"} {
					t.Run(fmt.Sprint(name, hold, order, to), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { testBoundary(t, said, hold, order, to, total, good) })
					})
				}
			}
		}
	}
}

func testBoundary(t *testing.T, said func(n int) error, hold bool, order, to string, total, good int) {
	t.Helper()
	time.Sleep(1000 * time.Hour)
	now := time.Now()
	places := make([]int, total) // of the number of a line, in time
	for i := range places {
		places[i] = i
	}
	switch order {
	case "last":
		slices.Reverse(places)
	case "among":
		rand.New(rand.NewPCG(1, 2)).Shuffle(total, func(i, j int) { places[i], places[j] = places[j], places[i] })
	}
	stamp := func(n int) int64 {
		i := places[n-1]
		var ago time.Duration
		switch bad := total - good; {
		case i >= bad:
			ago = time.Duration(total-i) * time.Second
		case to == "past" || to == "both" && i%2 == 0:
			ago = 2*time.Hour + time.Duration(bad-i)*time.Second
		default:
			ago = -2*time.Hour - time.Duration(bad-i)*time.Second
		}
		return now.Add(-ago).UnixNano()
	}
	s := newServer(t)
	between(s, stamp, window{time.Hour, time.Hour}, said)
	b := start(t, write.Config{BatchPoints: total, Hold: func() bool { return hold }}, sink{write: s.write}, &rejectFile{})
	b.stamp = stamp
	began := time.Now()
	for left := total; left > 0; left -= 1000 {
		b.send(points(min(left, 1000)))
	}
	b.finish()
	var rejected []int
	for n := 1; n <= total; n++ {
		if places[n-1] < total-good {
			rejected = append(rejected, n)
		}
	}
	s.check(b, rejected...)
	if took := time.Since(began); took > 2*time.Second || len(s.sizes) > 100 {
		t.Errorf("it took %s and %d requests", took, len(s.sizes))
	}
	if b.log.count(holding) != 0 {
		t.Error("it was held")
	}
	if reasons := b.stats.Snapshot(time.Now()).RejectedReasons; reasons["refused: other"] == 0 &&
		((reasons["expired"] > 0) != (to != "future") || (reasons["future"] > 0) != (to != "past")) {
		t.Errorf("reasons are %v", reasons)
	}
}

// No line of a request is stored, but one of another request was meanwhile: that shows
// the boundary, too. What is not for its time is held.
func TestBoundaryBesideOtherRequests(t *testing.T) {
	for name, said := range outside {
		for _, hold := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(1000 * time.Hour)
				now := time.Now()
				stamp := func(n int) int64 {
					if n == 1 {
						return now.UnixNano()
					}
					return now.Add(-2*time.Hour - time.Duration(n)*time.Second).UnixNano()
				}
				s := newServer(t)
				between(s, stamp, window{time.Hour, time.Hour}, said)
				b := start(t, write.Config{BatchPoints: 1000, Hold: func() bool { return hold }}, sink{write: s.write}, &rejectFile{})
				b.stamp = stamp
				b.send("p")
				time.Sleep(2 * time.Second)
				began := time.Now()
				b.send(points(1000))
				b.finish()
				s.check(b, upTo(1001)[1:]...)
				if took := time.Since(began); took > 3*time.Second || len(s.sizes) > 60 || b.log.count(holding) != 0 {
					t.Errorf("%s: it took %s and %d requests", name, took, len(s.sizes))
				}
			})
		}
	}
}

// All of a request is refused, and it is newer than what was stored: it is not for its
// time, and on_reject: hold holds it.
func TestNewLinesAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		now := time.Now()
		s := newServer(t)
		broken := true
		refusing(s, func(n int) bool { return broken && n > 1 }, func(bad []int) error { return outside["unknown"](len(bad)) })
		b := start(t, write.Config{BatchPoints: 500, Hold: func() bool { return true }}, sink{write: s.write}, &rejectFile{})
		b.stamp = func(n int) int64 { return now.Add(time.Duration(n-1000) * time.Second).UnixNano() }
		b.send("p")
		time.Sleep(2 * time.Second)
		b.send(points(500))
		time.Sleep(time.Minute)
		if b.rejects.shown() != "" || b.log.count(holding) != 1 {
			t.Errorf("said %d times that it holds; rejected %.300s", b.log.count(holding), b.rejects.shown())
		}
		s.mu.Lock()
		broken = false
		s.mu.Unlock()
		b.finish()
		s.check(b)
	})
}

// A policy's write window is asked for, and nothing outside is sent.
func TestWriteWindowIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		now := time.Now()
		stamp := func(n int) int64 { return now.Add(time.Duration(n-501) * time.Minute).UnixNano() }
		s := newServer(t)
		between(s, stamp, window{time.Hour + time.Second, time.Hour + time.Second}, outside["write window"])
		b := start(t, write.Config{BatchPoints: 1001}, sink{write: s.write, retention: func(context.Context) (influx.Window, error) {
			return influx.Window{Past: time.Hour, Future: time.Hour}, nil
		}}, &rejectFile{})
		b.stamp = stamp
		b.send(points(1001))
		b.finish()
		var rejected []int
		for n := 1; n <= 1001; n++ {
			if n < 501-60 || n > 501+60 {
				rejected = append(rejected, n)
			}
		}
		s.check(b, rejected...)
		if len(s.sizes) != 1 {
			t.Errorf("%d requests were sent", len(s.sizes))
		}
	})
}

// Points that are refused for something else in unknown words, here and there: exactly
// those, and no boundary is made of them.
func TestNoBoundaryInTime(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 5))
			const n = 300
			bad := map[int]bool{1: dice.IntN(2) == 0, n: dice.IntN(2) == 0}
			for range dice.IntN(40) {
				bad[1+dice.IntN(n)] = true
			}
			s := newServer(t)
			refusing(s, func(n int) bool { return bad[n] }, func(b []int) error { return outside["unknown"](len(b)) })
			b := start(t, write.Config{BatchPoints: n}, sink{write: s.write}, &rejectFile{})
			b.stamp = func(n int) int64 { return minutes(n).UnixNano() }
			b.send(points(n))
			b.finish()
			var rejected []int
			for i := range n + 1 {
				if bad[i] {
					rejected = append(rejected, i)
				}
			}
			s.check(b, rejected...)
		})
	}
}
