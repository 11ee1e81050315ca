package rollup

import (
	"hash/maphash"
	"math/bits"
	"unsafe"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// cell is what lines of one series and one window add up to. Only integers, of which the
// sums, the greatest and the counts do not depend on the order of the lines.
//
// What each line touches comes first: it is in few lines of the processor's cache.
type cell struct {
	share    *share
	window   int64            // its begin, in nanoseconds since 1970
	series   accesslog.Series // by which it was remembered last; zero if it was not
	requests int64
	has      uint32 // which of the numbers a line had, by bits

	tries int64
	sizes [len(accesslog.Sizes)]int64
	times [len(accesslog.Times)]times

	// The times of a line are mostly in neighbouring buckets. The last row counts those that a
	// line does not have.
	buckets [Buckets + 1][len(accesslog.Times)]uint32

	hash  uint64
	key   []byte // the tags as line protocol; its memory stays with the cell
	chain *cell  // the next one of the same place in the table
	after *cell  // the next one of the share, or of those that are free

	_ [16]byte // so that each begins where a line of the cache does
}

// times are what is kept of one time of the lines, in milliseconds.
type times struct{ sum, greatest int64 }

// The bits of cell.has.
const (
	hasTries = 1 << (len(accesslog.Sizes) + len(accesslog.Times))
	hasTimes = 1 << len(accesslog.Sizes)
	hasSizes = 1
)

const cellBytes = int(unsafe.Sizeof(cell{}))

// longKey is the length of a key whose memory is given back with its cell.
const longKey = 256

// cells are the open ones of all rollups and generations, found by their share, series
// and window. Once there was as much to add up as there is now, nothing is allocated.
type cells struct {
	heads  []*cell // a power of two
	seed   maphash.Seed
	free   *cell
	latest *cell                 // that a line was added to by its text
	open   int                   // cells
	bytes  int                   // of these
	quick  [1 << quickBits]*cell // none of them is nil
}

// This is how many cells can be found by their series: 32 KB of pointers. Each may be in one
// of four places.
const (
	quickBits = 12
	quickWays = 4
)

// quickAt is the first place of a series, in any window. The others are in the same line of
// the processor's cache.
func (t *cells) quickAt(s *share, series *accesslog.Series) uint64 {
	hash := s.salt ^ series[0]*0x9E3779B97F4A7C15 ^ series[1]*0xD1342543DE82EF95 ^ series[2]*0xAF251AF3B0F025B5 ^ series[3]*0xF1357AEA2E62A9C5
	return hash >> (64 - quickBits)
}

// remembered returns the cell of a share for a series and a window if it is remembered, or
// nil. That way most lines find theirs without building the text of its tags.
func (t *cells) remembered(s *share, window int64, series *accesslog.Series) *cell {
	at := t.quickAt(s, series)
	for way := range uint64(quickWays) {
		if c := t.quick[at^way]; c.window == window && c.share == s && c.series == *series {
			return c
		}
	}
	return nil
}

// remember remembers a cell by a series, in place of an earlier window of it if there is one.
func (t *cells) remember(c *cell, series *accesslog.Series) {
	at := t.quickAt(c.share, series)
	for range quickWays - 1 {
		if was := t.quick[at]; was.share == nil || was.share == c.share && was.series == *series {
			break
		}
		at = at&^(quickWays-1) | (at+1)&(quickWays-1)
	}
	c.series, t.quick[at] = *series, c
}

func newCells() *cells {
	t := &cells{heads: make([]*cell, 1024), seed: maphash.MakeSeed()}
	none := &cell{}
	for i := range t.quick {
		t.quick[i] = none
	}
	return t
}

// of returns the cell of a share for a series and a window.
func (t *cells) of(s *share, window int64, key []byte) *cell {
	hash := maphash.Bytes(t.seed, key) ^ mixed(uint64(window)) ^ s.salt
	at := &t.heads[hash&uint64(len(t.heads)-1)]
	for c := *at; c != nil; c = c.chain {
		if c.hash == hash && c.window == window && c.share == s && string(c.key) == string(key) {
			return c
		}
	}
	if t.open == len(t.heads) {
		t.grow()
		at = &t.heads[hash&uint64(len(t.heads)-1)]
	}
	c := t.new()
	c.share, c.window, c.hash, c.key = s, window, hash, append(c.key[:0], key...)
	c.chain, *at = *at, c
	t.open++
	t.bytes += c.size()
	return c
}

func (c *cell) size() int { return cellBytes + len(c.key) }

// mixed spreads a number over all bits.
func mixed(n uint64) uint64 {
	high, low := bits.Mul64(n^0x9E3779B97F4A7C15, 0xD1342543DE82EF95)
	return high ^ low
}

// slab is how many cells are allocated at once.
const slab = 32

func (t *cells) new() *cell {
	if t.free == nil {
		more := make([]cell, slab)
		for i := range more {
			more[i].after, t.free = t.free, &more[i]
		}
	}
	c := t.free
	t.free = c.after
	c.after = nil
	return c
}

func (t *cells) grow() {
	was := t.heads
	t.heads = make([]*cell, 2*len(was))
	for _, c := range was {
		for c != nil {
			next := c.chain
			at := &t.heads[c.hash&uint64(len(t.heads)-1)]
			c.chain, *at = *at, c
			c = next
		}
	}
}

// drop removes a cell and keeps its memory for another one.
func (t *cells) drop(c *cell) {
	at := &t.heads[c.hash&uint64(len(t.heads)-1)]
	for *at != c {
		at = &(*at).chain
	}
	*at = c.chain
	t.open--
	t.bytes -= c.size()
	key := c.key[:0]
	if cap(key) > longKey {
		key = nil
	}
	*c = cell{key: key, after: t.free}
	t.free = c
}

// addend is what one line adds to its cells, with 0 in place of what it does not have: so it is
// added without asking for each number whether there is one.
type addend struct {
	at      int64
	tries   int64
	sizes   [len(accesslog.Sizes)]int64
	times   [len(accesslog.Times)]int64
	buckets [len(accesslog.Times)]int
	has     uint32
}

func (a *addend) set(m *accesslog.Measures) {
	a.at, a.tries, a.has = m.At, m.Tries, 0
	if m.Tries > 0 {
		a.has = hasTries
	}
	for i := range m.Sizes { // ranging over values would copy all of them first
		size := m.Sizes[i]
		if size >= 0 {
			a.has |= hasSizes << i
		}
		a.sizes[i] = max(size, 0)
	}
	for i := range m.Times {
		if ms := m.Times[i]; ms >= 0 {
			a.times[i], a.buckets[i] = ms, Bucket(ms)
			a.has |= hasTimes << i
		} else {
			a.times[i], a.buckets[i] = 0, Buckets
		}
	}
}

// add adds a line. It is written out because the compiler does not unroll loops.
func (c *cell) add(a *addend) {
	c.requests++
	c.has |= a.has
	c.tries += a.tries
	c.sizes[0] += a.sizes[0]
	c.sizes[1] += a.sizes[1]
	c.sizes[2] += a.sizes[2]
	c.times[0].add(a.times[0])
	c.times[1].add(a.times[1])
	c.buckets[a.buckets[0]&Buckets][0]++
	c.buckets[a.buckets[1]&Buckets][1]++
}

func (t *times) add(ms int64) {
	t.sum += ms
	if ms > t.greatest {
		t.greatest = ms
	}
}
