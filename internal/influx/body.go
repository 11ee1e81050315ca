package influx

import (
	"errors"
	"io"
	"sync"
)

// onceBody reads pieces one after the other. Its pieces can be taken away while
// the transport still holds it: http.Client.Do may return, with an early answer
// or an error, before the goroutine that sends the body has stopped, and the
// buffers are soon filled with other points.
type onceBody struct {
	size int64

	mu     sync.Mutex
	pieces [][]byte
	offset int   // read of the first piece
	read   int64 // of all
	gone   bool
}

var errDetached = errors.New("influx: body was taken away")

func newBody(pieces [][]byte) *onceBody {
	b := &onceBody{pieces: pieces}
	for _, piece := range pieces {
		b.size += int64(len(piece))
	}
	return b
}

func (b *onceBody) Read(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return 0, errDetached
	}
	for len(b.pieces) > 0 && n < len(p) {
		copied := copy(p[n:], b.pieces[0][b.offset:])
		n += copied
		if b.offset += copied; b.offset == len(b.pieces[0]) {
			b.pieces, b.offset = b.pieces[1:], 0
		}
	}
	b.read += int64(n)
	if n == 0 && len(b.pieces) == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (b *onceBody) Close() error { return nil }

// detach removes the pieces. It reports whether they were read to the end.
func (b *onceBody) detach() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces, b.gone = nil, true
	return b.read == b.size
}
