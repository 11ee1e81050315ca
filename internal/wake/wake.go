// Package wake tells that a quiet file has grown, so that whoever follows it looks before
// its next tick. It may fail to: the tick is the truth.
package wake

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"

	"github.com/hpcloud/tail/watch"
	"gopkg.in/tomb.v1"
)

// Watcher wakes a reader when a quiet file grows. It is made of package watch
// of hpcloud/tail, and built around what that does:
//
//   - It watches a path, and ends when the file is renamed. So the path is
//     /proc/self/fd/N, the file that we hold open, whatever its name is now.
//   - Every event costs three goroutine switches and two stats. So a watch ends
//     with its first event; while a file grows, the tick reads it.
//   - Its tracker is global and keyed by path: a watch that begins before the
//     earlier one on the same path was removed never hears anything. So such a
//     file waits for the next tick.
//   - It exits the process when inotify has no instance left. So one is made,
//     and given back, before the first watch. It also does when stat fails with
//     anything but ENOENT: what is open can be stat'ed, except on a network file
//     system whose server lost the file.
//
// An event may be lost all the same: the library drops one for which nobody is
// waiting yet, even the one that ends the watch, and knows only the later of two
// descriptors of one file. The nil Watcher never wakes anybody.
type Watcher struct {
	wake    chan struct{}
	log     *slog.Logger
	broken  bool
	started bool
	watches map[*os.File]*tomb.Tomb // each ends a watch, which may be over
	running sync.WaitGroup          // the forwarders
}

// New returns a watcher of which nothing is heard before the first Watch.
func New(log *slog.Logger) *Watcher {
	return &Watcher{wake: make(chan struct{}, 1), log: log, watches: map[*os.File]*tomb.Tomb{}}
}

// Woken is ready when a watched file has grown, or is another one now.
func (w *Watcher) Woken() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.wake
}

// Watch begins to watch an open file, which was read up to an offset, if it is not being
// watched. It reports whether it did.
func (w *Watcher) Watch(f *os.File, offset int64) bool {
	if w == nil || w.broken {
		return false
	}
	if err := w.start(); err != nil {
		w.giveUp(err)
		return false
	}
	path := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if watch.Events(path) != nil {
		return false // it is being watched, or an earlier watch is being removed
	}
	w.Forget(f) // it may have ended without a word
	stop := &tomb.Tomb{}
	changes, err := watch.NewInotifyFileWatcher(path).ChangeEvents(stop, offset)
	if err != nil {
		w.giveUp(err)
		return false
	}
	w.watches[f] = stop
	w.running.Go(func() {
		select {
		case <-changes.Modified:
		case <-changes.Truncated:
		case <-changes.Deleted:
		case <-stop.Dying():
		}
		stop.Kill(nil)
		select {
		case w.wake <- struct{}{}:
		default: // the reader is being woken already
		}
	})
	return true
}

// giveUp begins no more watches: the reader's tick finds what has grown.
func (w *Watcher) giveUp(err error) {
	w.broken = true
	w.log.Warn("no wake-ups from the kernel: log files are checked every 250 ms", "err", err)
}

// start makes sure that the library can start, and starts it.
func (w *Watcher) start() error {
	if w.started {
		return nil
	}
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("inotify_init1: %w", err)
	}
	syscall.Close(fd)
	// Events needs the tracker, which is made by the first watch.
	if err := watch.Watch("/proc/self/fd"); err != nil {
		return fmt.Errorf("inotify: %w", err)
	}
	watch.RemoveWatch("/proc/self/fd")
	w.started = true
	return nil
}

// Forget ends the watch of a file, if there is one.
func (w *Watcher) Forget(f *os.File) {
	if w == nil || w.watches[f] == nil {
		return
	}
	w.watches[f].Kill(nil)
	delete(w.watches, f)
}

// Close waits for the goroutines; every file must have been forgotten.
func (w *Watcher) Close() {
	if w == nil {
		return
	}
	w.running.Wait()
}
