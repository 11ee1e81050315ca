package stats_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/stats"
)

// began is in the middle of a second.
var began = time.Unix(1_795_168_800, 400_000_000)

func after(seconds float64) time.Time {
	return began.Add(time.Duration(seconds * float64(time.Second)))
}

func TestRates(t *testing.T) {
	type reading struct {
		at    float64 // seconds since began
		lines int64
	}
	steady := func(from, to float64) (all []reading) { // ten a second
		for at := from; at < to; at += 0.1 {
			all = append(all, reading{at, 1})
		}
		return all
	}
	for _, tt := range []struct {
		name string
		read []reading
		at   float64
		want stats.Rates
	}{
		{"nothing", nil, 100, stats.Rates{}},
		{"just begun", []reading{{0.1, 7}}, 0.2, stats.Rates{}},
		{"first second is over", []reading{{0.1, 7}}, 0.7, stats.Rates{Over1s: 7, Over10s: 7, Over60s: 7}},
		{"second second", []reading{{0.1, 7}, {0.7, 3}}, 1.7, stats.Rates{Over1s: 3, Over10s: 5, Over60s: 5}},
		{"this second does not count", []reading{{8.7, 30}, {9.7, 500}}, 9.8, stats.Rates{Over1s: 30, Over10s: 3, Over60s: 3}},
		{"young for a minute", []reading{{1.7, 100}}, 19.7, stats.Rates{Over60s: 5}},
		{"steady", steady(0, 200), 199.65, stats.Rates{Over1s: 10, Over10s: 10, Over60s: 10}},
		{"a burst ten seconds ago", []reading{{50, 600}}, 60, stats.Rates{Over10s: 60, Over60s: 10}},
		{"a burst eleven seconds ago", []reading{{50, 600}}, 61, stats.Rates{Over60s: 10}},
		{"a burst sixty seconds ago", []reading{{50, 600}}, 110, stats.Rates{Over60s: 10}},
		{"a burst a minute and a second ago", []reading{{50, 600}}, 111, stats.Rates{}},
		{"a gap of the table's length", []reading{{50, 600}, {50 + 64, 60}}, 51 + 64, stats.Rates{Over1s: 60, Over10s: 6, Over60s: 1}},
		{"an idle gap", []reading{{1, 600}, {10_000, 60}}, 10_001, stats.Rates{Over1s: 60, Over10s: 6, Over60s: 1}},
		{"a clock set back", []reading{{100, 600}, {50, 60}}, 51, stats.Rates{Over1s: 60, Over10s: 6, Over60s: 60.0 / 51}},
		{"a clock set back before the start", []reading{{100, 600}}, -1000, stats.Rates{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stats.New(began)
			for _, r := range tt.read {
				s.Read(after(r.at), r.lines, 200*r.lines)
			}
			snap := s.Snapshot(after(tt.at))
			if diff := cmp.Diff(tt.want, snap.LinesPerSecond, cmp.Comparer(near)); diff != "" {
				t.Errorf("lines per second, -want +got:\n%s", diff)
			}
			bytes := stats.Rates{Over1s: 200 * tt.want.Over1s, Over10s: 200 * tt.want.Over10s, Over60s: 200 * tt.want.Over60s}
			if diff := cmp.Diff(bytes, snap.BytesPerSecond, cmp.Comparer(near)); diff != "" {
				t.Errorf("bytes per second, -want +got:\n%s", diff)
			}
			if want := time.Duration(tt.at * float64(time.Second)); snap.Uptime != want {
				t.Errorf("uptime is %s, want %s", snap.Uptime, want)
			}
		})
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestRequestSeconds(t *testing.T) {
	to := func(n int) (all []float64) { // n to 1
		for ; n > 0; n-- {
			all = append(all, float64(n))
		}
		return all
	}
	for _, tt := range []struct {
		name string
		took []float64
		at   float64
		want stats.Quantiles
	}{
		{"none", nil, 1, stats.Quantiles{}},
		{"one", []float64{2}, 1, stats.Quantiles{P50: 2, P99: 2}},
		{"two", []float64{9, 1}, 1, stats.Quantiles{P50: 1, P99: 9}},
		{"three", []float64{9, 1, 2}, 1, stats.Quantiles{P50: 2, P99: 9}},
		{"99", to(99), 1, stats.Quantiles{P50: 50, P99: 99}},
		{"100", to(100), 1, stats.Quantiles{P50: 50, P99: 99}},
		{"101", to(101), 1, stats.Quantiles{P50: 51, P99: 100}},
		{"1000", to(1000), 1, stats.Quantiles{P50: 500, P99: 990}},
		{"more than are kept", append(to(10_000), make([]float64, 8192)...), 1, stats.Quantiles{}},
		{"a minute ago", to(3), 60, stats.Quantiles{P50: 2, P99: 3}},
		{"longer ago", to(3), 60.1, stats.Quantiles{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stats.New(began)
			for _, seconds := range tt.took {
				s.Acknowledged(began, time.Duration(seconds*float64(time.Second)))
			}
			db := s.Snapshot(after(tt.at)).InfluxDB
			if db.RequestSeconds != tt.want || db.Batches != int64(len(tt.took)) {
				t.Errorf("%+v of %d requests, want %+v of %d", db.RequestSeconds, db.Batches, tt.want, len(tt.took))
			}
		})
	}
}

func TestInfluxDBIsUp(t *testing.T) {
	s := stats.New(began)
	checkDB := func(at float64, want stats.InfluxDB) {
		t.Helper()
		got := s.Snapshot(after(at)).InfluxDB
		got.RequestSeconds = stats.Quantiles{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after %v s, -want +got:\n%s", at, diff)
		}
	}
	checkDB(1, stats.InfluxDB{})
	s.Failed(errors.New("refused"))
	s.Down(after(2))
	checkDB(5, stats.InfluxDB{LastError: "refused", Outage: 3 * time.Second, Outages: 1})
	s.Retried()
	s.Up()
	checkDB(6, stats.InfluxDB{LastError: "refused", Retries: 1, Outages: 1})
	s.Answered("1.8.10")
	checkDB(7, stats.InfluxDB{Up: true, Answered: true, Version: "1.8.10", LastError: "refused", Retries: 1, Outages: 1})
	s.Failed(errors.New("500"))
	s.Down(after(8))
	s.Acknowledged(after(9), time.Second) // another one: the failing one is still out
	checkDB(10, stats.InfluxDB{Answered: true, Version: "1.8.10", LastError: "500", Outage: 2 * time.Second, Batches: 1, Took: time.Second, Retries: 1, Outages: 2})
	s.Up()
	checkDB(11, stats.InfluxDB{Up: true, Answered: true, Version: "1.8.10", LastError: "500", Batches: 1, Took: time.Second, Retries: 1, Outages: 2})
}

// Each line moves from account to account.
func TestBooks(t *testing.T) {
	s := stats.New(began)
	source := s.AddSource("web", "/access.log")
	checkBooks := func(what string, books stats.Books, read, write stats.Load) {
		t.Helper()
		snap := s.Snapshot(began)
		if snap.Books != books || snap.Read != read || snap.Write != write {
			t.Errorf("%s: books %+v, loads %+v and %+v, want %+v, %+v and %+v", what, snap.Books, snap.Read, snap.Write, books, read, write)
		}
	}
	s.Read(began, 10, 1000)
	checkBooks("read", stats.Books{Read: 10, InFlight: 10}, stats.Load{Lines: 10, Bytes: 1000}, stats.Load{})
	s.Parsing(10, 1000)
	checkBooks("parsing", stats.Books{Read: 10, InFlight: 10}, stats.Load{}, stats.Load{})
	s.Parsed(source, after(-5), 10, 3, 700, 0)
	checkBooks("parsed", stats.Books{Read: 10, Filtered: 3, InFlight: 7}, stats.Load{}, stats.Load{Lines: 10, Bytes: 700})
	s.Writing(10, 700)
	s.Written(5)
	checkBooks("written", stats.Books{Read: 10, Filtered: 3, Written: 5, InFlight: 2}, stats.Load{}, stats.Load{})
	s.Rejected(source, 1, "empty", nil)
	s.Rejected(source, 1, "no match", []byte("?"))
	checkBooks("rejected", stats.Books{Read: 10, Filtered: 3, Written: 5, Rejected: 2}, stats.Load{}, stats.Load{})
	s.Parsed(source, time.Time{}, 0, 0, 0, 0) // a batch without a time in it
	s.Offset(source, 900)
	s.Offset(source, 950)
	s.UpdateSource(source, func(at *stats.Source) { at.Open, at.Trouble, at.Size, at.Rotations = true, "", 2000, 1 })
	want := []stats.Source{{
		Name: "web", Path: "/access.log", Open: true, Offset: 950, Size: 2000, Rotations: 1,
		LastLine: after(-5), LastRejected: "?", LastReason: "no match",
	}}
	if diff := cmp.Diff(want, s.Snapshot(began).Sources); diff != "" {
		t.Errorf("sources, -want +got:\n%s", diff)
	}
}

// A snapshot shares nothing with what is counted later, nor with the caller.
func TestSnapshotIsIndependent(t *testing.T) {
	s := stats.New(began)
	source := s.AddSource("web", "/access.log")
	line := []byte("first")
	s.Rejected(source, 1, "empty", line)
	snap := s.Snapshot(began)
	copy(line, "!!!!!")
	s.Rejected(source, 1, "empty", []byte("other"))
	s.Rejected(source, 1, "too long", nil)
	s.UpdateSource(source, func(at *stats.Source) { at.Size = 9 })
	s.AddSource("api", "/api.log")
	if diff := cmp.Diff(map[string]int64{"empty": 1}, snap.RejectedReasons); diff != "" {
		t.Errorf("reasons, -want +got:\n%s", diff)
	}
	if len(snap.Sources) != 1 || snap.Sources[0].Size != 0 || snap.Sources[0].LastRejected != "first" {
		t.Errorf("sources are %+v", snap.Sources)
	}
	snap = s.Snapshot(began)
	clear(snap.RejectedReasons)
	clear(snap.Sources)
	again := s.Snapshot(began)
	if diff := cmp.Diff(map[string]int64{"empty": 2, "too long": 1}, again.RejectedReasons); diff != "" {
		t.Errorf("reasons, -want +got:\n%s", diff)
	}
	if again.Sources[0].Name != "web" || again.Sources[1].Name != "api" {
		t.Errorf("sources are %+v", again.Sources)
	}
}

// Everything may be called from everywhere.
func TestConcurrent(t *testing.T) {
	s := stats.New(began)
	source := s.AddSource("web", "/access.log")
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 300 {
				now := after(float64(n) / 10)
				s.Read(now, 4, 400)
				s.Parsing(4, 400)
				s.Parsed(source, now, 4, 1, 300, 0)
				s.Writing(4, 300)
				s.Acknowledged(now, time.Second)
				s.Written(2)
				s.Rejected(source, 1, fmt.Sprint(i), []byte("x"))
				s.RejectsTrouble("")
				s.Failed(errors.New("x"))
				if b := s.Snapshot(now).Books; b.Read != b.Written+b.Rejected+b.Filtered+b.InFlight {
					t.Errorf("books do not balance: %+v", b)
				}
			}
		})
	}
	all.Wait()
	want := stats.Books{Read: 4800, Written: 2400, Rejected: 1200, Filtered: 1200}
	if got := s.Snapshot(began).Books; got != want {
		t.Errorf("books are %+v, want %+v", got, want)
	}
}

// Lines that are in neither channel are read once more.
func TestReadAgain(t *testing.T) {
	st := stats.New(began)
	n := st.AddSource("web", "access.log")
	st.Read(after(1), 10, 1000)
	st.Parsing(10, 1000)
	st.Parsed(n, time.Time{}, 10, 0, 0, 0)
	st.Writing(10, 0)
	st.ReadAgain(after(2))
	if got := st.Snapshot(after(3)); got.Read.Lines != 0 || got.Books.Read != 0 || got.Books.InFlight != 0 || got.Undelivered != 0 {
		t.Errorf("%d lines in the channel, %+v, undelivered since %v, want nothing", got.Read.Lines, got.Books, got.Undelivered)
	}
}
