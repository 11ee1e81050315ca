package tail

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/planted"
)

// A sibling is a file that may be, or may hold what was, the log at some path:
// the file there, those it was rotated to, and copies of them.
type sibling struct {
	path    string
	info    fs.FileInfo
	rotated bool // it is called as rotated logs of this path are called
	order   int  // among files of one time: of 2 and 1, 2 is the older one
}

// maxDirectories bounds how many directories below that of the log are searched.
// Of more than maxAlike files, only those are looked into that are called as
// rotated logs of this path are: a thousand logs may lie side by side.
const (
	maxDirectories = 64
	maxAlike       = 64
)

// siblings returns the files in the log's directory, in those below it, in that
// of the file that a link at the path leads to, and in others that are named,
// whose names begin as the log's does. The latest one comes last.
func siblings(path string, others ...string) []sibling { return beside(path, false, others) }

// rotatedLogs are those of the siblings that are called as rotated logs of the
// path are.
func rotatedLogs(path string, others ...string) []sibling { return beside(path, true, others) }

func beside(path string, rotatedOnly bool, others []string) []sibling {
	to := target(path)
	dirs := []string{filepath.Dir(path)}
	if entries, err := os.ReadDir(dirs[0]); err == nil {
		for _, e := range entries {
			if e.IsDir() && len(dirs) < maxDirectories {
				dirs = append(dirs, filepath.Join(dirs[0], e.Name()))
			}
		}
	}
	for _, dir := range append(others, filepath.Dir(to)) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	names := newNames(filepath.Base(path), filepath.Base(to))
	var found []sibling
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !names.alike(e.Name()) {
				continue
			}
			rotated, order := names.rotated(e.Name())
			if rotatedOnly && !rotated {
				continue
			}
			info, err := e.Info()
			if err != nil {
				continue // it has just gone
			}
			at := filepath.Join(dir, e.Name())
			found = append(found, sibling{at, info, rotated && at != path, order})
		}
	}
	if len(found) > maxAlike { // those of other logs
		found = slices.DeleteFunc(found, func(f sibling) bool { return !f.rotated && f.path != path && f.path != to })
	}
	slices.SortStableFunc(found, func(a, b sibling) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), -cmp.Compare(a.order, b.order), cmp.Compare(a.path, b.path))
	})
	return found
}

// target is where a link at the path leads, even if nothing is there; else path.
func target(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	to, err := os.Readlink(path)
	if err != nil {
		return path
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(path), to)
	}
	return to
}

// names tells from its name whether a file may be a rotated log. Logrotate calls
// them access.log.1, access.log-20261122, access-20261122.log when it is told to
// keep the extension, each with .gz or .zst after it.
type names struct {
	stem     string
	begin    string // of all names that match a pattern, if it is known
	patterns []*regexp.Regexp
}

// newNames is for a log called base, which may be a link to another name.
func newNames(base, to string) names {
	n := names{stem: stem(base), begin: strings.TrimSuffix(base, filepath.Ext(base))}
	const number, packed = `[-._](\d{1,3})`, `(?:\.gz|\.zst)?$`
	const date = `[-._]?\d[-._T\d]{4,}\d`
	ext := filepath.Ext(base)
	plain := regexp.QuoteMeta(strings.TrimSuffix(base, ext))
	quoted := regexp.QuoteMeta(base)
	for _, p := range []string{
		quoted + number, quoted + date, quoted + `()\.(?:old|bak)`,
		plain + number + regexp.QuoteMeta(ext), plain + date + regexp.QuoteMeta(ext),
	} {
		n.patterns = append(n.patterns, regexp.MustCompile(`^`+p+packed))
	}
	if to != base {
		// A link is turned to a file of another date or number.
		shape := regexp.MustCompile(`\d+`).ReplaceAllString(regexp.QuoteMeta(to), `\d+`)
		n.patterns = append(n.patterns, regexp.MustCompile(`^`+shape+packed))
		n.begin = ""
		if s := stem(to); !strings.HasPrefix(s, n.stem) {
			n.stem = ""
		}
	}
	return n
}

// stem is what all names of rotated files begin with.
func stem(base string) string {
	end := strings.IndexFunc(base, func(r rune) bool { return strings.ContainsRune(".-_", r) || unicode.IsDigit(r) })
	if end <= 0 {
		return base
	}
	return base[:end]
}

func (n *names) alike(name string) bool { return strings.HasPrefix(name, n.stem) }

func (n *names) rotated(name string) (ok bool, order int) {
	if n.begin != "" && !strings.HasPrefix(name, n.begin) {
		return false, 0 // without asking an expression, for the sake of thousands of logs in one directory
	}
	for _, p := range n.patterns {
		if m := p.FindStringSubmatch(name); m != nil {
			if len(m) > 1 {
				order, _ = strconv.Atoi(m[1])
			}
			return true, order
		}
	}
	return false, 0
}

// opened is a sibling that is open.
type opened struct {
	sibling
	f       *os.File
	inode   checkpoint.Inode
	content io.ReaderAt // of the uncompressed bytes
	head    head
}

func (s sibling) open() (*opened, error) {
	// Should it have become a pipe meanwhile, do not wait for its writer.
	f, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	o := &opened{sibling: s, f: f, content: f}
	if o.info, err = f.Stat(); err == nil {
		err = RegularFile(s.path, o.info.Mode())
	}
	if err == nil {
		o.inode, err = inodeOf(f)
	}
	if unpack := unpacker(s.path); err == nil && unpack != nil {
		o.content = &packed{f: f, unpack: unpack}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	_, _ = o.head.grow(o.content) // who reads it will see
	return o, nil
}

// size is that of the uncompressed bytes; -1 if nobody knows.
func (o *opened) size() int64 {
	if _, plain := o.content.(*os.File); plain {
		return o.info.Size()
	}
	return -1
}

// begins tells whether the file begins as the saved one did.
func (o *opened) begins(saved checkpoint.Sum) bool {
	if saved.Length == 0 || len(o.head) < saved.Length {
		return false
	}
	return checkpoint.SumOf(o.head[:saved.Length]) == saved
}

// How sure it is that a file is the one that a generation was read from.
const (
	another     = iota // it is not
	shorterCopy        // a copy that was made before all of it was read: nothing in it is unread
	copyOf             // it begins alike, and is alike before the offset
	theSame            // the same inode too
)

// holds tells it for a generation that was read up to an offset, with last before
// it.
func (o *opened) holds(f checkpoint.File, offset int64, last checkpoint.Sum) int {
	same, size := sameInode(o.inode, f.Inode), o.size()
	if planted.Is(planted.InodeAlone) {
		if o.inode.Number == f.Inode.Number && size >= offset {
			return theSame
		}
		return another
	}
	switch {
	case f.Head.Length == 0 && same && size >= offset: // nothing but the inode is known
		return theSame
	case !o.begins(f.Head):
		return another
	case size >= 0 && size < offset && same:
		return another // it was truncated, and begins alike again
	case size >= 0 && size < offset:
		return shorterCopy
	}
	if last.Length > 0 && offset >= int64(last.Length) {
		text, err := o.read(offset-int64(last.Length), last.Length)
		switch {
		case err != nil:
			return another
		case len(text) < last.Length:
			return shorterCopy // a compressed one
		case checkpoint.SumOf(text) != last:
			return another
		}
	}
	if same {
		return theSame
	}
	return copyOf
}

// isCopyOf tells whether the file is, or is a copy of, one that was read to its
// end. A file that only begins as that one did, and goes on, is another one. A
// compressed one is read to see it.
func (o *opened) isCopyOf(g *checkpoint.Finished) bool {
	switch {
	case g.Head.Length == 0: // it was empty
		return sameInode(o.inode, g.Inode) && o.size() == g.Offset
	case sameInode(o.inode, g.Inode):
		return o.begins(g.Head)
	case !o.begins(g.Head):
		return false
	case o.size() >= 0 && o.size() != g.Offset:
		return false
	}
	text, err := o.read(g.Offset-int64(g.Before.Length), g.Before.Length+1)
	if err != nil { // it is just being compressed
		return true
	}
	return len(text) == g.Before.Length && checkpoint.SumOf(text) == g.Before
}

// read returns the bytes from an offset on, fewer at the end of the file. Of a
// compressed file it reads all before them.
func (o *opened) read(offset int64, length int) ([]byte, error) {
	text := make([]byte, length)
	for {
		n, err := o.content.ReadAt(text, offset)
		switch {
		case errors.Is(err, errSkipping):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		return text[:n], nil
	}
}

// isCopyOfOpen tells the same for a file that is being read: a copy of it holds
// nothing that it does not hold too.
func (o *opened) isCopyOfOpen(f *file) bool {
	if len(o.head) == 0 || !bytes.HasPrefix(f.head, o.head) || f.packed == nil && o.size() > f.size {
		return false
	}
	if f.packed != nil { // from its beginning, without disturbing who reads it
		again, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.f.Fd()))
		if err != nil {
			return false
		}
		e := &opened{f: again, content: &packed{f: again, unpack: f.packed.unpack}, head: f.head}
		defer e.close()
		return o.isBeginningOf(e)
	}
	if o.size() < 0 { // whoever compresses a file compresses all of it
		from := max(0, f.size-headBytes)
		ours, err := o.read(from, int(f.size-from)+1)
		theirs := make([]byte, f.size-from)
		n, _ := f.f.ReadAt(theirs, from)
		return err != nil || bytes.Equal(ours, theirs[:n]) // an error: it is just being compressed
	}
	var ours, theirs [headBytes]byte
	from := max(0, o.size()-headBytes)
	n, _ := o.f.ReadAt(ours[:o.size()-from], from)
	m, _ := f.f.ReadAt(theirs[:o.size()-from], from)
	return n == m && ours == theirs
}

// ending is the length of the uncompressed bytes, and the last ones of them. Of a
// compressed file it reads all.
func (o *opened) ending() (length int64, last []byte, err error) {
	if size := o.size(); size >= 0 {
		from := max(0, size-markBytes)
		last, err = o.read(from, int(size-from))
		return size, last, err
	}
	const step = 64 << 10
	for {
		text, err := o.read(length, step)
		if err != nil {
			return 0, nil, err
		}
		length += int64(len(text))
		last = append(last, text...)
		last = append([]byte(nil), last[max(0, len(last)-markBytes):]...)
		if len(text) < step {
			return length, last, nil
		}
	}
}

// isBeginningOf tells whether all of the file is in the other one. It reads both.
func (o *opened) isBeginningOf(e *opened) bool {
	if len(o.head) == 0 || !bytes.HasPrefix(e.head, o.head) {
		return false
	}
	const step = 64 << 10
	for at := int64(0); ; at += step {
		ours, err := o.read(at, step)
		theirs, errTheirs := e.read(at, step)
		switch {
		case err != nil || errTheirs != nil || !bytes.HasPrefix(theirs, ours):
			return false
		case len(ours) < step:
			return true
		}
	}
}

func (o *opened) close() {
	if z, ok := o.content.(*packed); ok {
		z.close()
	}
	o.f.Close()
}
