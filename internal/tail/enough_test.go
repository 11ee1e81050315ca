package tail_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

// A run that is to end, for another one to go on with the same files, hands on what it has
// read, however long that takes: the next one goes on behind it.
func TestRunEndsWhenWhatWasReadIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := logFile(t)
		text, lines := numbered("line", 1, 5000)
		create(t, path, text)
		f := prepare(t, options{}, path)
		enough := make(chan struct{})
		ended := make(chan error, 1)
		go func() { ended <- f.reader.RunUntil(t.Context(), enough, f.chunks) }()
		synctest.Wait() // one chunk is in the channel, and the next one waits
		close(enough)
		synctest.Wait()

		var at flow.Position
		taken := 0
		take := func(c flow.Chunk) {
			if taken > 0 && (c.Start.Offset != at.Offset || c.Start.Line != at.Line) {
				t.Errorf("a chunk begins at offset %d, line %d, want %d, %d", c.Start.Offset, c.Start.Line, at.Offset, at.Line)
			}
			at = c.End
			taken += int(c.Lines())
			c.Block.Release()
		}
		for c := range f.chunks {
			take(c)
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if taken == 0 || taken == len(lines) {
			t.Fatalf("the first run read %d of %d lines, which shows nothing", taken, len(lines))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		chunks := make(chan flow.Chunk, 1)
		go func() { ended <- f.reader.RunUntil(ctx, nil, chunks) }()
		for taken < len(lines) {
			select {
			case c := <-chunks:
				take(c)
			case <-time.After(time.Minute):
				t.Fatalf("%d of %d lines came", taken, len(lines))
			}
		}
		if books := f.stats.Snapshot(time.Now()).Books; books.Read != int64(len(lines)) {
			t.Errorf("%d lines are counted, want %d", books.Read, len(lines))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		f.reader.Close()
	})
}
