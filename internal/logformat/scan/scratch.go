package scan

import (
	"encoding/binary"

	"github.com/tailflux/tailflux/internal/logformat/scan/marks"
)

// A Scratch is what Scan keeps beside a program. Each goroutine needs its own, for each
// program.
type Scratch struct {
	opens []int // where captures began that are not ended
	*laid       // nil if there is no layout
}

// laid is what a layout finds in a line.
type laid struct {
	found marks.Found
	times [4]uint64 // the last bytes that isTime knows
}

// NewScratch makes a scratch for the program.
func (p *Program) NewScratch() *Scratch {
	s := &Scratch{opens: make([]int, p.captures)}
	if p.laidOut {
		s.laid = new(laid)
		s.times[3] = ^s.times[2] // no bytes are these: the two words have six in common
	}
	return s
}

// timeLen is the length of nginx's $time_local.
const timeLen = len("04/Mar/2018:13:49:52 +0000")

// isTime reports whether line[pos:end] are the bytes that were last kept. There is only
// one set of bytes that times have in a program, and what was kept was looked at.
func (s *Scratch) isTime(line []byte, pos, end int) bool {
	if end-pos != timeLen {
		return false
	}
	t := (*[timeLen]byte)(line[pos:])
	return (binary.LittleEndian.Uint64(t[:])^s.times[0])|(binary.LittleEndian.Uint64(t[8:])^s.times[1])|
		(binary.LittleEndian.Uint64(t[16:])^s.times[2])|(binary.LittleEndian.Uint64(t[18:])^s.times[3]) == 0
}

// keepTime keeps line[pos:end] for isTime.
func (s *Scratch) keepTime(line []byte, pos, end int) {
	if end-pos == timeLen {
		t := (*[timeLen]byte)(line[pos:])
		s.times[0], s.times[1] = binary.LittleEndian.Uint64(t[:]), binary.LittleEndian.Uint64(t[8:])
		s.times[2], s.times[3] = binary.LittleEndian.Uint64(t[16:]), binary.LittleEndian.Uint64(t[18:])
	}
}
