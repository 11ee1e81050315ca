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
				l := newLives(t, wakeups, path)
				l.options.blocks = 2
				l.prepare()
				held := []flow.Chunk{<-l.chunks, <-l.chunks} // no block is left
				copyTruncate(t, path, file)
				c.then(t, path)
				l.eventually("notice", func() bool { return l.source().Truncations == 1 })
				add(t, file, "b1\n")
				recovered(t, l, append(lines, "half"), held...)
				add(t, file, "b2\n")
				l.want(2, "b2")
				l.stop()
			})
		})
	}
}

// recovered checks that all of a file comes from its copy, and then b1.
func recovered(t *testing.T, l *lives, lines []string, held ...flow.Chunk) {
	t.Helper()
	for _, chunk := range held {
		l.receive(chunk)
	}
	go l.drain()
	l.want(1, lines...)
	l.want(2, "b1")
	if s := l.source(); s.Recovered != 1 || s.Lost != 0 || s.Truncations != 1 || s.Rotations != 0 {
		t.Errorf("books: %+v", s)
	}
	l.still()
	l.stop()
	l.start()
	l.wantNothing()
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

// Logrotate takes its time between the two.
func TestFileGrowsBetweenItsCopyAndItsTruncation(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\n")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1")
		copyTo(t, path, path+".1")
		add(t, file, "a2\n")
		l.want(1, "a1", "a2") // more than is in the copy
		truncate(t, file, 0)
		l.eventually("notice", func() bool { return l.source().Truncations == 1 })
		add(t, file, "b1\n")
		l.want(2, "b1")
		l.still()
		if s := l.source(); s.Recovered != 0 || s.Lost != 0 {
			t.Errorf("books: %+v", s)
		}
		copyTruncate(t, path, file) // and it is remembered, under its next name
		add(t, file, "c1\n")
		l.want(3, "c1")
		l.still()
		l.stop()
		touch(t, path+".2")
		l.start()
		l.wantNothing()
		l.stop()
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
				l := newLives(t, wakeups, path)
				l.start()
				l.want(1, "a1")
				time.Sleep(300 * time.Millisecond)
				add(t, file, c.rest)
				copyTruncate(t, path, file)
				add(t, file, "b1\n")
				l.want(2, "b1")
				l.want(1, append([]string{"a1"}, strings.Split("hal"+c.rest, "\n")...)...)
				l.still()
				l.stop()
				l.start()
				l.wantNothing()
				l.stop()
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
		l := newLives(t, wakeups, path)
		l.options.blocks = 2
		l.prepare()
		held := []flow.Chunk{<-l.chunks, <-l.chunks} // no block is left
		copyTruncate(t, path, file)
		l.eventually("notice", func() bool { return l.source().Truncations == 1 })
		add(t, file, "b1\n")
		l.receive(held[0])
		l.receive(held[1])
		l.acknowledge()
		n := len(l.got(1))
		go l.drain()
		l.want(1, lines...)
		l.want(2, "b1")
		l.kill()
		compress(t, path+".1", ".gz")
		copyTruncate(t, path, file)
		add(t, file, "c1\n")
		l.start()
		l.wantAll(lines[n:], []string{"b1"}, []string{"c1"})
		l.stop()
		l.start()
		l.wantNothing()
		l.stop()
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
				l := newLives(t, wakeups, path)
				l.start()
				l.want(1, lines...)
				copyTo(t, path, path+".1")
				add(t, file, c.gap)
				l.want(1, append(slices.Clone(lines), strings.Fields(c.gap)...)...)
				truncate(t, file, 0)
				l.eventually("notice", func() bool { return l.source().Truncations == 1 })
				add(t, file, "b1\n")
				l.want(2, "b1")
				l.kill()
				rename(t, path+".1", path+".2")
				copyTruncate(t, path, file)
				add(t, file, "c1\n")
				for range 2 {
					l.start()
					l.wantAll(lines, []string{"b1"}, []string{"c1"})
					if s := l.source(); s.Lost != 0 {
						t.Errorf("%d generations lost", s.Lost)
					}
					l.kill()
				}
				l.start()
				l.wantAll(lines, []string{"b1"}, []string{"c1"})
				l.stop()
				l.start()
				l.wantNothing()
				l.stop()
			})
		})
	}
}

// Nothing is known of it but its inode: its copy is a file of its own.
func TestFileWithoutAWholeLineIsCopiedAndTruncatedWhileStopped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "hal")
		l := newLives(t, wakeups, path)
		l.start()
		l.wantNothing()
		l.stop()
		add(t, file, "f\na2\n")
		copyTruncate(t, path, file)
		add(t, file, "b1\n")
		for _, end := range []func(){l.kill, l.stop} {
			l.start()
			l.wantOf("half", "a2", "b1")
			end()
		}
		l.start()
		l.wantNothing()
		l.stop()
	})
}
