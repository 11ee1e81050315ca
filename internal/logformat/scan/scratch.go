package scan

import (
	"encoding/binary"

	"github.com/tailflux/tailflux/internal/logformat/scan/marks"
)

// A Scratch is what Scan keeps beside a program. Each goroutine needs its own, for each
// program.
type Scratch struct {
	opens []int // where captures began that are not ended
	hopped
	*laid // nil if there is no layout
}

// laid is what a layout finds in a line.
type laid struct {
	found marks.Found
	time  timeKept // of a layout
}

// NewScratch makes a scratch for the program.
func (p *Program) NewScratch() *Scratch {
	s := &Scratch{opens: make([]int, p.captures)}
	s.hopped.time.forget()
	if p.laidOut {
		s.laid = new(laid)
		s.laid.time.forget()
	}
	return s
}

// timeLen is the length of nginx's $time_local.
const timeLen = len("04/Mar/2018:13:49:52 +0000")

// A timeKept is the bytes of the last time that was looked at. Nearly always the next
// line has the same. There is only one set of bytes that times have in the chains of a
// program, and one in its layouts.
type timeKept [4]uint64

func wordsOf(t *[timeLen]byte) timeKept {
	return timeKept{
		binary.LittleEndian.Uint64(t[:]), binary.LittleEndian.Uint64(t[8:]),
		binary.LittleEndian.Uint64(t[16:]), binary.LittleEndian.Uint64(t[18:]),
	}
}

// forget makes t no bytes at all: the two last words have six in common.
func (t *timeKept) forget() { *t = timeKept{3: ^uint64(0)} }

// at reports whether these bytes are at line[i:].
func (t *timeKept) at(line []byte, i int) bool {
	j := uint64(uint32(i))
	if j+uint64(timeLen) > uint64(len(line)) {
		return false
	}
	w := wordsOf((*[timeLen]byte)(line[j : j+uint64(timeLen) : j+uint64(timeLen)]))
	return (w[0]^t[0])|(w[1]^t[1])|(w[2]^t[2])|(w[3]^t[3]) == 0
}

// keep makes line[pos:end] these bytes, if there are as many.
func (t *timeKept) keep(line []byte, pos, end int) {
	if end-pos == timeLen {
		*t = wordsOf((*[timeLen]byte)(line[pos:]))
	}
}
