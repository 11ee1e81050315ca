package tagvalues

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxRecord is more than any record has: a tag value is cut at 1 KiB before its
// bytes are escaped or replaced.
const maxRecord = 64 << 10

const remedy = "put back a good copy, or move the file away: values are then admitted anew, " +
	"and lines that are read again may become other points"

// read hands over each whole record and returns where the last one ends. Behind
// it there may only be what an unfinished save leaves: a record without its end,
// or zeros for blocks that the disk never got. Anything else was once durable,
// and is refused.
func read(f io.Reader, each func(name, value []byte)) (end int64, err error) {
	r := bufio.NewReaderSize(f, maxRecord)
	first, err := r.ReadSlice('\n')
	if errors.Is(err, io.EOF) && strings.HasPrefix(header, strings.TrimRight(string(first), "\x00")) {
		return 0, nil // the save that made the file was unfinished
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return 0, err
	}
	if string(first) != header {
		return 0, fmt.Errorf("line 1: got %.40q, want %q; %s", first, header, remedy)
	}
	end = int64(len(first))
	for number := 2; ; number++ {
		record, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return end, nil // whatever there is has no newline
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return 0, err
		}
		name, value, ok := parseRecord(record)
		if !ok && bytes.IndexByte(record, 0) >= 0 {
			return end, nil // what follows was never durable either
		}
		if !ok {
			return 0, fmt.Errorf("line %d: got a damaged record; %s", number, remedy)
		}
		each(name, value)
		end += int64(len(record))
	}
}

// parseRecord reads what appendRecord appended.
func parseRecord(record []byte) (name, value []byte, ok bool) {
	text, ended := bytes.CutSuffix(record, []byte{'\n'})
	if !ended || len(text) <= checksumLen || text[checksumLen] != ' ' {
		return nil, nil, false
	}
	sum, text := text[:checksumLen], text[checksumLen+1:]
	name, value, ok = bytes.Cut(text, []byte{' '})
	return name, value, ok && checksum(text) == string(sum)
}
