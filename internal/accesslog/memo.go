package accesslog

import (
	"encoding/binary"
	"hash/maphash"
)

// memo remembers, for values of one tag that were met lately, what they were
// encoded to: most lines have a method, a status and a path that some line before
// them had. All that is done to a value depends on nothing else, and an admitted
// value stays admitted, so the answers never change (FuzzMemo).
//
// A value has two slots where it can be. With one, two paths that meet in it by
// the chance of a process's seed, and take turns in the log, made that process
// slower by half.
type memo struct {
	briefs [numBriefs]brief
	seed   maphash.Seed
	slots  []slot // a power of two

	// Of the last value that was not found: where it goes, and where what was
	// there goes.
	firstBrief, secondBrief *brief
	first, second           *slot
}

// brief holds a value of up to eight bytes, as one number, and its whole tag with
// its padding: it is found and copied without a branch on how long it is.
type brief struct {
	word             uint64
	valueLen, tagLen uint8
	tag              [maxBriefTag]byte
}

const (
	numBriefs   = 64 // 3 KB
	maxBrief    = 8
	maxBriefTag = 32
)

// slot holds one value and its tag's value, which are often the same. It has room
// for most; others are encoded each time. Most are in the first half of it, which
// is one line of the processor's cache.
type slot struct {
	rawLen, textLen, textAt uint8
	bytes                   [125]byte
}

const (
	fewSlots  = 32  // 4 KB, for addresses and the like
	manySlots = 512 // 64 KB, for paths
)

func newMemo(many bool) *memo {
	n := fewSlots
	if many {
		n = manySlots
	}
	return &memo{seed: maphash.MakeSeed(), slots: make([]slot, n)}
}

// findBrief is the place of a value of one to eight bytes, or nil.
func (m *memo) findBrief(raw []byte) *brief {
	w := word(raw)
	hash := w * 0x9E3779B97F4A7C15
	m.firstBrief = &m.briefs[hash>>58]
	if m.firstBrief.word == w && int(m.firstBrief.valueLen) == len(raw) {
		return m.firstBrief
	}
	m.secondBrief = &m.briefs[hash>>52%numBriefs]
	if m.secondBrief.word == w && int(m.secondBrief.valueLen) == len(raw) {
		return m.secondBrief
	}
	return nil
}

// word is up to eight bytes as one number.
func word(b []byte) (w uint64) {
	if cap(b) >= 8 {
		return binary.LittleEndian.Uint64(b[:8]) & (1<<(8*uint(len(b))) - 1)
	}
	for i, c := range b {
		w |= uint64(c) << (8 * i)
	}
	return w
}

// append appends the tag.
func (b *brief) append(dst []byte) []byte {
	at := len(dst)
	if cap(dst)-at < maxBriefTag {
		return append(dst, b.tag[:b.tagLen]...)
	}
	tag := b.tag // apart from dst: copied without a call
	*(*[maxBriefTag]byte)(dst[at : at+maxBriefTag]) = tag
	return dst[:at+int(b.tagLen)]
}

// keepBrief remembers the tag for a value that findBrief has just not found, in
// the place of what was met longest ago.
func (m *memo) keepBrief(raw, tag []byte) {
	if len(tag) > maxBriefTag {
		return
	}
	*m.secondBrief = *m.firstBrief
	*m.firstBrief = brief{word: word(raw), valueLen: uint8(len(raw)), tagLen: uint8(len(tag))}
	copy(m.firstBrief.tag[:], tag)
}

// find is the slot of a value that is not empty, or nil.
func (m *memo) find(raw []byte) *slot {
	if m == nil {
		return nil
	}
	last := uint64(len(m.slots) - 1)
	hash := maphash.Bytes(m.seed, raw)
	m.first = &m.slots[hash&last]
	if m.first.has(raw) {
		return m.first
	}
	m.second = &m.slots[hash>>32&last]
	if m.second.has(raw) {
		return m.second
	}
	return nil
}

// keep remembers the text for a value that find has just not found, in the place
// of what was met longest ago.
func (m *memo) keep(raw, text []byte) {
	if m == nil {
		return
	}
	s := slot{}
	same := string(raw) == string(text)
	if len(raw) > len(s.bytes) || !same && len(raw)+len(text) > len(s.bytes) {
		return
	}
	s.rawLen, s.textLen = uint8(copy(s.bytes[:], raw)), uint8(len(text))
	if !same {
		s.textAt = s.rawLen
		copy(s.bytes[s.textAt:], text)
	}
	*m.second = *m.first
	*m.first = s
}

func (s *slot) has(raw []byte) bool {
	return int(s.rawLen) == len(raw) && string(s.bytes[:s.rawLen]) == string(raw)
}

// text is valid until keep.
func (s *slot) text() []byte { return s.bytes[s.textAt:][:s.textLen] }
