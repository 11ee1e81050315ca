package rollup

import (
	"math"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/lineproto"
)

// limits of the cuts of imports, which are cut by their lines alone, so that importing a
// file again, from whatever state directory, gives the same points.
type limits struct {
	lines int64 // of the file, from its first one: a cut ends before each multiple
	cells int   // of a cut
}

var importLimits = limits{lines: 1 << 20, cells: 8192}

// Sums are the open cells of all rollups and generations. They are for one goroutine.
type Sums struct {
	rollups []*rollup
	budget  int
	imports limits
	cells   *cells
	alone   bool          // each generation is one line, that is redelivered
	known   []*Generation // in the order in which they were begun
	places  map[place]*Generation
	salts   uint64
	line    addend    // that is being added
	now     time.Time // as far as is known
}

// place is the key by which a generation is found.
type place struct {
	source int // its index: the days of a log are of several values of flow.Source
	id     int64
}

func placeOf(g *flow.Generation) place { return place{g.Source.Index, g.ID} }

// rollup is a configured one.
type rollup struct {
	Definition
	key    string
	head   []byte // measurement and host, as line protocol
	window int64  // that was met last: its begin

	zeroed  map[int64]bool // hours since 1970 that have a point of zeros
	renewed time.Time      // when these were forgotten last
}

// Generation is what is open of a generation.
type Generation struct {
	*flow.Generation
	Raw, Lines int64 // for the caller: from which lines on points and entries are needed

	sums     *Sums
	shares   []share
	at       flow.Position // up to here it was read
	ending   []byte        // what stands before that, as far as it matters
	now      time.Time     // when that was, or when more came
	due      int64         // number of the line before which something must be cut
	turn     int64         // time of a line from which on a window is over
	earliest int64         // time of a line that was asked about since then
	left     bool          // nothing more comes, as far as is known
}

// New returns sums of rollups, for points with that tag host. When cells take more than
// the budget in bytes, something is to be cut.
func New(rollups []Definition, host string, budget int) *Sums {
	s := &Sums{budget: budget, imports: importLimits, cells: newCells(), places: map[place]*Generation{}}
	for _, d := range rollups {
		head := lineproto.AppendTag(lineproto.AppendMeasurement(nil, d.Measurement), lineproto.TagPrefix("host"), []byte(host))
		s.rollups = append(s.rollups, &rollup{Definition: d, key: d.Key(), head: head, window: -1 << 62, zeroed: map[int64]bool{}})
	}
	return s
}

// Alone says that each generation is one line, that is redelivered. It is a delta of its own,
// with a stamp that no cut has, so that it is the same point however often it is sent.
func (s *Sums) Alone() *Sums {
	s.alone = true
	return s
}

// Of returns what is open of a generation; nil: it must be begun first.
func (s *Sums) Of(g *flow.Generation) *Generation { return s.places[placeOf(g)] }

// maxKnown is how many generations are remembered although nothing more of them is expected.
// One may come back for an hour; if it was forgotten, and InfluxDB is away, it would be cut
// again from where the cuts begin that wait for InfluxDB, with other lines under their stamps.
const maxKnown = 1024

// Begin begins to add up a generation. from is the number of the first line that counts,
// for a rollup by its key: where it was cut last, as far as that is acknowledged. intents
// are the cuts behind that which were begun before, by the same key.
func (s *Sums) Begin(at flow.Position, from func(key string) int64, intents func(key string) []Intent) *Generation {
	s.forget()
	g := &Generation{Generation: at.Generation, sums: s, shares: make([]share, len(s.rollups)), at: at, earliest: math.MaxInt64}
	for i, r := range s.rollups {
		begin, bound := from(r.key), intents(r.key)
		s.salts++
		g.shares[i] = share{rollup: r, salt: mixed(s.salts), begin: begin, next: begin, marks: marks(begin, bound), bound: bound, base: begin}
	}
	g.updateDue()
	s.known = append(s.known, g)
	s.places[placeOf(g.Generation)] = g
	return g
}

// marks are where cuts begin and end, behind a line.
func marks(begin int64, intents []Intent) (at []int64) {
	for _, i := range intents {
		at = append(at, i.Begin, i.End)
	}
	slices.Sort(at)
	at = slices.Compact(at)
	n, found := slices.BinarySearch(at, begin)
	if found {
		n++
	}
	return at[n:]
}

// forget makes room for one more generation.
func (s *Sums) forget() {
	done := 0
	for _, g := range s.known {
		if g.left {
			done++
		}
	}
	if done > maxKnown {
		n := slices.IndexFunc(s.known, func(g *Generation) bool { return g.left })
		delete(s.places, placeOf(s.known[n].Generation))
		s.known = slices.Delete(s.known, n, n+1)
	}
}

func (g *Generation) isImported() bool { return g.ID < 0 }

// Counts reports whether a line counts for a rollup, given by its place: it was not
// counted before.
func (g *Generation) Counts(rollup int, line int64) bool { return line >= g.shares[rollup].next }

// CountsAny reports whether a line counts for a rollup.
func (g *Generation) CountsAny(line int64) bool {
	for i := range g.shares {
		if g.Counts(i, line) {
			return true
		}
	}
	return false
}

// AddRemembered adds a line to the rollups for which it counts, from one on, as far as its series
// were remembered in their windows. It returns the place of the first one to which it could
// not be added so; that is how many there are if it was added to all.
func (s *Sums) AddRemembered(g *Generation, rollup int, line int64, m *accesslog.Measures, series []accesslog.Series) int {
	a := &s.line
	a.set(m)
	for ; rollup < len(g.shares); rollup++ {
		sh := &g.shares[rollup]
		if line < sh.next {
			continue
		}
		c := s.cells.remembered(sh, sh.rollup.windowOf(a.at), &series[rollup])
		if c == nil {
			break
		}
		c.add(a)
		sh.lines++
		sh.next = line + 1
	}
	return rollup
}

// Remember is called after Add, for AddRemembered: the line was one of that series, which may stand
// for nothing.
func (s *Sums) Remember(series *accesslog.Series) {
	if series.IsKnown() {
		s.cells.remember(s.cells.latest, series)
	}
}

// windowOf is the beginning of the window that a time is in.
func (r *rollup) windowOf(at int64) int64 {
	if since := at - r.window; since < 0 || since >= int64(r.Interval) {
		r.window = at - at%int64(r.Interval)
	}
	return r.window
}

// Add adds a line to a rollup for which it counts. tags are those of the rollup, as line
// protocol. Nothing is kept.
func (s *Sums) Add(g *Generation, rollup int, line int64, m *accesslog.Measures, tags []byte) {
	s.line.set(m)
	sh := &g.shares[rollup]
	r := sh.rollup
	was := s.cells.open
	c := s.cells.of(sh, r.windowOf(m.At), tags)
	s.cells.latest = c
	if s.cells.open > was {
		sh.push(c)
		if g.isImported() && sh.cells >= s.imports.cells && !sh.isBound() && !clash(line+1, sh.begin, r.Interval) {
			sh.full, g.due = true, min(g.due, line+1)
		}
	}
	c.add(&s.line)
	sh.lines++
	sh.next = line + 1
}

// Reach notes that a generation was read up to a position, each line of it added or not.
// ending is how the bytes before it end. The generation is open again if it was left. Lines
// may be read again: then nothing is new.
func (g *Generation) Reach(at flow.Position, ending []byte, now time.Time) {
	const enough = 64
	if at.Line <= g.at.Line {
		return
	}
	g.at, g.left, g.now = at, false, now
	late := time.Duration(now.UnixNano() - g.earliest)
	for i := range g.shares {
		sh := &g.shares[i]
		if sh.since.IsZero() && sh.isOpen(at.Line) {
			sh.since = now
		}
		sh.late = max(sh.late, late)
	}
	g.earliest = math.MaxInt64
	g.sums.now = now
	g.ending = append(g.ending[:0], ending[max(0, len(ending)-enough):]...)
}

// Oldest is the beginning of the oldest open window of a source, in nanoseconds since 1970; ok
// is false if none is open. While a cut is being written it may be too early.
func (s *Sums) Oldest(source *flow.Source) (window int64, ok bool) {
	for _, g := range s.known {
		if g.Source.Index != source.Index {
			continue
		}
		for i := range g.shares {
			if sh := &g.shares[i]; sh.cells > 0 && (!ok || sh.oldest < window) {
				window, ok = sh.oldest, true
			}
		}
	}
	return window, ok
}

// State is what is open of a rollup.
type State struct {
	Key                 string
	Cells, Bytes, Lines int64
	Since               time.Time // when the oldest line came that waits; zero: none does
}

// States are those of all rollups.
func (s *Sums) States() []State {
	all := make([]State, len(s.rollups))
	for i, r := range s.rollups {
		of := &all[i]
		of.Key = r.key
		for _, g := range s.known {
			sh := &g.shares[i]
			of.Cells += int64(sh.cells)
			of.Bytes += int64(sh.bytes)
			of.Lines += sh.lines
			if !sh.since.IsZero() && (of.Since.IsZero() || sh.since.Before(of.Since)) {
				of.Since = sh.since
			}
		}
	}
	return all
}

// Missing is how many lines at least were read and are not in their rollup for good. missing
// is the number of those before a line of a generation that a rollup, by its key, did not get.
func (s *Sums) Missing(missing func(of *flow.Generation, key string, before int64) int64) (most int64) {
	for _, r := range s.rollups {
		lines := int64(0)
		for _, g := range s.known {
			lines += missing(g.Generation, r.key, g.at.Line)
		}
		most = max(most, lines)
	}
	return most
}
