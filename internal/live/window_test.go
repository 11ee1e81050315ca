package live_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

const (
	step  = 5
	slots = 180
)

// requests are those of the slots that are shown, by their begin; -1: nobody looked.
func requests(s *live.Snapshot) map[int64]int64 {
	all := map[int64]int64{}
	for i, at := range s.Slots.Time {
		n := s.Slots.Requests[i]
		if math.IsNaN(float64(n)) {
			n = -1
		}
		all[at] = int64(n)
	}
	return all
}

// at is a line of a time.
func at(t time.Time) line { return line{at: t, path: "/", method: "GET", status: "200", bytes: "1"} }

// twin is the window in plain words: every line is kept that is not older than the window
// before the newest one, and not ahead of the clock; what is shown is the last 180 slots.
type twin struct {
	lines        map[int64]int64 // by slot
	newest       int64
	older, ahead int64
}

func (w *twin) add(at, now time.Time) {
	slot := at.Unix() / step
	switch {
	case slot > now.Add(time.Minute).Unix()/step:
		w.ahead++
	case slot <= w.newest-slots:
		w.older++
	default:
		w.lines[slot]++
		w.newest = max(w.newest, slot)
	}
}

// Lines of any times, late ones, old ones and ones to come, while time goes on: each is in the
// slot of its time, or was older or ahead, and no line is anywhere else.
func TestWindowIsTheTwins(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 18))
			f := newFeeder(t, live.Config{})
			w := &twin{lines: map[int64]int64{}}
			for range 300 {
				time.Sleep(time.Duration(r.Int64N([]int64{1, 20, 900}[r.IntN(3)]) * int64(time.Second)))
				for range r.IntN(20) {
					spread := []int64{1, 60, 1500}[r.IntN(3)]
					line := at(time.Now().Add(time.Duration(r.Int64N(spread)-spread*9/10) * time.Second))
					f.add(t, line)
					w.add(line.at, time.Now())
				}
				f.Observed(time.Now())
				f.Publish(time.Now())
				s := f.Snapshot()
				shown := requests(s)
				end := time.Now().Unix() / step
				end = max(end, w.newest)
				if s.Slots.Time[slots-1] != end*step || len(shown) != slots {
					t.Fatalf("seed %d: the last of %d slots is %d, want %d of %d", seed, len(shown), s.Slots.Time[slots-1], end*step, slots)
				}
				total := int64(0)
				for slot := end - slots + 1; slot <= end; slot++ {
					if n := shown[slot*step]; max(0, n) != w.lines[slot] {
						t.Fatalf("seed %d: slot %d has %d requests, want %d", seed, slot*step, n, w.lines[slot])
					}
					total += w.lines[slot]
				}
				if s.Total.Requests != total || s.Total.Older != w.older || s.Total.Ahead != w.ahead {
					t.Fatalf("seed %d: total %d, older %d, ahead %d, want %d, %d, %d", seed, s.Total.Requests, s.Total.Older, s.Total.Ahead, total, w.older, w.ahead)
				}
			}
		})
	}
}

// A line with the time of another year moves nothing, before the clock was asked or after, and
// however many they are.
func TestTimesToComeMoveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		now := time.Now()
		for second := range 600 {
			f.add(t, at(now.Add(-time.Duration(second)*time.Second)))
		}
		for _, ahead := range []time.Duration{66 * time.Second, 5 * time.Minute, 15 * time.Minute, 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
			f.add(t, at(now.Add(ahead)))
		}
		f.add(t, at(now.Add(30*time.Second))) // clocks of machines differ
		f.Observed(now)
		f.Publish(now)
		if s := f.Snapshot(); s.Total.Requests != 601 || s.Total.Ahead != 5 {
			t.Errorf("%d requests and %d ahead, want 601 and 5", s.Total.Requests, s.Total.Ahead)
		}
	})
}

// The clock is asked again before a line counts as ahead: nobody may have published for long,
// because InfluxDB was away.
func TestNotAheadAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		time.Sleep(time.Hour)
		f.add(t, at(time.Now()))
		f.Publish(time.Now())
		if s := f.Snapshot(); s.Total.Requests != 1 || s.Total.Ahead != 0 {
			t.Errorf("%d requests and %d ahead, want 1 and 0", s.Total.Requests, s.Total.Ahead)
		}
	})
}

// A clock that jumps, and comes back, empties nothing: neither forth nor back, with lines
// written meanwhile or without.
func TestClockThatJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, 24 * time.Hour, -time.Hour, -24 * time.Hour, -20 * 365 * 24 * time.Hour} {
		for _, written := range []int{0, 3} {
			synctest.Test(t, func(t *testing.T) {
				f := newFeeder(t, live.Config{})
				now := time.Now()
				for second := range 600 {
					f.add(t, at(now.Add(-time.Duration(second)*time.Second)))
				}
				f.Observed(now)
				f.Publish(now)
				f.Observed(now.Add(jump))
				f.Publish(now.Add(jump))
				for range written {
					f.add(t, at(now.Add(jump)))
				}
				f.Publish(now.Add(jump))
				f.Observed(now)
				f.Publish(now)
				f.add(t, at(now))
				f.Publish(now)
				lost := int64(601) - f.Snapshot().Total.Requests
				if lost > 0 && written == 0 || lost > 5*step {
					t.Errorf("clock by %v, %d lines written: %d of 601 requests are lost", jump, written, lost)
				}
			})
		}
	}
}

// What was not looked at is no number, and what was quiet is 0.
func TestQuietIsNotUnknown(t *testing.T) {
	minute := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	for _, tt := range []struct {
		name     string
		lines    []time.Duration // before now
		observed []time.Duration // before now; each is published
		known    [2]time.Duration
	}{
		{"nothing yet", nil, nil, [2]time.Duration{-1, -1}},
		{"quiet since the start", nil, []time.Duration{minute(3), 0}, [2]time.Duration{minute(3), 0}},
		{"read to the end", []time.Duration{minute(10), minute(2)}, []time.Duration{0}, [2]time.Duration{minute(10), 0}},
		{"behind", []time.Duration{minute(10), minute(4)}, []time.Duration{minute(4)}, [2]time.Duration{minute(10), minute(4)}},
		{"one log is behind another", []time.Duration{minute(10), minute(1)}, []time.Duration{minute(6)}, [2]time.Duration{minute(10), minute(6)}},
		{"the reader stands", []time.Duration{minute(10), minute(9)}, []time.Duration{minute(8)}, [2]time.Duration{minute(10), minute(8)}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeeder(t, live.Config{})
			time.Sleep(time.Hour)
			now := time.Now()
			for _, before := range tt.lines {
				f.add(t, at(now.Add(-before)))
			}
			for _, before := range tt.observed {
				f.Observed(now.Add(-before))
				f.Publish(now)
			}
			slot := func(before time.Duration) int64 { return now.Add(-before).Unix() / step }
			written := map[int64]int64{}
			for _, before := range tt.lines {
				written[slot(before)]++
			}
			s := f.Snapshot()
			for begin, n := range requests(s) {
				number, want := begin/step, int64(-1)
				if tt.known[0] >= 0 && number >= slot(tt.known[0]) && number <= slot(tt.known[1]) {
					want = 0
				}
				if written[number] > 0 {
					want = written[number]
				}
				if n != want {
					t.Errorf("%s: %d s ago: %d requests, want %d (-1 is not known)", tt.name, now.Unix()-begin, n, want)
				}
			}
		})
	}
}

// While old lines are read, and while none are, what is known last stays in sight.
func TestWindowStaysWhereLinesAre(t *testing.T) {
	for _, tt := range []struct {
		name             string
		newest, observed time.Duration // before now
		end              time.Duration // the last slot
	}{
		{"now", 0, 0, 0},
		{"a log of yesterday is read", 24 * time.Hour, 24 * time.Hour, 24*time.Hour - 5*time.Minute},
		{"nothing was read for 5 minutes", 5 * time.Minute, 5 * time.Minute, 0},
		{"nothing was read for an hour", time.Hour, time.Hour, 55 * time.Minute},
		{"quiet for an hour", time.Hour, 0, 0},
		{"nobody says what was read", 3 * time.Hour, -1, 3 * time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeeder(t, live.Config{})
			time.Sleep(48 * time.Hour)
			now := time.Now()
			f.add(t, at(now.Add(-tt.newest)))
			if tt.observed >= 0 {
				f.Observed(now.Add(-tt.observed))
			}
			f.Publish(now)
			if got, want := f.Snapshot().Slots.Time[slots-1], now.Add(-tt.end).Unix()/step*step; got != want {
				t.Errorf("%s: the last slot is %d s ago, want %d", tt.name, now.Unix()-got, now.Unix()-want)
			}
		})
	}
}

// Nobody publishes while the parse stage waits for InfluxDB: time goes on all the same.
func TestSnapshotMovesWithTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		f.add(t, at(time.Now()))
		f.Observed(time.Now())
		f.Publish(time.Now())
		first := f.Snapshot()
		if again := f.Snapshot(); again != first {
			t.Error("a snapshot is made anew though nothing has changed")
		}
		time.Sleep(2 * time.Minute)
		later := f.Snapshot()
		if moved := later.Slots.Time[slots-1] - first.Slots.Time[slots-1]; moved != 120 {
			t.Errorf("the last slot moved by %d s in 2 minutes", moved)
		}
		if n := later.Slots.Requests[slots-1]; !math.IsNaN(float64(n)) {
			t.Errorf("the last slot has %v requests, want none that is known", n)
		}
		if later.Total.Requests != 1 || !later.At.Equal(first.At) {
			t.Errorf("%d requests of %v, want 1 of %v", later.Total.Requests, later.At, first.At)
		}
	})
}

// A machine may boot with its clock at the begin of 1970: what is before is shown as not
// observed, and the first second counts like any other.
func TestClockThatWasNeverSet(t *testing.T) {
	f := newFeeder(t, live.Config{})
	for _, second := range []int64{0, 0, 4, 7, 30} {
		boot := time.Unix(second, 0)
		f.add(t, at(boot))
		f.Observed(boot)
		f.Publish(boot)
	}
	s := f.Snapshot()
	if s.Total.Requests != 5 || s.Total.Older != 0 || s.Total.Ahead != 0 {
		t.Errorf("%d requests, %d older, %d ahead, want 5 requests", s.Total.Requests, s.Total.Older, s.Total.Ahead)
	}
	want := map[int64]int64{0: 3, 5: 1, 10: 0, 15: 0, 20: 0, 25: 0, 30: 1}
	for begin, n := range requests(s) {
		if w, known := want[begin]; known && n != w || !known && n != -1 {
			t.Errorf("slot %d has %d requests, want %d (-1 is not known)", begin, n, w)
		}
	}
}
