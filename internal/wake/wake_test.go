// The watcher wakes the reader when a file grows, and leaves nothing behind.

package wake

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// watching is an open file that can be watched.
func watching(t *testing.T) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func appendTo(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("two\n"); err != nil {
		t.Fatal(err)
	}
}

// begun waits until the file can be watched: an earlier watch may still have to
// be removed.
func begun(t *testing.T, w *Watcher, f *os.File) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !w.Watch(f, 0); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the file cannot be watched")
		}
	}
	if w.Watch(f, 0) {
		t.Fatal("watched twice")
	}
}

func woken(t *testing.T, w *Watcher) {
	t.Helper()
	select {
	case <-w.Woken():
	case <-time.After(10 * time.Second):
		t.Fatal("not woken")
	}
}

// wakes checks that what happens wakes. The library drops an event for which the
// forwarder is not ready yet, so it may have to happen again.
func wakes(t *testing.T, w *Watcher, happens func()) {
	t.Helper()
	for range 1000 {
		happens()
		select {
		case <-w.Woken():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("not woken")
}

func TestWatcherWakesOncePerWatch(t *testing.T) {
	t.Parallel()
	w := New(slog.New(slog.DiscardHandler))
	f := watching(t)
	defer w.Close()
	defer f.Close()
	defer w.Forget(f)
	for range 3 {
		begun(t, w, f)
		wakes(t, w, func() { appendTo(t, f.Name()) })
		appendTo(t, f.Name())
		select {
		case <-w.Woken():
			t.Error("woken by a watch that is over")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// The library ends its watch at a rename; the same descriptor can be watched
// again, whatever the file's name.
func TestWatcherWakesForAFileThatWasRenamedOrDeleted(t *testing.T) {
	t.Parallel()
	w := New(slog.New(slog.DiscardHandler))
	defer w.Close()
	for range 20 { // every now and then the library drops the event
		f := watching(t)
		late, err := os.OpenFile(f.Name(), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		begun(t, w, f)
		renamed := f.Name() + ".1"
		for _, happens := range []func() error{
			func() error { return os.Rename(f.Name(), renamed) },
			func() error { return os.Remove(renamed) },
		} {
			if err := happens(); err != nil {
				t.Fatal(err)
			}
			for range 3 { // one of them may be for what happened before
				wakes(t, w, func() {
					w.Watch(f, 0) // as the reader does at every tick
					if _, err := late.WriteString("late\n"); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
		w.Forget(f)
		f.Close()
		late.Close()
	}
}

// The library's tracker is keyed by path: a watch of the same descriptor number
// must not begin before the earlier one was removed, or it hears nothing.
func TestWatcherWakesForANumberThatIsUsedAgain(t *testing.T) {
	w := New(slog.New(slog.DiscardHandler))
	defer w.Close()
	for range 50 {
		f := watching(t)
		begun(t, w, f)
		wakes(t, w, func() { appendTo(t, f.Name()) })
		w.Forget(f)
		f.Close()
	}
	if len(w.watches) > 0 {
		t.Errorf("%d files are not forgotten", len(w.watches))
	}
}

func TestForgottenFileLeavesNothingBehind(t *testing.T) {
	w := New(slog.New(slog.DiscardHandler))
	f := watching(t)
	begun(t, w, f)
	w.Forget(f)
	w.Forget(f)
	woken(t, w) // nothing has changed, which does no harm
	f.Close()
	w.Close() // returns
}
