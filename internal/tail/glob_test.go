package tail_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// Files that match a pattern are followed, those that appear later from their
// first byte; rotated ones beside them are not.
func TestGlob(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(text)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("a.access.log", "old\n")
	write("b.access.log", "old\n")
	write("a.access.log.1", "rotated\n")
	write("a.access.log-20261122", "rotated\n")
	write("c.error.log", "other\n")

	pool, st := flow.NewPool(8, 256<<10), stats.New(time.Now())
	r := tail.New(tail.Config{
		MaxLine: 4 << 10, RotateWait: time.Second, Checkpoint: openCheckpoint(t, stateDir(t), st, io.Discard),
		Globs: []tail.Glob{{
			Pattern: filepath.Join(dir, "*.access.log*"), FromEnd: true,
			Source: func(path, matched string) *flow.Source {
				return &flow.Source{Index: st.AddSource("g:"+matched, path, ""), Name: "g:" + matched, Path: path}
			},
		}},
	}, pool, st, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan flow.Chunk)
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, out) }()

	var got []string
	next := func(n int) {
		t.Helper()
		for limit := time.After(30 * time.Second); n > 0; n-- {
			select {
			case c := <-out:
				got = append(got, c.Start.Generation.Source.Name+" "+string(c.Data))
				c.Block.Release()
			case <-limit:
				t.Fatalf("got only %q", got)
			}
		}
	}
	for len(st.Snapshot(time.Now()).Sources) < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // they are being opened
	write("a.access.log", "new\n")
	write("b.access.log", "new\n")
	next(2)
	write("d.access.log", "first\n")
	next(1)
	if err := os.Rename(filepath.Join(dir, "b.access.log"), filepath.Join(dir, "b.access.log.1")); err != nil {
		t.Fatal(err)
	}
	write("b.access.log.1", "late\n")
	write("b.access.log", "after\n")
	next(2)
	// Renamed to a name that matches, and not like a rotated one.
	if err := os.Rename(filepath.Join(dir, "d.access.log"), filepath.Join(dir, "d-old.access.log")); err != nil {
		t.Fatal(err)
	}
	write("d-old.access.log", "later\n")
	next(1)
	write("a.access.log", "last\n")
	next(1)
	time.Sleep(1500 * time.Millisecond) // files are looked for again
	cancel()
	for range out {
		t.Error("more came")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	slices.Sort(got)
	want := []string{"g:a, last\n", "g:a, new\n", "g:b, after\n", "g:b, late\n", "g:b, new\n", "g:d, first\n", "g:d, later\n"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
