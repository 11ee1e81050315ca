package feed

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// file is a log file under rotation:
//
//	        rename         reopen, a lag later
//	────────┬──────────────┬─────────────►
//	FILE    │ FILE.1       │ FILE, opened anew      where lines go
//	        │ FILE created │                        (empty until then)
type file struct {
	path     string
	rotation Rotation
	f        *os.File
	lines    int64     // since it was opened
	next     time.Time // rotation by time; zero before the first line
	reopen   time.Time // zero, or when the renamed file is given up
}

func openFile(path string, r Rotation) (*file, error) {
	f, err := openAppend(path)
	if err != nil {
		return nil, err
	}
	return &file{path: path, rotation: r, f: f}, nil
}

func openAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
}

func (l *file) Write(p []byte) (int, error) { return l.f.Write(p) }

func (l *file) close() error { return l.f.Close() }

// due reports whether turn must be called before the line of this time.
func (l *file) due(at time.Time) bool {
	switch {
	case !l.reopen.IsZero():
		return !at.Before(l.reopen)
	case l.rotation.Lines > 0:
		return l.lines >= l.rotation.Lines
	case l.rotation.Every > 0:
		if l.next.IsZero() {
			l.next = at.Add(l.rotation.Every)
		}
		return !at.Before(l.next)
	}
	return false
}

// turn renames the file, or opens the new one when the old one's time is up.
func (l *file) turn(at time.Time) (renamed bool, err error) {
	if !l.reopen.IsZero() {
		f, err := openAppend(l.path)
		if err != nil {
			return false, err
		}
		old := l.f
		l.f, l.lines, l.reopen = f, 0, time.Time{}
		return false, old.Close()
	}
	if err := l.shift(); err != nil {
		return false, err
	}
	f, err := openAppend(l.path)
	if err != nil {
		return false, err
	}
	l.reopen = at.Add(l.rotation.Lag)
	if l.rotation.Every > 0 {
		if l.next = l.next.Add(l.rotation.Every); !l.next.After(at) {
			l.next = at.Add(l.rotation.Every)
		}
	}
	return true, f.Close()
}

// shift renames FILE.1 to FILE.2 and so on, from the highest number to keep,
// then FILE to FILE.1. Files that do not exist are no error.
func (l *file) shift() error {
	highest := l.rotation.Keep
	if highest == 0 {
		for highest = 1; exists(l.numbered(highest)); highest++ {
		}
	}
	for i := highest - 1; i >= 0; i-- {
		err := os.Rename(l.numbered(i), l.numbered(i+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (l *file) numbered(i int) string {
	if i == 0 {
		return l.path
	}
	return l.path + "." + strconv.Itoa(i)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
