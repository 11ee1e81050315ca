package tail_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// lives are those of one daemon, which is stopped or killed, and started again
// with the same state directory. What it sends is seen as InfluxDB sees it: no
// number may be of two lines, and no line may have two numbers.
type lives struct {
	*follower  // of this life
	t          *testing.T
	options    options
	paths      []string
	state      string
	alike      bool // lines may be
	checkpoint *checkpoint.Checkpoint

	mu     sync.Mutex // guards what follows
	taken  []taken
	order  []int64 // generation of every chunk of this life, but for those of a last line without newline
	goesOn map[key]flow.Position
	lines  map[key]string // by number
	number map[string]int64
}

// taken is what is to be acknowledged.
type taken struct {
	end  flow.Position
	last []byte
}

// key is of a source.
type key struct {
	source string
	number int64
}

// newLives is a daemon that was never started.
func newLives(t *testing.T, wakeups bool, paths ...string) *lives {
	t.Helper()
	return &lives{
		t: t, paths: paths, state: stateDir(t), goesOn: map[key]flow.Position{}, lines: map[key]string{}, number: map[string]int64{},
		options: options{Config: tail.Config{Wakeups: wakeups, RotateWait: 300 * time.Millisecond}},
	}
}

func (l *lives) start() {
	l.t.Helper()
	l.prepare()
	go l.drain()
}

// prepare starts a life in which nobody takes the chunks yet.
func (l *lives) prepare() {
	l.t.Helper()
	o := l.options
	o.Checkpoint = openCheckpoint(l.t, l.state, stats.New(time.Now()), io.Discard)
	l.checkpoint = o.Checkpoint
	l.taken, l.order = nil, nil
	l.follower = start(l.t, o, l.paths...)
}

func (l *lives) drain() {
	defer close(l.drained)
	for chunk := range l.chunks {
		l.take(chunk)
		l.collect(chunk)
		chunk.Block.Release()
	}
}

func (l *lives) take(c flow.Chunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	source, g := c.Start.Generation.Source.Name, c.Start.Generation
	l.follower.mu.Lock()
	if !slices.ContainsFunc(l.files, func(file *file) bool { return file.generation == g }) {
		// The follower takes every generation for a new one.
		l.files = append(l.files, &file{generation: g, start: c.Start, end: c.Start})
		at, known := l.goesOn[key{source, g.ID}]
		if !known {
			at = flow.Position{Generation: g, Line: g.FirstLine, Offset: c.Start.Offset}
		}
		if c.Start.Line != at.Line || c.Start.Offset != at.Offset || g.FirstLine != at.Generation.FirstLine {
			l.t.Errorf("generation %d, from line %d, goes on at offset %d, line %d, want %d and %d, and from %d",
				g.ID, g.FirstLine, c.Start.Offset, c.Start.Line, at.Offset, at.Line, at.Generation.FirstLine)
		}
		at.Generation = g
		l.goesOn[key{source, g.ID}] = at
	}
	l.follower.mu.Unlock()
	number := c.Start.Line
	for line := range strings.Lines(string(c.Data)) {
		at, what := key{source, number}, source+" "+line
		if other, known := l.lines[at]; known && other != line {
			l.t.Errorf("number %d of %s is of two lines: %.40q and %.40q", number, source, other, line)
		}
		if other, known := l.number[what]; known && other != number && !l.alike {
			l.t.Errorf("line %.40q of %s has two numbers: %d and %d", line, source, other, number)
		}
		l.lines[at], l.number[what] = line, number
		number++
	}
	end := taken{end: c.End}
	if int64(len(c.Data)) == c.End.Offset-c.Start.Offset { // else they do not tell how the file is there
		end.last = slices.Clone(c.Data)
		l.order = append(l.order, g.ID)
	}
	l.taken = append(l.taken, end)
}

// acknowledge acknowledges what was taken and saves it.
func (l *lives) acknowledge() {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, taken := range l.taken {
		l.checkpoint.Acknowledge(taken.end, taken.last)
		l.goesOn[key{taken.end.Generation.Source.Name, taken.end.Generation.ID}] = taken.end
	}
	l.taken = nil
	if err := l.checkpoint.Save(); err != nil {
		l.t.Error(err)
	}
}

// stop ends a life in which everything was acknowledged.
func (l *lives) stop() {
	l.t.Helper()
	l.follower.stop()
	l.acknowledge()
	l.checkpoint.Close()
}

// kill ends a life. What was acknowledged and not saved is forgotten.
func (l *lives) kill() {
	l.t.Helper()
	l.follower.stop()
	l.checkpoint.Close()
}

// looked waits until the reader has been everywhere.
func (l *lives) looked() {
	l.t.Helper()
	l.eventually("the first look", func() bool { return l.source().Trouble != "not opened yet" })
}

// wantNothing looks some time later whether nothing has come in this life.
func (l *lives) wantNothing() {
	l.t.Helper()
	l.looked()
	time.Sleep(600 * time.Millisecond)
	l.follower.mu.Lock()
	defer l.follower.mu.Unlock()
	for _, file := range l.files {
		l.t.Errorf("generation %d came again from line %d: %.200q; the log:\n%s", file.generation.ID, file.start.Line, file.lines, &l.log)
	}
}

// wantAll waits for the lines of each generation, from the first on, nil being
// none; one after the other. Nothing else may come.
func (l *lives) wantAll(generations ...[]string) {
	l.t.Helper()
	for i, lines := range generations {
		if lines != nil {
			l.want(i+1, lines...)
		}
	}
	l.looked()
	l.still()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.IsSorted(l.order) {
		l.t.Errorf("the chunks are of generations %d, want them in their order", l.order)
	}
}

// left waits until the reader has left all but the newest of the files.
func (l *lives) left(paths ...string) {
	l.t.Helper()
	for _, path := range paths {
		l.eventually("the end of "+filepath.Base(path), func() bool { return !isOpen(l.t, path) })
	}
}

// later lets the file system's clock go on, which has steps of some
// milliseconds: the kernel's, not synctest's.
func later() { _ = unix.Nanosleep(&unix.Timespec{Nsec: 5e6}, nil) }

// rotate does what logrotate does: the log becomes path.1, and what was that
// path.2. The new log begins with text.
func rotate(t *testing.T, path, text string) *os.File {
	t.Helper()
	later()
	shift(t, path)
	rename(t, path, path+".1")
	later()
	return create(t, path, text)
}

// shift makes room for path.1.
func shift(t *testing.T, path string) {
	t.Helper()
	for n := 9; n > 0; n-- {
		for _, end := range []string{"", ".gz", ".zst"} {
			from := fmt.Sprint(path, ".", n, end)
			if _, err := os.Lstat(from); err == nil {
				rename(t, from, fmt.Sprint(path, ".", n+1, end))
			}
		}
	}
}

// copyTo copies a file as cp does.
func copyTo(t *testing.T, from, to string) {
	t.Helper()
	later()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	create(t, to, string(text)).Close()
	later()
}

// copyTruncate does what logrotate does with copytruncate.
func copyTruncate(t *testing.T, path string, file *os.File) {
	t.Helper()
	shift(t, path)
	copyTo(t, path, path+".1")
	truncate(t, file, 0)
	later()
}

// touch sets the time of a file to now, the kernel's.
func touch(t *testing.T, path string) {
	t.Helper()
	later()
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, nil, 0); err != nil {
		t.Fatal(err)
	}
}

// appendTo adds text to what is at the path.
func appendTo(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	add(t, file, text)
}

func mkdir(t *testing.T, path string) string {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// stopped is what happens to a log after a stop, and what comes of it at the
// next start.
type stopped struct {
	name      string
	before    string // in the file, and read; "a1\na2\n" if empty
	meanwhile func(t *testing.T, path string, file *os.File)
	want      [][]string // by generation, nil if nothing comes of it
	lost      int64      // generations
	lostBytes int64
}

// restarts plays each of them. The first start after the stop ends with a kill,
// so that everything comes again; after the second everything has come.
func restarts(t *testing.T, cases ...stopped) {
	t.Helper()
	t.Parallel()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				before := cmp.Or(c.before, "a1\na2\n")
				file := create(t, path, before)
				l := newLives(t, wakeups, path)
				l.start()
				l.looked()
				whole := strings.Split(before, "\n")
				if whole = whole[:len(whole)-1]; len(whole) > 0 {
					l.want(1, whole...)
				}
				time.Sleep(300 * time.Millisecond) // the half line is seen too
				l.stop()
				c.meanwhile(t, path, file)
				l.start()
				l.wantAll(c.want...)
				if s := l.source(); s.Lost != c.lost || s.LostBytes != c.lostBytes || int64(l.logged("level=ERROR")) != c.lost {
					t.Errorf("lost %d generations with %d bytes, want %d with %d; the log:\n%s", s.Lost, s.LostBytes, c.lost, c.lostBytes, &l.log)
				}
				l.kill()
				l.start()
				l.wantAll(c.want...)
				l.stop()
				l.start()
				l.wantNothing()
				if text, err := os.ReadFile(path); err == nil { // else it is missing
					appendTo(t, path, "end\n")
					l.want(max(1, len(c.want)), string(text[bytes.LastIndexByte(text, '\n')+1:])+"end")
				}
				l.stop()
			})
		})
	}
}

func TestNothingHappensWhileStopped(t *testing.T) {
	restarts(t,
		stopped{name: "whole lines", meanwhile: func(*testing.T, string, *os.File) {}},
		stopped{name: "half a line", before: "a1\nhal", meanwhile: func(*testing.T, string, *os.File) {}},
		stopped{name: "less than a line", before: "hal", meanwhile: func(*testing.T, string, *os.File) {}},
		stopped{name: "touched", meanwhile: func(t *testing.T, path string, _ *os.File) { touch(t, path) }},
	)
}

func TestFileGrowsWhileStopped(t *testing.T) {
	restarts(t,
		stopped{
			name:      "by lines",
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, "a3\na4\n") },
			want:      [][]string{{"a3", "a4"}},
		},
		stopped{
			name: "by the rest of a line", before: "a1\nhal",
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, "f\na3\n") },
			want:      [][]string{{"half", "a3"}},
		},
		stopped{
			name: "by the rest of its first line", before: "hal",
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, "f\na2\n") },
			want:      [][]string{{"half", "a2"}},
		},
		stopped{
			name: "by the rest of a line over a block", before: "a1\n" + strings.Repeat("x", 2*blockSize),
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, strings.Repeat("x", blockSize)+"\na3\n") },
			want:      [][]string{{strings.Repeat("x", longHead), "a3"}},
		},
	)
}

func TestHalfLineIsFinishedAfterTheRestart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\nha")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1")
		l.stop()
		l.start()
		l.wantNothing()
		add(t, file, "l")
		l.kill()
		l.start()
		l.wantNothing()
		add(t, file, "f\na3\n")
		l.want(1, "half", "a3")
		if at := l.file(1).start; at.Line != 2 || at.Offset != 3 {
			t.Errorf("goes on at offset %d, line %d, want 3 and 2", at.Offset, at.Line)
		}
		l.stop()
	})
}

func TestFileIsRotatedWhileStopped(t *testing.T) {
	once := func(t *testing.T, path string, file *os.File) {
		t.Helper()
		add(t, file, "a3\n")
		rotate(t, path, "b1\nb2\n")
	}
	twice := func(t *testing.T, path string, file *os.File) {
		t.Helper()
		once(t, path, file)
		rotate(t, path, "c1\n")
	}
	text, lines := numbered("a", 3, 3*blockSize/100) // many chunks
	more, moreLines := numbered("b", 1, 3*blockSize/100)
	restarts(t,
		stopped{name: "once", meanwhile: once, want: [][]string{{"a3"}, {"b1", "b2"}}},
		stopped{
			name:      "once with nothing unread",
			meanwhile: func(t *testing.T, path string, _ *os.File) { rotate(t, path, "b1\n") },
			want:      [][]string{nil, {"b1"}},
		},
		stopped{
			name:      "once and the new one is empty",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "a3\n"); rotate(t, path, "") },
			want:      [][]string{{"a3"}, nil},
		},
		stopped{
			name: "once and there is no new one",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				rename(t, path, path+".1")
				add(t, file, "a4\n")
			},
			want: [][]string{{"a3", "a4"}},
		},
		stopped{name: "twice", meanwhile: twice, want: [][]string{{"a3"}, {"b1", "b2"}, {"c1"}}},
		stopped{
			name: "three times",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, text)
				rotate(t, path, more)
				rotate(t, path, "c1\nc2\n")
				rotate(t, path, "d1\n")
			},
			want: [][]string{lines, moreLines, {"c1", "c2"}, {"d1"}},
		},
		stopped{
			name: "before it has a whole line", before: "hal",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "f\na2\n"); rotate(t, path, "b1\n") },
			want:      [][]string{{"half", "a2"}, {"b1"}},
		},
		stopped{
			name:   "by date",
			before: "a1\n",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a2\n")
				for i, day := range []string{"20261122", "20261123", "20261124-1795478400"} {
					later()
					rename(t, path, path+"-"+day)
					later()
					create(t, path, string(rune('b'+i))+"1\n")
				}
			},
			want: [][]string{{"a2"}, {"b1"}, {"c1"}, {"d1"}},
		},
		stopped{
			name: "by date and the extension kept",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				stem := strings.TrimSuffix(path, ".log")
				later()
				rename(t, path, stem+"-20261122.log")
				later()
				create(t, path, "b1\n")
				later()
				rename(t, path, stem+"-20261123.log")
				later()
				create(t, path, "c1\n")
			},
			want: [][]string{{"a3"}, {"b1"}, {"c1"}},
		},
		stopped{
			name: "into a directory below",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				dir := mkdir(t, filepath.Join(filepath.Dir(path), "archive"))
				later()
				rename(t, path, filepath.Join(dir, "access.log.2"))
				later()
				create(t, path, "b1\n")
				later()
				rename(t, path, filepath.Join(dir, "access.log.1"))
				later()
				create(t, path, "c1\n")
			},
			want: [][]string{{"a3"}, {"b1"}, {"c1"}},
		},
	)
}

func TestFileIsRotatedWhileStoppedIntoADirectoryThatIsKnown(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, dir := logFile(t), t.TempDir()
		to := filepath.Join(dir, "access.log")
		create(t, path, "a1\n").Close()
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1")
		rename(t, path, to+".1")
		later()
		b := create(t, path, "b1\n")
		l.want(2, "b1")
		l.left(to + ".1")
		l.stop()
		add(t, b, "b2\n")
		rename(t, to+".1", to+".2")
		later()
		rename(t, path, to+".1")
		later()
		create(t, path, "c1\n")
		shift(t, to)
		later()
		rename(t, path, to+".1")
		later()
		create(t, path, "d1\n")
		l.start()
		l.wantAll(nil, []string{"b2"}, []string{"c1"}, []string{"d1"})
		l.stop()
	})
}

// Two files are read beside each other at that moment.
func TestKilledWhileTheOldFileIsStillWritten(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		a := create(t, path, "a1\na2\n")
		l := newLives(t, wakeups, path)
		l.options.RotateWait = rotateWait
		l.start()
		l.want(1, "a1", "a2")
		l.acknowledge()
		b := rotate(t, path, "b1\n")
		l.want(2, "b1")
		add(t, a, "a3\n")
		l.want(1, "a1", "a2", "a3")
		l.kill()
		add(t, b, "b2\n")
		add(t, a, "a4\nhal")
		l.start()
		l.want(1, "a3", "a4")
		l.want(2, "b1", "b2")
		add(t, a, "f\n")
		l.want(1, "a3", "a4", "half")
		l.kill()
		rotate(t, path, "c1\n")
		l.start()
		l.wantAll([]string{"a3", "a4", "half"}, []string{"b1", "b2"}, []string{"c1"})
		l.stop()
		l.start()
		l.wantNothing()
		l.stop()
	})
}

func TestFileIsTruncatedWhileStopped(t *testing.T) {
	restarts(t,
		stopped{
			name:      "and there is no copy",
			meanwhile: func(t *testing.T, _ string, file *os.File) { truncate(t, file, 0); add(t, file, "b1\n") },
			want:      [][]string{nil, {"b1"}},
			lost:      1, // what came after the stop, nobody knows
		},
		stopped{
			name: "with half a line unread", before: "a1\nhalf",
			meanwhile: func(t *testing.T, _ string, file *os.File) { truncate(t, file, 0); add(t, file, "b1\n") },
			want:      [][]string{nil, {"b1"}},
			lost:      1, lostBytes: 4,
		},
		stopped{
			name: "and is larger again", before: "a1\nhalf",
			meanwhile: func(t *testing.T, _ string, file *os.File) { truncate(t, file, 0); add(t, file, "b1\nb2\nb3\nb4\n") },
			want:      [][]string{nil, {"b1", "b2", "b3", "b4"}},
			lost:      1, lostBytes: 4,
		},
		stopped{
			name: "and rotated",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				truncate(t, file, 0)
				add(t, file, "b1\n")
				rotate(t, path, "c1\n")
			},
			want: [][]string{nil, {"b1"}, {"c1"}},
			lost: 1,
		},
	)
}

// What was read and not acknowledged is known to be lost.
func TestFileIsTruncatedAfterAKill(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\na2\n")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1", "a2")
		l.kill()
		truncate(t, file, 0)
		add(t, file, "b1\n")
		l.start()
		l.wantAll(nil, []string{"b1"})
		if s := l.source(); s.Lost != 1 || s.LostBytes != 6 {
			t.Errorf("lost %d generations with %d bytes, want 1 with 6", s.Lost, s.LostBytes)
		}
		l.stop()
	})
}

func TestFileIsDeletedWhileStopped(t *testing.T) {
	restarts(t,
		stopped{
			name: "and nothing is there", before: "a1\nhalf",
			meanwhile: func(t *testing.T, path string, _ *os.File) { remove(t, path) },
			lost:      1, lostBytes: 4,
		},
		stopped{
			name:      "and recreated",
			meanwhile: func(t *testing.T, path string, _ *os.File) { remove(t, path); create(t, path, "b1\nb2\nb3\n") },
			want:      [][]string{nil, {"b1", "b2", "b3"}},
			lost:      1,
		},
		stopped{
			name:      "and recreated with the same inode number",
			meanwhile: func(t *testing.T, path string, file *os.File) { recreate(t, path, file, "b1\nb2\nb3\n") },
			want:      [][]string{nil, {"b1", "b2", "b3"}},
			lost:      1,
		},
		stopped{
			name: "before it has a whole line and recreated with the same inode number", before: "half",
			meanwhile: func(t *testing.T, path string, file *os.File) { recreate(t, path, file, "b1\nb2\nb3\n") },
			want:      [][]string{nil, {"b1", "b2", "b3"}},
			lost:      1, lostBytes: 4,
		},
		stopped{
			name: "and its number is used again by the file after the next",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				recreate(t, path, file, "b1\n")
				rotate(t, path, "c1\n")
			},
			want: [][]string{nil, {"b1"}, {"c1"}},
			lost: 1,
		},
	)
}

// recreate deletes a file and makes another one with its inode number.
func recreate(t *testing.T, path string, file *os.File, text string) {
	t.Helper()
	number := func(path string) uint64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	old := number(path)
	file.Close()
	remove(t, path)
	for i := range 100 {
		name := filepath.Join(filepath.Dir(path), fmt.Sprint("other", i))
		create(t, name, text).Close()
		if number(name) == old {
			rename(t, name, path)
			return
		}
	}
	t.Skip("the file system does not use inode numbers again")
}

func TestFileIsReplacedWhileStoppedByOneThatBeginsAlikeForAKilobyte(t *testing.T) {
	t.Parallel()
	head := strings.Repeat("x", 1023) + "\n"
	for _, c := range []struct{ name, after string }{
		{"and is larger", head + "b2\nb3\n"},
		{"and is as large", head + "b2\n"},
		{"and is smaller", head},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, head+"a2\n")
				l := newLives(t, wakeups, path)
				l.alike = true
				l.start()
				l.want(1, head[:1023], "a2")
				l.stop()
				create(t, path+".new", c.after)
				rename(t, path+".new", path)
				l.start()
				l.wantAll(nil, strings.Split(strings.TrimSuffix(c.after, "\n"), "\n"))
				if s := l.source(); s.Lost != 1 {
					t.Errorf("%d generations lost, want 1", s.Lost)
				}
				l.stop()
			})
		})
	}
}

func TestSymlinkIsSwappedWhileStopped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		names [3]string
	}{
		{"to a file of any name", [3]string{"one", "two"}},
		{"to files of a date", [3]string{"access.20261122.log", "access.20261123.log", "access.20261124.log"}},
		{"to files of a date elsewhere", [3]string{"logs/web-2026-11-22", "logs/web-2026-11-23", "logs/web-2026-11-24"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				mkdir(t, filepath.Join(filepath.Dir(path), "logs"))
				swap := func(to, text string) *os.File {
					later()
					file := create(t, filepath.Join(filepath.Dir(path), to), text)
					link(t, file.Name(), path+".new")
					rename(t, path+".new", path)
					return file
				}
				a := swap(c.names[0], "a1\n")
				l := newLives(t, wakeups, path)
				l.start()
				l.want(1, "a1")
				l.stop()
				add(t, a, "a2\n")
				swap(c.names[1], "b1\n")
				want := [][]string{{"a2"}, {"b1"}}
				if c.names[2] != "" {
					swap(c.names[2], "c1\n")
					want = append(want, []string{"c1"})
				}
				l.start()
				l.wantAll(want...)
				l.kill()
				l.start()
				l.wantAll(want...)
				l.stop()
				l.start()
				l.wantNothing()
				l.stop()
			})
		})
	}
}

// As a line, when the file is left, and once.
func TestFileIsRotatedWhileStoppedAndItsLastLineHasNoNewline(t *testing.T) {
	restarts(t,
		stopped{
			name: "half of it known", before: "a1\nla",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "st"); rotate(t, path, "b1\n") },
			want:      [][]string{{"last"}, {"b1"}},
		},
		stopped{
			name:      "after another one",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "a3\nlast"); rotate(t, path, "b1\n") },
			want:      [][]string{{"a3", "last"}, {"b1"}},
		},
		stopped{
			name:      "of a file that nobody has seen",
			meanwhile: func(t *testing.T, path string, _ *os.File) { rotate(t, path, "b1\nlast"); rotate(t, path, "c1\n") },
			want:      [][]string{nil, {"b1", "last"}, {"c1"}},
		},
	)
}

// Nothing is read twice.

// finished is a log that was rotated twice and read to its end, with the older
// files beside it.
func finished(t *testing.T, wakeups bool) (l *lives, path string) {
	t.Helper()
	path = logFile(t)
	create(t, path+".1", "older\n").Close()
	compress(t, path+".1", ".gz")
	rename(t, path+".1.gz", path+".2.gz")
	create(t, path+".1", "old\n").Close()
	later()
	a := create(t, path, "a1\n")
	l = newLives(t, wakeups, path)
	l.start()
	l.want(1, "a1")
	b := rotate(t, path, "b1\n")
	a.Close()
	l.want(2, "b1")
	rotate(t, path, "c1\n").Close()
	b.Close()
	l.want(3, "c1")
	l.left(path+".1", path+".2")
	return l, path
}

func TestFinishedFilesAreNotReadAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		happens func(t *testing.T, path string)
	}{
		{"as they are", func(*testing.T, string) {}},
		{"touched", func(t *testing.T, path string) {
			touch(t, path+".2")
			touch(t, path+".1")
		}},
		{"compressed", func(t *testing.T, path string) {
			compress(t, path+".1", ".gz")
			compress(t, path+".2", ".zst")
		}},
		{"compressed and touched", func(t *testing.T, path string) {
			compress(t, path+".1", ".zst")
			compress(t, path+".2", ".gz")
			touch(t, path+".1.zst")
			touch(t, path+".2.gz")
		}},
		{"copied", func(t *testing.T, path string) {
			copyTo(t, path+".1", path+".8")
			copyTo(t, path+".2", path+"-20261122")
		}},
		{"being compressed", func(t *testing.T, path string) {
			copyTo(t, path+".1", path+".8")
			compress(t, path+".8", ".gz")
			rename(t, path+".8.gz", path+".1.gz") // beside .1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				l, path := finished(t, wakeups)
				c.happens(t, path)
				l.still()
				rotate(t, path, "d1\n") // which makes it look beside the log
				l.want(4, "d1")
				l.still()
				l.stop()
				l.start()
				l.wantNothing()
				l.stop()
			})
		})
		t.Run(c.name+" while stopped", func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				l, path := finished(t, wakeups)
				l.stop()
				c.happens(t, path)
				l.start()
				l.wantNothing()
				l.stop()
				appendTo(t, path, "c2\n")
				rotate(t, path, "d1\n")
				l.start()
				l.wantAll(nil, nil, []string{"c2"}, []string{"d1"})
				l.kill()
				l.start()
				l.wantAll(nil, nil, []string{"c2"}, []string{"d1"})
				l.stop()
			})
		})
	}
}

// A finished file is back at the path: what has been added to it is read.
func TestFinishedFileComesBackWhileStopped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		l, path := finished(t, wakeups)
		l.stop()
		later()
		rename(t, path, path+".c")
		rename(t, path+".1", path)
		appendTo(t, path, "b2\n")
		l.start()
		l.wantAll(nil, []string{"b2"})
		l.stop()
	})
}

func TestOperatorMakesACopy(t *testing.T) {
	t.Parallel()
	copies := func(t *testing.T, path string) {
		t.Helper()
		copyTo(t, path, path+".bak")
		copyTo(t, path, path+".1")
		copyTo(t, path, path+".old")
		compress(t, path+".old", ".gz")
	}
	t.Run("running", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			a := create(t, path, "a1\na2\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1", "a2")
			copies(t, path)
			l.still()
			rotate(t, path, "b1\n")
			l.want(2, "b1")
			l.still()
			add(t, a, "late\n") // is beyond the promise: it was left
			a.Close()
			l.still()
			l.stop()
			l.start()
			l.wantNothing()
			l.stop()
		})
	})
	t.Run("running and the log grows on", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			a := create(t, path, "a1\na2\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1", "a2")
			copies(t, path)
			add(t, a, "a3\n")
			l.want(1, "a1", "a2", "a3")
			rotate(t, path, "b1\n")
			l.want(2, "b1")
			l.still()
			l.stop()
		})
	})
	t.Run("running and touches it", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			a := create(t, path, "a1\na2\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1", "a2")
			copies(t, path)
			add(t, a, "a3\n")
			l.want(1, "a1", "a2", "a3")
			for _, end := range []string{".bak", ".1", ".old.gz"} {
				touch(t, path+end)
			}
			rotate(t, path, "b1\n")
			l.want(2, "b1")
			l.still()
			l.stop()
		})
	})
	t.Run("stopped", func(t *testing.T) {
		restarts(t,
			stopped{
				name: "nothing else", meanwhile: func(t *testing.T, path string, _ *os.File) { copies(t, path) },
			},
			stopped{
				name: "and the log grows",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					copies(t, path)
					add(t, file, "a3\n")
					copyTo(t, path, path+".2")
				},
				want: [][]string{{"a3"}},
			},
			stopped{
				name: "and the log is rotated",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					copies(t, path)
					add(t, file, "a3\n")
					rotate(t, path, "b1\n")
				},
				want: [][]string{{"a3"}, {"b1"}},
			},
			stopped{
				name: "and the log is rotated and compressed",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					copies(t, path)
					add(t, file, "a3\n")
					rotate(t, path, "b1\n")
					compress(t, path+".1", ".gz")
				},
				want: [][]string{{"a3"}, {"b1"}},
			},
			stopped{
				name: "after the log was rotated",
				meanwhile: func(t *testing.T, path string, file *os.File) {
					add(t, file, "a3\n")
					rotate(t, path, "b1\n")
					copyTo(t, path+".1", path+".7")
					copyTo(t, path, path+".bak")
				},
				want: [][]string{{"a3"}, {"b1"}},
			},
		)
	})
}

// They were there when the log was followed for the first time, and nobody asked
// for them.
func TestOlderFilesAreNotReadAtTheFirstRestart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		for _, end := range []string{".3", ".2", ".1", "-20261122"} {
			create(t, path+end, "old"+end+"\n").Close()
			later()
		}
		compress(t, path+".3", ".gz")
		create(t, path, "a1\n")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1")
		l.stop()
		l.start()
		l.wantNothing()
		l.stop()
		rotate(t, path, "b1\n")
		l.start()
		l.wantAll(nil, []string{"b1"})
		rotate(t, path, "c1\n")
		l.want(3, "c1")
		l.still()
		l.stop()
	})
}

// Where reading begins and with which numbers.

func TestKilledBeforeAnythingIsAcknowledged(t *testing.T) {
	t.Parallel()
	for _, fromEnd := range []bool{false, true} {
		t.Run(map[bool]string{false: "beginning", true: "end"}[fromEnd], func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "old\n")
				l := newLives(t, wakeups, path)
				l.options.fromEnd = fromEnd
				l.start()
				l.looked()
				want := []string{"old", "a1", "a2", "a3"}
				if fromEnd {
					want = want[1:]
				}
				add(t, file, "a1\na2\n")
				l.want(1, want[:len(want)-1]...)
				l.kill()
				add(t, file, "a3\n")
				for range 2 {
					l.start()
					l.want(1, want...)
					l.kill()
				}
				rotate(t, path, "b1\n")
				l.start()
				l.wantAll(want, []string{"b1"})
				l.kill()
				l.start()
				l.wantAll(want, []string{"b1"})
				l.stop()
				l.start()
				l.wantNothing()
				l.stop()
			})
		})
	}
}

func TestKilledBeforeAnythingIsRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "old\nol")
		l := newLives(t, wakeups, path)
		l.options.fromEnd = true
		l.start()
		l.wantNothing()
		l.kill()
		add(t, file, "d\na1\n")
		rotate(t, path, "b1\n")
		l.start()
		l.wantAll([]string{"old", "a1"}, []string{"b1"})
		l.stop()
	})
}

// What start says is of the very first start only.
func TestFileIsMissingAtTheVeryFirstStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(*lives)
	}{{"stopped", (*lives).stop}, {"killed", (*lives).kill}} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				l := newLives(t, wakeups, path)
				l.options.fromEnd = true
				l.start()
				l.wantNothing()
				c.end(l)
				create(t, path, "a1\na2\nha")
				l.start()
				l.want(1, "a1", "a2")
				if at := l.file(1).start; at.Offset != 0 || at.Line != 1 {
					t.Errorf("begins at offset %d, line %d, want 0 and 1", at.Offset, at.Line)
				}
				l.kill()
				appendTo(t, path, "lf\n")
				l.start()
				l.wantAll([]string{"a1", "a2", "half"})
				l.stop()
			})
		})
	}
}

func TestLineNumbersAfterAKill(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\na2\n")
		l := newLives(t, wakeups, path)
		l.start()
		l.want(1, "a1", "a2")
		l.acknowledge()
		add(t, file, "a3\na4\n")
		l.want(1, "a1", "a2", "a3", "a4")
		l.kill()
		add(t, file, "a5\n") // so that the next generation would begin elsewhere now
		l.start()
		l.want(1, "a3", "a4", "a5")
		if at := l.file(1).start.Line; at != 3 {
			t.Errorf("a3 is line %d, want 3", at)
		}
		rotate(t, path, "b1\nb2\n")
		l.want(2, "b1", "b2")
		first := l.file(2).start.Line
		if want := int64(6 + gap); first != want {
			t.Errorf("b1 is line %d, want %d", first, want)
		}
		l.kill()
		rotate(t, path, "c1\n")
		l.start()
		l.want(1, "a3", "a4", "a5")
		l.want(2, "b1", "b2")
		l.want(3, "c1")
		if at := l.file(2).start.Line; at != first {
			t.Errorf("b1 is line %d, want %d as before", at, first)
		}
		third := l.file(3).start.Line
		if third < first+gap {
			t.Errorf("c1 is line %d, want it %d beyond %d", third, gap, first)
		}
		l.kill()
		l.start()
		l.want(1, "a3", "a4", "a5")
		l.want(2, "b1", "b2")
		l.want(3, "c1")
		if at := l.file(3).start.Line; at != third {
			t.Errorf("c1 is line %d, want %d as before", at, third)
		}
		l.stop()
	})
}

// Every unread byte may be a line.
func TestMoreIsUnreadThanTheGapBetweenGenerations(t *testing.T) {
	t.Parallel()
	const lines = 600_000
	text := strings.Repeat("\n", lines)
	check := func(t *testing.T, l *lives) {
		t.Helper()
		l.eventually("all lines", func() bool { return l.stats.Snapshot(time.Now()).Books.Read == 1+lines+2 })
		l.eventually("the last ones", func() bool { return len(l.got(3)) == 1 && len(l.got(1)) >= lines })
		a, b, c := l.file(1), l.file(2), l.file(3)
		if b.start.Line < a.end.Line || c.start.Line < b.end.Line+gap {
			t.Errorf("numbers are %d to %d, %d to %d, and from %d on: want none twice", a.start.Line, a.end.Line, b.start.Line, b.end.Line, c.start.Line)
		}
	}
	t.Run("running", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path := logFile(t)
			create(t, path, "a\n"+text)
			l := newLives(t, wakeups, path)
			l.alike = true
			l.prepare()
			l.eventually("the first chunk", func() bool { return len(l.chunks) > 0 })
			rotate(t, path, "b1\n")
			l.eventually("a rotation", func() bool { return l.source().Rotations == 1 })
			rotate(t, path, "c1\n")
			l.eventually("another rotation", func() bool { return l.source().Rotations == 2 })
			go l.drain()
			check(t, l)
			l.stop()
		})
	})
	for _, end := range []string{"", ".gz", ".zst"} {
		t.Run("stopped"+end, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, "a\n")
				l := newLives(t, wakeups, path)
				l.alike = true
				l.start()
				l.want(1, "a")
				l.kill()
				appendTo(t, path, text)
				rotate(t, path, "b1\n")
				if end != "" {
					compress(t, path+".1", end)
				}
				rotate(t, path, "c1\n")
				l.start()
				check(t, l)
				l.stop()
			})
		})
	}
}

func TestConfigurationNamesAnotherPath(t *testing.T) {
	t.Parallel()
	t.Run("the log is there now", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, moved := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1")
			l.stop()
			appendTo(t, path, "a2\n")
			rename(t, path, moved)
			l.paths = []string{moved}
			l.start()
			l.wantAll([]string{"a2"})
			l.kill()
			rotate(t, moved, "b1\n")
			l.start()
			l.wantAll([]string{"a2"}, []string{"b1"})
			l.stop()
		})
	})
	t.Run("another log is there", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.options.fromEnd = true
			l.start()
			l.looked()
			appendTo(t, path, "a2\n")
			l.want(1, "a2")
			l.stop()
			appendTo(t, path, "a3\n")
			later()
			create(t, other, "b1\n")
			l.paths = []string{other}
			for range 2 {
				l.start()
				l.wantAll([]string{"a3"}, []string{"b1"})
				l.kill()
			}
			l.start()
			l.wantAll([]string{"a3"}, []string{"b1"})
			l.stop()
			appendTo(t, path, "a4\n") // nobody follows it any more
			appendTo(t, other, "b2\n")
			l.start()
			l.wantAll(nil, []string{"b2"})
			l.stop()
		})
	})
	t.Run("the log was rotated and is elsewhere", func(t *testing.T) {
		both(t, func(t *testing.T, wakeups bool) {
			path, other := logFile(t), filepath.Join(t.TempDir(), "site.log")
			create(t, path, "a1\n")
			l := newLives(t, wakeups, path)
			l.start()
			l.want(1, "a1")
			l.stop()
			appendTo(t, path, "a2\n")
			rotate(t, path, "b1\n")
			rotate(t, path, "c1\n")
			later()
			rename(t, path, other)
			l.paths = []string{other}
			l.start()
			l.wantAll([]string{"a2"}, []string{"b1"}, []string{"c1"})
			l.stop()
		})
	})
}

func TestTwoSourcesInOneCheckpoint(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		dir := t.TempDir()
		paths := []string{filepath.Join(dir, "access.log"), filepath.Join(dir, "access_ssl.log")}
		var files []*os.File
		for i, path := range paths {
			files = append(files, create(t, path, fmt.Sprintf("%da1\n", i)))
		}
		l := newLives(t, wakeups, paths...)
		lines := func(source int, id int64) (lines []string) {
			l.follower.mu.Lock()
			defer l.follower.mu.Unlock()
			for _, file := range l.files {
				if g := file.generation; g.Source.Index == source && g.ID == id {
					lines = append(lines, file.lines...)
				}
			}
			return lines
		}
		want := func(source int, id int64, want ...string) {
			t.Helper()
			l.eventually(fmt.Sprintf("%q of generation %d of source %d", want, id, source), func() bool {
				return slices.Equal(lines(source, id), want)
			})
		}
		l.start()
		want(0, 1, "0a1")
		want(1, 1, "1a1")
		l.stop()
		add(t, files[0], "0a2\n")
		rotate(t, paths[0], "0b1\n")
		add(t, files[1], "1a2\n")
		for _, end := range []func(){l.kill, l.stop} {
			l.start()
			want(0, 1, "0a2")
			want(0, 2, "0b1")
			want(1, 1, "1a2")
			time.Sleep(600 * time.Millisecond)
			if n := l.stats.Snapshot(time.Now()).Books.Read; n != 3 {
				t.Errorf("%d lines, want 3", n)
			}
			end()
		}
		l.paths = paths[:1] // the other one is not followed any more, and known all the same
		l.start()
		l.wantNothing()
		l.stop()
		add(t, files[1], "1a3\n")
		l.paths = paths
		l.start()
		want(1, 1, "1a3")
		l.stop()
	})
}
