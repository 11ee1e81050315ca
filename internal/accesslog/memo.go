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
// A value has two places where it can be. With one, two paths that meet in it by
// the chance of a process's seed, and take turns in the log, made that process
// slower by half. So what was in the place of a new value goes to its own other one.
type memo struct {
	briefs [numBriefs]brief
	seed   maphash.Seed
	slots  []slot // a power of two
	texts  *memo  // by what values were encoded to: those that became the same have one number
}

// brief holds a value of up to eight bytes, as one number, and its whole tag with
// its padding: it is found and copied without a branch on how long it is.
type brief struct {
	word             uint64
	id               uint64 // see Series
	valueLen, tagLen uint8
	tag              [maxBriefTag]byte
}

const (
	numBriefs   = 64 // 3.5 KB
	maxBrief    = 8
	maxBriefTag = 32
)

// slot holds one value and its tag's value, which are often the same. It has room
// for most; others are encoded each time. Most are in the first half of it, which
// is one line of the processor's cache.
type slot struct {
	id                      uint64 // see Series
	rawLen, textLen, textAt uint8
	bytes                   [117]byte
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

// findBrief returns what is remembered of a value of one to eight bytes, or nil.
func (m *memo) findBrief(raw []byte) *brief {
	w := word(raw)
	first, second := m.briefsOf(w)
	if first.word == w && int(first.valueLen) == len(raw) {
		return first
	}
	if second.word == w && int(second.valueLen) == len(raw) {
		return second
	}
	return nil
}

// briefsOf are the places where a value may be.
func (m *memo) briefsOf(word uint64) (first, second *brief) {
	hash := word * 0x9E3779B97F4A7C15
	return &m.briefs[hash>>58], &m.briefs[hash>>52%numBriefs]
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

// idOf is the number of a value by its text, a new one if the text is not remembered.
func (m *memo) idOf(text []byte) uint64 {
	if m.texts != nil {
		if known := m.texts.find(text); known != nil {
			return known.id
		}
		if id := m.texts.keep(text, text); id != noID {
			return id
		}
	}
	return newID()
}

// keepBrief remembers the tag of a value that was not found, of which the text begins
// somewhere, and returns its number; none if it is too long.
func (m *memo) keepBrief(raw, tag []byte, text int) (id uint64) {
	if len(tag) > maxBriefTag {
		return noID
	}
	b := brief{word: word(raw), id: m.idOf(tag[text:]), valueLen: uint8(len(raw)), tagLen: uint8(len(tag))}
	copy(b.tag[:], tag)
	first, _ := m.briefsOf(b.word)
	if was := *first; was.valueLen > 0 {
		if here, other := m.briefsOf(was.word); here == first {
			*other = was
		} else {
			*here = was
		}
	}
	*first = b
	return b.id
}

// find returns what is remembered of a value that is not empty, or nil.
func (m *memo) find(raw []byte) *slot {
	if m == nil {
		return nil
	}
	first, second := m.slotsOf(raw)
	if first.has(raw) {
		return first
	}
	if second.has(raw) {
		return second
	}
	return nil
}

// slotsOf are the places where a value may be.
func (m *memo) slotsOf(raw []byte) (first, second *slot) {
	last := uint64(len(m.slots) - 1)
	hash := maphash.Bytes(m.seed, raw)
	return &m.slots[hash&last], &m.slots[hash>>32&last]
}

// keep remembers the text for a value that was not found, and returns its number; none if
// they are too long.
func (m *memo) keep(raw, text []byte) (id uint64) {
	s := slot{}
	same := string(raw) == string(text)
	if m == nil || len(raw) > len(s.bytes) || !same && len(raw)+len(text) > len(s.bytes) {
		return noID
	}
	s.rawLen, s.textLen = uint8(copy(s.bytes[:], raw)), uint8(len(text))
	if !same {
		s.textAt = s.rawLen
		copy(s.bytes[s.textAt:], text)
	}
	s.id = m.idOf(text)
	first, _ := m.slotsOf(raw)
	if was := *first; was.rawLen > 0 {
		if here, other := m.slotsOf(was.bytes[:was.rawLen]); here == first {
			*other = was
		} else {
			*here = was
		}
	}
	*first = s
	return s.id
}

func (s *slot) has(raw []byte) bool {
	return int(s.rawLen) == len(raw) && string(s.bytes[:s.rawLen]) == string(raw)
}

// text is valid until keep.
func (s *slot) text() []byte { return s.bytes[s.textAt:][:s.textLen] }
