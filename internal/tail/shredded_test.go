// logrotate's shred overwrites what was compressed before it deletes it.

package tail_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

// shred overwrites a file with random bytes, up to the end of its last block as shred does.
func shred(t *testing.T, path string) {
	t.Helper()
	later()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	noise := make([]byte, (info.Size()+4095)/4096*4096)
	if _, err := rand.NewChaCha8([32]byte{byte(rand.Uint32()), byte(rand.Uint32())}).Read(noise); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(noise); err != nil {
		t.Fatal(err)
	}
}

// compressKeeping compresses a file and keeps it, as logrotate does before it shreds it.
func compressKeeping(t *testing.T, path, end string) {
	t.Helper()
	kept := path + ".kept"
	if err := os.Link(path, kept); err != nil {
		t.Fatal(err)
	}
	compress(t, path, end)
	rename(t, kept, path)
}

// The rest of the file is read from the compressed one, which is whole though what it was
// made of is still beside it.
func TestRotatedFileIsShredded(t *testing.T) {
	t.Parallel()
	for _, end := range []string{".gz", ".zst"} {
		t.Run(end, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				text, lines := numbered("a", 0, 5*blockSize/100)
				create(t, path, text)
				d := newDaemon(t, wakeups, path)
				d.options.blocks = 2
				d.prepare()
				held := []flow.Chunk{<-d.chunks, <-d.chunks} // no block is left
				rotate(t, path, "b1\n")
				d.eventually("rotation", func() bool { return d.source().Rotations == 1 })
				compressKeeping(t, path+".1", end)
				shred(t, path+".1")
				d.eventually("notice", func() bool { return d.source().Recovered == 1 })
				for _, chunk := range held {
					d.receive(chunk)
				}
				go d.drain()
				d.eventually("all lines", func() bool { return d.collected() == len(lines)+1 })
				shred(t, path+".1") // another pass
				d.still()
				if err := os.Truncate(path+".1", 0); err != nil {
					t.Fatal(err)
				}
				remove(t, path+".1")
				d.still()
				rotate(t, path, "c1\n") // whatever is beside the log is looked at
				d.wantOf(append(lines, "b1", "c1")...)
				if s := d.source(); s.Lost != 0 || s.Truncations != 0 {
					t.Errorf("books: %+v", s)
				}
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// Nobody has compressed it: its rest is lost, and what is in it now is no log.
func TestRotatedFileIsShreddedAndNothingElse(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, lines := numbered("a", 0, 5*blockSize/100)
		create(t, path, text)
		d := newDaemon(t, wakeups, path)
		d.options.blocks = 2
		d.prepare()
		held := []flow.Chunk{<-d.chunks, <-d.chunks}
		rotate(t, path, "b1\n")
		d.eventually("rotation", func() bool { return d.source().Rotations == 1 })
		shred(t, path+".1")
		d.eventually("notice", func() bool { return d.source().Lost == 1 })
		for _, chunk := range held {
			d.receive(chunk)
		}
		go d.drain()
		d.eventually("what was read", func() bool { return d.collected() == 2*(blockSize/100)+1 })
		rotate(t, path, "c1\n")
		d.wantOf(append(lines[:2*(blockSize/100):2*(blockSize/100)], "b1", "c1")...)
		d.stop()
		d.start() // it is still there
		d.wantNothing()
		d.stop()
	})
}

func TestFileIsShreddedWhileStopped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kill bool
		then func(t *testing.T, path string)
	}{
		{"stopped", false, func(*testing.T, string) {}},
		{"stopped, and shredded to the end", false, func(t *testing.T, path string) { remove(t, path) }},
		{"stopped, and it was emptied by now", false, func(t *testing.T, path string) {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		}},
		{"killed", true, func(*testing.T, string) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				text, lines := numbered("a", 0, 30)
				file := create(t, path, text)
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, lines...)
				want := []string{"late"}
				if c.kill {
					d.kill()
					want = append(lines, want...)
				} else {
					d.stop()
				}
				add(t, file, "late\n")
				rotate(t, path, "b1\n")
				compressKeeping(t, path+".1", ".gz")
				shred(t, path+".1")
				c.then(t, path+".1")
				d.start()
				d.wantOf(append(want, "b1")...) // of whatever generations: an empty file is one, too
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// All of it happens between two looks, to a file that was empty.
func TestFileIsShreddedBeforeItIsSeen(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		text, lines := numbered("a", 0, 30)
		path := logFile(t)
		file := create(t, path, "")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.looked()
		later()
		add(t, file, text)
		rotate(t, path, "b1\n")
		compressKeeping(t, path+".1", ".gz")
		shred(t, path+".1")
		d.wantOf(append(lines, "b1")...) // of generations 1 and 2 if it was seen meanwhile
		d.stop()
	})
}

// Only the file's name tells what it was: it had no line when it was seen last. Its lines came
// late, and all else until the next look.
func TestLateLinesAreShredded(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		text, lines := numbered("a", 0, 30)
		path := logFile(t)
		file := create(t, path, "")
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = time.Minute
		d.start()
		d.looked()
		rotate(t, path, "b1\n")
		d.eventually("the new file's line", func() bool { return d.hasSent("b1") })
		later()
		add(t, file, text)
		compressKeeping(t, path+".1", ".gz")
		shred(t, path+".1")
		remove(t, path+".1")
		d.wantOf(append(lines, "b1")...)
		d.stop()
	})
}

// What is left of a shred that a power cut has ended is there for ever.
func TestRemnantOfAShredIsNotWaitedFor(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		rotate(t, path, "b1\n")
		create(t, path+".1.xz", "\xfd7zXZ\x00, as compresscmd xz writes it").Close()
		shred(t, path+".1")
		d.start()
		d.want(2, "b1")
		d.still()
		d.stop()
	})
}

// An empty rotated file is one that will get lines, though a compressed one of its name is there.
func TestEmptyFileIsBesideAnOlderCompressedOne(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path+".1", "old\n").Close()
		compress(t, path+".1", ".gz")
		later()
		file := create(t, path, "")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.looked()
		d.stop()
		later()
		rename(t, path, path+".1") // by hand; nginx is not told yet
		create(t, path, "").Close()
		d.start()
		d.looked()
		add(t, file, "b1\n")
		d.want(1, "b1")
		d.stop()
	})
}

// nginx writes gzip to a log that was empty, and rotated.
func TestEmptyFileGetsMuchGzip(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		text, lines := random(100)
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = time.Minute
		d.start()
		d.eventually("the first file's line", func() bool { return d.hasSent("a1") })
		file := rotate(t, path, "")
		d.eventually("the empty one", func() bool { return d.source().Rotations == 1 })
		rotate(t, path, "c1\n")
		d.eventually("the next one", func() bool { return d.source().Rotations == 2 })
		add(t, file, gzipped(t, text))
		d.wantOf(append(lines, "a1", "c1")...)
		d.stop()
	})
}

// nginx has not opened its log anew, and writes to the file that logrotate has overwritten,
// emptied and deleted.
func TestLinesAfterAShred(t *testing.T) {
	t.Parallel()
	for name, missing := range map[string]bool{"empty log at the path": false, "nothing at the path": true, "and before it is emptied": false} {
		behind := name == "and before it is emptied"
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				text, lines := numbered("a", 0, 60)
				path := logFile(t)
				file := create(t, path, text)
				d := newDaemon(t, wakeups, path)
				d.options.RotateWait = time.Minute
				d.start()
				d.eventually("all lines", func() bool { return d.collected() == len(lines) })
				if missing {
					rename(t, path, path+".1")
				} else {
					rotate(t, path, "")
					d.eventually("rotation", func() bool { return d.source().Rotations == 1 })
				}
				compressKeeping(t, path+".1", ".gz")
				shred(t, path+".1")
				d.still()
				if behind {
					add(t, file, "late0\n")
					lines = append(lines, "late0")
					d.eventually("the line behind it", func() bool { return d.hasSent("late0") })
				}
				if err := os.Truncate(path+".1", 0); err != nil { // as shred -u ends
					t.Fatal(err)
				}
				remove(t, path+".1")
				d.still()
				add(t, file, "late1\nlate2\n")
				d.wantOf(append(lines, "late1", "late2")...)
				if s := d.source(); s.Lost != 0 || s.Truncations != 0 && !behind {
					t.Errorf("books: %+v", s)
				}
				d.stop()
			})
		})
	}
}
