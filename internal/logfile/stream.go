package logfile

import (
	"bufio"
	"io"
)

// Stream returns the uncompressed bytes of what can only be read once, such as a pipe. The
// name is for the error, which is a [PackedError] if it cannot be unpacked.
func Stream(r io.Reader, name string) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(HeadBytes) // who reads it will see
	if !Head(head).IsCompressed() {
		return io.NopCloser(in), nil
	}
	is := frameOf(head)
	if isSkippable(head) {
		is = zstandard
	}
	if is.unpack == nil {
		e := is.unreadable(name)
		if !is.holds {
			e.Remedy = "unpack it first: " + is.name + " -dc"
		}
		return nil, e
	}
	return is.unpack(in, commandMemory)
}
