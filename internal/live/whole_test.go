package live_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// A report is of whole logs, of whatever time and in whatever order: nothing falls out, all is
// exact, and slots become as wide as is needed and no wider than three times that.
func TestWholeLogsAreKept(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct{ begin, span time.Duration }{ // since 1970
		{12843 * day, time.Second},
		{12843 * day, 10 * time.Minute},
		{12843 * day, 16 * time.Minute},
		{12843 * day, time.Hour},
		{12843 * day, day},
		{12843 * day, 30 * day},
		{12843 * day, 365 * day},
		{12843 * day, 20 * 365 * day},
		// Clocks that were never set begin with 1970, or later.
		{0, time.Second},
		{0, time.Minute},
		{0, 16 * time.Minute},
		{0, day},
		{0, 57 * 365 * day},
		{0, math.MaxInt64 - 2*time.Second},
		{10 * time.Second, time.Second},
		{3652*day + 7*time.Second, 47 * 365 * day},
		{7305 * day, 37 * 365 * day},
		{106_000 * day, 751 * day},
	} {
		span, begin := tt.span, time.Unix(0, int64(tt.begin)).UTC()
		r := rand.New(rand.NewPCG(uint64(span), 18))
		f := newFeeder(t, live.Config{EveryLine: true, Whole: true, Capacity: 10_000})
		lines := []line{at(begin), at(begin.Add(span - 1))}
		for range 2998 {
			lines = append(lines, at(begin.Add(time.Duration(r.Int64N(int64(span))))))
		}
		f.add(t, lines...)
		f.Publish(time.Now())
		s := f.Snapshot()
		if s.Total.Requests != 3000 || s.Total.Older != 0 || s.Total.Ahead != 0 {
			t.Errorf("%v from %v: %+v, want 3000 requests", span, begin, s.Total)
		}
		want := map[int64]int64{}
		for _, l := range lines {
			want[l.at.Unix()/s.Slots.Step*s.Slots.Step]++
		}
		for begin, n := range requests(s) {
			if max(0, n) != want[begin] {
				t.Errorf("%+v: slot %d has %d requests, want %d", tt, begin, n, want[begin])
			}
		}
		if needed := int64(span/time.Second) / slots; s.Slots.Step > max(step, 5*needed) {
			t.Errorf("%+v: slots of %d s, want about %d", tt, s.Slots.Step, needed)
		}
		if s.Top.Paths[0].Requests != 3000 {
			t.Errorf("%+v: lists have %d requests, want 3000", tt, s.Top.Paths[0].Requests)
		}
	}
}

// Lists of a report are exact up to their capacity, and say so when that was not enough.
func TestReportSaysWhatItLacks(t *testing.T) {
	for _, clients := range []int{1000, 1001, 5000} {
		f := newFeeder(t, live.Config{EveryLine: true, Whole: true, Capacity: 1000, Rows: 1000, FullAddresses: true})
		for round := range 3 {
			for n := range clients {
				l := at(time.Unix(1e9, 0))
				l.client = fmt.Sprintf("10.0.%d.%d", n>>8, n&255)
				if round == 0 || n%2 == 0 {
					f.add(t, l)
				}
			}
		}
		f.Publish(time.Now())
		top := f.Snapshot().Top
		if clients > 1000 {
			if !slices.Equal(top.Full, []string{"clients"}) {
				t.Errorf("%d clients: full %v, want clients", clients, top.Full)
			}
			continue
		}
		if len(top.Full) > 0 || len(top.Clients) != clients {
			t.Errorf("%d clients: full %v, %d rows", clients, top.Full, len(top.Clients))
		}
		for i, row := range top.Clients {
			want := int64(3)
			if i >= clients/2 {
				want = 1
			}
			if row.Requests != want {
				t.Fatalf("client %d is %+v, want %d requests", i, row, want)
			}
		}
	}
}

// Once the values are known a line allocates nothing, whatever it has.
func TestNothingIsAllocatedPerLine(t *testing.T) {
	lines, by := realistic(t, 2000)
	for name, c := range map[string]live.Config{"sampled": {}, "every line": {EveryLine: true}, "report": {EveryLine: true, Whole: true}} {
		board := live.New(c)
		each := func() {
			for i, captures := range lines {
				by.Judge(captures, int64(i))
				board.Add(by, captures, "web")
			}
		}
		each()
		if n := testing.AllocsPerRun(5, each); n > 0 {
			t.Errorf("%s: %v allocations in %d lines", name, n, len(lines))
		}
	}
}
