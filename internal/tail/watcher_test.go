// The watcher wakes the reader when a file grows, and leaves nothing behind.

package tail

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
)

// watching is an open file that can be watched.
func watching(t *testing.T) *file {
	t.Helper()
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return &file{Opened: &logfile.Opened{File: opened}}
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
func begun(t *testing.T, w *watcher, f *file) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !w.watch(f); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the file cannot be watched")
		}
	}
	if w.watch(f) {
		t.Fatal("watched twice")
	}
}

func woken(t *testing.T, w *watcher) {
	t.Helper()
	select {
	case <-w.woken():
	case <-time.After(10 * time.Second):
		t.Fatal("not woken")
	}
}

// wakes checks that what happens wakes. The library drops an event for which the
// forwarder is not ready yet, so it may have to happen again.
func wakes(t *testing.T, w *watcher, happens func()) {
	t.Helper()
	for range 1000 {
		happens()
		select {
		case <-w.woken():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("not woken")
}

func TestWatcherWakesOncePerWatch(t *testing.T) {
	t.Parallel()
	w := newWatcher(slog.New(slog.DiscardHandler))
	f := watching(t)
	defer w.close()
	defer f.File.Close()
	defer w.forget(f)
	for range 3 {
		begun(t, w, f)
		wakes(t, w, func() { appendTo(t, f.File.Name()) })
		appendTo(t, f.File.Name())
		select {
		case <-w.woken():
			t.Error("woken by a watch that is over")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// The library ends its watch at a rename; the same descriptor can be watched
// again, whatever the file's name.
func TestWatcherWakesForAFileThatWasRenamedOrDeleted(t *testing.T) {
	t.Parallel()
	w := newWatcher(slog.New(slog.DiscardHandler))
	defer w.close()
	for range 20 { // every now and then the library drops the event
		f := watching(t)
		late, err := os.OpenFile(f.File.Name(), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		begun(t, w, f)
		renamed := f.File.Name() + ".1"
		for _, happens := range []func() error{
			func() error { return os.Rename(f.File.Name(), renamed) },
			func() error { return os.Remove(renamed) },
		} {
			if err := happens(); err != nil {
				t.Fatal(err)
			}
			for range 3 { // one of them may be for what happened before
				wakes(t, w, func() {
					w.watch(f) // as the reader does at every tick
					if _, err := late.WriteString("late\n"); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
		w.forget(f)
		f.File.Close()
		late.Close()
	}
}

// The library's tracker is keyed by path: a watch of the same descriptor number
// must not begin before the earlier one was removed, or it hears nothing.
func TestWatcherWakesForANumberThatIsUsedAgain(t *testing.T) {
	w := newWatcher(slog.New(slog.DiscardHandler))
	defer w.close()
	for range 50 {
		f := watching(t)
		begun(t, w, f)
		wakes(t, w, func() { appendTo(t, f.File.Name()) })
		w.forget(f)
		f.File.Close()
	}
	if len(w.watches) > 0 {
		t.Errorf("%d files are not forgotten", len(w.watches))
	}
}

func TestForgottenFileLeavesNothingBehind(t *testing.T) {
	w := newWatcher(slog.New(slog.DiscardHandler))
	f := watching(t)
	begun(t, w, f)
	w.forget(f)
	w.forget(f)
	woken(t, w) // nothing has changed, which does no harm
	f.File.Close()
	w.close() // returns
}
