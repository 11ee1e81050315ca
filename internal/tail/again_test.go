package tail_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

// Again is a start in the same process: what was read and is not acknowledged comes once
// more, under the same numbers, of a file that was rotated meanwhile, too.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := logFile(t)
		f := prepare(t, options{}, path)
		var text strings.Builder
		var last flow.Position
		read := func() {
			t.Helper()
			enough, chunks, ended := make(chan struct{}), make(chan flow.Chunk, 1), make(chan error, 1)
			go func() { ended <- f.reader.RunUntil(t.Context(), enough, chunks) }()
			go func() {
				time.Sleep(20 * time.Second) // long enough for rotated files
				close(enough)
			}()
			for c := range chunks {
				text.Write(c.Data)
				last = c.End
				c.Block.Release()
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		first, _ := numbered("line", 1, 20)
		second, _ := numbered("line", 21, 30)
		third, _ := numbered("line", 51, 10)
		create(t, path, first)
		read()
		f.sink.checkpoint.Acknowledge(last, []byte(first))
		if err := f.sink.checkpoint.Save(); err != nil {
			t.Fatal(err)
		}
		acknowledged := last
		appendTo(t, path, second)
		read()
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		create(t, path, third)
		read()
		if got := text.String(); got != first+second+third {
			t.Fatalf("read %d bytes, want %d", len(got), len(first+second+third))
		}
		end := last
		for range 2 {
			text.Reset()
			f.reader.Again()
			read()
			if got := text.String(); got != second+third || last.Line != end.Line || last.Generation.ID != end.Generation.ID || last.Generation.Source != end.Generation.Source {
				t.Errorf("from line %d: read %q, up to line %d of generation %d", acknowledged.Line, got, last.Line, last.Generation.ID)
			}
		}
		f.reader.Close()
	})
}
