package accesslog

import "hash/maphash"

// memo remembers, for values of one tag that were met lately, what they were
// encoded to: most lines have a method, a status and a path that some line before
// them had. All that is done to a value depends on nothing else, and an admitted
// value stays admitted, so the answers never change (FuzzMemo).
type memo struct {
	seed  maphash.Seed
	slots []slot // a power of two
	last  *slot  // that was asked for
}

// slot holds one value. It has room for most; others are encoded each time.
type slot struct {
	rawLen, textLen uint8
	rawBytes        [80]byte
	textBytes       [96]byte
}

const (
	fewSlots  = 32  // 6 KB, for methods and the like
	manySlots = 512 // 91 KB, for paths
)

func newMemo(many bool) *memo {
	n := fewSlots
	if many {
		n = manySlots
	}
	m := &memo{seed: maphash.MakeSeed(), slots: make([]slot, n)}
	m.last = &m.slots[0]
	return m
}

// slot is where the value would be; nil if there is no room for it. It is not
// empty.
func (m *memo) slot(raw []byte) *slot {
	if m == nil || len(raw) > len(slot{}.rawBytes) {
		return nil
	}
	if !m.last.has(raw) {
		m.last = &m.slots[maphash.Bytes(m.seed, raw)&uint64(len(m.slots)-1)]
	}
	return m.last
}

func (s *slot) has(raw []byte) bool { return string(s.rawBytes[:s.rawLen]) == string(raw) }

func (s *slot) text() []byte { return s.textBytes[:s.textLen] }

// keep takes the place of what was there.
func (s *slot) keep(raw, text []byte) {
	if len(text) > len(s.textBytes) {
		return
	}
	s.rawLen = uint8(copy(s.rawBytes[:], raw))
	s.textLen = uint8(copy(s.textBytes[:], text))
}
