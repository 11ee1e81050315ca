// What can happen in a sequence of the model.

package tail_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// modelOps are what can happen. Each does what it says whatever came before. The last
// one is only for sequences with holes.
var modelOps = []struct {
	name string
	do   func(*model)
}{
	{"write", (*model).opWrite},
	{"half write", (*model).opHalf},
	{"finish", (*model).opFinish},
	{"rename", (*model).opRename},
	{"late write", (*model).opLate},
	{"copytruncate", (*model).opCopyTruncate},
	{"copy", (*model).opCopy},
	{"truncate", (*model).opTruncate},
	{"delete", (*model).opDelete},
	{"recreate", (*model).opRecreate},
	{"symlink swap", (*model).opSwap},
	{"gzip", (*model).opGzip},
	{"kill", (*model).kill},
	{"restart", (*model).opRestart},
	{"checkpoint failing", (*model).opFailing},
	{"come back", (*model).opBack},
	{"nothing at the path", (*model).opNothing},
	{"hole", (*model).opHole},
}

func (m *model) opWrite() {
	if m.half != "" {
		m.opFinish()
	}
	n := 1 + m.rand.IntN(4)
	if m.rand.IntN(20) == 0 {
		n = 200
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
	at := 1 + m.rand.IntN(len(line)-1)
	if i := strings.IndexByte(line, '-'); at <= i {
		at = i + 1 // each half must say which line it is of
	}
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

// opRename rotates. Nginx opens the new file now, or goes on with the old one
// until somebody makes it.
func (m *model) opRename() {
	if !m.there() {
		m.create()
		return
	}
	if m.linked {
		m.opSwap()
		return
	}
	m.distinct(m.nginx)
	m.shift()
	m.must(os.Rename(m.path, m.path+".1"))
	m.nginx.since = time.Now()
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
	if left := modelWait - 15*time.Millisecond - time.Since(m.late.since); m.rand.IntN(3) == 0 && left > 0 && m.running() {
		time.Sleep(left) // the last moment
	}
	text, long := m.line(), time.Since(m.late.since) > modelWait-10*time.Millisecond
	if long || m.rand.IntN(3) > 0 {
		text += "\n"
	}
	m.append(m.late, text)
	if long { // a file that was left is looked at once a second
		m.wait(1200 * time.Millisecond)
	}
}

// cut empties nginx's file.
func (m *model) cut() *inode {
	old := m.nginx
	m.must(old.handle.Truncate(0))
	old.ended = true
	next := &inode{handle: old.handle, since: time.Now(), deleted: old.deleted, gone: old.gone, maybe: map[string]int{}}
	m.files = append(m.files, next)
	m.nginx = next
	if m.holes && m.rand.IntN(5) == 0 { // nginx does not append
		m.hole(m.nginx)
	}
	return old
}

func (m *model) opCopyTruncate() {
	if !m.there() || m.linked {
		m.opTruncate()
		return
	}
	// logrotate copies what is at the path; nginx may be elsewhere.
	if at, err := os.Stat(m.path); err != nil || !m.isNginx(at) {
		m.opWrite()
		return
	}
	m.distinct(m.nginx)
	m.shift()
	later()
	text, err := os.ReadFile(m.path)
	m.must(err)
	m.must(os.WriteFile(m.path+".1", text, 0o644))
	m.cut()
	m.half = "" // the rest of the line is nowhere
}

// opCopy is logrotate's copy: the log goes on, beside a copy that may be compressed.
func (m *model) opCopy() {
	at, err := os.Stat(m.path)
	if m.linked || err != nil || at.Size() == 0 {
		m.opWrite()
		return
	}
	for _, f := range m.files {
		if held, err := f.handle.Stat(); err == nil && os.SameFile(held, at) {
			m.distinct(f)
			f.copied = true
		}
	}
	m.shift()
	later()
	text, err := os.ReadFile(m.path)
	m.must(err)
	m.must(os.WriteFile(m.path+".1", text, 0o644))
	if m.rand.IntN(2) == 0 {
		to, err := os.Stat(m.path + ".1")
		m.must(err)
		m.must(pack(m.path+".1", to))
	}
}

// isCopied reports whether a copy of what is at the path is beside it. Were the log lost, that
// would be read in its place, as far as it goes.
func (m *model) isCopied() bool {
	at, err := os.Stat(m.path)
	return err == nil && slices.ContainsFunc(m.files, func(f *inode) bool {
		held, err := f.handle.Stat()
		return f.copied && err == nil && os.SameFile(held, at)
	})
}

func (m *model) isNginx(info os.FileInfo) bool {
	held, err := m.nginx.handle.Stat()
	return err == nil && os.SameFile(held, info)
}

// opTruncate loses what was not sent. If the new content begins as the old one
// did, it cannot be told from the old one.
func (m *model) opTruncate() {
	if m.nginx.copied {
		m.opWrite()
		return
	}
	m.distinct(m.nginx)
	old := m.cut()
	old.gone = true
	m.checkAlone()
	m.half = ""
}

func (m *model) opDelete() {
	if !m.there() || m.isCopied() {
		m.opWrite()
		return
	}
	m.distinct(m.nginx)
	name := m.path
	if m.linked {
		var err error
		name, err = filepath.EvalSymlinks(m.path)
		m.must(err)
	}
	at, err := os.Stat(m.path)
	m.must(err)
	m.must(os.Remove(name))
	for _, f := range m.files {
		if held, err := f.handle.Stat(); err == nil && os.SameFile(held, at) {
			f.deleted = true
			f.gone = f.gone || !m.running() || !f.seen
			m.checkAlone()
		}
	}
}

func (m *model) opRecreate() {
	if m.there() {
		m.opDelete()
	}
	if m.isCopied() {
		return
	}
	if m.linked {
		m.must(os.Remove(m.path))
	}
	m.create()
}

// opSwap turns the link to a new file, or makes a link of the file.
func (m *model) opSwap() {
	switch {
	case !m.there() && m.linked:
		m.must(os.Remove(m.path))
		m.create()
	case m.linked:
		m.create()
	case m.there():
		m.shift()
		m.must(os.Rename(m.path, m.path+".1"))
		m.linked = true
		m.create()
	default:
		m.linked = true
		m.create()
	}
}

// opGzip compresses a rotated file to which nobody writes.
func (m *model) opGzip() {
	names, err := filepath.Glob(filepath.Join(m.dir, "access.*"))
	m.must(err)
	live, _ := filepath.EvalSymlinks(m.path)
	slices.Sort(names)
	for _, name := range names {
		if name == m.path || name == live || strings.HasSuffix(name, ".gz") {
			continue
		}
		info, err := os.Stat(name)
		m.must(err)
		if m.isNginx(info) {
			continue
		}
		late := m.goesOn(info)
		if late == nil {
			m.retire()
		}
		if late == nil && info.Size() > 0 && m.rand.IntN(4) == 0 {
			m.shred(name, info)
			return
		}
		m.must(pack(name, info))
		if late != nil { // the worker goes on with what has no name any more
			late.ended = true
			m.late = &inode{handle: late.handle, since: late.since, deleted: true, nameless: true, maybe: map[string]int{}}
			m.files = append(m.files, m.late)
		}
		return
	}
	m.opWrite()
}

// goesOn is the old file of a worker, if it is the one that is to be compressed and the worker may
// write to it after that: the daemon has seen all of it, and holds it.
func (m *model) goesOn(info os.FileInfo) *inode {
	if m.late == nil || !m.running() || m.late.text.Len() > 0 && !bytes.HasSuffix(m.late.text.Bytes(), []byte{'\n'}) {
		return nil
	}
	if is, err := m.late.handle.Stat(); err != nil || !os.SameFile(is, info) {
		return nil
	}
	m.wait(300 * time.Millisecond)
	return m.late
}

// shred is how logrotate deletes a file that was compressed if it is told to: it is
// overwritten first.
func (m *model) shred(name string, info os.FileInfo) {
	m.must(os.Link(name, name+"~"))
	m.must(pack(name, info))
	m.must(os.Rename(name+"~", name))
	noise := make([]byte, (info.Size()+4095)/4096*4096)
	for i := range noise {
		noise[i] = byte(m.rand.IntN(256))
	}
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		m.must(err)
		return
	}
	_, err = file.Write(noise)
	m.must(errors.Join(err, file.Close()))
	m.wait(time.Duration(m.rand.IntN(500)) * time.Millisecond)
	m.must(os.Remove(name))
}

// pack does what gzip does: the time of the file stays.
func pack(name string, info os.FileInfo) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(name + ".gz")
	if err != nil {
		return err
	}
	defer out.Close()
	z := gzip.NewWriter(out)
	if _, err := io.Copy(z, in); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.Chtimes(out.Name(), info.ModTime(), info.ModTime()); err != nil {
		return fmt.Errorf("keep the time: %w", err)
	}
	return os.Remove(name)
}

func (m *model) opRestart() {
	m.kill()
	m.start()
}

// opFailing takes the state directory away, or gives it back. A crash while it
// is away may double and lose lines, so the model gives it back before one.
func (m *model) opFailing() {
	if m.failing {
		m.heal()
		return
	}
	m.must(os.Rename(m.state, m.state+".away"))
	m.failing = true
}

// opBack rotates and gives an older file, which the daemon still has open, its
// path again. Nginx writes there, and a worker to the file that was there.
func (m *model) opBack() {
	if m.linked || !m.running() {
		m.opLate()
		return
	}
	if m.late == nil {
		m.opRename()
	}
	m.wait(300 * time.Millisecond) // a file that is never seen at the path may pass for a copy
	name := m.nameOf(m.late)
	if name == "" || m.nginx.deleted || !m.there() {
		m.opLate()
		return
	}
	m.distinct(m.nginx)
	m.must(os.Rename(m.path, m.path+".0"))
	m.must(os.Rename(name, m.path))
	m.shift()
	m.must(os.Rename(m.path+".0", m.path+".1"))
	m.nginx, m.late = m.late, m.nginx
	m.nginx.since, m.late.since = time.Now(), time.Now()
	m.half = ""
	if text := m.nginx.text.Bytes(); len(text) > 0 && text[len(text)-1] != '\n' {
		m.half = m.line() // completes what the worker had begun
	}
	m.wait(300 * time.Millisecond) // the old file's time begins anew when it is seen there
}

// nameOf returns the name that a rotated file has now; "": it has none.
func (m *model) nameOf(f *inode) string {
	if f == nil || f.deleted {
		return ""
	}
	held, err := f.handle.Stat()
	m.must(err)
	names, err := filepath.Glob(m.path + ".*")
	m.must(err)
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && os.SameFile(held, info) {
			return name
		}
	}
	return ""
}

// opNothing moves the file away. Nothing takes its place for longer than the
// daemon waits, and nginx goes on with the old one.
func (m *model) opNothing() {
	if m.linked || !m.there() {
		m.opLate()
		return
	}
	m.distinct(m.nginx)
	m.shift()
	m.must(os.Rename(m.path, m.path+".1"))
	m.nginx.since = time.Now()
	m.wait(modelWait + time.Duration(m.rand.IntN(1000))*time.Millisecond)
	if m.rand.IntN(2) == 0 {
		m.opWrite()
	}
}

// opHole is what a power cut leaves, and what nginx writes behind it.
func (m *model) opHole() {
	switch m.rand.IntN(4) {
	case 0:
		m.opHalf()
	case 1:
		m.opWrite()
	}
	m.hole(m.nginx)
	m.half = "" // the rest of the line is nowhere
	switch m.rand.IntN(4) {
	case 0:
	case 1:
		m.opHalf()
	default:
		m.opWrite()
	}
}

// hole lets a file grow by NULs, with or without taking space for them.
func (m *model) hole(f *inode) {
	size := 1 + m.rand.IntN(100)
	if m.rand.IntN(2) == 0 {
		size += m.rand.IntN(5 * modelBlock)
	}
	nuls := strings.Repeat("\x00", size)
	if m.rand.IntN(2) == 0 {
		m.append(f, nuls)
		return
	}
	info, err := f.handle.Stat()
	m.must(err)
	m.must(f.handle.Truncate(info.Size() + int64(size)))
	m.append(f, "")
	f.text.WriteString(nuls)
}
