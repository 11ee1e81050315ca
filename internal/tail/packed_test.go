// Files are compressed that are not called so, or with what cannot be unpacked.

package tail_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/tail"
)

// Logrotate calls .gz whatever compresscmd makes, and people call files as they like.
func TestRotatedFileIsNotWhatItIsCalled(t *testing.T) {
	called := func(end, as string) func(*testing.T, string, *os.File) {
		return func(t *testing.T, path string, file *os.File) {
			t.Helper()
			add(t, file, "a3\n")
			rotate(t, path, "b1\n")
			rotate(t, path, "c1\n")
			for _, n := range []string{".2", ".1"} {
				if end != "" {
					compress(t, path+n, end)
				}
				rename(t, path+n+end, path+n+as)
			}
		}
	}
	want := [][]string{{"a3"}, {"b1"}, {"c1"}}
	restarts(t,
		stopped{name: "zstd called .gz", meanwhile: called(".zst", ".gz"), want: want},
		stopped{name: "gzip called .zst", meanwhile: called(".gz", ".zst"), want: want},
		stopped{name: "gzip without an ending", meanwhile: called(".gz", ""), want: want},
		stopped{name: "zstd without an ending", meanwhile: called(".zst", ""), want: want},
		stopped{name: "plain called .gz", meanwhile: called("", ".gz"), want: want},
	)
}

// Somebody adds gzip to access_log. The log is empty when the daemon finds it. It is
// refused, which harms no other log; when it is rotated, it is read as any other
// compressed file, also what nginx writes to it until it opens its logs again.
func TestLogIsWrittenCompressed(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, other := logFile(t), logFile(t)
		create(t, path, "a1\n")
		well := create(t, other, "w1\n")
		d := newDaemon(t, wakeups, path, other)
		d.options.RotateWait = 5 * time.Second
		d.start()
		d.eventually("the first lines", func() bool { return d.hasSent("a1") })
		file := rotate(t, path, "")
		add(t, file, gzipped(t, "b1\nb2\n"))
		d.eventually("trouble", func() bool {
			return strings.HasPrefix(d.source().Trouble, path+" is compressed with gzip, and only plain text can be followed: if nginx writes it, remove the parameter gzip")
		})
		add(t, file, gzipped(t, "b3\n"))
		add(t, well, "w2\n")
		time.Sleep(300 * time.Millisecond)
		if d.hasSent("b1") {
			t.Error("a log that is written compressed is followed")
		}
		rotate(t, path, "c1\n")
		d.eventually("what was there", func() bool { return d.hasSent("b3") })
		add(t, file, gzipped(t, "b4\n")) // before it opens its logs
		d.eventually("the lines", func() bool { return d.hasSent("b4") && d.hasSent("c1") })
		d.wantOf("a1", "b1", "b2", "b3", "b4", "c1", "w1", "w2")
		if s := d.source(); s.Trouble != "" || s.Lost != 0 {
			t.Errorf("Trouble = %q, %d lost; the log:\n%s", s.Trouble, s.Lost, &d.log)
		}
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// It is empty until it has been rotated.
func TestLogIsWrittenCompressedAfterItsRotation(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = 5 * time.Second
		d.start()
		d.wantOf("a1")
		file := rotate(t, path, "")
		d.eventually("the empty one", func() bool { return d.source().Rotations == 1 })
		rotate(t, path, "c1\n")
		d.eventually("the next one", func() bool { return d.source().Rotations == 2 })
		add(t, file, gzipped(t, "b1\n"))
		d.wantOf("a1", "b1", "c1")
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// The rest of what was read is in a file that cannot be unpacked. Nothing of the log is
// read until somebody does it: then every line comes, in order.
func TestRestIsInAFileThatCannotBeUnpacked(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		add(t, file, "a2\n")
		rotate(t, path, "b1\n")
		kept := logFile(t) // in another directory
		rename(t, path+".1", kept)
		later()
		create(t, path+".1.gz", "\xfd7zXZ\x00, as compresscmd xz writes it")
		d.start()
		d.eventually("trouble", func() bool {
			return d.source().Trouble == path+".1.gz is compressed with xz, which tailflux cannot read: unpack it first: xz -dc <"+path+".1.gz >"+path+".1.gz.unpacked"
		})
		d.wantNothing()
		rename(t, kept, path+".1") // unpacked
		d.wantAll([]string{"a2"}, []string{"b1"})
		if s := d.source(); s.Trouble != "" || s.Lost != 0 {
			t.Errorf("Trouble = %q, %d lost; the log:\n%s", s.Trouble, s.Lost, &d.log)
		}
		d.stop()
	})
}

// It is called as what logrotate does not make by itself, so it need not be the rest:
// the loss is reported with what may be it.
func TestRestMayBeInAFileThatCannotBeUnpacked(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		add(t, file, "a2\n")
		rotate(t, path, "b1\n")
		remove(t, path+".1")
		create(t, path+".1.xz", "\xfd7zXZ\x00")
		d.start()
		d.want(2, "b1")
		if why := "but this may be it: " + path + ".1.xz is compressed with xz, which tailflux cannot read: unpack it first: xz -dk " + path + ".1.xz"; d.logged(why) != 1 {
			t.Errorf("it does not say %q:\n%s", why, &d.log)
		}
		d.stop()
	})
}

// What compresses takes the plain file away first, or had it from elsewhere, and
// nobody can tell yet what its file is going to be.
func TestFileIsBeingCompressedWithoutThePlainOne(t *testing.T) {
	t.Parallel()
	for _, part := range []int{0, 10, 2000} {
		t.Run(map[int]string{0: "nothing", 10: "its header", 2000: "some"}[part]+" of it is there", func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				text, lines := random(3 * blockSize / 100)
				create(t, path, text)
				d := newDaemon(t, wakeups, path)
				d.start()
				d.wantOf(lines...)
				packed := gzipped(t, text)
				z := create(t, path+".1.gz", packed[:part])
				later()
				remove(t, path)
				later()
				create(t, path, "b1\n")
				lines = append(lines, "b1")
				d.wantOf(lines...)
				add(t, z, packed[part:])
				d.wantOf(lines...)
				d.eventually("no trouble", func() bool { return d.source().Trouble == "" })
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// One file of a glob is compressed. The others are read, and the end says so.
func TestOnceOneFileOfAGlobIsCompressed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.log": gzipped(t, "a1\n"), "b.log": "b1\n", "c.log": "\xfd7zXZ\x00", "d.log": "d1\n"} {
		create(t, filepath.Join(dir, name), text).Close()
	}
	for _, pattern := range []string{"*.log", "[ac].log"} {
		f := follow(t, options{Config: tail.Config{Once: true, Globs: []tail.Glob{{Name: "g", Pattern: filepath.Join(dir, pattern)}}}})
		err := f.refused()
		if err == nil || !strings.Contains(err.Error(), "a.log is compressed with gzip") || !strings.Contains(err.Error(), "c.log is compressed with xz") {
			t.Errorf("%s: %v, want that it names a.log and c.log", pattern, err)
		}
		want := int64(2)
		if pattern != "*.log" {
			want = 0
		}
		if got := f.stats.Snapshot(time.Now()).Books.Read; got != want {
			t.Errorf("%s: %d lines were read, want %d", pattern, got, want)
		}
	}
}

// Of a glob, too, the others are followed.
func TestOneFileOfAGlobIsCompressed(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		create(t, filepath.Join(dir, "a.log"), gzipped(t, "a1\n"))
		create(t, filepath.Join(dir, "b.log"), "b1\n")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups, Globs: []tail.Glob{{Name: "g", Pattern: filepath.Join(dir, "*.log")}}}})
		f.want(1, "b1")
		f.eventually("trouble", func() bool { return strings.Contains(f.source().Trouble, "a.log is compressed with gzip") })
		if s := f.stats.Snapshot(time.Now()).Sources[1]; s.Trouble != "" {
			t.Errorf("trouble of the other one: %s", s.Trouble)
		}
	})
}
