// The log is replaced by a copy of itself while the daemon runs.

package tail_test

import (
	"os"
	"testing"
)

func TestLogIsReplacedByACopyOfItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		copied   string   // what is in the copy, of "a1\na2\n"
		early    string   // is written to the old file before that
		late     string   // and after it
		want     []string // of the old file
		wantCopy []string // of the copy, after "b1\n" was written to it
	}{
		{name: "all of it", copied: "a1\na2\n", want: []string{"a1", "a2"}, wantCopy: []string{"b1"}},
		{name: "nginx has not reopened it yet", copied: "a1\na2\n", late: "a3\n", want: []string{"a1", "a2", "a3"}, wantCopy: []string{"b1"}},
		{name: "it was copied earlier", copied: "a1\n", want: []string{"a1", "a2"}, wantCopy: []string{"a1", "b1"}}, // not promised
		{name: "nginx has reopened it", copied: "a1\na2\na3\n", want: []string{"a1", "a2"}, wantCopy: []string{"a3", "b1"}},
		{name: "in the middle of a line", copied: "a1\na2\na", early: "a3\n", want: []string{"a1", "a2", "a3"}, wantCopy: []string{"b1"}},
		{name: "with something else in it", copied: "a1\nA2\n", want: []string{"a1", "a2"}, wantCopy: []string{"a1", "A2", "b1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				if wakeups && c.early != "" {
					return // in real time it may be read before the copy comes, which is then one that was made earlier
				}
				path := logFile(t)
				old := create(t, path, "a1\na2\n")
				d := newDaemon(t, wakeups, path)
				d.books.once = false
				d.start()
				d.want(1, "a1", "a2")
				d.acknowledge()
				later()
				if err := os.WriteFile(path+"~", []byte(c.copied), 0o644); err != nil {
					t.Fatal(err)
				}
				add(t, old, c.early)
				rename(t, path+"~", path) // sed -i, or cp -p and mv
				add(t, old, c.late)
				d.eventually("the rotation", func() bool { return d.source().Rotations == 1 })
				appendTo(t, path, "b1\n")
				d.want(2, c.wantCopy...)
				d.want(1, c.want...)
				d.still()
				d.stop()
				d.start()
				d.wantNothing()
				appendTo(t, path, "b2\n")
				d.want(2, "b2")
				d.stop()
			})
		})
	}
}

// The half line at the end of the old file is whole in the copy.
func TestLogIsReplacedByACopyAndAHalfLineIsFinishedThere(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\nha")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		later()
		create(t, path+"~", "a1\nhalf\n")
		rename(t, path+"~", path)
		f.want(2, "half")
		f.still()
		f.want(1, "a1")
	})
}

// While the old file has a name, a log that begins alike is another one.
func TestCopyOfALogThatStillHasANameIsAnotherLog(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		f := follow(t, rotating(wakeups), path)
		f.want(1, "a1")
		rename(t, path, path+".1")
		later()
		create(t, path, "a1\n")
		f.want(2, "a1")
	})
}
