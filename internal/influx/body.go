package influx

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// onceBody reads pieces one after the other, or sends them all at once. Its pieces can be
// taken away while the transport still holds it: http.Client.Do may return, with an early
// answer or an error, before the goroutine that sends the body has stopped, and the
// buffers are soon filled with other points.
type onceBody struct {
	size int64

	mu     sync.Mutex
	pieces [][]byte
	offset int           // read of the first piece
	read   int64         // of all
	to     net.Conn      // sendTo is writing to it, or nil
	sent   chan struct{} // closed when it is not any more
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

// sendTo writes what is left to a connection. The kernel reads it where it is, until
// sendTo or detach returns.
func (b *onceBody) sendTo(c net.Conn) (int64, error) {
	b.mu.Lock()
	if b.gone {
		b.mu.Unlock()
		return 0, errDetached
	}
	left := net.Buffers(slices.Clone(b.pieces)) // WriteTo removes from it what is written
	if len(left) > 0 {
		left[0] = left[0][b.offset:]
	}
	b.pieces = nil
	b.to, b.sent = c, make(chan struct{})
	b.mu.Unlock()

	n, err := left.WriteTo(c)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.read += n
	b.to = nil
	close(b.sent)
	if b.gone && err == nil {
		err = errDetached // the connection's deadline is over: it is of no more use
	}
	return n, err
}

func (b *onceBody) Close() error { return nil }

// detach removes the pieces: a write that is under way is interrupted and waited for. It
// reports whether they were read to the end.
func (b *onceBody) detach() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces, b.gone = nil, true
	if b.to != nil {
		_ = b.to.SetWriteDeadline(time.Unix(0, 1)) // an error is that it is closed
		b.mu.Unlock()
		<-b.sent
		b.mu.Lock()
	}
	return b.read == b.size
}
