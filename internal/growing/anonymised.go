package growing

import (
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
)

// rewriteTick is how long nothing comes to a file that is written anew until that is over.
const rewriteTick = 2 * time.Second

// IsAnonymised reports whether somebody has taken addresses out of the file since it was read,
// in its place.
func (f *File) IsAnonymised() bool {
	var now logfile.Head
	same, err := now.Grow(f.File)
	return err == nil && same && f.Head.IsAnonymised(now)
}

// anonymised is what Examine finds of such a file. It is waited for while it is written anew and
// has fewer lines than were read of it. What is behind those was not read.
func (f *File) anonymised(now time.Time) (holds bool, kept int64, err error) {
	lines := f.Lines()
	log := logfile.Log{Opened: f.Opened}
	if kept, err = log.SkipLines(lines); err != nil {
		return true, 0, err
	}
	if has, err := log.Lines(kept); err != nil || has >= lines {
		return err != nil, kept, err
	}
	if f.rewritten.size != f.Size {
		f.rewritten.size, f.rewritten.at = f.Size, now
	}
	if now.Sub(f.rewritten.at) < rewriteTick {
		return true, 0, nil
	}
	kept, err = logfile.AfterLastNewline(f.File, f.Size)
	return false, kept, err
}

// Lines is how many lines of the file are before the place that was read to.
func (f *File) Lines() int64 { return f.At.Generation.InFile(f.At.Line) - 1 }
