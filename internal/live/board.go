package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// Config says what a board keeps. What is zero has the default.
type Config struct {
	Window time.Duration // of the log's time that is kept; default 15 minutes
	Step   time.Duration // of a slot, in whole seconds; default 5 s

	FullAddresses bool // clients are shown with their addresses, in place of their networks
	Capacity      int  // values of a top list that are kept; default 1,000
	Rows          int  // that are shown of a top list; default 20

	EveryLine bool // top lists are of each line, however many there are
	Whole     bool // everything is kept: slots become wider when there are too many
}

// Board keeps what happened lately. It belongs to the goroutine that calls Add and Publish;
// the other methods are for any.
type Board struct {
	config Config
	slots  slots
	lists  lists
	sample sample
	tail   tail

	current *slot // with the latest request, nil before the first
	from    int64 // its time in nanoseconds since 1970
	until   int64 // the time that is behind it

	observed  int64 // the slot up to which all lines were read; never: nobody says
	changed   bool  // something was added since the last frame
	published atomic.Pointer[frame]

	mu    sync.Mutex // guards what follows
	shown *Snapshot
	of    *frame // that was shown
	end   int64  // the slot behind it
}

// New returns an empty board.
func New(c Config) *Board {
	if c.Window == 0 {
		c.Window = 15 * time.Minute
	}
	if c.Step == 0 {
		c.Step = 5 * time.Second
	}
	if c.Capacity == 0 {
		c.Capacity = 1000
	}
	if c.Rows == 0 {
		c.Rows = 20
	}
	b := &Board{config: c, slots: newSlots(c), lists: newLists(c), sample: newSample(c), observed: never}
	b.Publish(time.Now())
	return b
}

// Add adds a line, which is a point and was last appended or judged by an encoder. Nothing is
// kept of the arguments.
func (b *Board) Add(by *accesslog.Encoder, captures [][]byte, source string) {
	at := by.At()
	if at < b.from || at >= b.until || b.current == nil {
		if !b.turn(at) {
			return
		}
	}
	basics := by.Basics(captures)
	if uint(basics.Class) >= numClasses {
		basics.Class = 0
	}
	b.current.add(basics.Class, basics.Time, basics.Bytes)
	b.changed = true
	if b.sample.left--; b.sample.left <= 0 {
		b.look(by, captures, source, basics)
	}
}

// turn makes the slot of a time the current one; it reports whether there is one.
func (b *Board) turn(at int64) bool {
	s := b.slots.at(at)
	if s == nil {
		return false
	}
	b.current = s
	b.from = s.number * b.slots.step
	b.until = b.from + b.slots.step
	b.lists.turn(b.from)
	return true
}

// look adds a line to the top lists, and shows it to those who watch.
func (b *Board) look(by *accesslog.Encoder, captures [][]byte, source string, basics accesslog.Basics) {
	d := &b.lists.line
	by.Describe(d, captures, b.config.FullAddresses)
	b.lists.add(source, &request{weight: uint32(b.sample.next()), class: basics.Class, ms: basics.Time, bytes: basics.Bytes})
	if all := b.tail.watchers.Load(); all != nil {
		by.DescribePath(d, captures)
		b.tail.show(*all, d, by.At(), source, basics)
	}
}

// ShowAddresses says whether clients are shown with their whole addresses from now on. What
// is known of clients is forgotten if that is new.
func (b *Board) ShowAddresses(whole bool) {
	if whole != b.config.FullAddresses {
		b.config.FullAddresses = whole
		b.lists.clients.forget()
		b.changed = true
		b.Publish(time.Now())
	}
}

// Observed says up to which time all lines were added: where the board has no requests up to
// then, no request came. Until it is called, that is the time of the newest line.
func (b *Board) Observed(upTo time.Time) {
	if upTo.IsZero() || upTo.Unix() < 0 {
		return
	}
	b.observed = upTo.UnixNano() / b.slots.step
	if b.slots.first == never || b.observed < b.slots.first {
		b.slots.first = b.observed
	}
}

// Publish makes what was added visible. It is called about once a second.
func (b *Board) Publish(now time.Time) {
	b.slots.look(now)
	b.sample.tick(now)
	s := &b.slots
	f := &frame{at: now, step: s.step, observed: b.observed, first: s.first, newest: s.newest, older: s.older, early: s.early}
	was := b.published.Load()
	if b.changed || was == nil {
		f.ring = slices.Clone(s.ring)
	} else {
		f.ring = was.ring
	}
	if last := (f.end(now) - 1) * f.step; b.changed || was == nil || b.lists.panes.isOther(last) {
		f.top = b.lists.top(last)
	} else {
		f.top = was.top
	}
	b.changed = false
	b.published.Store(f)
}

// Snapshot is what was last published. If that was long ago, time has gone on nevertheless.
func (b *Board) Snapshot() *Snapshot {
	f := b.published.Load()
	end := f.end(time.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown == nil || b.of != f || b.end != end {
		b.shown, b.of, b.end = f.snapshot(end), f, end
	}
	return b.shown
}
