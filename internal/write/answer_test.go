package write_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/write"
)

func answer(status int, message string) error {
	return fmt.Errorf("write: %w", &influx.AnswerError{Status: status, Message: message})
}

// lateError is what a connection says that took too long.
type lateError struct{}

func (lateError) Error() string { return "i/o timeout" }
func (lateError) Timeout() bool { return true }

// Each answer but 204, given once: nothing of what it may be about is rejected,
// unless InfluxDB says that it is about a point.
func TestWhatAnswersMean(t *testing.T) {
	for _, tt := range []struct {
		err      error
		rejected string // "": the point is sent again
		brief    string
	}{
		{errAway, "", ""},
		{lateError{}, "", ""},
		{answer(200, "<html>Welcome</html>"), "", ""},
		{answer(202, ""), "", ""},
		{answer(302, ""), "", ""},
		{answer(401, "authorization failed"), "", ""},
		{answer(403, `"u" user is not authorized to write to database "nginx"`), "", ""},
		{answer(404, `database not found: "nginx"`), "", ""},
		{answer(405, ""), "", ""},
		{answer(408, ""), "", ""},
		{answer(429, ""), "", ""},
		{answer(500, "retention policy not found: two_weeks"), "", ""},
		{answer(500, "partial write: field type conflict"), "", ""},
		{answer(503, "request throttled, rate exceeded"), "", ""},
		{answer(504, ""), "", ""},

		// About the whole request.
		{answer(400, ""), "", ""},
		{answer(400, "database is required"), "", ""},
		{answer(400, `invalid precision "bogus" (use n, u, ms, s, m or h)`), "", ""},
		{answer(400, "unexpected EOF"), "", ""},
		{answer(400, "gzip: invalid header"), "", ""},
		{answer(400, "<html><h1>400 unable to parse the Host header</h1></html>"), "", ""},
		{answer(400, `{"message":"unable to parse JSON"}`), "", ""},
		{answer(400, "proxy: partial write"), "", ""},
		{answer(400, "partial write: shard 7 is pending deletion dropped=1"), "", ""},
		{answer(413, "Request Entity Too Large"), "", ""}, // of one small point

		// About points.
		{
			answer(400, `partial write: field type conflict: input field "v" on measurement "m" is type float, already exists as type integer dropped=1`),
			`refused: write: influxdb answered 400: partial write: field type conflict: input field "v" on measurement "m" is type float, already exists as type integer dropped=1`,
			"refused: field type conflict",
		},
		{
			answer(400, "unable to parse 'm v=': missing field value"),
			"refused: write: influxdb answered 400: unable to parse 'm v=': missing field value", "refused: unable to parse",
		},
		{
			answer(400, `partial write: max-values-per-tag limit exceeded (3/3): measurement="m" tag="t" value="x" dropped=0`),
			`refused: write: influxdb answered 400: partial write: max-values-per-tag limit exceeded (3/3): measurement="m" tag="t" value="x" dropped=0`,
			"refused: max-values-per-tag limit exceeded",
		},
		{
			answer(400, "partial write: max-series-per-database limit exceeded: (5) dropped=1"),
			"refused: write: influxdb answered 400: partial write: max-series-per-database limit exceeded: (5) dropped=1",
			"refused: max-series-per-database limit exceeded",
		},
		{answer(400, "partial write: it rains dropped=1"), "refused: write: influxdb answered 400: partial write: it rains dropped=1", "refused: other"},
		{answer(400, "partial write: points beyond retention policy dropped=1"), "expired", "expired"},
	} {
		t.Run(tt.err.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				s := sink{write: func(context.Context, string) error {
					if tries++; tries == 1 {
						return tt.err
					}
					return nil
				}}
				rj := &rejectFile{}
				b := start(t, write.Config{BatchPoints: 1}, s, rj)
				b.send("p")
				b.finish()
				snap := b.stats.Snapshot(time.Now())
				if tt.rejected == "" {
					if tries != 2 || snap.Books.Written != 1 || rj.shown() != "" {
						t.Errorf("%d tries, books %+v, rejected %q; want it sent again", tries, snap.Books, rj.shown())
					}
					if n, m := b.log.count(outageBegins), b.log.count(outageEnds); n != 1 || m != 1 {
						t.Errorf("said %d times that it began, %d times that it ended", n, m)
					}
					return
				}
				if want := "web 7:1 " + tt.rejected + ` "line 1 is p" 11`; tries != 1 || rj.shown() != want {
					t.Errorf("%d tries, rejected %q, want 1 and %q", tries, rj.shown(), want)
				}
				if diff := cmp.Diff(map[string]int64{tt.brief: 1}, snap.RejectedReasons); diff != "" {
					t.Errorf("reasons, -want +got:\n%s", diff)
				}
				if n := b.log.count(refusedLines); n != 1 || b.log.count(outageBegins) != 0 {
					t.Errorf("said %d times that lines are refused", n)
				}
			})
		})
	}
}

const refusedLines = "lines are rejected because influxdb does not store their points"

// server is a sink that behaves as InfluxDB 1.8.10 does.
type server struct {
	t       *testing.T
	wrong   map[int]bool                          // points whose field has another type
	answers func(points []int, body string) error // unless nil, asked first

	mu     sync.Mutex
	types  string // "right" or "wrong" once a point is stored
	stored map[int]bool
	at     []time.Time // of requests
	sizes  []int       // points in each
}

func newServer(t *testing.T, wrong ...int) *server {
	t.Helper()
	s := &server{t: t, wrong: map[int]bool{}, types: "right", stored: map[int]bool{}}
	for _, n := range wrong {
		s.wrong[n] = true
	}
	return s
}

// write stores all points but those of the wrong type. Of a body with two types it
// stores nothing when the field is new, which has the type of its first point then.
func (s *server) write(_ context.Context, body string) error {
	points := numbers(s.t, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.sizes = append(s.at, time.Now()), append(s.sizes, len(points))
	if s.answers != nil {
		if err := s.answers(points, body); err != nil {
			return err
		}
	}
	types := map[string]int{}
	kind := func(n int) string {
		if s.wrong[n] {
			return "wrong"
		}
		return "right"
	}
	for _, n := range points {
		types[kind(n)]++
	}
	if s.types == "" {
		s.types = kind(points[0])
		if len(types) > 1 {
			return answer(400, `field type conflict: input field "v" on measurement "m" is type float, already exists as type integer`)
		}
	}
	refused := 0
	for _, n := range points {
		if kind(n) == s.types {
			s.stored[n] = true
		} else {
			refused++
		}
	}
	if refused > 0 {
		return answer(400, fmt.Sprintf("partial write: field type conflict dropped=%d", refused))
	}
	return nil
}

// check checks that all points but these are stored, and these in the reject file.
func (s *server) check(b *bench, rejected ...int) {
	s.t.Helper()
	isRejected := map[int]bool{}
	for _, n := range rejected {
		isRejected[n] = true
	}
	for n := 1; n <= b.numPoints; n++ {
		if want := !isRejected[n]; s.stored[n] != want {
			s.t.Errorf("point %d: stored is %t, want %t", n, s.stored[n], want)
		}
	}
	var got []int
	for _, e := range b.rejects.entries {
		if e.Reason != "no match" && e.Reason != "empty" {
			got = append(got, int(e.LineNumber))
		}
	}
	if !slices.Equal(got, rejected) {
		s.t.Errorf("lines %d are rejected, want %d", got, rejected)
	}
	if books := b.books(); books.Written != int64(b.numPoints-len(rejected)) {
		s.t.Errorf("books are %+v, want %d written", books, b.numPoints-len(rejected))
	}
}

// One wrong point among 5,000: the others are stored, whether the field is there
// or new, wherever the point is.
func TestOneWrongPointOf5000(t *testing.T) {
	const n = 5000
	for _, types := range []string{"right", ""} {
		for _, wrong := range []int{1, 2, 2500, 2501, 4999, n} {
			if wrong == 1 && types == "" {
				continue // is right
			}
			t.Run(fmt.Sprint(types, wrong), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t, wrong)
					s.types = types
					b := start(t, write.Config{BatchPoints: n}, sink{write: s.write}, &rejectFile{})
					b.send(points(n))
					b.finish()
					s.check(b, wrong)
					if len(s.sizes) > 30 {
						t.Errorf("%d requests were sent", len(s.sizes))
					}
				})
			})
		}
	}
}

// Where a field is new, the first point that arrives decides its type: the older half
// of a request that is refused is sent first.
func TestOlderHalfIsSentFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, 3)
		var first []int // point of each request
		s.answers = func(points []int, _ string) error {
			first = append(first, points[0])
			return nil
		}
		b := start(t, write.Config{BatchPoints: 8}, sink{write: s.write}, &rejectFile{})
		b.send(points(8))
		b.finish()
		s.check(b, 3)
		if !slices.IsSorted(first) {
			t.Errorf("the requests begin with the points %v, want the older ones first", first)
		}
	})
}

// Any points of a batch, whatever lines are between them: exactly those are
// rejected, in the order of their lines.
func TestWrongPoints(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(seed, 1))
				s := newServer(t)
				share := dice.IntN(101)
				var entries []string
				b := start(t, write.Config{BatchPoints: 1 + dice.IntN(40), InFlight: 1 + dice.IntN(3)}, sink{write: s.write}, &rejectFile{})
				var all strings.Builder
				for range 1 + dice.IntN(20) {
					kinds := make([]byte, 1+dice.IntN(20))
					for i := range kinds {
						kinds[i] = "pppppxef"[dice.IntN(8)]
					}
					first := b.at.Line
					for i, kind := range kinds {
						number := first + int64(i)
						switch line := fmt.Sprintf("line %d is %c", number, kind); {
						case kind == point && dice.IntN(100) < share:
							s.mu.Lock()
							s.wrong[b.numPoints+1+strings.Count(string(kinds[:i]), "p")] = true
							s.mu.Unlock()
							entries = append(entries, fmt.Sprintf("web 7:%d %s %q %d", number, conflict, line, len(line)))
						case kind == noMatch || kind == empty:
							entries = append(entries, newRejects(number, string(kind)))
						}
					}
					all.Write(kinds)
					b.send(string(kinds))
					b.books()
				}
				b.finish()
				got := strings.Split(b.rejects.shown(), "\n")
				for i := range got { // how many were dropped differs
					if before, _, ok := strings.Cut(got[i], " dropped="); ok {
						_, after, _ := strings.Cut(got[i], ` "line`)
						got[i] = before + ` "line` + after
					}
				}
				if entries == nil {
					entries = []string{""}
				}
				if diff := cmp.Diff(entries, got); diff != "" {
					t.Errorf("%s: rejects, -want +got:\n%s", all.String(), diff)
				}
				for n := 1; n <= b.numPoints; n++ {
					if s.stored[n] == s.wrong[n] {
						t.Errorf("point %d: stored is %t", n, s.stored[n])
					}
				}
				if books := b.books(); books.Written != int64(len(s.stored)) {
					t.Errorf("books are %+v, want %d written", books, len(s.stored))
				}
			})
		})
		if t.Failed() {
			return
		}
	}
}

const conflict = "refused: write: influxdb answered 400: partial write: field type conflict"

// Looking for refused points is at most 50 requests a second, with two requests
// in flight, too.
func TestSearchIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		s := newServer(t)
		s.types = "wrong" // no point is taken
		b := start(t, write.Config{BatchPoints: n / 2, InFlight: 2}, sink{write: s.write}, &rejectFile{})
		b.send(points(n))
		b.finish()
		if books := b.books(); books.Rejected != n {
			t.Errorf("books are %+v", books)
		}
		for i, at := range s.at {
			if i >= 52 && at.Sub(s.at[i-52]) < time.Second { // the first two are not held back
				t.Fatalf("requests %d to %d within %s", i-52, i, at.Sub(s.at[i-52]))
			}
		}
		if took, want := s.at[len(s.at)-1].Sub(s.at[0]), time.Duration(len(s.at))*time.Second/50; took > want {
			t.Errorf("%d requests took %s, want %s at most", len(s.at), took, want)
		}
		if told := b.log.count(refusedLines); told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

// A refusal goes on to be told, once a minute.
func TestRefusalsAreToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.types = "wrong"
		b := start(t, write.Config{BatchPoints: 1}, sink{write: s.write}, &rejectFile{})
		for range 600 {
			b.send("p")
			time.Sleep(time.Second)
		}
		b.finish()
		if told := b.log.count(refusedLines); told != 10 {
			t.Errorf("told %d times in ten minutes", told)
		}
	})
}

// Trouble in between changes nothing.
func TestSearchThroughOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, 3, 17, 18, 90)
		dice := rand.New(rand.NewPCG(1, 1))
		s.answers = func([]int, string) error {
			return []error{nil, nil, errAway, answer(500, "partial write"), answer(400, "database is required"), lateError{}}[dice.IntN(6)]
		}
		b := start(t, write.Config{BatchPoints: 100}, sink{write: s.write}, &rejectFile{})
		b.send(points(200))
		b.finish()
		s.check(b, 3, 17, 18, 90)
		if n, m := b.log.count(outageBegins), b.log.count(outageEnds); n != m || n == 0 {
			t.Errorf("said %d times that it began, %d times that it ended", n, m)
		}
	})
}

// A stop while a point is looked for leaves the request undelivered.
func TestStoppedWhileSearching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, 3)
		b := start(t, write.Config{BatchPoints: 1000}, sink{write: s.write}, &rejectFile{})
		b.send(points(1000))
		time.Sleep(100 * time.Millisecond)
		b.cancel()
		<-b.ended
		if b.err == nil || b.err.Error() != "1000 lines not delivered" {
			t.Errorf("Run = %v", b.err)
		}
		if line, _, _ := b.acks.state(); line != 0 || b.rejects.shown() != "" {
			t.Errorf("line %d is acknowledged, rejected are %q", line, b.rejects.shown())
		}
	})
}
