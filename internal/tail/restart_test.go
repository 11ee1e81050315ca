package tail_test

import (
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
				if _, err := os.Stat(path); err == nil {
					appendTo(t, path, "last\n")
					l.want(max(1, len(c.want)), "last")
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
		create(t, path, "a1\n")
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

// The directory is known as soon as a file was seen there.
func TestKilledRightAfterTheFirstRotationIntoAnotherDirectory(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, dir := logFile(t), t.TempDir()
		a := create(t, path, "a1\n")
		l := newLives(t, wakeups, path)
		l.options.RotateWait = time.Hour
		l.start()
		l.want(1, "a1")
		l.acknowledge()
		later()
		rename(t, path, filepath.Join(dir, "access.log.1"))
		add(t, a, "a2\n")
		later()
		create(t, path, "b1\n")
		l.want(2, "b1")
		l.want(1, "a1", "a2")
		l.kill()
		l.start()
		l.wantAll([]string{"a2"}, []string{"b1"})
		if s := l.source(); s.Lost != 0 {
			t.Errorf("%d generations lost; the log:\n%s", s.Lost, &l.log)
		}
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
