package rollup

import (
	"math"
	"time"
)

// Arrive notes when the lines came that are added next.
func (g *Generation) Arrive(now time.Time) { g.now = now }

// updateDue finds out what is due next.
func (g *Generation) updateDue() {
	g.due = never
	for i := range g.shares {
		g.due = min(g.due, g.shares[i].due(g))
	}
}

// Turns reports whether something is to be cut before the next line, of that number and
// time: it begins a later window than those that are open. Then each window has one delta,
// if lines come in the order of their times. What is read much faster than it was written
// is cut by the clock, many windows at once, or when there is little room for more cells.
func (g *Generation) Turns(line, at int64) bool {
	g.earliest = min(g.earliest, at)
	return at >= g.turn && line >= g.at.Line && g.turns(line, at)
}

func (g *Generation) turns(line, at int64) bool {
	g.turn = math.MaxInt64
	for i := range g.shares {
		sh := &g.shares[i]
		interval := sh.rollup.Interval
		if at >= sh.turn {
			if sh.turn == 0 {
				sh.opened = at
			} else if !g.isImported() && sh.isRipe(line, g.now, g.sums.age(at-sh.opened, interval)) {
				sh.turned = line
			}
			sh.turn = at - at%int64(interval) + int64(interval)
		}
		g.turn = min(g.turn, sh.turn)
	}
	g.updateDue()
	return g.due <= line
}

// age is how long cells of a span of time wait at least for the end of a window: a line that
// comes late, when its window was cut, waits for the end of the next one. When there is little
// room left, something must be cut soon, and better between two windows.
func (s *Sums) age(span int64, interval time.Duration) time.Duration {
	if s.cells.bytes > s.budget/4*3 {
		return 0
	}
	return max(time.Duration(span)/2, min(time.Second, interval/20))
}

// Due is the number of the line before which something must be cut: [Sums.Due] says what.
func (g *Generation) Due() int64 { return g.due }

// Due returns the rollups that must be cut where the generation was read to.
func (s *Sums) Due(g *Generation) (rollups []int) {
	for i := range g.shares {
		if sh := &g.shares[i]; g.at.Line >= sh.due(g) {
			rollups = append(rollups, i)
		}
	}
	return rollups
}

// Open is something that can be cut.
type Open struct {
	*Generation
	Rollup int
}

// Leave returns what is to be cut because nothing more of a generation will come: all of
// it, even what was to end elsewhere.
func (s *Sums) Leave(g *Generation) (all []Open) {
	g.left = true
	for i := range g.shares {
		sh := &g.shares[i]
		sh.marks = nil
		if sh.isOpen(g.at.Line) {
			all = append(all, Open{g, i})
		}
	}
	g.updateDue()
	return all
}

// grace is how much longer than its interval a rollup waits for a line that begins a later
// window.
func (r *rollup) grace() time.Duration { return min(2*time.Second, r.Interval/5) }

// Tick returns what the clock says is to be cut: no line came that would have ended it. That
// is a while after the end of the window, as whoever looks at the log wants it; or after an
// interval and a while, if lines come so late that more of the window may follow.
func (s *Sums) Tick(now time.Time) (due []Open) {
	s.now = now
	for i, r := range s.rollups {
		for _, o := range s.free(i) {
			if sh := &o.shares[i]; sh.isOver(now) || sh.isRipe(o.at.Line, now, r.Interval+r.grace()) {
				due = append(due, o)
			}
		}
	}
	return due
}

// free is what is open of a rollup and may be cut anywhere.
func (s *Sums) free(rollup int) (all []Open) {
	for _, g := range s.known {
		if sh := &g.shares[rollup]; sh.isOpen(g.at.Line) && !sh.isBound() && !g.isImported() {
			all = append(all, Open{g, rollup})
		}
	}
	return all
}

// Largest returns what is to be cut because the cells take too much memory. Those that may
// only be cut in certain places have theirs beyond that: they had it before, too.
func (s *Sums) Largest() (most Open, ok bool) {
	if s.cells.bytes <= s.budget {
		return most, false
	}
	bytes := 0
	for i := range s.rollups {
		for _, o := range s.free(i) {
			if sh := &o.shares[i]; sh.bytes > bytes {
				most, bytes = o, sh.bytes
			}
		}
	}
	return most, bytes > 0
}

// End returns what is to be cut because nothing more will be read. What must end elsewhere
// stays open: the next start reads it again. So does what is left of an import, which was
// interrupted.
func (s *Sums) End() (all []Open) {
	for i := range s.rollups {
		all = append(all, s.free(i)...)
	}
	return all
}
