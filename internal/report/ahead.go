package report

import (
	"bytes"
	"errors"
	"io"

	"github.com/tailflux/tailflux/internal/logfile"
)

const (
	blockBytes = 256 << 10
	room       = 64 << 10 // for the rest of the block before
	numBlocks  = 4
)

// A block is text that was read at once. It begins with room.
type block struct {
	text []byte
	last bool
}

// behind is the text of a block behind the rest of the one before it.
func (b block) behind(rest []byte) []byte {
	if at := room - len(rest); at >= 0 {
		copy(b.text[at:], rest)
		return b.text[at:]
	}
	return append(rest[:len(rest):len(rest)], b.text[room:]...)
}

// ahead reads the next blocks while somebody works on those before.
type ahead struct {
	read chan block
	free chan []byte
	stop chan struct{}
	err  error // why there are no more; it is set before the last block is sent
}

// newAhead begins to read. Whoever has it calls close.
func newAhead(r io.Reader) *ahead {
	a := &ahead{read: make(chan block), free: make(chan []byte, numBlocks), stop: make(chan struct{})}
	for range numBlocks {
		a.free <- make([]byte, room+blockBytes+1) // and a newline
	}
	go a.run(r) // close waits for it
	return a
}

func (a *ahead) run(r io.Reader) {
	defer close(a.read)
	within := false // a line
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.stop:
			return
		}
		n, err := fill(r, buf[room:room+blockBytes])
		text := withoutNULs(buf[:room+n], within)
		if len(text) > room {
			within = text[len(text)-1] != '\n'
		}
		if errors.Is(err, io.EOF) && within {
			text = append(text, '\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			a.err = err
		}
		select {
		case a.read <- block{text, err != nil}:
		case <-a.stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// fill reads until p is full or there is no more: a pipe gives little at once.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// withoutNULs makes of a block what every reader of lines makes of NULs: they end a line
// and are in none. within says that the block begins within one.
func withoutNULs(text []byte, within bool) []byte {
	at := bytes.IndexByte(text[room:], 0)
	if at < 0 {
		return text
	}
	kept, rest := text[:room+at], text[room+at:]
	for len(rest) > 0 {
		if len(kept) > room {
			within = kept[len(kept)-1] != '\n'
		}
		if n := logfile.LeadingNULs(rest); n > 0 {
			if rest = rest[n:]; within {
				kept = append(kept, '\n')
			}
			continue
		}
		n := bytes.IndexByte(rest, 0)
		if n < 0 {
			n = len(rest)
		}
		kept, rest = append(kept, rest[:n]...), rest[n:]
	}
	return kept
}

// next returns the next block, if there is one.
func (a *ahead) next() (block, bool) {
	b, ok := <-a.read
	return b, ok
}

// done takes a block back.
func (a *ahead) done(b block) {
	if b.text != nil {
		a.free <- b.text[:room+blockBytes+1]
	}
}

// close ends the reading.
func (a *ahead) close() {
	close(a.stop)
	for range a.read {
		continue // until it has ended
	}
}
