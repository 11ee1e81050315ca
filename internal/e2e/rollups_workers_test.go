// Workers of nginx that reopen their logs late, and a machine that stands still now and then.

package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// workers write to logs that were rotated.
type workers struct {
	*trial
	old []string // names of the latest rotated logs, which may be empty
	has bool     // something is at the path
}

// rotate takes the log away. What comes to the path then is empty, or comes later.
func (w *workers) rotate() {
	w.t.Helper()
	as := w.rotated()
	if err := os.Rename(w.log, as); err != nil {
		w.t.Fatal(err)
	}
	w.old = append(w.old, filepath.Base(as))
	w.old = w.old[max(0, len(w.old)-20):]
	if w.has = w.r.IntN(4) > 0; w.has {
		w.write(filepath.Base(w.log), "")
	}
}

// act is what nginx and logrotate do next.
func (w *workers) act() {
	switch n := w.r.IntN(10); {
	case n < 3 && len(w.old) > 0: // mostly of the latest
		i := len(w.old) - 1 - w.r.IntN(1+w.r.IntN(len(w.old)))
		w.write(w.old[i], w.text(1+w.r.IntN(3)))
	case n < 5 && w.has:
		w.rotate()
	default:
		w.append(1 + w.r.IntN(300))
		w.has = true
	}
}

// Lines come to logs that were rotated, empty or not, long after tailflux has left them, before
// it has seen them, and while it is stopped or stands still; rollups are what all of them add
// up to.
func TestRollupsOfLateWorkers(t *testing.T) {
	t.Parallel()
	w := &workers{trial: newTrial(t, true), has: true}
	w.trial.act = func() {
		if w.r.IntN(8) == 0 { // for longer than rotate_wait, sometimes
			w.signal(syscall.SIGSTOP)
			for range w.r.IntN(4) {
				w.act()
			}
			time.Sleep(time.Duration(w.r.IntN(600)) * time.Millisecond)
			w.signal(syscall.SIGCONT)
		}
		w.act()
	}
	w.down = func() {
		for range w.r.IntN(6) {
			time.Sleep(5 * time.Millisecond) // file systems keep times in such steps
			w.act()
		}
	}
	w.least = 2 * time.Second
	w.begin()
	for i := range w.rounds {
		w.round(i)
	}
	w.append(1) // a log that is missing is an error of --once
	w.readToTheEnd(w.config)
	w.want(false)
}

func (w *workers) signal(s os.Signal) {
	w.t.Helper()
	if err := w.daemon.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}
