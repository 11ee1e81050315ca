package rollup

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/tailflux/tailflux/internal/flow"
)

// Intent is a cut whose deltas may have been sent. It is durable before the first of them
// is, and until the checkpoint has passed it for good.
type Intent struct {
	Rollup     string // its key
	Source     string // its name
	Generation int64
	First      int64 // number of the first line of the generation; 0: it was begun by a version that did not note it
	Begin, End int64 // numbers of its first line, and of the one after its last
	Millis     int64 // from a window's begin to the stamps, if the store keeps milliseconds; else 0

	// Windows behind the newest one that a cut had before it, in nanoseconds since 1970, have
	// stamps with the number Base: so has each window of a log that is followed, and even
	// stamps take a third of the room. Others have that of the cut's first line.
	Base, Newest int64
}

func (i *Intent) isCut(c *flow.Cut) bool {
	return i.Begin == c.Begin && i.End == c.End.Line && i.Rollup == c.Rollup && i.isOf(c.End.Generation)
}

func (i *Intent) isOf(g *flow.Generation) bool {
	return i.isCalled(g) && (i.First == 0 || i.First == g.FirstLine)
}

// isCalled reports whether its generation has the name and the number of another one. That may
// be another file, or have its lines numbered otherwise.
func (i *Intent) isCalled(g *flow.Generation) bool {
	return i.Generation == g.ID && i.Source == g.Source.Name
}

// Disk keeps the records of a book.
type Disk interface {
	// Append adds records, and returns nil when all of them are there for good. If not,
	// the same ones are appended again, and stand there once.
	Append(records []byte) error
	// Replace replaces everything by these records.
	Replace(records []byte) error
}

// Book holds the intents. Register must be called by one goroutine only, the others may
// be called by any.
type Book struct {
	disk   Disk
	saving chan struct{} // holds one token while the disk is used

	unsaved []byte // records, for whoever holds the token
	kept    int    // records on the disk, for the same

	mu    sync.Mutex // guards what follows; never held over I/O
	open  []Intent   // in the order in which they were registered
	fresh []byte     // records of those registered since the last Sync
	count int        // of these
	anew  bool       // the disk is to be written anew first

	coarse bool            // the store keeps milliseconds
	last   map[line]Intent // that has Millis, of those that were registered
}

// line is a series of intents of which no two near each other may have the same Millis:
// their deltas may be of one window and series.
type line struct{ measurement, source string }

func (i Intent) line() line { return line{Measurement(i.Rollup), i.Source} }

// NewBook returns a book of intents that are on a disk.
func NewBook(disk Disk, kept []Intent) *Book {
	b := &Book{disk: disk, saving: make(chan struct{}, 1), kept: len(kept), last: map[line]Intent{}}
	for _, i := range kept {
		b.remember(i)
		if !i.isOver() {
			b.open = append(b.open, i)
		}
	}
	return b
}

// isOver reports whether it only stands there for its Millis.
func (i Intent) isOver() bool { return i.End == 0 }

func (b *Book) remember(i Intent) {
	if i.Millis > 0 && i.Generation >= 0 {
		b.last[i.line()] = i
	}
}

// KeepsMilliseconds says whether the store that deltas are sent to keeps no more of a stamp.
// That decides the stamps of cuts that are registered from now on.
func (b *Book) KeepsMilliseconds(coarse bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.coarse = coarse
}

// Register notes that deltas of a cut are about to be sent. Those of one rollup and
// generation are registered in the order of their lines. A cut without deltas needs no
// intent, and one that was begun before a crash has it. The deltas are to be sent with
// stamps as [Restamp] makes them.
func (b *Book) Register(c *flow.Cut) (millis int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Deltas == 0 {
		return 0
	}
	for n := range b.open {
		if i := &b.open[n]; i.isCut(c) {
			return i.Millis
		}
	}
	g := c.End.Generation
	i := Intent{
		Rollup: c.Rollup, Source: g.Source.Name, Generation: g.ID, First: g.FirstLine, Begin: c.Begin, End: c.End.Line,
		Base: c.Base, Newest: c.Newest,
	}
	if b.coarse {
		i.Millis = b.millis(i, c.Interval)
	}
	b.remember(i)
	b.open = append(b.open, i)
	b.fresh = appendRecord(b.fresh, i)
	b.count++
	return i.Millis
}

// Sync returns nil when every intent that was registered before the call is on the disk.
// Without new ones it is cheap. After an error the next call saves the same ones, and
// whoever wants to send their deltas must wait. It blocks until another call has returned
// or ctx ends.
func (b *Book) Sync(ctx context.Context) error {
	select {
	case b.saving <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.saving }()
	b.mu.Lock()
	anew := b.anew
	b.unsaved = append(b.unsaved, b.fresh...)
	b.kept += b.count
	b.fresh, b.count = b.fresh[:0], 0
	b.mu.Unlock()
	switch {
	case anew:
		return b.replace()
	case len(b.unsaved) == 0:
		return nil
	}
	if err := b.disk.Append(b.unsaved); err != nil {
		return fmt.Errorf("save intents: %w", err)
	}
	b.unsaved = b.unsaved[:0]
	return nil
}

// Of returns the intents of a generation for a rollup.
func (b *Book) Of(g *flow.Generation, rollup string) (all []Intent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n := range b.open {
		if i := &b.open[n]; i.Rollup == rollup && i.isOf(g) {
			all = append(all, *i)
		}
	}
	return all
}

// All returns the intents of all generations.
func (b *Book) All() []Intent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.open)
}

// Renumbered removes intents that have the name and the number of a generation whose lines are
// numbered otherwise, and returns them. The checkpoint that a start read did not know it, as it
// could not be saved; or two sources have exchanged their names. The cuts cannot be made again:
// the lines where they end may be others, or be hours away, and nothing would be cut until then.
func (b *Book) Renumbered(g *flow.Generation) (removed []Intent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	removed = b.take(func(i *Intent) bool { return i.isCalled(g) && !i.isOf(g) })
	b.anew = b.anew || len(removed) > 0 // or the next start would find them again
	return removed
}

// Len is how many intents there are of a rollup.
func (b *Book) Len(rollup string) (n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, i := range b.open {
		if i.Rollup == rollup {
			n++
		}
	}
	return n
}

// maxPassed is how many records may stay on the disk although they are not needed.
const maxPassed = 1000

// Remove removes intents, which must be those that both saves of the checkpoint have
// passed, or that are given up, and returns them. It may leave them on the disk for now.
func (b *Book) Remove(passed func(Intent) bool) (removed []Intent, err error) {
	b.mu.Lock()
	removed = b.take(func(i *Intent) bool { return passed(*i) })
	b.mu.Unlock()
	if len(removed) == 0 {
		return nil, nil
	}
	return removed, b.clean()
}

// take removes intents from those that are open, for whoever holds the lock.
func (b *Book) take(is func(*Intent) bool) (taken []Intent) {
	for n := range b.open {
		if is(&b.open[n]) {
			taken = append(taken, b.open[n])
		}
	}
	if len(taken) > 0 {
		b.open = slices.DeleteFunc(b.open, func(i Intent) bool { return is(&i) })
	}
	return taken
}

// Compact makes the next Sync remove from the disk what was removed. Without it, intents of
// generations that are gone would be those of others, once the checkpoint was lost and
// generations are numbered from 1 again, or a source has the name of another.
func (b *Book) Compact() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.anew = true
}

// clean writes the records anew when many on the disk are not needed any more.
func (b *Book) clean() error {
	b.saving <- struct{}{}
	defer func() { <-b.saving }()
	b.mu.Lock()
	few := b.kept+b.count-len(b.open)-len(b.last) < maxPassed
	b.mu.Unlock()
	if few {
		return nil
	}
	return b.replace()
}

// replace writes the disk anew, for whoever holds the token.
func (b *Book) replace() error {
	b.mu.Lock()
	var all []byte
	for _, i := range b.open {
		all = appendRecord(all, i)
	}
	for _, i := range b.last { // behind those that are open, of which an earlier one may be
		i.Generation, i.First, i.Begin, i.End, i.Base, i.Newest = 0, 0, 0, 0, 0, 0
		all = appendRecord(all, i)
	}
	records, fresh, count := len(b.open)+len(b.last), len(b.fresh), b.count
	b.anew = false
	b.mu.Unlock()
	err := b.disk.Replace(all)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.anew = true
		return fmt.Errorf("save intents: %w", err)
	}
	b.fresh = append(b.fresh[:0], b.fresh[fresh:]...)
	b.count -= count
	b.unsaved, b.kept = b.unsaved[:0], records
	return nil
}
