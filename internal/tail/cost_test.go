// What reading costs: allocations, CPU while the log is quiet.

package tail_test

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// realistic writes a log of as many bytes, of lines of 250 bytes or so.
func realistic(t testing.TB, size int) (path string, lines int64) {
	t.Helper()
	g, err := nginxlog.New(nginxlog.Options{Format: "timed"})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var text []byte
	for len(text) < size {
		text = g.Append(text, at)
		at = at.Add(50 * time.Microsecond)
	}
	path = logFile(t)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, int64(bytes.Count(text, []byte("\n")))
}

// readOnce reads a file into blocks of the daemon's size, and returns the number
// of chunks.
func readOnce(t testing.TB, pool *flow.Pool, path string, want int64) (chunks int) {
	t.Helper()
	st := stats.New(time.Now())
	source := tail.Source{Name: "s", Path: path}
	r := tail.New(tail.Config{
		Sources: []tail.Source{source}, MaxLine: 64 << 10, Once: true, Checkpoint: openCheckpoint(t, stateDir(t), st, io.Discard),
	}, pool, st, slog.New(slog.DiscardHandler))
	out := make(chan flow.Chunk, 64)
	ended := make(chan error, 1)
	defer r.Close()
	go func() { ended <- r.Run(t.Context(), out) }()
	var lines int64
	for chunk := range out {
		lines += chunk.Lines()
		chunks++
		chunk.Block.Release()
	}
	if err := <-ended; err != nil || lines != want {
		t.Fatalf("Run = %v after %d lines, want %d", err, lines, want)
	}
	return chunks
}

func BenchmarkRead(b *testing.B) {
	const size = 64 << 20
	path, lines := realistic(b, size)
	pool := flow.NewPool(16, 256<<10)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		readOnce(b, pool, path, lines)
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func TestNothingIsAllocatedPerLine(t *testing.T) {
	path, lines := realistic(t, 8<<20)
	pool := flow.NewPool(16, 256<<10)
	chunks := readOnce(t, pool, path, lines) // the blocks are made
	allocs := testing.AllocsPerRun(5, func() { readOnce(t, pool, path, lines) })
	t.Logf("%.0f allocations for %d lines in %d chunks", allocs, lines, chunks)
	// A run opens a state directory, whose cost has nothing to do with the lines.
	if most := 250 + 10*float64(chunks); allocs > most || most > float64(lines)/10 {
		t.Errorf("%.0f allocations for %d lines in %d chunks, want at most %.0f", allocs, lines, chunks, most)
	}
}

// cpu is the share of a core that the process took during the time.
func cpu(t *testing.T, during time.Duration) float64 {
	t.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	runtime.GC()
	before := used()
	time.Sleep(during)
	return float64(used()-before) / float64(during)
}

func TestQuietFileCostsNextToNothing(t *testing.T) {
	path := logFile(t)
	create(t, path, "one\n")
	f := follow(t, options{Config: tail.Config{Wakeups: true}}, path)
	f.want(1, "one")
	time.Sleep(1500 * time.Millisecond) // quiet since 1 s
	share := 1.0
	for range 5 { // other programs make this machine's clock ticks expensive now and then
		if share = min(share, cpu(t, 2*time.Second)); share <= 0.005 {
			t.Logf("%.3f %% of a core", 100*share)
			return
		}
	}
	t.Errorf("%.2f %% of a core for a quiet file, want less than 0.5 %%", 100*share)
}

// A file that is written in place wakes the reader and does not grow: that must
// not become a loop.
func TestFileIsWrittenInPlace(t *testing.T) {
	path := logFile(t)
	create(t, path, "one\ntwo\n")
	f := follow(t, options{Config: tail.Config{Wakeups: true}}, path)
	f.want(1, "one", "two")
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	time.Sleep(1500 * time.Millisecond)
	end := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			select {
			case <-tick.C:
				if _, err := file.WriteAt([]byte("two\n"), 4); err != nil {
					t.Error(err)
				}
			case <-end:
				return
			}
		}
	}()
	share := 1.0
	for range 3 { // a loop takes a core each time; a busy machine makes the writer itself expensive now and then
		if share = min(share, cpu(t, time.Second)); share <= 0.1 {
			break
		}
	}
	close(end)
	<-ended
	t.Logf("%.2f %% of a core", 100*share)
	if share > 0.1 {
		t.Errorf("%.1f %% of a core", 100*share)
	}
}
