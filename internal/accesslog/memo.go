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

// briefPlaces are the two places where a value may be: a new one goes to the first,
// and what was there to the second.
type briefPlaces struct{ first, second *brief }

// findBrief returns what is remembered of a value of one to eight bytes, or nil, and
// its places.
func (m *memo) findBrief(raw []byte) (known *brief, at briefPlaces) {
	w := word(raw)
	hash := w * 0x9E3779B97F4A7C15
	at.first = &m.briefs[hash>>58]
	if at.first.word == w && int(at.first.valueLen) == len(raw) {
		return at.first, at
	}
	at.second = &m.briefs[hash>>52%numBriefs]
	if at.second.word == w && int(at.second.valueLen) == len(raw) {
		return at.second, at
	}
	return nil, at
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

// keep remembers the tag of a value that was not found, in the place of what was met
// longest ago.
func (at briefPlaces) keep(raw, tag []byte) {
	if len(tag) > maxBriefTag {
		return
	}
	*at.second = *at.first
	*at.first = brief{word: word(raw), valueLen: uint8(len(raw)), tagLen: uint8(len(tag))}
	copy(at.first.tag[:], tag)
}

// slotPlaces are the same for slots; none if nothing is remembered.
type slotPlaces struct{ first, second *slot }

// find returns what is remembered of a value that is not empty, or nil, and its
// places.
func (m *memo) find(raw []byte) (known *slot, at slotPlaces) {
	if m == nil {
		return nil, at
	}
	last := uint64(len(m.slots) - 1)
	hash := maphash.Bytes(m.seed, raw)
	at.first = &m.slots[hash&last]
	if at.first.has(raw) {
		return at.first, at
	}
	at.second = &m.slots[hash>>32&last]
	if at.second.has(raw) {
		return at.second, at
	}
	return nil, at
}

// keep remembers the text for a value that was not found, in the place of what was
// met longest ago.
func (at slotPlaces) keep(raw, text []byte) {
	if at.first == nil {
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
	*at.second = *at.first
	*at.first = s
}

func (s *slot) has(raw []byte) bool {
	return int(s.rawLen) == len(raw) && string(s.bytes[:s.rawLen]) == string(raw)
}

// text is valid until keep.
func (s *slot) text() []byte { return s.bytes[s.textAt:][:s.textLen] }
