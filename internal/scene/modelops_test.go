// What can happen in a sequence of the model.

package scene_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"
)

// modelOps are what can happen. Each does what it says whatever came before. Some may
// happen in the middle of a look.
var modelOps = []struct {
	name   string
	do     func(*model)
	within bool
}{
	{"write", (*model).opWrite, true},
	{"half write", (*model).opHalf, true},
	{"finish", (*model).opFinish, true},
	{"rename", (*model).opRename, true},
	{"late write", (*model).opLate, true},
	{"copytruncate", (*model).opCopyTruncate, true},
	{"copy", (*model).opCopy, true},
	{"truncate", (*model).opTruncate, true},
	{"delete", (*model).opDelete, true},
	{"recreate", (*model).opRecreate, true},
	{"symlink swap", (*model).opSwap, true},
	{"gzip", (*model).opGzip, true},
	{"kill", (*model).kill, false},
	{"restart", (*model).opRestart, false},
	{"come back", (*model).opBack, false},
	{"nothing at the path", (*model).opNothing, false},
	{"refuse", (*model).opRefuse, true},
}

func (m *model) opWrite() {
	if m.half != "" {
		m.opFinish()
	}
	n := 1 + m.rand.IntN(4)
	if m.rand.IntN(20) == 0 {
		n = 80
	}
	var b strings.Builder
	for range n {
		b.WriteString(m.line() + "\n")
	}
	m.append(m.nginx, b.String())
}

func (m *model) opHalf() {
	if m.half != "" {
		m.opFinish()
	}
	line := m.line()
	at := 4 + m.rand.IntN(len(line)-4) // each half must say which line it is of
	m.append(m.nginx, line[:at])
	m.half = line[at:]
}

func (m *model) opFinish() {
	if m.half == "" {
		m.opHalf()
	}
	m.append(m.nginx, m.half+"\n")
	m.half = ""
}

// opRename rotates. Nginx opens the new file now, or goes on with the old one until
// somebody makes it.
func (m *model) opRename() {
	m.finishCopy()
	switch {
	case m.disk.at() == nil:
		m.create()
		return
	case m.disk.link != "":
		m.opSwap()
		return
	}
	m.distinct(m.nginx)
	m.disk.shift()
	m.disk.rename(logPath, logPath+".1")
	m.nginx.since = m.disk.now
	if m.rand.IntN(3) > 0 {
		m.create()
	}
}

// opLate is a worker that still has the old file.
func (m *model) opLate() {
	if m.late == nil {
		m.opWrite()
		return
	}
	if left := modelWait - 15*time.Millisecond - m.disk.now.Sub(m.late.since); m.rand.IntN(3) == 0 && left > 0 && m.running() {
		m.wait(left) // the last moment
	}
	if m.late == nil {
		return
	}
	late := m.disk.now.Sub(m.late.since) > modelWait-10*time.Millisecond
	if late && (m.looking || !m.running() || m.late.inode.refused || m.regrown != nil) {
		m.retire()
		return
	}
	text := m.line()
	if late || m.rand.IntN(3) > 0 {
		text += "\n"
	}
	m.append(m.late, text)
	if late { // a file that was left is looked at once a second; compressed before that, it is another one
		m.regrown = m.late.inode
		m.wait(watchTick + 2*modelTick)
		m.regrown = nil
	}
}

// cut empties nginx's file.
func (m *model) cut() *written {
	old := m.nginx
	old.inode.text, old.inode.modified = nil, m.disk.stamp()
	old.ended = true
	next := &written{inode: old.inode, since: m.disk.now, deleted: old.deleted, gone: old.gone}
	m.files = append(m.files, next)
	m.nginx, m.half = next, "" // the rest of a line is nowhere
	return old
}

// opCopy is logrotate's copy: the log goes on, beside a copy that may be compressed.
func (m *model) opCopy() {
	m.finishCopy()
	at := m.disk.at()
	isTwin := func(f *written) bool { return f.inode == at && m.hasTwin(f) }
	if at == nil || m.disk.link != "" || len(at.text) == 0 || at.refused || slices.ContainsFunc(m.files, isTwin) { // the copy would be read in its place
		m.opWrite()
		return
	}
	m.alone = m.alone || bytes.HasPrefix(at.text, []byte("b"))
	m.disk.shift()
	to := m.disk.create(logPath+".1", m.inUse)
	to.copied, at.copied, to.text = true, true, bytes.Clone(at.text)
	if m.rand.IntN(2) == 0 {
		m.disk.pack(logPath+".1", m.inUse)
	}
	for _, f := range m.files {
		f.copied = f.copied || f.inode == at
	}
}

// hasTwin reports whether another file begins as the one that is to be lost. The daemon
// looks for that, and may take the other one.
func (m *model) hasTwin(f *written) bool {
	begins := func(other *written) bool { return bytes.HasPrefix(other.text, []byte("b")) }
	return begins(f) && slices.ContainsFunc(m.files, func(other *written) bool { return other != f && begins(other) })
}

// opTruncate loses what was not sent.
func (m *model) opTruncate() {
	m.finishCopy()
	if m.hasTwin(m.nginx) || m.nginx.copied {
		m.opWrite()
		return
	}
	m.distinct(m.nginx)
	m.cut().gone = true
	m.checkAlone()
}

func (m *model) opDelete() {
	m.finishCopy()
	at := m.disk.at()
	if at == nil || slices.ContainsFunc(m.files, func(f *written) bool { return f.inode == at && (f.copied || m.hasTwin(f)) }) {
		m.opWrite()
		return
	}
	m.distinct(m.nginx)
	delete(m.disk.names, m.disk.nameOf(at))
	for _, f := range m.files {
		if f.inode == at {
			f.deleted = true
			f.gone = f.gone || !m.running() || m.daemon.openAs(at) == nil
		}
	}
	m.checkAlone()
}

func (m *model) opRecreate() {
	if m.disk.at() != nil {
		m.opDelete()
	}
	if m.disk.at() == nil {
		m.create()
	}
}

// opSwap turns the link to a new file, or makes a link of the file.
func (m *model) opSwap() {
	m.finishCopy()
	if m.disk.link == "" {
		if m.disk.at() != nil {
			m.disk.shift()
			m.disk.rename(logPath, logPath+".1")
		}
		m.disk.link = "access.000000.log"
	}
	m.create()
}

// opGzip compresses a rotated file to which nobody writes.
func (m *model) opGzip() {
	m.finishCopy()
	for _, name := range slices.Sorted(maps.Keys(m.disk.names)) {
		f := m.disk.names[name]
		isTwin := func(w *written) bool { return w.inode == f && m.hasTwin(w) } // and nothing but an inode would tell it
		if f == m.disk.at() || f == m.regrown || f.packed || f == m.nginx.inode || slices.ContainsFunc(m.files, isTwin) {
			continue
		}
		late := m.late
		if late == nil || late.inode != f || !m.goesOn(late) {
			late = nil
			m.retire()
		}
		// If the daemon has it open, it has no name now: what begins like it is a copy in its place.
		m.alone = m.alone || bytes.HasPrefix(f.text, []byte("b"))
		to := m.disk.pack(name, m.inUse)
		for _, w := range m.files {
			if w.inode == f {
				w.inode = to
			}
		}
		if late != nil { // the worker goes on with what has no name any more
			late.ended, to.copied = true, true
			m.late = &written{inode: f, since: late.since, deleted: true}
			m.files = append(m.files, m.late)
		}
		return
	}
	m.opWrite()
}

// goesOn reports whether a worker may write to its old file although that is compressed now: the
// daemon has seen all of it, and holds it.
func (m *model) goesOn(late *written) bool {
	if m.looking || !m.running() || !m.holds || !m.daemon.holds(late.inode) || len(late.text) > 0 && !bytes.HasSuffix(late.text, []byte{'\n'}) {
		return false
	}
	f := m.daemon.openAs(late.inode)
	return f == nil || len(f.head) == len(headOf(late.inode.text))
}

func (m *model) opRestart() {
	m.kill()
	m.start()
}

// opBack rotates and gives an older file, which the daemon still has open, its path
// again. Nginx writes there, and a worker to the file that was there.
func (m *model) opBack() {
	m.finishCopy()
	if m.disk.link != "" || !m.running() {
		m.opLate()
		return
	}
	if m.late == nil {
		m.opRename()
	}
	m.wait(300 * time.Millisecond) // a file that is never seen at the path may pass for a copy
	name := ""
	if m.late != nil {
		name = m.disk.nameOf(m.late.inode)
	}
	twins := m.hasTwin(m.nginx) // two that begin alike would change places
	if twins || name == "" || m.nginx.deleted || m.disk.at() == nil || m.daemon.openAs(m.late.inode) == nil {
		m.opLate()
		return
	}
	m.distinct(m.nginx)
	m.disk.rename(logPath, logPath+".0")
	m.disk.rename(name, logPath)
	m.disk.shift()
	m.disk.rename(logPath+".0", logPath+".1")
	m.nginx, m.late = m.late, m.nginx
	m.nginx.since, m.late.since = m.disk.now, m.disk.now
	m.half = ""
	if text := m.nginx.text; len(text) > 0 && text[len(text)-1] != '\n' {
		m.half = m.line() // completes what the worker had begun
	}
	m.wait(300 * time.Millisecond) // the old file's time begins anew when it is seen there
}

// opNothing moves the file away. Nothing takes its place for longer than the daemon
// waits, and nginx goes on with the old one.
func (m *model) opNothing() {
	m.finishCopy()
	if m.disk.link != "" || m.disk.at() == nil {
		m.opLate()
		return
	}
	m.distinct(m.nginx)
	m.disk.shift()
	m.disk.rename(logPath, logPath+".1")
	m.nginx.since = m.disk.now
	m.wait(modelWait + time.Duration(m.rand.IntN(1000))*time.Millisecond)
	if m.rand.IntN(2) == 0 {
		m.opWrite()
	}
}

// opRefuse takes away the right to read a file, or gives it back. A copy that cannot be
// read is not taken for one: what it is of counts as lost, and is read again later.
func (m *model) opRefuse() {
	names := slices.Sorted(maps.Keys(m.disk.names))
	if !m.refuses || len(names) == 0 {
		m.opWrite()
		return
	}
	f := m.disk.names[names[m.rand.IntN(len(names))]]
	f.refused = !f.refused && !f.copied && f != m.regrown
}
