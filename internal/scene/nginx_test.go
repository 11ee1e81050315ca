// What nginx and logrotate do to the files of the model.

package scene_test

import (
	"bytes"
	"fmt"
	"strings"
)

// Some files begin as others do, with a short line or with more than a head.
var (
	shortBegin = strings.Repeat("b", lineBytes-1) + "\n"
	longBegin  = strings.Repeat("b", headBytes+lineBytes-1) + "\n"
)

// create makes a new file at the path and lets nginx write there.
func (m *model) create() {
	m.finishCopy()
	name := logPath
	if m.disk.link != "" {
		m.serial++
		name = fmt.Sprintf("access.%06d.log", m.serial)
	}
	f := m.disk.create(name, m.inUse)
	if m.disk.link != "" {
		m.disk.link = name
	}
	if m.nginx != nil {
		m.distinct(m.nginx)
		m.retire()
		m.late = m.nginx
	}
	m.nginx = &written{inode: f, since: m.disk.now}
	m.half = ""
	m.files = append(m.files, m.nginx)
	if m.alone {
		return
	}
	switch m.rand.IntN(6) {
	case 0:
		m.append(m.nginx, shortBegin)
	case 1:
		m.append(m.nginx, longBegin)
	}
}

// inUse reports whether somebody has a file open.
func (m *model) inUse(f *inode) bool {
	return m.nginx != nil && m.nginx.inode == f || m.late != nil && m.late.inode == f || m.copy != nil && m.copy.to == f ||
		m.running() && (m.looking || m.daemon.holds(f))
}

// distinct sees to it that a file is no mere beginning of another one when it loses
// its place.
func (m *model) distinct(f *written) {
	if text := string(f.text); text == shortBegin || text == longBegin {
		m.append(f, m.line()+"\n")
	}
}

// retire ends the time in which a worker writes to its old file.
func (m *model) retire() {
	if m.late != nil {
		m.late.ended = true
		m.late = nil
	}
}

func (m *model) append(f *written, text string) {
	f.text = append(f.text, text...)
	f.inode.text = append(f.inode.text, text...)
	f.inode.modified, f.since = m.disk.stamp(), m.disk.now
	if f.deleted && !m.running() {
		f.gone = true
	}
}

// line returns a line that was never written before.
func (m *model) line() string {
	m.serial++
	return fmt.Sprintf("%04dxxx", m.serial)
}

// checkAlone stops the model from making files that begin alike, once one of them is
// deleted or lost.
func (m *model) checkAlone() {
	for _, f := range m.files {
		m.alone = m.alone || (f.gone || f.deleted) && bytes.HasPrefix(f.text, []byte("b"))
	}
}

// copying is what logrotate does with copytruncate.
type copying struct {
	of *written
	to *inode
}

// opCopyTruncate copies and truncates, at once or in steps.
func (m *model) opCopyTruncate() {
	switch {
	case m.copy != nil:
		m.goOnCopying()
	case m.disk.link != "" || m.disk.at() == nil:
		m.opTruncate()
	case m.disk.at() != m.nginx.inode: // logrotate copies what is at the path; nginx is elsewhere
		m.opWrite()
	default:
		m.distinct(m.nginx)
		m.disk.shift()
		m.copy = &copying{m.nginx, m.disk.create(logPath+".1", m.inUse)}
		m.copy.to.copied = true
		if m.rand.IntN(2) == 0 {
			m.finishCopy()
		}
	}
}

// goOnCopying copies some more, or all there is.
func (m *model) goOnCopying() {
	m.disk.tick()
	text, to := m.copy.of.text, m.copy.to
	end := len(text)
	if m.rand.IntN(2) == 0 {
		end = len(to.text) + m.rand.IntN(len(text)-len(to.text)+1)
	}
	to.text = append(to.text, text[len(to.text):end]...)
	to.modified = m.disk.stamp()
}

// finishCopy copies what is left, and truncates.
func (m *model) finishCopy() {
	if m.copy == nil {
		return
	}
	m.disk.tick()
	of, to := m.copy.of, m.copy.to
	if m.copy = nil; len(to.text) < len(of.text) {
		to.text, to.modified = bytes.Clone(of.text), m.disk.stamp()
	}
	of.gone = of.gone || m.awaits() // it may have grown as long as it was before anybody has seen it
	m.cut()
	of.inode = to
}

// awaits reports whether there is a file that the daemon could not open yet.
func (m *model) awaits() bool {
	if m.running() {
		return m.daemon.ledger.Awaited() != nil
	}
	return m.saved.Awaited != nil
}
