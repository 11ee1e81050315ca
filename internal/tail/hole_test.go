// NULs in the log that nobody wrote: a hole.

package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/tail"
)

// withHoles are options for a log with holes.
func withHoles(wakeups bool) options {
	o := rotating(wakeups)
	o.holes = true
	return o
}

// makeHole lets a file grow by NULs, which take no space.
func makeHole(t testing.TB, file *os.File, size int64) {
	t.Helper()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	truncate(t, file, info.Size()+size)
}

// sparse skips a test when the file system keeps no holes of this size.
func sparse(t *testing.T, size int64) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err == nil {
		err = file.Truncate(size)
	}
	if err != nil {
		t.Skipf("the file system has no files of %d bytes: %v", size, err)
	}
	defer file.Close()
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	if taken := stat.Blocks * 512; size > blockSize && taken > size/2 {
		t.Skipf("the file system keeps no holes: a file of %d bytes takes %d", size, taken)
	}
}

// inTime fails when 25 s have passed: 20 GiB that are read take more.
func inTime(t *testing.T) (check func()) {
	t.Helper()
	var began, now unix.Timespec // not synctest's
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &began)
	return func() {
		t.Helper()
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
		if took := time.Duration(now.Nano() - began.Nano()); took > 25*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

// wantSkipped waits until so many NULs were skipped, which is said once.
func wantSkipped(f *follower, nuls int64) {
	f.t.Helper()
	f.eventually(fmt.Sprint(nuls, " NULs"), func() bool { return f.source().NULs == nuls })
	const says, none = "NUL bytes in the log are skipped", "or nginx wrote them, as it does with escape=none"
	f.eventually("a word of them", func() bool { return f.logged(says) > 0 })
	if n := f.logged(says); n != 1 || f.logged(none) != 1 {
		f.t.Errorf("skipped NULs are logged %d times", n)
	}
}

var holeSizes = []struct {
	name string
	size int64
}{{"1", 1}, {"4 KiB", 4 << 10}, {"a block", blockSize}, {"200 MiB", 200 << 20}, {"20 GiB", 20 << 30}}

// What copytruncate does to a writer that does not append. Issue 9 of the cases: the
// first line had the NULs, or was too long, and 20 GiB were read.
func TestFileIsTruncatedAndItsWriterGoesOnAtItsOffset(t *testing.T) {
	t.Parallel()
	_, before := numbered("a", 0, 20)
	behind, lines := numbered("b", 0, 11)
	for _, c := range holeSizes {
		t.Run(c.name, func(t *testing.T) {
			sparse(t, c.size)
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, strings.Join(before, "\n")+"\n")
				f := follow(t, withHoles(wakeups), path)
				f.want(1, before...)
				check := inTime(t)
				truncate(t, file, 0)
				makeHole(t, file, c.size)
				add(t, file, behind[:100])
				f.want(2, lines[0])
				add(t, file, behind[100:])
				f.want(2, lines...)
				check()
				if got := f.file(2); got.start.Offset != c.size || got.end.Offset != c.size+1100 {
					t.Errorf("from %d to %d, want from %d on", got.start.Offset, got.end.Offset, c.size)
				}
				wantSkipped(f, c.size)
				f.eventually("the books", func() bool { s := f.source(); return s.Offset == c.size+1100 && s.Size == s.Offset })
				if s := f.source(); s.Lost != 0 || s.LostBytes != 0 {
					t.Errorf("books: %+v", s)
				}
			})
		})
	}
}

// The same, and a stop in between: before the hole is there, when it is, and when lines
// are behind it.
func TestHoleAndAStopInBetween(t *testing.T) {
	t.Parallel()
	for _, c := range holeSizes {
		t.Run(c.name, func(t *testing.T) {
			sparse(t, c.size)
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "a1\na2\n")
				d := newDaemon(t, wakeups, path)
				d.options.holes = true
				d.start()
				d.want(1, "a1", "a2")
				d.stop()
				check := inTime(t)
				truncate(t, file, 0)
				makeHole(t, file, c.size)
				d.start()
				d.wantNothing()
				d.stop()
				add(t, file, "b1\nb2\n")
				for _, end := range []func(){d.kill, d.stop} {
					d.start()
					d.want(2, "b1", "b2")
					wantSkipped(d.follower, c.size)
					end()
				}
				add(t, file, "b3\n")
				makeHole(t, file, c.size)
				add(t, file, "b4\n")
				d.start()
				d.want(2, "b3", "b4")
				d.stop()
				d.start()
				d.wantNothing()
				check()
				if s := d.source(); s.Lost != 0 {
					t.Errorf("books: %+v", s)
				}
				d.stop()
			})
		})
	}
}

func TestHoleIsThereAtTheStart(t *testing.T) {
	nuls := strings.Repeat("\x00", 5000)
	longer, _ := numbered("a", 0, 30)
	meanwhile := func(text string) func(t *testing.T, path string, file *os.File) {
		return func(t *testing.T, _ string, file *os.File) {
			t.Helper()
			add(t, file, text)
		}
	}
	restarts(t,
		stopped{name: "behind the position", holes: true, meanwhile: meanwhile(nuls + "a3\na4\n"), want: [][]string{{"a3", "a4"}}},
		stopped{name: "behind half a line", before: "a1\nha", holes: true, meanwhile: meanwhile(nuls + "a3\n"), want: [][]string{{"ha", "a3"}}},
		stopped{
			name: "where lines were read, after a power cut", holes: true, before: longer, want: [][]string{{"a4"}},
			meanwhile: func(t *testing.T, _ string, file *os.File) {
				truncate(t, file, 2000) // they were not on the disk
				makeHole(t, file, 1234)
				add(t, file, "a4\n")
			},
		},
		stopped{name: "at the end", holes: true, meanwhile: meanwhile("a3\n" + nuls), want: [][]string{{"a3"}}},
		stopped{name: "and nothing else", holes: true, meanwhile: meanwhile(nuls), want: [][]string{nil}},
		stopped{
			name: "in a rotated file", holes: true, want: [][]string{{"a3", "a4", "half"}, {"b1"}},
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, nuls+"a3\n"+nuls+"a4\nhalf"+nuls)
				rotate(t, path, "b1\n")
			},
		},
		stopped{
			name: "in a compressed file", holes: true, want: [][]string{{"a3", "a4", "half"}, {"b1"}},
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, nuls+"a3\n"+nuls+strings.Repeat(nuls, 50)+"a4\nhalf"+nuls)
				rotate(t, path, "b1\n")
				compress(t, path+".1", ".gz")
			},
		},
		stopped{
			name: "in a file that was rotated unnoticed", holes: true, want: [][]string{nil, {"b1", "b2"}, {"c1"}},
			meanwhile: func(t *testing.T, path string, _ *os.File) {
				rotate(t, path, nuls+"b1\n"+nuls+"b2\n"+nuls)
				rotate(t, path, "c1\n")
				compress(t, path+".1", ".zst")
			},
		},
		stopped{
			name: "after copytruncate", holes: true, want: [][]string{{"a3"}, {"b1"}},
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				copyTruncate(t, path, file)
				add(t, file, nuls+"b1\n")
			},
		},
		stopped{
			name: "after copytruncate, each time", holes: true, want: [][]string{{"a3"}, {"b1"}, {"c1"}, {"d1"}},
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				for i, text := range []string{"b1\n", "c1\n", "d1\n"} {
					copyTruncate(t, path, file)
					makeHole(t, file, int64(6000+1000*i))
					add(t, file, text)
				}
				compress(t, path+".2", ".gz")
			},
		},
	)
}

// Nobody can say what will be at the end of a file: only when something is behind it, it
// is a hole.
func TestHoleAtTheEndOfTheFile(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		f := follow(t, withHoles(wakeups), path)
		f.want(1, "a1")
		makeHole(t, file, 3*blockSize)
		f.eventually("the books", func() bool { s := f.source(); return s.Offset == 3+3*blockSize && s.Size == s.Offset })
		makeHole(t, file, 7)
		f.still()
		add(t, file, "a2\n")
		f.want(1, "a1", "a2")
		wantSkipped(f, 3*blockSize+7)
		add(t, file, "ha")
		makeHole(t, file, 100)
		f.still()
		add(t, file, "a3\n")
		f.want(1, "a1", "a2", "ha", "a3")
		add(t, file, "half")
		makeHole(t, file, 100)
		f.still()
		file.Close()
		rotate(t, path, "b1\n")
		f.want(1, "a1", "a2", "ha", "a3", "half") // nobody completes it
		f.want(2, "b1")
		f.eventually("the end of the old file", func() bool { return !isOpen(t, path+".1") })
		wantSkipped(f, 3*blockSize+7+200)
		f.still()
		if s := f.source(); s.Lost != 0 || s.Truncations != 0 {
			t.Errorf("books: %+v", s)
		}
	})
}

// NULs at the end of a file that was left are not what has come to it since.
func TestOldFileThatEndsWithAHoleIsLeftForGood(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		old := create(t, path, "a1\n")
		makeHole(t, old, 100)
		d := newDaemon(t, wakeups, path)
		d.options.holes = true
		d.start()
		d.wantOf("a1")
		rotate(t, path, "b1\n")
		d.wantOf("a1", "b1")
		d.acknowledge()
		time.Sleep(4 * time.Second)
		if n := d.source().NULs; n != 100 {
			t.Errorf("%d NULs, want 100", n)
		}
		if d.logged("is still written to") > 0 {
			t.Error("it is said to be still written to")
		}
		d.stop()
		d.start()
		d.looked()
		time.Sleep(3 * time.Second)
		if n := d.source().NULs; n != 0 {
			t.Errorf("%d NULs after a start, want none", n)
		}
		add(t, old, "a2\n")
		d.wantOf("a2")
		d.stop()
	})
}

// As a page does that a network file system fills later.
func TestHoleAtTheEndOfTheFileIsFilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, fill string }{
		{"behind a line", "a1\n", "a2\na3"},
		{"behind half a line", "a1\nha", "lf\na3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, c.before)
				f := follow(t, withHoles(wakeups), path)
				f.want(1, "a1")
				makeHole(t, file, int64(len(c.fill)))
				f.still()
				later()
				other, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
				if _, err := other.WriteAt([]byte(c.fill), int64(len(c.before))); err != nil {
					t.Fatal(err)
				}
				add(t, file, "\n")
				f.want(1, strings.Split(c.before+c.fill, "\n")...)
				if s := f.source(); s.NULs != 0 {
					t.Errorf("books: %+v", s)
				}
			})
		})
	}
}

// What is cut within a hole goes on behind what is left of it.
func TestFileIsTruncatedWithinAHole(t *testing.T) {
	t.Parallel()
	for _, seen := range []bool{true, false} {
		t.Run(fmt.Sprint("seen ", seen), func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "a1\n")
				f := follow(t, withHoles(wakeups), path)
				f.want(1, "a1")
				makeHole(t, file, 5000)
				f.still()
				truncate(t, file, 1000)
				if seen {
					f.still()
				}
				text, lines := numbered("b", 0, 100)
				add(t, file, text)
				f.want(1, append([]string{"a1"}, lines...)...)
				truncate(t, file, 500) // within what was skipped
				f.eventually("notice", func() bool { return f.source().Truncations == 1 })
				makeHole(t, file, 10)
				add(t, file, "c1\n")
				f.want(2, "c1")
				if s := f.source(); s.Lost != 0 {
					t.Errorf("books: %+v", s)
				}
			})
		})
	}
}

// There is nothing in it that anybody could miss.
func TestFileOfNULsIsTruncated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "")
		f := follow(t, withHoles(wakeups), path)
		f.eventually("the first look", func() bool { return f.source().Open })
		makeHole(t, file, 100<<10)
		f.eventually("the hole", func() bool { return f.source().Offset == 100<<10 })
		truncate(t, file, 0)
		f.eventually("notice", func() bool { return f.source().Offset == 0 })
		add(t, file, "b1\n")
		f.want(2, "b1")
		if s := f.source(); s.Lost != 0 || s.LostBytes != 0 {
			t.Errorf("books: %+v", s)
		}
	})
}

func TestNULsThatTakeSpace(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 100, 4095, 4096, 4097, blockSize - 1, blockSize, blockSize + 1, 20*blockSize + 17} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				nuls := strings.Repeat("\x00", size)
				long := strings.Repeat("x", 2*blockSize)
				create(t, path, nuls+"a1\n"+nuls+"a2\nha"+nuls+"a3\n\n"+nuls+"\n"+long+nuls+"a4\n"+nuls+long+"\n"+nuls+"ha")
				f := follow(t, withHoles(wakeups), path)
				f.want(1, "a1", "a2", "ha", "a3", "", "", long[:longHead], "a4", long[:longHead])
				wantSkipped(f, int64(6*size))
				if got := f.file(1).tooLong; !slices.Equal(got, []int64{2*blockSize + 1, 2*blockSize + 1}) {
					t.Errorf("TooLong = %d", got)
				}
			})
		})
	}
}

// Each time that the log is copied and truncated, its writer goes on at its old offset:
// all copies begin with the same NULs.
func TestFileIsCopiedAndTruncatedAndItsWriterDoesNotAppend(t *testing.T) {
	t.Parallel()
	for _, first := range []int64{5000, 50} { // longer than a head, and not
		for _, how := range []string{"running", "stopped", "killed"} {
			for _, end := range []string{"", ".gz"} {
				t.Run(fmt.Sprint(how, end, first), func(t *testing.T) {
					both(t, func(t *testing.T, wakeups bool) { copiedWithHoles(t, wakeups, first, how, end) })
				})
			}
		}
	}
}

func copiedWithHoles(t *testing.T, wakeups bool, offset int64, how, end string) {
	t.Helper()
	path := logFile(t)
	file := create(t, path, "a1\n")
	d := newDaemon(t, wakeups, path)
	d.options.holes = true
	d.start()
	d.eventually("a1", func() bool { return d.hasSent("a1") })
	var all []string
	for i := range 5 {
		read, unread := fmt.Sprintf("read %d", i), fmt.Sprintf("unread %d", i)
		add(t, file, read+"\n")
		all = append(all, read)
		d.eventually(read, func() bool { return d.hasSent(read) })
		switch how {
		case "stopped":
			d.stop()
		case "killed":
			d.kill()
		}
		add(t, file, unread+"\n")
		all = append(all, unread)
		copyTruncate(t, path, file)
		if how == "running" {
			d.eventually("notice", func() bool { return d.source().Truncations == int64(i+1) })
		}
		offset += 1000
		makeHole(t, file, offset)
		behind := fmt.Sprintf("behind %d", i)
		add(t, file, behind+"\n")
		all = append(all, behind)
		if end != "" && how != "running" {
			compress(t, path+".1", end)
		}
		if how != "running" {
			d.start()
		}
		for _, line := range []string{unread, behind} {
			d.eventually(line, func() bool { return d.hasSent(line) })
		}
		if how == "running" {
			d.acknowledge()
			if end != "" {
				d.eventually("the end of the copy", func() bool { return !isOpen(t, path+".1") })
				compress(t, path+".1", end)
			}
		}
	}
	if s := d.source(); s.Lost != 0 {
		t.Errorf("books: %+v", s)
	}
	d.stop()
	for _, line := range all {
		if numbers := d.books.sent("s0", line); len(numbers) != 1 {
			t.Errorf("%q was sent as %d", line, numbers)
		}
	}
	d.start()
	d.wantNothing()
	d.stop()
}

// Of a file that ends with a hole all was read, whatever it is called later.
func TestRotatedFileEndsWithAHole(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\na2\n")
		d := newDaemon(t, wakeups, path)
		d.options.holes = true
		d.start()
		d.want(1, "a1", "a2")
		makeHole(t, file, 300<<10)
		file.Close()
		rotate(t, path, "b1\n")
		d.want(2, "b1")
		d.left(path + ".1")
		d.stop()
		compress(t, path+".1", ".gz")
		touch(t, path+".1.gz")
		d.start()
		d.wantNothing()
		d.stop()
	})
}

func TestFileIsReadFromTheEndAndEndsWithAHole(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "old\nha")
		makeHole(t, file, 1<<30)
		o := withHoles(wakeups)
		o.fromEnd = true
		f := follow(t, o, path)
		f.eventually("the first look", func() bool { return f.source().Open })
		makeHole(t, file, 1<<30)
		add(t, file, "new\n")
		f.want(1, "new")
	})
}

func TestImportedFileHasHoles(t *testing.T) {
	for _, end := range []string{"", ".gz", ".zst"} {
		t.Run(end, func(t *testing.T) {
			path := logFile(t)
			file := create(t, path+".1", "")
			makeHole(t, file, 200<<10)
			add(t, file, "a1\nha")
			makeHole(t, file, 200<<10)
			add(t, file, "a2\nlast")
			makeHole(t, file, 200<<10)
			if end != "" {
				compress(t, path+".1", end)
			}
			d := newDaemon(t, false, path)
			d.options.holes = true
			d.options.Import, d.options.Once = []string{path + ".1" + end}, true
			d.options.Progress = func(tail.Progress) {}
			for _, want := range [][]string{{"a1", "ha", "a2", "last"}, nil} {
				d.start()
				if err := d.wait(); err != nil {
					t.Fatal(err)
				}
				if want != nil {
					d.want(-1, want...)
				} else if n := d.collected(); n > 0 {
					t.Errorf("%d lines again", n)
				}
				d.acknowledge()
			}
		})
	}
}

// What is cut off and written anew begins with a hole as what was read did: that is no
// reason to take its lines for those.
func TestFileWithAHoleIsWrittenAnewWithASmallerOne(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "")
		makeHole(t, file, 8<<10)
		add(t, file, "a1\n")
		f := follow(t, withHoles(wakeups), path)
		f.want(1, "a1")
		truncate(t, file, 0)
		makeHole(t, file, 4<<10)
		add(t, file, "b1\n")
		f.want(2, "b1")
		add(t, file, "b2\n")
		f.want(2, "b1", "b2")
	})
}
