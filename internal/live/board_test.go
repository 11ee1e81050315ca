package live_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/live"
)

var names = []string{
	"remote_addr", "msec", "request", "status", "bytes_sent", "http_referer", "http_user_agent", "request_time", "host",
}

// line is a request as a log has it.
type line struct {
	at                        time.Time
	client, method, path      string
	status, bytes, time       string
	referrer, agent, host, by string // by: the source
}

func (l line) captures() (all [][]byte) {
	msec := fmt.Sprintf("%d.%03d", l.at.Unix(), l.at.Nanosecond()/1e6)
	for _, text := range []string{l.client, msec, l.method + " " + l.path + " HTTP/1.1", l.status, l.bytes, l.referrer, l.agent, l.time, l.host} {
		if text == "" {
			text = "-"
		}
		all = append(all, append(make([]byte, 0, len(text)+16), text...)) // the line goes on behind a capture
	}
	return all
}

// feeder adds lines to a board.
type feeder struct {
	*live.Board
	by     *accesslog.Encoder
	number int64
}

func newFeeder(t testing.TB, c live.Config) *feeder {
	t.Helper()
	by, err := accesslog.New(names, accesslog.Schema{Measurement: "m", Host: "h", Source: "s", Fold: true, Tags: []string{"method", "path"}})
	if err != nil {
		t.Fatal(err)
	}
	return &feeder{Board: live.New(c), by: by}
}

func (f *feeder) add(t testing.TB, lines ...line) {
	t.Helper()
	for _, l := range lines {
		f.number++
		captures := l.captures()
		if outcome := f.by.Judge(captures, f.number); outcome != accesslog.Point {
			t.Fatalf("Judge(%q) = %v, want a point", captures, outcome)
		}
		f.Add(f.by, captures, l.by)
	}
}

// random is any line at a time.
func random(r *rand.Rand, at time.Time) line {
	some := func(all ...string) string { return all[r.IntN(len(all))] }
	return line{
		at: at, client: fmt.Sprintf("192.0.2.%d", r.IntN(3)), method: some("GET", "POST"),
		path:   some("/", "/a", "/users/17", "/users/4", "/b?q=1"),
		status: some("200", "200", "201", "304", "404", "500", "502", "101", "600", ""), bytes: some("0", "17", "4000000", ""),
		time: some("0.000", "0.004", "0.250", "12.345", "99.000", ""), referrer: some("", "https://example.com/x?y=z"),
		agent: some("Mozilla/5.0", "Googlebot/2.1", "curl/8.0", ""), host: some("a.example", "b.example", ""), by: some("web", "api"),
	}
}

// Whatever the lines are, each slot and the total have exactly those of its time.
func TestSlotsAreCountedExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		f := newFeeder(t, live.Config{})
		start := time.Now()
		type count struct {
			requests, bytes, sized int64
			classes                map[string]int64
		}
		want := map[int64]*count{}
		var total int64
		for range 5000 {
			l := random(r, start.Add(time.Duration(r.Int64N(int64(10*time.Minute)))-10*time.Minute))
			f.add(t, l)
			total++
			slot := l.at.Unix() / 5 * 5
			c := want[slot]
			if c == nil {
				c = &count{classes: map[string]int64{}}
				want[slot] = c
			}
			c.requests++
			if l.bytes != "" {
				var n int64
				fmt.Sscan(l.bytes, &n)
				c.bytes += n
				c.sized++
			}
			class := "other"
			if l.status != "" && l.status < "600" {
				class = l.status[:1] + "xx"
			}
			c.classes[class]++
		}
		f.Publish(time.Now())
		s := f.Snapshot()
		if s.Total.Requests != total {
			t.Errorf("total = %d requests, want %d", s.Total.Requests, total)
		}
		if len(s.Slots.Time) != 180 {
			t.Fatalf("%d slots, want 180", len(s.Slots.Time))
		}
		for i, at := range s.Slots.Time {
			c := want[at]
			if c == nil {
				if s.Slots.Requests[i] > 0 {
					t.Errorf("slot %d has %v requests, want none", at, s.Slots.Requests[i])
				}
				continue
			}
			if s.Slots.Requests[i] != live.Number(c.requests) || c.sized > 0 && s.Slots.Bytes[i] != live.Number(c.bytes) {
				t.Errorf("slot %d has %v requests and %v bytes, want %+v", at, s.Slots.Requests[i], s.Slots.Bytes[i], c)
			}
			for class, n := range s.Slots.Classes {
				if n[i] != c.classes[class] {
					t.Errorf("slot %d has %d of %s, want %d", at, n[i], class, c.classes[class])
				}
			}
			delete(want, at)
		}
		if len(want) > 0 {
			t.Errorf("%d slots are not shown", len(want))
		}
	})
}
