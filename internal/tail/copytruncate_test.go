// The log is copied and truncated, as logrotate does with copytruncate.

package tail_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
)

// What logrotate does with copytruncate, while nobody takes what is read: when it
// is seen, little was sent of what is in the copy.
func TestFileIsCopiedAndTruncatedBeforeItsRestIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		then func(t *testing.T, path string) // at once
	}{
		{"access.log.1", func(*testing.T, string) {}},
		{"access.log-20261122", func(t *testing.T, path string) { rename(t, path+".1", path+"-20261122") }},
		{"access.log.1.gz", func(t *testing.T, path string) { compress(t, path+".1", ".gz") }},
		{"access.log.1.zst", func(t *testing.T, path string) { compress(t, path+".1", ".zst") }},
		{"old/access.log.1", func(t *testing.T, path string) {
			dir := mkdir(t, filepath.Join(filepath.Dir(path), "old"))
			rename(t, path+".1", filepath.Join(dir, "access.log.1"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				text, lines := numbered("a", 0, 5*blockSize/100)
				file := create(t, path, text+"half")
				d := newDaemon(t, wakeups, path)
				d.options.blocks = 2
				d.prepare()
				held := []flow.Chunk{<-d.chunks, <-d.chunks} // no block is left
				copyTruncate(t, path, file)
				c.then(t, path)
				d.eventually("notice", func() bool { return d.source().Truncations == 1 })
				add(t, file, "b1\n")
				recovered(t, d, append(lines, "half"), held...)
				add(t, file, "b2\n")
				d.want(2, "b2")
				d.stop()
			})
		})
	}
}

// recovered checks that all of a file comes from its copy, and then b1.
func recovered(t *testing.T, d *daemon, lines []string, held ...flow.Chunk) {
	t.Helper()
	for _, chunk := range held {
		d.receive(chunk)
	}
	go d.drain()
	d.want(1, lines...)
	d.want(2, "b1")
	if s := d.source(); s.Recovered != 1 || s.Lost != 0 || s.Truncations != 1 || s.Rotations != 0 {
		t.Errorf("books: %+v", s)
	}
	d.still()
	d.stop()
	d.start()
	d.wantNothing()
}

func TestFileIsCopiedAndTruncatedTwiceWithinATick(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, unread string }{
		{"all was read", ""},
		{"some was not", "a3\nhalf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) { copiedTwice(t, wakeups, c.unread) })
		})
	}
}

// Somebody has copied the log before; it was read on, and then logrotate copies and
// truncates it. Nothing tells any more that the first copy is one, unless that is noted.
func TestFileWasCopiedBeforeItIsCopiedAndTruncated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		later()
		copyTo(t, path, path+".8")
		add(t, file, "a2\n")
		d.want(1, "a1", "a2")
		copyTruncate(t, path, file)
		touch(t, path+".9")
		add(t, file, "b1\n")
		d.want(2, "b1")
		d.still()
		d.stop()
		touch(t, path+".9")
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// Time passes between the copy and the truncation.
func TestFileGrowsBetweenItsCopyAndItsTruncation(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		copyTo(t, path, path+".1")
		add(t, file, "a2\n")
		d.want(1, "a1", "a2") // more than is in the copy
		truncate(t, file, 0)
		d.eventually("notice", func() bool { return d.source().Truncations == 1 })
		add(t, file, "b1\n")
		d.want(2, "b1")
		d.still()
		if s := d.source(); s.Recovered != 0 || s.Lost != 0 {
			t.Errorf("books: %+v", s)
		}
		copyTruncate(t, path, file) // and it is remembered, under its next name
		add(t, file, "c1\n")
		d.want(3, "c1")
		d.still()
		d.stop()
		touch(t, path+".2")
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// Of two copies that have all that was read, the later one has the rest.
func TestFileIsCopiedTwiceAndTruncated(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		copyTo(t, path, path+".8")
		add(t, file, "a2\n")
		copyTruncate(t, path, file)
		add(t, file, "b1\n")
		d.want(1, "a1", "a2")
		d.want(2, "b1")
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// The copy has less than what was read and acknowledged. It is remembered, and nothing
// happens to it.
func TestFileWasReadFurtherThanItsCopyAndIsTruncatedWhileStopped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, lines := numbered("a", 0, 20) // a whole head
		file := create(t, path, text)
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, lines...)
		copyTo(t, path, path+".1")
		add(t, file, "a20\n")
		d.want(1, append(lines, "a20")...)
		d.stop()
		truncate(t, file, 0)
		add(t, file, "b1\n")
		d.start()
		d.wantAll(nil, []string{"b1"})
		if s := d.source(); s.Truncations != 0 || s.Lost != 0 {
			t.Errorf("%d truncations, %d lost, want none", s.Truncations, s.Lost)
		}
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

func TestCopyOfATruncatedFileEndsWithHalfALine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rest string }{
		{"that was seen", ""},
		{"that was seen in part", "f"},
		{"after others", "f\na3\nlast"},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "a1\nhal")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, "a1")
				time.Sleep(300 * time.Millisecond)
				add(t, file, c.rest)
				copyTruncate(t, path, file)
				add(t, file, "b1\n")
				d.want(2, "b1")
				d.want(1, append([]string{"a1"}, strings.Split("hal"+c.rest, "\n")...)...)
				d.still()
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

func TestFileIsCopiedAndTruncatedAgainAndAgain(t *testing.T) { both(t, copiedOften) }

func TestFileIsCopiedAndTruncatedWhileStopped(t *testing.T) {
	once := func(t *testing.T, path string, file *os.File) {
		t.Helper()
		add(t, file, "a3\nlast")
		copyTruncate(t, path, file)
		add(t, file, "b1\nb2\n")
	}
	twice := func(t *testing.T, path string, file *os.File) {
		t.Helper()
		once(t, path, file)
		copyTruncate(t, path, file)
		add(t, file, "c1\n")
	}
	restarts(t,
		stopped{name: "once", meanwhile: once, want: [][]string{{"a3", "last"}, {"b1", "b2"}}},
		stopped{
			name: "once with nothing unread",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				copyTruncate(t, path, file)
				add(t, file, "b1\n")
			},
			want: [][]string{nil, {"b1"}},
		},
		stopped{
			name:      "once and nothing is in it now",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "a3\n"); copyTruncate(t, path, file) },
			want:      [][]string{{"a3"}, nil},
		},
		stopped{
			name: "once and compressed",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				once(t, path, file)
				compress(t, path+".1", ".gz")
			},
			want: [][]string{{"a3", "last"}, {"b1", "b2"}},
		},
		stopped{
			name: "once and larger than before",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				copyTruncate(t, path, file)
				add(t, file, "b1\nb2\nb3\nb4\nb5\n")
			},
			want: [][]string{{"a3"}, {"b1", "b2", "b3", "b4", "b5"}},
		},
		stopped{name: "twice", meanwhile: twice, want: [][]string{{"a3", "last"}, {"b1", "b2"}, {"c1"}}},
		stopped{
			name: "twice and compressed",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				twice(t, path, file)
				compress(t, path+".1", ".zst")
				compress(t, path+".2", ".gz")
			},
			want: [][]string{{"a3", "last"}, {"b1", "b2"}, {"c1"}},
		},
		stopped{
			name: "and then renamed",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				once(t, path, file)
				rotate(t, path, "c1\n")
			},
			want: [][]string{{"a3", "last"}, {"b1", "b2"}, {"c1"}},
		},
	)
}

// The rest of one file is being read from its copy.
func TestKilledWhileTheRestIsReadFromTheCopy(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, lines := numbered("a", 0, 8*blockSize/100)
		file := create(t, path, text)
		d := newDaemon(t, wakeups, path)
		d.options.blocks = 2
		d.prepare()
		held := []flow.Chunk{<-d.chunks, <-d.chunks} // no block is left
		copyTruncate(t, path, file)
		d.eventually("notice", func() bool { return d.source().Truncations == 1 })
		add(t, file, "b1\n")
		d.receive(held[0])
		d.receive(held[1])
		d.acknowledge()
		n := len(d.got(1))
		go d.drain()
		d.want(1, lines...)
		d.want(2, "b1")
		d.kill()
		compress(t, path+".1", ".gz")
		copyTruncate(t, path, file)
		add(t, file, "c1\n")
		d.start()
		d.wantAll(lines[n:], []string{"b1"}, []string{"c1"})
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// All of the copy was read before the file was truncated, but none of it is
// acknowledged yet. The crash run of issue 6 lost it.
func TestKilledBeforeACopyThatWasReadIsAcknowledged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, gap string }{
		{"all is in the copy", ""},
		{"more was read than is in the copy", "a21\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				text, lines := numbered("a", 0, 20) // a whole head
				file := create(t, path, text)
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, lines...)
				copyTo(t, path, path+".1")
				add(t, file, c.gap)
				d.want(1, append(slices.Clone(lines), strings.Fields(c.gap)...)...)
				truncate(t, file, 0)
				d.eventually("notice", func() bool { return d.source().Truncations == 1 })
				add(t, file, "b1\n")
				d.want(2, "b1")
				d.kill()
				rename(t, path+".1", path+".2")
				copyTruncate(t, path, file)
				add(t, file, "c1\n")
				for range 2 {
					d.start()
					d.wantAll(lines, []string{"b1"}, []string{"c1"})
					if s := d.source(); s.Lost != 0 {
						t.Errorf("%d generations lost", s.Lost)
					}
					d.kill()
				}
				d.start()
				d.wantAll(lines, []string{"b1"}, []string{"c1"})
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// Nothing is known of it but its inode: its copy is a file of its own.
func TestFileWithoutAWholeLineIsCopiedAndTruncatedWhileStopped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "hal")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.wantNothing()
		d.stop()
		add(t, file, "f\na2\n")
		copyTruncate(t, path, file)
		add(t, file, "b1\n")
		for _, end := range []func(){d.kill, d.stop} {
			d.start()
			d.wantOf("half", "a2", "b1")
			end()
		}
		d.start()
		d.wantNothing()
		d.stop()
	})
}
