package live

import (
	"hash/maphash"
	"slices"

	"github.com/tailflux/tailflux/internal/rollup"
)

// table has the values of one list, and what the requests with each add up to in each pane
// of time. When it is full the half with fewest requests goes, and a value that comes later
// is taken for one that had as many before as the greatest of those: so a value with more
// than one in capacity/2 of the requests stays, and what is shown of it is never too much.
type table struct {
	capacity int
	timed    bool // buckets of times are kept, for percentiles

	seed  maphash.Seed
	index []uint32 // a power of two of places: 0, or the place of a value and 1
	rows  []row

	floor int64 // a value that is not here has not more requests
	full  int64 // the time in which that was so last, as a number of a pane; never: it was not
}

// row is a value. Its memory is used again when it has gone.
type row struct {
	hash   uint64
	name   []byte
	before int64 // it may have had so many requests when it came
	since  int64 // the pane in which it came
	bot    int8  // whether it is one, of agents
	last   int   // which of sums was added to last
	sums   []sums
	times  []uint32 // of each of sums, rollup.Buckets each
}

// sums are those of a pane. Most values have requests in few of them.
type sums struct {
	pane                     int64
	requests, client, server uint32 // errors of the client and of the server
	timed, greatest          uint32 // with a time, and the longest one in milliseconds
	bytes, ms                int64
}

// request is a line as lists count it.
type request struct {
	weight    uint32 // it stands for so many
	class     int
	ms, bytes int64 // -1: it has none
}

func newTable(capacity int, timed bool) table {
	return table{capacity: max(2, capacity), timed: timed, seed: maphash.MakeSeed(), index: make([]uint32, 64), full: never}
}

// add adds a request to a value, which is not kept.
func (t *table) add(name []byte, now *panes, r *request) {
	if len(name) == 0 {
		return
	}
	is := t.find(name, now)
	number := now.numbers[now.current]
	if is.last >= len(is.sums) || is.sums[is.last].pane != number {
		is.last = t.place(is, number, now)
	}
	s := &is.sums[is.last]
	s.requests += r.weight
	switch r.class {
	case 4:
		s.client += r.weight
	case 5:
		s.server += r.weight
	}
	s.bytes += max(0, r.bytes) * int64(r.weight)
	if r.ms < 0 {
		return
	}
	s.ms += r.ms * int64(r.weight)
	s.timed += r.weight
	s.greatest = max(s.greatest, uint32(min(r.ms, 1<<32-1)))
	if t.timed {
		is.times[is.last*rollup.Buckets+rollup.Bucket(r.ms)] += r.weight
	}
}

// place is where a row has the sums of a pane: a new one's are where those of an earlier one
// were that had the same place in the ring.
func (t *table) place(r *row, number int64, now *panes) int {
	ring := int64(len(now.numbers))
	at := len(r.sums)
	for i := range r.sums {
		pane := r.sums[i].pane
		if pane == number {
			return i
		}
		if (pane-number)%ring == 0 {
			at = i
		}
	}
	if at == len(r.sums) {
		r.sums = append(r.sums, sums{})
		if t.timed {
			r.times = append(r.times, make([]uint32, rollup.Buckets)...)
		}
	}
	r.sums[at] = sums{pane: number}
	if t.timed {
		clear(r.times[at*rollup.Buckets:][:rollup.Buckets])
	}
	return at
}

// find returns the row of a value; there is one then.
func (t *table) find(name []byte, now *panes) *row {
	hash := maphash.Bytes(t.seed, name)
	last := uint64(len(t.index) - 1)
	at := hash & last
	for ; t.index[at] != 0; at = (at + 1) & last {
		if r := &t.rows[t.index[at]-1]; r.hash == hash && string(r.name) == string(name) {
			return r
		}
	}
	if len(t.rows) >= t.capacity {
		t.prune(now)
		return t.find(name, now)
	}
	if 2*(len(t.rows)+1) > len(t.index) {
		t.index = make([]uint32, 2*len(t.index))
		t.reindex()
		return t.find(name, now)
	}
	if len(t.rows) < cap(t.rows) {
		t.rows = t.rows[:len(t.rows)+1]
	} else {
		t.rows = append(t.rows, row{})
	}
	r := &t.rows[len(t.rows)-1]
	r.hash, r.name, r.since = hash, append(r.name[:0], name...), now.newest
	r.before, r.bot = t.before(now), unknown
	r.last, r.sums, r.times = 0, r.sums[:0], r.times[:0]
	t.index[at] = uint32(len(t.rows))
	return r
}

// forget forgets all values.
func (t *table) forget() {
	t.rows, t.full = nil, never
	t.reindex()
}

// before is how many requests a value may have had that comes.
func (t *table) before(now *panes) int64 {
	if t.isFull(now) {
		return t.floor
	}
	return 0
}

// isFull reports whether values have gone in the time that is shown.
func (t *table) isFull(now *panes) bool { return t.full != never && now.has(t.full) }

// prune makes room: the half with fewest requests goes.
func (t *table) prune(now *panes) {
	ranks := make([]int64, len(t.rows))
	for i := range t.rows {
		ranks[i] = t.rank(&t.rows[i], now)
	}
	slices.Sort(ranks)
	floor := ranks[len(ranks)/2]
	kept := 0
	for i := range t.rows {
		if t.rank(&t.rows[i], now) > floor {
			t.rows[kept], t.rows[i] = t.rows[i], t.rows[kept]
			kept++
		}
	}
	for i := kept; i < len(t.rows) && kept < len(ranks)-len(ranks)/2-1; i++ { // as many of those that are equal
		if t.rank(&t.rows[i], now) == floor {
			t.rows[kept], t.rows[i] = t.rows[i], t.rows[kept]
			kept++
		}
	}
	t.rows = t.rows[:kept]
	t.floor = max(floor, t.before(now))
	t.full = now.newest
	t.reindex()
}

// rank is how many requests it may have.
func (t *table) rank(r *row, now *panes) int64 {
	all := t.sum(r, now)
	n := int64(all.requests)
	if now.has(r.since) {
		n += r.before
	}
	return n
}

// reindex fills the index.
func (t *table) reindex() {
	clear(t.index)
	last := uint64(len(t.index) - 1)
	for i := range t.rows {
		at := t.rows[i].hash & last
		for t.index[at] != 0 {
			at = (at + 1) & last
		}
		t.index[at] = uint32(i + 1)
	}
}

// sum adds the panes up that are shown.
func (t *table) sum(r *row, now *panes) (all sums) {
	for i := range r.sums {
		s := &r.sums[i]
		if s.requests == 0 || !now.has(s.pane) {
			continue
		}
		all.requests += s.requests
		all.client += s.client
		all.server += s.server
		all.timed += s.timed
		all.greatest = max(all.greatest, s.greatest)
		all.bytes += s.bytes
		all.ms += s.ms
	}
	return all
}
