package feed_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/mock/feed"
	"github.com/tailflux/tailflux/mock/nginxlog"
	"github.com/tailflux/tailflux/mock/traffic"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// content has the lengths of its outages fixed, so that reference and feed make
// the same log whatever the rate.
var content = nginxlog.Options{
	Format:  "$time_iso8601 $msec " + `"$request" $status`,
	Traffic: traffic.Options{Seed: 8, CalmRequests: 500, OutageRequests: 100},
	Garbage: 0.1,
	Torn:    0.1,
}

// reference is the log that n lines must be.
func reference(t *testing.T, n int, step time.Duration) []byte {
	t.Helper()
	g, err := nginxlog.New(content)
	if err != nil {
		t.Fatal(err)
	}
	var log []byte
	for i := range n {
		log = g.Append(log, start.Add(time.Duration(i)*step))
	}
	return log
}

func run(t *testing.T, o feed.Options) feed.Summary {
	t.Helper()
	f, err := feed.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f.Summary()
}

func TestImaginedTime(t *testing.T) {
	for _, row := range []struct {
		name    string
		options feed.Options
		lines   int
		step    time.Duration
	}{
		{"lines", feed.Options{Lines: 1000}, 1000, time.Millisecond},
		{"step", feed.Options{Lines: 1000, Step: time.Hour}, 1000, time.Hour},
		{"duration", feed.Options{Duration: 1500 * time.Millisecond}, 1500, time.Millisecond},
		{"duration ends between steps", feed.Options{Duration: 10 * time.Second, Step: 3 * time.Second}, 4, 3 * time.Second},
		{"the smaller of both", feed.Options{Lines: 7, Duration: time.Hour}, 7, time.Millisecond},
		{"step from rate", feed.Options{Lines: 100, Rate: 50_000}, 100, 20 * time.Microsecond},
		{"pieces", feed.Options{Lines: 1000, WriteBytes: 17}, 1000, time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			row.options.Log, row.options.Start, row.options.Output = content, start, &out
			got := run(t, row.options)
			want := reference(t, row.lines, row.step)
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("log, -want +got:\n%s", diff)
			}
			if got.Lines != int64(row.lines) || got.Bytes != int64(len(want)) {
				t.Errorf("Summary() = %+v, want %d lines, %d bytes", got, row.lines, len(want))
			}
			if share := float64(got.Torn+got.Garbage) / float64(got.Lines); row.lines >= 1000 && (share < 0.15 || share > 0.25) {
				t.Errorf("Summary() = %+v, want a tenth torn, a tenth garbage", got)
			}
		})
	}
}

// In a bubble with its own clock, the rate is exact.
func TestWallClock(t *testing.T) {
	for _, row := range []struct {
		rate  float64
		last  time.Duration
		lines int
	}{
		{1000, 3 * time.Second, 3000},
		{33.3, 10 * time.Second, 333},
		{0.5, 5 * time.Second, 3}, // at 0, 2 and 4 s
		{50_000, 500 * time.Millisecond, 25_000},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			o := feed.Options{Log: content, Rate: row.rate, Duration: row.last, Output: &out}
			o.Log.Torn, o.Log.Format = 0, "$msec"
			began := time.Now()
			got := run(t, o)
			if took := time.Since(began); took < row.last || took > row.last+20*time.Millisecond {
				t.Errorf("rate %v for %v took %v", row.rate, row.last, took)
			}
			if got.Lines != int64(row.lines) {
				t.Errorf("rate %v for %v: %d lines, want %d", row.rate, row.last, got.Lines, row.lines)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if !slices.IsSorted(lines) {
				t.Errorf("rate %v: times go back", row.rate)
			}
			for i, line := range lines {
				seconds, err := strconv.ParseFloat(line, 64)
				if err != nil {
					t.Fatal(err)
				}
				since := seconds - float64(began.UnixMilli())/1000
				if due := float64(i) / row.rate; math.Abs(since-due) > 0.021 {
					t.Fatalf("rate %v: line %d at %.3f s, want %.3f", row.rate, i, since, due)
				}
			}
		})
	}
}

// Outages last as long as people notice, whatever the rate.
func TestOutagesFollowTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 120_000
		o := nginxlog.Options{Format: "$status"}
		var out bytes.Buffer
		run(t, feed.Options{Log: o, Rate: 1000, Lines: n, Start: start, Output: &out})
		o.Traffic = traffic.Options{CalmRequests: 90_000, OutageRequests: 5_000}
		g, err := nginxlog.New(o)
		if err != nil {
			t.Fatal(err)
		}
		var want []byte
		outage := false
		for range n {
			want = g.Append(want, start)
			outage = outage || g.Last().Outage
		}
		if !outage {
			t.Fatal("no outage in the reference: choose another seed")
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Error("at 1000 lines/s, the log is not that of 90 s calm and 5 s outage")
		}
	})
}

// largest keeps the size of the largest write.
type largest int

func (l *largest) Write(p []byte) (int, error) {
	*l = max(*l, largest(len(p)))
	return len(p), nil
}

func TestWritesAreSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var size largest
		run(t, feed.Options{Log: content, Rate: 1e6, Lines: 20_000, Output: &size})
		if size < 60_000 || size > 70_000 {
			t.Errorf("the largest write has %d bytes, want about 64 KiB", size)
		}
	})
}

// slowWriter takes a minute for its second call.
type slowWriter struct {
	calls int
	sizes []int
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.calls++
	if w.calls == 2 {
		<-time.After(time.Minute)
	}
	w.sizes = append(w.sizes, bytes.Count(p, []byte("\n")))
	return len(p), nil
}

func TestStallIsNotMadeUpForEntirely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWriter{}
		got := run(t, feed.Options{Log: content, Rate: 100, Duration: 2 * time.Minute, Output: w})
		if want := int64(100*60 + 100); got.Lines < want-5 || got.Lines > want+5 {
			t.Errorf("%d lines, want %d: a minute's, and a second's for the stall", got.Lines, want)
		}
		if most := slices.Max(w.sizes); most > 100 {
			t.Errorf("%d lines in one write after the stall, want at most 100", most)
		}
	})
}

func TestStopsCleanly(t *testing.T) {
	for _, rate := range []float64{0, 1000} {
		var out bytes.Buffer
		f, err := feed.New(feed.Options{Log: content, Rate: rate, Output: &out})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		for f.Summary().Lines < 20 { // the counters are live
			<-time.After(time.Millisecond)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("rate %v: Run after cancel: %v", rate, err)
		}
		got := f.Summary()
		if n := bytes.Count(out.Bytes(), []byte("\n")); got.Lines != int64(n) || got.Bytes != int64(out.Len()) {
			t.Errorf("rate %v: Summary() = %+v, want %d lines, %d bytes", rate, got, n, out.Len())
		}
		if !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
			t.Errorf("rate %v: the last line is cut", rate)
		}
	}
}

type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

func TestWriteErrorEndsTheRun(t *testing.T) {
	f, err := feed.New(feed.Options{Log: content, Output: &fullDisk{room: 200_000}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Run on a full disk: %v, want %v", err, io.ErrShortWrite)
	}
	if got := f.Summary(); got.Bytes != 200_000 || got.Lines == 0 {
		t.Errorf("Summary() = %+v, want what fitted: 200,000 bytes", got)
	}
}

func TestNewRefuses(t *testing.T) {
	f, err := feed.New(feed.Options{
		Log:      nginxlog.Options{Format: "$nope"},
		Rate:     math.NaN(),
		Lines:    -1,
		Duration: -1,
		Step:     1,
		Rotation: feed.Rotation{Every: 1, Lines: 1, Keep: -1, Lag: -1},
	})
	if err == nil {
		t.Fatalf("New with wrong options = %v", f)
	}
	for _, want := range []string{
		"$nope", "rate NaN", "lines -1", "duration", "needs a start", "either a file or a writer",
		"not both", "needs an output file", "keep -1", "lag",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}

func TestUnusablePath(t *testing.T) {
	f, err := feed.New(feed.Options{Path: filepath.Join(t.TempDir(), "no", "such", "dir")})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run: %v, want that the directory does not exist", err)
	}
}
