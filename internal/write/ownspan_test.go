package write_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// spans are those that were observed of the source web, in seconds since 1970, in order.
func (o *ownPoints) spans(t *testing.T) (spans [][2]int64) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, fields := range o.points {
		if fields["observed_from"] == "" {
			continue
		}
		stamp, _ := strconv.ParseInt(strings.Fields(key)[0], 10, 64)
		to := stamp + 1
		from, err := strconv.ParseInt(strings.TrimSuffix(fields["observed_from"], "i"), 10, 64)
		seconds, err2 := strconv.ParseFloat(fields["observed_seconds"], 64)
		if err != nil || err2 != nil || seconds != float64(to-from)/1e9 {
			t.Errorf("span %v that ends at %d", fields, to)
		}
		if from/60e9 != stamp/60e9 {
			t.Errorf("a piece from %d to %d is of two minutes", from, to)
		}
		spans = append(spans, [2]int64{from / 1e9, to / 1e9})
	}
	slices.SortFunc(spans, func(a, b [2]int64) int { return int(a[0] - b[0]) })
	return spans
}

// sendSeen sends lines, behind which a time of the source is settled.
func (b *bench) sendSeen(kinds string, seen int64, whole bool) {
	batch := b.batch(kinds)
	batch.Seen, batch.From, batch.Whole = seen*1e9, b.from, whole
	b.stats.UpdateSource(0, func(s *stats.Source) { s.Unsettled += batch.NumLines() })
	b.in <- batch
}

// What was observed is a span up to where every line is settled; each second is in one span.
func TestOwnSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		var own ownPoints
		b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
			if away.Load() {
				return errAway
			}
			if isOwn(body) {
				own.store(t, body)
			}
			return nil
		}}, &rejectFile{})
		check := func(what string, want ...[2]int64) {
			t.Helper()
			synctest.Wait()
			spans := own.spans(t)
			var united [][2]int64
			for _, span := range spans {
				if n := len(united); n > 0 && united[n-1][1] == span[0] {
					united[n-1][1] = span[1]
				} else {
					united = append(united, span)
				}
			}
			if !slices.Equal(united, want) {
				t.Errorf("%s: observed %v, want %v", what, spans, want)
			}
		}
		b.from = 1000e9 + 7
		b.sendSeen("pp", 1000, true)
		time.Sleep(12 * time.Second)
		check("one second only") // its lines may not be complete
		b.sendSeen("p", 1100, true)
		time.Sleep(10 * time.Second)
		check("settled", [2]int64{1000, 1100})
		b.sendSeen("x", 1100, true)
		b.sendSeen("p", 1090, true) // an older line
		time.Sleep(10 * time.Second)
		check("no progress", [2]int64{1000, 1100})
		b.sendSeen("ppp", 1150, false) // a rollup has them open
		time.Sleep(10 * time.Second)
		check("open rollups", [2]int64{1000, 1150})
		away.Store(true)
		b.sendSeen("p", 1300, true)
		time.Sleep(25 * time.Second)
		check("an outage", [2]int64{1000, 1150})
		away.Store(false)
		time.Sleep(30 * time.Second)
		check("after it", [2]int64{1000, 1300})
		b.sendSeen("p", 1400, true)
		b.finish()
		check("the end", [2]int64{1000, 1400})
	})
}

// A batch is cut in two requests, and one of them is late.
func TestOwnSpansOfACutBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var own ownPoints
		answer := make(chan struct{})
		c := ownConfig()
		c.BatchPoints, c.InFlight = 1, 2
		b := start(t, c, sink{write: func(ctx context.Context, body string) error {
			if isOwn(body) {
				own.store(t, body)
			} else if strings.HasPrefix(body, "m v=2i") {
				select {
				case <-answer:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		}}, &rejectFile{})
		b.from = 1000e9
		b.sendSeen("pp", 1100, true)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if got := own.spans(t); len(got) > 0 {
			t.Errorf("observed %v while a line is not acknowledged", got)
		}
		close(answer)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if got := own.spans(t); len(got) == 0 || got[len(got)-1][1] != 1100 {
			t.Errorf("observed %v when all is acknowledged, want up to 1100", got)
		}
		b.finish()
	})
}

// A log that is read to its end, and quiet, is observed up to now.
func TestOwnSpansOfAQuietLog(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*stats.Source)
		whole  bool
		looks  bool
		quiet  bool
	}{
		{"at its end", func(*stats.Source) {}, true, true, true},
		{"more to read", func(s *stats.Source) { s.Size = 20 }, true, true, false},
		{"lines on the way", func(s *stats.Source) { s.Unsettled++ }, true, true, false},
		{"a rotated file is open", func(s *stats.Source) { s.Files = 2 }, true, true, false},
		{"missing", func(s *stats.Source) { s.Open, s.Trouble = false, "gone" }, true, true, false},
		{"in another format", func(s *stats.Source) { s.Unfit = "all of the first 20 lines rejected" }, true, true, false},
		{"lines wait in a rollup", func(*stats.Source) {}, false, true, false},
		{"nobody looks", func(*stats.Source) {}, true, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var own ownPoints
				b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
					if isOwn(body) {
						own.store(t, body)
					}
					return nil
				}}, &rejectFile{})
				began := time.Now().Unix()
				b.from = (began - 5) * 1e9
				b.sendSeen("p", began-5, tt.whole)
				time.Sleep(2 * time.Second)
				b.stats.UpdateSource(0, func(s *stats.Source) {
					s.Open, s.Trouble, s.Files, s.Offset, s.Size = true, "", 1, 10, 10
					tt.change(s)
				})
				for range 40 {
					if tt.looks {
						b.stats.Looked(time.Now())
					}
					time.Sleep(time.Second)
				}
				spans := own.spans(t)
				reached := began - 5
				for _, span := range spans {
					if span[0] != reached {
						t.Errorf("a hole or an overlap: %v", spans)
					}
					reached = span[1]
				}
				if quiet := reached > began+20; quiet != tt.quiet || reached >= time.Now().Unix() {
					t.Errorf("observed %v up to %d s after the start, want quiet %t", spans, reached-began, tt.quiet)
				}
				b.stats.UpdateSource(0, func(s *stats.Source) { s.Unsettled = 0 })
				b.finish()
			})
		})
	}
}

// The first span begins with the first line that has a time, not with the window that it is
// in, nor with the first cut.
func TestOwnSpansBeginWithALine(t *testing.T) {
	for name, tt := range map[string]struct {
		from  []int64 // of each batch, in milliseconds
		wants int64
	}{
		"at once":               {[]int64{1007_005, 1007_005, 1007_005}, 1007},
		"a line without before": {[]int64{0, 1007_999, 1007_999}, 1007},
		"late":                  {[]int64{0, 0, 1061_000}, 1061},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var own ownPoints
				b := start(t, ownConfig(), storing(t, &own), &rejectFile{})
				for i, seen := range []int64{1000, 1060, 1200} {
					b.from = tt.from[i] * 1e6
					b.sendSeen("ff", seen, i == 2)
					time.Sleep(12 * time.Second)
				}
				b.finish()
				spans := own.spans(t)
				if n := len(spans); n == 0 || spans[0][0] != tt.wants || spans[n-1][1] != 1200 {
					t.Errorf("observed %v, want from %d to 1200", spans, tt.wants)
				}
			})
		})
	}
}

// storing stores points about tailflux, and takes all others.
func storing(t *testing.T, own *ownPoints) sink {
	return sink{write: func(_ context.Context, body string) error {
		if isOwn(body) {
			own.store(t, body)
		}
		return nil
	}}
}

// inBuckets is what GROUP BY time() has of a field of seconds: the sum by begin of a bucket.
func (o *ownPoints) inBuckets(length int64) map[int64]int64 {
	sums := map[int64]int64{}
	for key, fields := range o.points {
		if of, is := fields["observed_seconds"]; is {
			at, _ := strconv.ParseInt(strings.Fields(key)[0], 10, 64)
			seconds, _ := strconv.ParseFloat(of, 64)
			sums[at/1e9/length*length] += int64(seconds)
		}
	}
	return sums
}

// secondsIn are those of spans, one by one.
func secondsIn(length int64, spans ...[2]int64) map[int64]int64 {
	sums := map[int64]int64{}
	for _, s := range spans {
		for at := s[0]; at < s[1]; at++ {
			sums[at/length*length]++
		}
	}
	return sums
}

func (o *ownPoints) wantBuckets(t *testing.T, spans ...[2]int64) {
	t.Helper()
	for _, length := range []int64{60, 120, 300, 3600, 86400} {
		if got, want := o.inBuckets(length), secondsIn(length, spans...); !maps.Equal(got, want) {
			for _, at := range slices.Sorted(maps.Keys(want)) {
				if got[at] != want[at] {
					t.Errorf("in the %d s from %d on, %d s were observed, want %d (and more)", length, at, got[at], want[at])
					break
				}
			}
			t.Errorf("%d buckets of %d s, want %d", len(got), length, len(want))
		}
	}
	o.spans(t)
}

// Whatever a span is, each bucket of whole minutes has the seconds that were observed in it.
func TestOwnSpansAreOfTheirMinutes(t *testing.T) {
	const at = 944_006_400 // a whole day
	for name, tt := range map[string]struct {
		from, to int64
		points   int
	}{
		"hours":                  {at + 7, at + 5*3600 + 13, 301},
		"within a minute":        {at + 61, at + 119, 1},
		"a minute":               {at + 60, at + 120, 1},
		"minutes":                {at + 120, at + 420, 5},
		"up to a minute":         {at + 3, at + 60, 1},
		"from a minute on":       {at, at + 61, 2},
		"a second":               {at + 59, at + 60, 1},
		"around midnight":        {at - 30, at + 30, 2},
		"days":                   {at + 59, at + 8*86400 + 1, 11521},
		"what two requests have": {at, at + 2*5000*60, 10000},
	} {
		t.Run(name, func(t *testing.T) {
			for _, stops := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					var own ownPoints
					b := start(t, ownConfig(), storing(t, &own), &rejectFile{})
					time.Sleep(time.Second)
					b.from = tt.from*1e9 + 5
					b.sendSeen("pp", tt.to, true)
					if !stops {
						time.Sleep(11 * time.Second) // all of it in this turn
						synctest.Wait()
						own.wantBuckets(t, [2]int64{tt.from, tt.to})
					}
					b.finish()
					own.wantBuckets(t, [2]int64{tt.from, tt.to})
					if n := len(own.spans(t)); n != tt.points {
						t.Errorf("%d points, want %d", n, tt.points)
					}
					most := 0
					for _, body := range own.requests {
						most = max(most, strings.Count(body, "observed_seconds"))
					}
					if most > 5000 {
						t.Errorf("a request has %d of them", most)
					}
					if n := strings.Count(strings.Join(own.requests, ""), "uptime_seconds"); n > 3 {
						t.Errorf("tailflux said %d times how it is, in 3 turns", n)
					}
				})
			}
		})
	}
}

// Progress of some seconds at a time adds up, too.
func TestOwnSpansOfSmallSteps(t *testing.T) {
	for _, step := range []int64{1, 7, 10, 59, 60, 61, 300} {
		synctest.Test(t, func(t *testing.T) {
			var own ownPoints
			b := start(t, ownConfig(), storing(t, &own), &rejectFile{})
			b.from = 944_006_403e9
			to := b.from / 1e9
			for range 50 {
				to += step
				b.sendSeen("p", to, true)
				time.Sleep(10 * time.Second)
			}
			b.finish()
			own.wantBuckets(t, [2]int64{b.from / 1e9, to})
		})
	}
}

// A request that may be stored is sent again as it was, and what follows it comes once.
func TestOwnSpansAfterALostAnswer(t *testing.T) {
	for _, lose := range []int{1, 2, 3, 7} { // each so-manieth request has no answer
		for _, stored := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				var own, sent ownPoints
				b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
					if !isOwn(body) {
						return nil
					}
					sent.store(t, body)
					n := sent.count()
					lost := n < 20 && n%lose == 0
					if stored || !lost {
						own.store(t, body)
					}
					if lost {
						return errAway
					}
					return nil
				}}, &rejectFile{})
				b.from = 944_006_403e9
				to := b.from / 1e9
				for i := range int64(30) {
					to += 3599
					if i%15 == 0 {
						to += 12_000 * 60 // more than two requests have
					}
					b.sendSeen("p", to, true)
					time.Sleep(10 * time.Second)
				}
				time.Sleep(200 * time.Second)
				b.finish()
				own.wantBuckets(t, [2]int64{b.from / 1e9, to})
				for i, body := range sent.requests[:min(19, len(sent.requests))-1] {
					if (i+1)%lose == 0 && sent.requests[i+1] != body {
						t.Errorf("request %d was lost, and is another one now", i)
					}
				}
			})
		}
	}
}

// One tailflux after another adds its own time, and nothing to that of the one before.
func TestOwnSpansAfterARestart(t *testing.T) {
	const at = 944_006_400
	for name, tt := range map[string][2][2]int64{
		"within a minute":  {{at + 5, at + 5*3600 + 20}, {at + 5*3600 + 31, at + 8*3600}},
		"at once":          {{at + 5, at + 5*3600 + 20}, {at + 5*3600 + 20, at + 8*3600}},
		"at a minute":      {{at, at + 600}, {at + 600, at + 1200}},
		"hours later":      {{at, at + 610}, {at + 7200, at + 7300}},
		"the same again":   {{at + 5, at + 610}, {at + 5, at + 610}},
		"and a bit beyond": {{at + 5, at + 600}, {at + 5, at + 615}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var own ownPoints
				for _, span := range tt {
					b := start(t, ownConfig(), storing(t, &own), &rejectFile{})
					b.from = span[0] * 1e9
					b.sendSeen("p", span[1], true)
					b.finish()
				}
				if tt[0][0] == tt[1][0] {
					own.wantBuckets(t, tt[1])
				} else {
					own.wantBuckets(t, tt[0], tt[1])
				}
			})
		})
	}
}

// A clock that was wrong makes neither millions of points nor an end to all others.
func TestOwnSpansOfAWrongClock(t *testing.T) {
	for _, wrong := range []int64{1, 86400, 315_532_800} { // 1970, and 1980
		synctest.Test(t, func(t *testing.T) {
			const to, most = 944_006_407, 2 * 366 * 86400
			pieces, oldest := 0, "9"
			b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
				for rest := body; ; {
					_, from, more := strings.Cut(rest, "observed_from=")
					if !more {
						return nil
					}
					pieces++
					from, rest, _ = strings.Cut(from, "i,")
					oldest = min(oldest, from)
				}
			}}, &rejectFile{})
			b.from = wrong * 1e9
			b.sendSeen("p", to, true)
			b.finish()
			if want := strconv.FormatInt((to-most)*1e9, 10); pieces != most/60+1 || oldest != want {
				t.Errorf("%d pieces from %s on, want %d from %s", pieces, oldest, most/60+1, want)
			}
		})
	}
}

// A line from the future, which a clock wrote that was wrong, says nothing of the time until
// then, and what comes behind it is observed as ever.
func TestOwnSpansOfALineFromTheFuture(t *testing.T) {
	for name, ahead := range map[string]int64{"two minutes": 120, "a year": 366 * 86400, "centuries": 262 * 366 * 86400} {
		for _, first := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, first %t", name, first), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var own ownPoints
					now := time.Now().Unix()
					b := start(t, ownConfig(), storing(t, &own), &rejectFile{})
					if !first {
						b.from = (now - 600) * 1e9
						b.sendSeen("p", now-300, true)
					}
					b.from = (now + ahead) * 1e9
					b.sendSeen("p", now+ahead, true)
					b.from = (now - 300) * 1e9
					b.sendSeen("p", now-60, true)
					b.finish()
					if first {
						own.wantBuckets(t, [2]int64{now - 300, now - 60})
					} else {
						own.wantBuckets(t, [2]int64{now - 600, now - 60})
					}
				})
			})
		}
	}
}

// Time before that which InfluxDB keeps is no reason to say that it stores nothing.
func TestOwnSpansBeforeTheRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var own ownPoints
		b := start(t, ownConfig(), sink{write: func(_ context.Context, body string) error {
			if isOwn(body) {
				own.store(t, body)
				return answer(400, "partial write: points beyond retention policy dropped=5000")
			}
			return nil
		}}, &rejectFile{})
		b.from = 944_006_400e9
		b.sendSeen("p", b.from/1e9+12_000*60, true)
		b.finish()
		if n := len(own.spans(t)); n != 12_000 {
			t.Errorf("%d pieces were sent, want 12000", n)
		}
		if n := b.log.count("influxdb does not store points about tailflux itself; lines are not concerned (self_metrics: false turns them off)"); n != 0 {
			t.Errorf("said %d times that it does not", n)
		}
	})
}
