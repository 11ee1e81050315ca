// What can happen in a sequence of the model.

package tail_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// modelOps are what can happen. Each does what it says whatever came before.
var modelOps = []struct {
	name string
	do   func(*world)
}{
	{"write", (*world).opWrite},
	{"half write", (*world).opHalf},
	{"finish", (*world).opFinish},
	{"rename", (*world).opRename},
	{"late write", (*world).opLate},
	{"copytruncate", (*world).opCopyTruncate},
	{"truncate", (*world).opTruncate},
	{"delete", (*world).opDelete},
	{"recreate", (*world).opRecreate},
	{"symlink swap", (*world).opSwap},
	{"gzip", (*world).opGzip},
	{"kill", (*world).kill},
	{"restart", (*world).opRestart},
	{"checkpoint failing", (*world).opFailing},
}

func (w *world) opWrite() {
	if w.half != "" {
		w.opFinish()
	}
	n := 1 + w.rand.IntN(4)
	if w.rand.IntN(20) == 0 {
		n = 200
	}
	var b strings.Builder
	for range n {
		b.WriteString(w.line() + "\n")
	}
	w.append(w.nginx, b.String())
}

func (w *world) opHalf() {
	if w.half != "" {
		w.opFinish()
	}
	line := w.line()
	at := 1 + w.rand.IntN(len(line)-1)
	if i := strings.IndexByte(line, '-'); at <= i {
		at = i + 1 // each half must say which line it is of
	}
	w.append(w.nginx, line[:at])
	w.half = line[at:]
}

func (w *world) opFinish() {
	if w.half == "" {
		w.opHalf()
	}
	w.append(w.nginx, w.half+"\n")
	w.half = ""
}

// opRename rotates. Nginx opens the new file now, or goes on with the old one
// until somebody makes it.
func (w *world) opRename() {
	if !w.there() {
		w.create()
		return
	}
	if w.linked {
		w.opSwap()
		return
	}
	w.distinct(w.nginx)
	w.shift()
	w.must(os.Rename(w.path, w.path+".1"))
	w.nginx.since = time.Now()
	if w.rand.IntN(3) > 0 {
		w.create()
	}
}

// opLate is a worker that still has the old file.
func (w *world) opLate() {
	if w.late == nil {
		w.opWrite()
		return
	}
	if left := modelWait - 15*time.Millisecond - time.Since(w.late.since); w.rand.IntN(3) == 0 && left > 0 && w.running() {
		time.Sleep(left) // the last moment
	}
	text := w.line()
	if w.rand.IntN(3) > 0 {
		text += "\n"
	}
	w.append(w.late, text)
}

// cut empties nginx's file.
func (w *world) cut() *inode {
	old := w.nginx
	w.must(old.handle.Truncate(0))
	old.ended = true
	next := &inode{handle: old.handle, since: time.Now(), deleted: old.deleted, gone: old.gone, maybe: map[string]int{}}
	w.files = append(w.files, next)
	w.nginx = next
	return old
}

func (w *world) opCopyTruncate() {
	if !w.there() || w.linked {
		w.opTruncate()
		return
	}
	// logrotate copies what is at the path; nginx may be elsewhere.
	if at, err := os.Stat(w.path); err != nil || !w.isNginx(at) {
		w.opWrite()
		return
	}
	w.distinct(w.nginx)
	w.shift()
	tick()
	text, err := os.ReadFile(w.path)
	w.must(err)
	w.must(os.WriteFile(w.path+".1", text, 0o644))
	w.cut()
	w.half = "" // the rest of the line is nowhere
}

func (w *world) isNginx(info os.FileInfo) bool {
	held, err := w.nginx.handle.Stat()
	return err == nil && os.SameFile(held, info)
}

// opTruncate loses what was not sent; and of files that begin alike nobody can
// tell whether the beginning was written again.
func (w *world) opTruncate() {
	w.distinct(w.nginx)
	old := w.cut()
	old.gone = true
	w.checkAlone()
	w.half = ""
}

func (w *world) opDelete() {
	if !w.there() {
		w.opWrite()
		return
	}
	w.distinct(w.nginx)
	name := w.path
	if w.linked {
		var err error
		name, err = filepath.EvalSymlinks(w.path)
		w.must(err)
	}
	at, err := os.Stat(w.path)
	w.must(err)
	w.must(os.Remove(name))
	for _, f := range w.files {
		if held, err := f.handle.Stat(); err == nil && os.SameFile(held, at) {
			f.deleted = true
			f.gone = f.gone || !w.running() || !f.seen
			w.checkAlone()
		}
	}
}

func (w *world) opRecreate() {
	if w.there() {
		w.opDelete()
	}
	if w.linked {
		w.must(os.Remove(w.path))
	}
	w.create()
}

// opSwap turns the link to a new file, or makes a link of the file.
func (w *world) opSwap() {
	switch {
	case !w.there() && w.linked:
		w.must(os.Remove(w.path))
		w.create()
	case w.linked:
		w.create()
	case w.there():
		w.shift()
		w.must(os.Rename(w.path, w.path+".1"))
		w.linked = true
		w.create()
	default:
		w.linked = true
		w.create()
	}
}

// opGzip compresses a rotated file to which nobody writes.
func (w *world) opGzip() {
	names, err := filepath.Glob(filepath.Join(w.dir, "access.*"))
	w.must(err)
	live, _ := filepath.EvalSymlinks(w.path)
	slices.Sort(names)
	for _, name := range names {
		if name == w.path || name == live || strings.HasSuffix(name, ".gz") {
			continue
		}
		info, err := os.Stat(name)
		w.must(err)
		if w.isNginx(info) {
			continue
		}
		if w.late != nil {
			w.retire()
		}
		w.must(pack(name, info))
		return
	}
	w.opWrite()
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

func (w *world) opRestart() {
	w.kill()
	w.start()
}

// opFailing takes the state directory away, or gives it back. A crash while it
// is away may double lines and lose some, so there is none.
func (w *world) opFailing() {
	if w.failing {
		w.heal()
		return
	}
	w.must(os.Rename(w.state, w.state+".away"))
	w.failing = true
}
