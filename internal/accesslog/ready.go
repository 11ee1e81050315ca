package accesslog

import (
	"encoding/binary"
	"math/bits"
)

// ready remembers the tags of a [run] as they stand in a point, by the values that they
// come from: nearly every line has what some line before it had, and then one text is
// copied in place of several that are looked for one by one. Like a memo it keeps only what
// was admitted, so its answers never change (FuzzReady).
//
// It is shared by all sources of a format: what differs from source to source is either not
// in it, or in the key.
type ready struct {
	key   readyKey // of the line
	slots []readySlot
	most  int // slots
	kept  int // keys since there are so many

	// A key is kept when it comes for the second time: of many that never come again, each
	// would drive out one that does. These are hashes of keys that came once.
	once []uint32

	// A log whose values mostly are not here is not looked up for a while: that would only
	// cost.
	asked, missed, rest int
}

// readyKey is the values of a run, each in as many words as it needs and the last of them
// padded with zeros, and the lengths of all, a byte each: so no two lists of values have the
// same key.
type readyKey struct {
	words   [keyWords]uint64 // zero behind the last one
	lengths uint64
	hash    uint64
	n       int // words
}

// readySlot is what is remembered under a key. Longer tags are not.
type readySlot struct {
	lengths uint64
	words   [keyWords]uint64
	ids     [maxReadyIDs]uint64 // of the tags of rollups; see Series
	hash    uint64
	length  uint8 // of the text, 0 if there is nothing in the slot
	text    [maxReady]byte
}

const (
	keyWords    = 8
	maxReadyIDs = 3
	maxReady    = 87 // a slot is 192 bytes
	shortReady  = 64

	// Slots are doubled until there are so many.
	firstReady = 128  // 24 KB
	fewReady   = 128  // at most
	manyReady  = 2048 // 384 KB, for paths
)

// When half of so many lookups are in vain, none is made for the next lines.
const (
	maxMissed   = 1024
	readyPauses = 16 * maxMissed
)

func newReady(most int) *ready {
	return &ready{slots: make([]readySlot, firstReady), most: most, once: make([]uint32, most/2)}
}

// isAsked reports whether the line is looked up.
func (m *ready) isAsked() bool {
	if m.rest > 0 {
		m.rest--
		return false
	}
	m.asked++
	return true
}

// miss notes that a line was looked up in vain.
func (m *ready) miss() {
	if m.missed++; m.missed < maxMissed {
		return
	}
	if m.asked < 2*maxMissed {
		m.rest = readyPauses
	}
	m.asked, m.missed = 0, 0
}

// begin begins with the key of a line.
func (k *readyKey) begin() { *k = readyKey{} }

// addWord adds one; it reports whether there is room for it.
func (k *readyKey) addWord(w uint64) bool {
	if uint(k.n) >= keyWords {
		return false
	}
	k.words[k.n] = w
	k.n++
	k.hash = mix(k.hash, w)
	return true
}

func mix(hash, w uint64) uint64 { return bits.RotateLeft64((hash^w)*hashFactor, 32) }

const hashFactor = 0x9E3779B97F4A7C15

// add adds a value.
func (k *readyKey) add(value []byte) bool {
	k.lengths = k.lengths<<8 | uint64(len(value))
	for len(value) > 8 {
		if !k.addWord(binary.LittleEndian.Uint64(value)) {
			return false
		}
		value = value[8:]
	}
	return k.addWord(word(value))
}

// addUpTo adds, to an empty key, what stands before an index or before the first ?, if that
// comes first. At the index, which is not 0, there are at least eight bytes more. It returns
// the length.
func (k *readyKey) addUpTo(line []byte, at int) (length int, ok bool) {
	const each, tops = 0x0101010101010101, 0x8080808080808080
	hash := uint64(0)
	for n := range keyWords {
		i := 8 * n
		x := binary.LittleEndian.Uint64(line[i : i+8 : i+8])
		mark := x ^ '?'*each // a byte that is one becomes 0
		hit, left := (mark-each)&^mark&tops, at-i
		if hit != 0 || left <= 8 {
			if hit != 0 {
				left = min(left, bits.TrailingZeros64(hit)/8)
			}
			x &= 1<<(8*uint(left)) - 1
			k.words[n], k.hash = x, mix(hash, x)
			k.lengths = uint64(i + left)
			return i + left, true
		}
		k.words[n], hash = x, mix(hash, x)
	}
	return 0, false
}

// find returns what is remembered under the key, or nil.
func (m *ready) find() *readySlot {
	k := &m.key
	k.hash = (k.hash ^ k.lengths) * hashFactor
	last := uint64(len(m.slots) - 1)
	if s := &m.slots[k.hash>>32&last]; s.hash == k.hash && s.has(k) {
		return s
	}
	if s := &m.slots[k.hash>>48&last]; s.hash == k.hash && s.has(k) {
		return s
	}
	return nil
}

// slotsOf are the places where a key may be: as in a memo, one that is in another's way
// goes to its own other one.
func (m *ready) slotsOf(hash uint64) (first, second *readySlot) {
	last := uint64(len(m.slots) - 1)
	return &m.slots[hash>>32&last], &m.slots[hash>>48&last]
}

func (s *readySlot) has(k *readyKey) bool {
	a, b := &s.words, &k.words
	different := (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) | (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7])
	return different|(s.lengths^k.lengths) == 0 && s.length > 0
}

// wasSeen reports whether the key, which was not found, comes for the second time.
func (m *ready) wasSeen() bool {
	hash := uint32(m.key.hash>>32) | 1
	place := &m.once[m.key.hash>>8%uint64(len(m.once))]
	if *place == hash {
		return true
	}
	*place = hash
	return false
}

// keep remembers the tags that belong to the key, which was not found.
func (m *ready) keep(text []byte, ids [maxReadyIDs]uint64) {
	s := readySlot{words: m.key.words, lengths: m.key.lengths, hash: m.key.hash, ids: ids, length: uint8(len(text))}
	if copy(s.text[:], text) < len(text) {
		return
	}
	if m.kept++; 2*m.kept > len(m.slots) && len(m.slots) < m.most {
		m.grow()
	}
	m.place(&s)
}

// place puts a key into its first place.
func (m *ready) place(s *readySlot) {
	first, _ := m.slotsOf(s.hash)
	if was := *first; was.length > 0 {
		if here, other := m.slotsOf(was.hash); here == first {
			*other = was
		} else {
			*here = was
		}
	}
	*first = *s
}

// grow doubles the slots.
func (m *ready) grow() {
	before := m.slots
	m.slots, m.kept = make([]readySlot, 2*len(before)), 0
	for i := range before {
		if s := &before[i]; s.length > 0 {
			m.place(s)
			m.kept++
		}
	}
}

// append appends the text. Most are short, and copied with what is behind them: a copy of
// fixed length needs no branch on how long it is.
func (s *readySlot) append(dst []byte) []byte {
	at := len(dst)
	if s.length > shortReady || cap(dst)-at < shortReady {
		return append(dst, s.text[:s.length]...)
	}
	text := *(*[shortReady]byte)(s.text[:shortReady]) // apart from dst: copied without a call
	*(*[shortReady]byte)(dst[at : at+shortReady]) = text
	return dst[:at+int(s.length)]
}
