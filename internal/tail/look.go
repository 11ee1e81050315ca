package tail

import (
	"errors"
	"fmt"
	"time"
)

// look finds out what is at the paths now. Trouble is logged by the sources themselves. With
// Once their logs are not read, and the others are.
func (r *Reader) look(now time.Time) {
	defer func() {
		r.looked = time.Now() // a long look is no reason for the next one to come at once
		r.stats.Looked(r.looked)
	}()
	r.slept(now)
	r.directories.Forget()
	r.name()
	r.find(now)
	if r.config.Once && r.looked.IsZero() {
		r.fail(r.unmatched())
	}
	for _, s := range r.sources {
		select {
		case <-r.stopped: // a thousand sources to be found again take their time
			return
		default:
		}
		if now.Before(s.next) {
			continue
		}
		trouble := s.look(r, now)
		if !r.config.Once {
			continue
		}
		r.failSource(s, trouble)
		for _, f := range s.files {
			if f.Packed == nil { // what was there at the start is read
				f.EndHere()
			}
		}
	}
}

// fail notes, with Once, why a log is not read; nil is no reason.
func (r *Reader) fail(err error) {
	if err != nil {
		r.failed = errors.Join(r.failed, err)
	}
}

func (r *Reader) failSource(s *source, err error) {
	if err != nil && !s.failed {
		s.failed = true
		r.fail(fmt.Errorf("source %s: %w", s.Name, err))
	}
}

// slept finds out whether nobody has looked for a while: the machine slept, or was too busy.
// Files that did not grow meanwhile were not quiet, as their writers may have slept too. So a
// look accounts for a second at most.
func (r *Reader) slept(now time.Time) {
	const most = time.Second
	if idle := now.Sub(r.began) - most; idle > 0 && !r.began.IsZero() {
		for _, s := range r.sources {
			for _, f := range s.files {
				f.Grown, f.Replaced = f.Grown.Add(idle), f.Replaced.Add(idle)
			}
		}
	}
	r.began = now
}

// lookIfDue looks at the paths every activeTick, however busy the reader is or
// how long it waits: a file that came and went unseen would be lost. It returns when
// that is due again.
func (r *Reader) lookIfDue() time.Time {
	now := time.Now()
	switch {
	case now.Sub(r.looked) < activeTick:
	case r.config.Once: // what was there at the start is read
		r.looked = now
	default:
		r.look(now)
		r.checkpoint.Secure()
	}
	return r.looked.Add(activeTick)
}
