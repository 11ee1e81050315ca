package tail_test

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/tail"
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
			more, end := f.readAWhile(t)
			text.WriteString(more)
			last = cmp.Or(end, last)
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
			f.reader.Rewind()
			read()
			if got := text.String(); got != second+third || last.Line != end.Line || last.Generation.ID != end.Generation.ID || last.Generation.Source != end.Generation.Source {
				t.Errorf("from line %d: read %q, up to line %d of generation %d", acknowledged.Line, got, last.Line, last.Generation.ID)
			}
		}
		f.reader.Close()
	})
}

// readAWhile reads long enough for rotated files.
func (f *follower) readAWhile(t *testing.T) (text string, last flow.Position) {
	t.Helper()
	enough, chunks, ended := make(chan struct{}), make(chan flow.Chunk, 1), make(chan error, 1)
	go func() { ended <- f.reader.RunUntil(t.Context(), enough, chunks) }()
	go func() {
		time.Sleep(20 * time.Second)
		close(enough)
	}()
	for c := range chunks {
		text += string(c.Data)
		last = c.End
		c.Block.Release()
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return text, last
}

// The same of a log whose path has a date: the next day is found after that, too.
func TestAgainOfDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := options{}
		o.Globs = []tail.Glob{{Name: "web", Pattern: filepath.Join(dir, "access-*.log")}}
		f := prepare(t, o)
		want := func(what, want string) {
			t.Helper()
			if got, _ := f.readAWhile(t); got != want {
				t.Errorf("%s: read %d bytes, want %d", what, len(got), len(want))
			}
		}
		var days []string
		for day := 1; day <= 3; day++ {
			text, _ := numbered("line", day*100, 20)
			days = append(days, text)
			create(t, on(dir, day), text)
			if want("a day", text); day == 2 {
				f.reader.Rewind()
				want("again", days[0]+days[1])
			}
		}
		f.reader.Rewind()
		want("again", strings.Join(days, ""))
		f.reader.Close()
	})
}
