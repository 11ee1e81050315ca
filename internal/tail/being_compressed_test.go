// A rotated file or a copy is still being compressed when it is seen.

package tail_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

// gzip writes beside the plain file until it is done: what is there
// already looks like a damaged copy.
func TestFileIsBeingCompressedWhenItsRotationIsSeen(t *testing.T) {
	beingCompressed(t, "nothing", "header", "half", "all")
}

func beingCompressed(t *testing.T, parts ...string) {
	t.Helper()
	t.Parallel()
	for _, part := range parts {
		t.Run(part+" of it is there", func(t *testing.T) {
			t.Parallel()
			for _, run := range []string{"running", "stopped"} {
				t.Run(run, func(t *testing.T) {
					both(t, func(t *testing.T, wakeups bool) {
						path := logFile(t)
						text, lines := random(3 * blockSize / 100)
						create(t, path, text)
						d := newDaemon(t, wakeups, path)
						d.start()
						d.wantOf(lines...)
						packed := gzipped(t, text)
						n := map[string]int{"nothing": 0, "header": 10, "half": len(packed) / 2, "all": len(packed)}[part]
						if run == "stopped" {
							d.stop()
							lines = nil
						}
						later()
						rename(t, path, path+".1")
						later()
						z := create(t, path+".1.gz", packed[:n]) // before the reader has looked
						create(t, path, "b1\n")
						if run == "stopped" {
							d.start()
						}
						lines = append(lines, "b1")
						d.wantOf(lines...)
						add(t, z, packed[n:])
						remove(t, path+".1")
						d.wantOf(lines...)
						if s := d.source(); s.Trouble != "" {
							t.Errorf("Trouble = %q", s.Trouble)
						}
						d.stop()
						d.start()
						d.wantNothing()
						if s := d.source(); s.Trouble != "" || s.Lost != 0 {
							t.Errorf("Trouble = %q, %d lost", s.Trouble, s.Lost)
						}
						d.stop()
					})
				})
			}
		})
	}
}

// The plain file is gone at the next start.
func TestKilledWhileFileIsBeingCompressed(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, lines := random(3 * blockSize / 100)
		create(t, path, text)
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = time.Minute
		d.start()
		d.wantOf(lines...)
		packed := gzipped(t, text)
		later()
		rename(t, path, path+".1")
		later()
		z := create(t, path+".1.gz", packed[:len(packed)/2]) // before the reader has looked
		create(t, path, "b1\n")
		lines = append(lines, "b1")
		d.wantOf(lines...)
		d.acknowledge()
		d.kill()
		add(t, z, packed[len(packed)/2:])
		remove(t, path+".1")
		d.options.RotateWait = 300 * time.Millisecond
		for range 2 {
			d.start()
			d.wantNothing()
			if s := d.source(); s.Trouble != "" || s.Lost != 0 {
				t.Errorf("Trouble = %q, %d lost; the log:\n%s", s.Trouble, s.Lost, &d.log)
			}
			d.stop()
		}
	})
}

// The compressor is so far when the truncation is seen, and done with it when the
// first line comes.
func TestCopyOfATruncatedFileIsBeingCompressed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		part  func(whole int) int
		alone bool // the plain one is gone
	}{
		{"nothing of it is there", func(int) int { return 0 }, false},
		{"its header is there", func(int) int { return 10 }, false},
		{"half of it is there", func(whole int) int { return whole / 2 }, false},
		{"most of it is there", func(whole int) int { return whole * 9 / 10 }, false},
		{"all of it is there", func(whole int) int { return whole }, false},
		{"the plain one is gone", func(whole int) int { return whole }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := logFile(t)
				text, lines := random(5 * blockSize / 100)
				file := create(t, path, text)
				d := newDaemon(t, false, path)
				d.options.blocks = 2
				d.prepare()
				held := []flow.Chunk{<-d.chunks, <-d.chunks} // no block is left
				packed := gzipped(t, text)
				n := c.part(len(packed))
				copyTo(t, path, path+".1")
				truncate(t, file, 0)
				later()
				z := create(t, path+".1.gz", packed[:n])
				if c.alone {
					remove(t, path+".1")
				}
				d.eventually("notice", func() bool { return d.source().Truncations == 1 })
				add(t, z, packed[n:])
				if !c.alone {
					remove(t, path+".1")
				}
				add(t, file, "b1\n")
				time.Sleep(300 * time.Millisecond)
				d.receive(held[0])
				d.receive(held[1])
				go d.drain()
				d.wantOf(append(lines, "b1")...)
				if s := d.source(); s.Trouble != "" || s.Lost != 0 {
					t.Errorf("Trouble = %q, %d lost; the log:\n%s", s.Trouble, s.Lost, &d.log)
				}
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}
