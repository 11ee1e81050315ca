package logfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"

	"github.com/tailflux/tailflux/internal/flow"
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
	in := &LineReader{r: bufio.NewReaderSize(&Log{Opened: o}, 32<<10), max: longest} // few are wanted
	for len(lines) < n {
		line, long, err := in.Next()
		if err != nil || long || in.open {
			break // the end, or this is not a log
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// LastLines returns the last lines of a plain file, at most n, whole ones only, without
// their newlines and the CR before that. It looks at the end of the file alone, and
// finds fewer where lines are long.
func LastLines(path string, n int) (lines [][]byte, err error) {
	room := int64(max(256<<10, n<<10))
	o, err := OpenPlain(path)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	from := max(0, o.Size()-room)
	text, err := io.ReadAll(io.NewSectionReader(o.Content, from, room))
	if err != nil {
		return nil, err
	}
	if from > 0 {
		_, text, _ = bytes.Cut(text, []byte{'\n'})
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	for line := range bytes.Lines(text) {
		line = line[LeadingNULs(line):]
		lines = append(lines, flow.TrimCR(bytes.TrimSuffix(line, []byte{'\n'})))
	}
	return lines[max(0, len(lines)-n):], nil
}
