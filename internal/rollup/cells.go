package rollup

import (
	"hash/maphash"
	"math/bits"
	"unsafe"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// cell is what lines of one series and one window add up to. Only integers, of which the
// sums, the greatest and the counts do not depend on the order of the lines.
type cell struct {
	share  *share
	window int64 // its begin, in nanoseconds since 1970
	hash   uint64
	key    []byte // the tags as line protocol; its memory stays with the cell
	chain  *cell  // the next one of the same place in the table
	after  *cell  // the next one of the share, or of those that are free

	requests int64
	tries    int64
	sizes    [len(accesslog.Sizes)]int64
	times    [len(accesslog.Times)]times
	has      uint32 // which of these a line had, by bits
}

// times are what is kept of one time of the lines.
type times struct {
	sum, greatest int64 // milliseconds
	buckets       [Buckets]uint32
}

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
	heads []*cell // a power of two
	seed  maphash.Seed
	free  *cell
	open  int // cells
	bytes int // of these
}

func newCells() cells {
	return cells{heads: make([]*cell, 1024), seed: maphash.MakeSeed()}
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

// drop removes a cell, whose memory is used again.
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

// add adds a line.
func (c *cell) add(m *accesslog.Measures) {
	c.requests++
	if m.Tries > 0 {
		c.tries += m.Tries
		c.has |= hasTries
	}
	for i, size := range m.Sizes {
		if size >= 0 {
			c.sizes[i] += size
			c.has |= hasSizes << i
		}
	}
	for i, ms := range m.Times {
		if ms < 0 {
			continue
		}
		t := &c.times[i]
		t.sum += ms
		t.greatest = max(t.greatest, ms)
		t.buckets[Bucket(ms)]++
		c.has |= hasTimes << i
	}
}
