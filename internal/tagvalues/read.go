package tagvalues

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxRecord is more than any record has: a tag value is cut at 1 KiB before its
// bytes are escaped or replaced.
const maxRecord = 64 << 10

// contents describes what a file holds.
type contents struct {
	good    []byte // the header and every whole record
	end     int64  // of the last record before any damage
	damaged error  // a part that was durable is damaged, or this is another kind of file
	newer   bool   // a newer tailflux wrote it
}

// read calls each for every whole record. The last one may be followed by the
// remains of an incomplete save: a record without its end, or zeros for blocks that
// were never written. Anything else was durable once and is damage; the records
// after it still count.
func read(f io.Reader, each func(name, value []byte)) (c contents) {
	r := bufio.NewReaderSize(f, maxRecord)
	first, err := r.ReadSlice('\n')
	if errors.Is(err, io.EOF) && strings.HasPrefix(header, strings.TrimRight(string(first), "\x00")) {
		return c // the save that made the file was unfinished
	}
	if string(first) != header {
		c.newer = newer(string(first))
		c.damaged = fmt.Errorf("line 1: got %.40q, want %q", first, header)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			c.damaged = err
		}
		return c
	}
	c.good = append(c.good, first...)
	c.end = int64(len(first))
	for number := 2; ; number++ {
		record, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return c // what is left has no newline
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			c.damaged = err
			return c
		}
		name, value, ok := parseRecord(record)
		switch {
		case ok:
			each(name, value)
			c.good = append(c.good, record...)
			c.end += int64(len(record))
		case bytes.IndexByte(record, 0) >= 0 && c.damaged == nil:
			return c // nothing after it was durable either
		case c.damaged == nil:
			c.damaged = fmt.Errorf("line %d: got a damaged record", number)
		}
	}
}

// newer reports whether a first line announces a later format.
func newer(first string) bool {
	number, ok := strings.CutPrefix(strings.TrimSuffix(first, "\n"), headerBegin)
	n, err := strconv.Atoi(number)
	return ok && err == nil && n > format
}

// parseRecord is the reverse of appendRecord.
func parseRecord(record []byte) (name, value []byte, ok bool) {
	text, ended := bytes.CutSuffix(record, []byte{'\n'})
	if !ended || len(text) <= checksumLen || text[checksumLen] != ' ' {
		return nil, nil, false
	}
	sum, text := text[:checksumLen], text[checksumLen+1:]
	name, value, ok = bytes.Cut(text, []byte{' '})
	return name, value, ok && checksum(text) == string(sum)
}
