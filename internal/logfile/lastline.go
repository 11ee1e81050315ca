package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// AfterLastNewline is the offset behind the last newline before size, or behind the
// last NUL, which ends a line too; or 0.
func AfterLastNewline(f *os.File, size int64) (int64, error) {
	var buf [64 << 10]byte
	for end := size; end > 0; {
		start := max(0, end-int64(len(buf)))
		n, err := f.ReadAt(buf[:end-start], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("find the last line: %w", err)
		}
		at := bytes.LastIndexByte(buf[:n], '\n') + 1
		if at += bytes.LastIndexByte(buf[at:n], 0) + 1; at > 0 {
			return start + int64(at), nil
		}
		end = start
	}
	return 0, nil
}
