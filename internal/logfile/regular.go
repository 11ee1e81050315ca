package logfile

import (
	"fmt"
	"io/fs"
)

// RegularFile returns an error with a hint unless mode is a regular file's.
func RegularFile(path string, mode fs.FileMode) error {
	if mode.IsRegular() {
		return nil
	}
	what := "not a regular file"
	switch {
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return fmt.Errorf("%s is %s: only a regular file can be followed "+
		"(nginx's container image links access.log to /dev/stdout; let access_log name a file on a volume)", path, what)
}

// FirstLines returns the first lines of a plain file, at most n, whole ones only, as a
// [LineReader] does. A line of more than a megabyte ends them.
func FirstLines(path string, n int) (lines [][]byte, err error) {
	const longest = 1 << 20
	o, err := OpenPlain(path)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	in := NewLineReader(&Log{Opened: o}, longest)
	for len(lines) < n {
		line, long, err := in.Next()
		if err != nil || long || in.open {
			break // the end, or this is not a log
		}
		lines = append(lines, line)
	}
	return lines, nil
}
