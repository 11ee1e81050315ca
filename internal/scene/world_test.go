// The model: the disk, nginx, logrotate and the daemon of one sequence.

package scene_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/scene"
)

// model is the disk, nginx, logrotate and the daemon of one sequence.
type model struct {
	disk   *disk
	rand   *rand.Rand
	trace  io.Writer // nil: nobody wants to know
	traced string    // the last scene

	files   []*written // all that have ever been
	nginx   *written   // where nginx writes
	late    *written   // where a worker of it still writes, or nil
	regrown *inode     // a file that was left and has just grown, or nil
	copy    *copying   // what logrotate is copying, or nil
	serial  int        // of lines and files
	half    string     // what completes the half line at the end of nginx's file
	alone   bool       // no file begins as another one any more
	refuses bool       // some files may not be read
	holds   bool       // the daemon holds files that it has left

	daemon        *daemon
	saved, backup checkpoint.Source // the two saves
	followed      bool
	books         books

	looking bool     // the daemon is in the middle of a turn
	pending []moment // what happens in the middle of one
	raced   bool     // it has happened in this look
	scenes  int      // that were decided
	err     error    // the first thing that went wrong
}

func newModel(seed uint64, trace io.Writer) *model {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &model{disk: newDisk(rand.New(rand.NewPCG(seed, 4))), rand: r, trace: trace, books: books{map[int64]string{}, map[string][]int64{}}}
	// Files that begin alike are told apart by what follows, or by their inodes alone.
	m.refuses = r.IntN(2) == 0
	m.alone = m.refuses
	m.holds = seed%3 > 0
	if r.IntN(4) == 0 {
		m.disk.link = "access.000000.log"
	}
	return m
}

func (m *model) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

func (m *model) tracef(format string, args ...any) {
	if m.trace != nil {
		fmt.Fprintf(m.trace, format+"\n", args...)
	}
}

// moment is one in the middle of a look, at which something happens.
type moment struct {
	after int // so many others
	do    func()
}

// meanwhile is a moment in the middle of a look.
func (m *model) meanwhile() {
	for len(m.pending) > 0 {
		if m.pending[0].after > 0 {
			m.pending[0].after--
			return
		}
		do := m.pending[0].do
		m.pending, m.raced = m.pending[1:], true
		do()
	}
}

// decided checks what was decided.
func (m *model) decided(sc *scene.Scene, actions []scene.Action, quiet bool) {
	if !quiet {
		m.scenes++
	}
	if quiet && len(actions) > 0 && !m.raced {
		m.fail("a scene that is quiet leads to %s", actions[0].Do)
	}
	if m.trace == nil || len(actions) == 0 || actions[0].Do == scene.Wait {
		return
	}
	var out strings.Builder
	for _, f := range sc.Open {
		fmt.Fprintf(&out, "   open %d: %d of %d, holds %v, superseded %v, unsure %v, unsearched %v, as of %s\n", f.ID, f.Offset, f.Size, f.Holds, f.Superseded, f.Unsure, f.Unsearched, f.AsOf.Format(clock))
	}
	for i, b := range sc.Beside {
		fmt.Fprintf(&out, "   beside %d: %s of %s, rotated %v, at path %v, held %d\n", i, b.Path, b.Modified.Format(clock), b.Rotated, b.AtPath, b.Held)
	}
	for _, a := range actions {
		fmt.Fprintf(&out, "   -> %s %d, file %d, offset %d, bytes %d, behind %v\n", a.Do, a.ID, a.File, a.Prior.Offset, a.Bytes, a.Behind)
	}
	if text := strings.TrimSpace(out.String()); text != m.traced { // as long as nothing is at the path
		m.traced = text
		m.tracef("   %s", text)
	}
}

const clock = "05.000"

// lost checks that something is missing when the daemon says so. Nothing but its inode is
// known of a file without a whole line: a copy of it is read as another file.
func (m *model) lost(a scene.Action) {
	if a.Bytes < lineBytes {
		return
	}
	if !slices.ContainsFunc(m.files, func(f *written) bool { return f.gone || f.deleted }) {
		m.fail("%d is said to be lost (%d bytes), and nothing was deleted", a.ID, a.Bytes)
	}
}

func (m *model) endless() {
	if !m.raced {
		m.fail("there is no end of scenes")
	}
}

func (m *model) enter(at flow.Position, data []byte) {
	m.tracef("   sends %d from %d: %.40q", at.Generation.ID, at.Offset, data)
	if err := m.books.enter(at, data); err != nil {
		m.fail("%w", err)
	}
}

// save saves what the ledger knows, twice if it is needed before it is used.
func (m *model) save(needed bool) {
	m.backup, m.saved = m.saved, m.daemon.ledger.Copy()
	for i := range m.saved.Open {
		m.saved.Open[i].Left = checkpoint.Reached{Offset: m.saved.Open[i].Left.Offset}
	}
	if needed {
		m.backup = m.saved
	}
}

func (m *model) running() bool { return m.daemon != nil }

func (m *model) start() {
	if m.running() {
		return
	}
	known := map[string]*checkpoint.Source{}
	if m.followed {
		s := m.saved
		s.Open, s.Finished = slices.Clone(s.Open), slices.Clone(s.Finished)
		known["web"] = &s
	}
	c := checkpoint.InMemory(known)
	m.daemon = &daemon{m: m, checkpoint: c, ledger: c.Ledger("web"), source: &flow.Source{Name: "web"}, room: 1 << 30}
	if !m.daemon.ledger.Follow(logPath) {
		m.daemon.await()
		m.save(true)
	}
	m.followed = true
	m.turn()
}

// kill ends the daemon; what it had not saved is gone, and perhaps the latest save.
func (m *model) kill() {
	if !m.running() {
		return
	}
	if m.rand.IntN(6) == 0 {
		m.saved = m.backup
	}
	for _, f := range m.files {
		// That a file could not be opened is not kept over a restart, but of the very first one.
		a := m.daemon.ledger.Awaited()
		awaited := a != nil && !a.Shortened && f.inode.Is(a.Inode)
		f.gone = f.gone || f.deleted || f.refused && m.daemon.openAs(f.inode) == nil && !awaited
	}
	m.daemon = nil
	m.checkAlone()
}

func (m *model) turn() {
	m.looking, m.raced = true, false
	m.daemon.turn()
	m.looking = false
	for _, f := range m.files {
		f.refused = f.refused || f.inode.refused
	}
}

// wait lets time pass.
func (m *model) wait(d time.Duration) {
	if m.looking {
		return
	}
	for ; d > 0; d -= modelTick {
		m.disk.now = m.disk.now.Add(min(d, modelTick))
		if m.running() && d >= modelTick {
			m.turn()
		}
	}
	m.expire()
}

// expire ends the writing to an old file that has been quiet for as long as the daemon
// waits, if later writes are beyond the promise: nobody finds a file that has no name and
// that is not held, and half a line at the end of one that was left is a line.
func (m *model) expire() {
	if m.late == nil || m.disk.now.Sub(m.late.since) <= modelWait-10*time.Millisecond {
		return
	}
	text := m.late.text
	isHeld := m.running() && m.holds && m.daemon.holds(m.late.inode)
	isLost := !m.disk.hasName(m.late.inode) && !isHeld
	if isLost || len(text) > 0 && text[len(text)-1] != '\n' {
		m.retire()
	}
}
