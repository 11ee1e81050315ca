package write_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/write"
)

// ownPoints are those about tailflux itself, each once, as InfluxDB has them: fields by
// series and time.
type ownPoints struct {
	mu       sync.Mutex
	requests []string
	points   map[string]map[string]string
}

func (o *ownPoints) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.requests)
}

func (o *ownPoints) store(t *testing.T, body string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = append(o.requests, body)
	if o.points == nil {
		o.points = map[string]map[string]string{}
	}
	for line := range strings.Lines(body) {
		tags, fields, ok := lineproto.Split(strings.TrimSpace(line))
		at, stamped := lineproto.Stamp([]byte(line))
		if !ok || !stamped || !strings.HasPrefix(line, "tailflux,host=h") {
			t.Errorf("no point: %q", line)
		}
		key := strconv.FormatInt(at, 10)
		for _, tag := range tags {
			key += " " + tag.Key + "=" + tag.Value
		}
		if o.points[key] == nil {
			o.points[key] = map[string]string{}
		}
		for _, field := range fields {
			o.points[key][field.Key] = field.Value
		}
	}
}

// sum is of an integer field of the points with exactly these tags behind host.
func (o *ownPoints) sum(t *testing.T, tags, field string) (sum int64) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, fields := range o.points {
		_, of, _ := strings.Cut(key, " host=h")
		if value, is := fields[field]; is && strings.TrimSpace(of) == tags {
			n, err := strconv.ParseInt(strings.TrimSuffix(value, "i"), 10, 64)
			if err != nil || !strings.HasSuffix(value, "i") {
				t.Errorf("%s of %s is %s, want an integer", field, key, value)
			}
			sum += n
		}
	}
	return sum
}

func ownConfig() write.Config {
	return write.Config{BatchPoints: 10, Own: &write.Own{Host: "h", AtStart: true, Memory: func() int64 { return 7 }}}
}

func isOwn(body string) bool { return strings.HasPrefix(body, "tailflux,") }

// What is counted while InfluxDB is away is added up, and nothing twice: what may be stored
// is sent again as it was.
func TestOwnPointsThroughAnOutage(t *testing.T) {
	for _, lost := range []int{0, 1} { // of each two requests that have no answer, the one that is not stored
		synctest.Test(t, func(t *testing.T) { outageOfOwn(t, lost) })
	}
}

func outageOfOwn(t *testing.T, lost int) {
	var away atomic.Bool
	var own, sent ownPoints
	b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
		if isOwn(body) {
			sent.store(t, body)
		}
		if away.Load() && sent.count()%2 == lost {
			return errAway
		}
		if isOwn(body) {
			own.store(t, body) // though the answer may not come
		}
		if away.Load() {
			return errAway
		}
		return nil
	}}, &rejectFile{})
	for i := range 60 {
		away.Store(i >= 15 && i < 45)
		if !b.offer(b.batch("ppxef")) {
			b.at.Line -= 5 // not sent
		}
		time.Sleep(time.Second)
	}
	away.Store(false)
	time.Sleep(30 * time.Second)
	close(b.in)
	<-b.ended
	books := b.books()
	for _, tags := range []string{"", "source=web"} {
		for field, want := range map[string]int64{"lines_written": books.Written, "lines_rejected": books.Rejected} {
			if got := own.sum(t, tags, field); got != want || got == 0 {
				t.Errorf("%s of %q add up to %d, want %d", field, tags, got, want)
			}
		}
	}
	for reason, want := range b.stats.Snapshot(time.Now()).RejectedReasons {
		got := own.sum(t, "reason="+reason+" source=web", "rejected") + own.sum(t, "source=web reason="+reason, "rejected")
		if got != want {
			t.Errorf("%d lines were rejected as %q, want %d", got, reason, want)
		}
	}
	if n := own.sum(t, "", "started"); n != 1 {
		t.Errorf("it started %d times", n)
	}
	if n := own.sum(t, "", "outages"); n == 0 {
		t.Error("there was no outage")
	}
}

// These points are not in the books, and not in requests with points of lines.
func TestOwnPointsAreInNoBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var own ownPoints
		b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
			if strings.Contains(body, "tailflux") {
				own.store(t, body)
			}
			return nil
		}}, &rejectFile{})
		for range 35 {
			b.send("pp")
			time.Sleep(time.Second)
		}
		b.finish()
		snap := b.stats.Snapshot(time.Now())
		if snap.Books.Read != 70 || snap.Books.Written != 70 || snap.InfluxDB.Batches > 36 {
			t.Errorf("%+v, %d requests", snap.Books, snap.InfluxDB.Batches)
		}
		if n := own.count(); n != 5 { // at the start, after 10, 20 and 30 s, at the end
			t.Errorf("%d requests, want 5:\n%s", n, strings.Join(own.requests, "\n"))
		}
		if n := own.sum(t, "", "lines_read"); n != 70 {
			t.Errorf("%d lines read, want 70", n)
		}
	})
}

// Without them, there are none.
func TestOwnPointsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, write.Config{BatchPoints: 10}, sink{write: func(_ context.Context, body string) error {
			if strings.Contains(body, "tailflux") {
				t.Errorf("sent: %s", body)
			}
			return nil
		}}, &rejectFile{})
		for range 25 {
			b.send("p")
			time.Sleep(time.Second)
		}
		b.finish()
	})
}

// If they are refused, lines are not concerned, and it is said once.
func TestOwnPointsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{400, 413, 422} {
			b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
				if isOwn(body) {
					return answer(status, "field type conflict: input field \"open\" on measurement \"tailflux\" is type integer, already exists as type float dropped=1")
				}
				return nil
			}}, &rejectFile{})
			for range 45 {
				b.send("p")
				time.Sleep(time.Second)
			}
			if db := b.stats.Snapshot(time.Now()).InfluxDB; !db.Up || db.LastError != "" {
				t.Errorf("%d: %+v", status, db)
			}
			b.finish()
			if n := b.log.count("influxdb does not store points about tailflux itself; lines are not concerned (self_metrics: false turns them off)"); n != 1 {
				t.Errorf("%d: said %d times, want once", status, n)
			}
			if books := b.books(); books.Written != 45 {
				t.Errorf("%d: %+v", status, books)
			}
		}
	})
}

// A server that does not answer them holds the end up for two seconds at most.
func TestOwnPointsAtTheEnd(t *testing.T) {
	for _, before := range []time.Duration{time.Second, 11 * time.Second} { // with one on its way
		synctest.Test(t, func(t *testing.T) {
			c := ownConfig()
			c.Own.AtStart = false
			b := start(t, c, sink{write: func(ctx context.Context, body string) error {
				if isOwn(body) {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			}}, &rejectFile{})
			b.send("pp")
			time.Sleep(before)
			at := time.Now()
			b.finish()
			if took := time.Since(at); took > 3*time.Second {
				t.Errorf("after %s, it took %s to end", before, took)
			}
		})
	}
}

// Nor does one that answers each of many requests after a while: what was observed in 300 days
// is 87 of them.
func TestMuchToSayAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ownConfig()
		c.Own.AtStart = false
		requests := 0
		b := start(t, c, sink{write: func(ctx context.Context, body string) error {
			if !isOwn(body) {
				return nil
			}
			requests++
			select {
			case <-time.After(250 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}, &rejectFile{})
		now := time.Now().Unix()
		b.from = (now - 300*86400) * 1e9
		b.sendSeen("p", now, true)
		time.Sleep(2 * time.Second)
		at := time.Now()
		b.finish()
		if took := time.Since(at); requests < 7 || took > 3*time.Second {
			t.Errorf("%d requests in %s to the end, want some, in two seconds", requests, took)
		}
	})
}

// Each field is documented, and of one type.
func TestOwnFields(t *testing.T) {
	page, err := os.ReadFile("../../docs/monitor.md")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var own ownPoints
		b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
			if isOwn(body) {
				own.store(t, body)
			}
			return nil
		}}, &rejectFile{})
		b.stats.AddTag("path", 10).Other.Add(3)
		b.from = 1000e9 + 7
		b.sendSeen("pxef", 1000, true)
		time.Sleep(2500 * time.Millisecond)
		b.sendSeen("p", 2000, true)
		time.Sleep(10 * time.Second)
		b.finish()
		seen := map[string]bool{}
		for _, fields := range own.points {
			for key, value := range fields {
				seen[key] = true
				if isInteger := strings.HasSuffix(value, "i"); isInteger == strings.HasSuffix(key, "_seconds") {
					t.Errorf("%s is %s", key, value)
				}
				if !strings.Contains(string(page), "`"+key+"`") {
					t.Errorf("docs/monitor.md does not have %s", key)
				}
			}
		}
		for _, key := range []string{"started", "lines_read", "rejected", "limit", "observed_from", "lag_bytes"} {
			if !seen[key] {
				t.Errorf("no point has %s", key)
			}
		}
	})
}

// A proxy answers for a while what is not about points. What counts lines, and observed time, are
// kept meanwhile, as lines are.
func TestOwnPointsBehindAProxyThatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{400, 413} {
			var own ownPoints
			began := time.Now()
			b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
				if at := time.Since(began); at > 50*time.Second && at < 120*time.Second {
					return answer(status, "<html></html>")
				}
				if isOwn(body) {
					own.store(t, body)
				}
				return nil
			}}, &rejectFile{})
			b.from = 1000e9
			for i := range 200 {
				b.sendSeen("p", 1000+int64(i), true)
				time.Sleep(time.Second)
			}
			b.finish()
			spans := own.spans(t)
			for i := 1; i < len(spans); i++ {
				if spans[i][0] != spans[i-1][1] {
					t.Errorf("%d: observed %v, want no gap", status, spans)
				}
			}
			if n := b.log.count("influxdb does not store points about tailflux itself; lines are not concerned (self_metrics: false turns them off)"); n != 0 {
				t.Errorf("%d: it was said that they are refused", status)
			}
			if books := b.books(); books.Written != 200 || books.Rejected != 0 {
				t.Errorf("%d: %+v", status, books)
			}
		}
	})
}
