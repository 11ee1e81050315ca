package rollup_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rollup"
)

// coarseCut is one of a generation, which is a followed one or an imported one.
func coarseCut(source string, generation, begin int64, interval time.Duration) *flow.Cut {
	g := &flow.Generation{Source: &flow.Source{Name: source}, ID: generation, FirstLine: 1}
	return &flow.Cut{Rollup: "site#1", Interval: interval, Begin: begin, End: at(g, begin+100), Deltas: 1}
}

// In a store with milliseconds the stamps of cuts stay within the window, and none is at its
// begin. Cuts of one source that are near each other differ, whatever generation they are
// of, and followed logs differ from imported ones.
func TestStampsInMilliseconds(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 2 * time.Second, 10 * time.Second} {
		b := rollup.NewBook(&failingDisk{}, nil)
		b.KeepsMilliseconds(true)
		half := interval.Milliseconds() / 2
		used := map[int64]int64{}
		for n := range 2 * half {
			millis := b.Register(coarseCut("web", 1+n%3, 100*n, interval))
			if before, ok := used[millis]; ok && n-before < half-1 || millis < 1 || millis >= half {
				t.Fatalf("%s: cut %d is stamped %d ms after the begin of a window, as cut %d", interval, n, millis, before)
			}
			used[millis] = n
			if _, err := b.Remove(func(rollup.Intent) bool { return n%64 == 0 }); err != nil {
				t.Fatal(err)
			}
		}
		for n := range int64(100) {
			if millis := b.Register(coarseCut("web", -1, 12_345_678*n, interval)); millis < half || millis >= 2*half {
				t.Fatalf("%s: a cut of an imported file is stamped %d ms after the begin of a window", interval, millis)
			}
		}
		if first := b.Register(coarseCut("api", 1, 1, interval)); first != 1 {
			t.Errorf("%s: the first cut of another source is stamped %d ms after the begin of a window, want 1", interval, first)
		}
	}
}

// The count goes on after a crash, and after all that was sent is known to be delivered.
func TestStampsInMillisecondsOutliveAStop(t *testing.T) {
	dir := t.TempDir()
	used := map[int64]bool{}
	cuts := int64(0)
	for round := range 20 {
		b, _ := openBook(t, dir)
		b.KeepsMilliseconds(true)
		for range []int{1, 3, 700, 20}[round%4] { // 700: the file is written anew
			cut := coarseCut("web", 1, 100*cuts, time.Minute)
			cuts++
			millis := b.Register(cut)
			if used[millis] || b.Register(cut) != millis {
				t.Fatalf("round %d: cut %d is stamped %d ms after the begin of a window, as another one or not always", round, cuts, millis)
			}
			used[millis] = true
			mustSync(t, b)
		}
		if round%3 > 0 {
			if _, err := b.Remove(func(rollup.Intent) bool { return true }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, log := openBook(t, dir); log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
}

// A cut that was begun keeps its stamps, whatever the store is thought to be later.
func TestStampsAreThoseOfTheIntent(t *testing.T) {
	for _, coarse := range []bool{true, false} {
		dir := t.TempDir()
		b, _ := openBook(t, dir)
		b.KeepsMilliseconds(coarse)
		var want []int64
		for n := range int64(5) {
			want = append(want, b.Register(coarseCut("web", 1, 100*n, time.Minute)))
			if (want[n] > 0) != coarse {
				t.Errorf("store with milliseconds %t: got %d", coarse, want[n])
			}
		}
		mustSync(t, b)
		b, _ = openBook(t, dir)
		b.KeepsMilliseconds(!coarse)
		for n := range int64(5) {
			if got := b.Register(coarseCut("web", 1, 100*n, time.Minute)); got != want[n] {
				t.Errorf("store with milliseconds %t, then not: cut %d got %d, want %d", coarse, n, got, want[n])
			}
		}
	}
}

func TestRestamp(t *testing.T) {
	const window = 1_795_168_800_000_000_000
	cut := coarseCut("web", 1, 7_000_000_123, 10*time.Second)
	point := func(tags string, after int64) string {
		return fmt.Sprintf("site%s requests=1i,bytes_sent=1795168800000000123i %d\n", tags, window+after)
	}
	for _, millis := range []int64{0, 1, 4999, 9999} {
		deltas := []byte(point(`,path=/a\ b`, 123) + point(",path=/c", 123+10e9))
		rollup.Restamp(deltas, cut, millis)
		after := millis * 1e6
		if millis == 0 {
			after = 123
		}
		if want := point(`,path=/a\ b`, after) + point(",path=/c", after+10e9); string(deltas) != want {
			t.Errorf("%d ms:\n%swant\n%s", millis, deltas, want)
		}
	}
	rollup.Restamp(nil, cut, 5)
}

// The newest stamp is kept behind those of cuts of other logs that are still on the way, so
// that the next start does not go back to them.
func TestMillisOfTheNewestCutAreKept(t *testing.T) {
	for _, over := range [][]int64{nil, {2}, {3}, {2, 3}, {1, 2, 3}} {
		d := &failingDisk{}
		b := rollup.NewBook(d, nil)
		b.KeepsMilliseconds(true)
		next := func(b *rollup.Book, generation int64) int64 {
			g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: generation, FirstLine: 1}
			return b.Register(&flow.Cut{Rollup: "site#1", Interval: time.Minute, Begin: 1, End: at(g, 100), Deltas: 1})
		}
		for generation := range int64(3) {
			if got := next(b, generation+1); got != generation+1 {
				t.Fatalf("cut %d has %d ms", generation+1, got)
			}
		}
		mustSync(t, b)
		if _, err := b.Remove(func(i rollup.Intent) bool { return slices.Contains(over, i.Generation) }); err != nil {
			t.Fatal(err)
		}
		b.Compact()
		mustSync(t, b)
		kept, _, err := rollup.ReadIntents(append([]byte(rollup.Header), d.records...))
		if err != nil {
			t.Fatal(err)
		}
		b = rollup.NewBook(d, kept)
		b.KeepsMilliseconds(true)
		if got := next(b, 9); got != 4 {
			t.Errorf("without the cuts of %v, the next one has %d ms, want 4", over, got)
		}
	}
}
