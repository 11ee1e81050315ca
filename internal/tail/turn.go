package tail

import (
	"context"
	"errors"
	"time"

	"github.com/tailflux/tailflux/internal/growing"
)

// read reads at most one block of each source, so that all get their turn: of
// its oldest file that is not read to its end, and of those after it once that is.
// more reports that there is more to read already, grew that anything was read.
// The error is ctx's.
func (r *Reader) read(ctx context.Context, now time.Time) (more, grew bool, err error) {
	r.lookIfDue()
	for len(r.left) > 0 {
		if err := r.feed.SendLeft(ctx, r.left[0]); err != nil {
			return more, grew, err
		}
		r.left = r.left[1:]
	}
	for _, s := range r.sources {
		r.turn = append(r.turn[:0], s.files...) // a look changes these
		for _, f := range r.turn {
			if r.hasEnough() {
				return more, grew, nil
			}
			moreHere, err := r.readFile(ctx, s, f)
			if err != nil && ctx.Err() != nil {
				return more, grew, err
			}
			if r.config.Once {
				r.failSource(s, err)
			}
			f.Trouble = err // logged by the next look
			more = more || moreHere
			grew = grew || !f.Grown.Before(now)
			r.lookIfDue()
			if moreHere {
				break
			}
		}
	}
	return more, grew, nil
}

// readFile reads a block of a file, or its incomplete last line if it is to be left. If its
// bytes have changed, it looks at what has happened.
func (r *Reader) readFile(ctx context.Context, s *source, f *growing.File) (more bool, err error) {
	if f.Closed {
		return false, nil
	}
	if !f.Idle() {
		if more, err = f.Read(ctx); errors.Is(err, growing.ErrChanged) {
			err = s.look(r, time.Now())
			more = err == nil
		}
	}
	if err != nil || more || !f.Leaving || f.Closed {
		return more, err
	}
	left, err := f.Leave(ctx)
	if errors.Is(err, growing.ErrChanged) {
		return true, s.look(r, time.Now())
	}
	if left {
		r.end(s, f)
	}
	return false, err
}

// end closes a file of which nothing more will be read.
func (r *Reader) end(s *source, f *growing.File) {
	s.rotatedTo(f.Directory())
	s.watchLeft(r, f, time.Now())
	r.watcher.Forget(f.File)
	f.End()
	r.open--
	s.leave(f)
}
