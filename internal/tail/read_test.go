// The log is read: from the beginning, from the end, half lines, long lines, once.

package tail_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/tail"
)

func TestFileIsReadFromTheBeginning(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "one\ntwo\n\n\r\nfive\n")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
		f.want(1, "one", "two", "", "\r", "five")
		add(t, file, "six\n")
		f.want(1, "one", "two", "", "\r", "five", "six")
		if got := f.file(1); got.start.Offset != 0 || got.start.Line != 1 || got.end.Offset != 20 || got.end.Line != 7 {
			t.Errorf("positions: %+v to %+v", got.start, got.end)
		}
		f.eventually("the books", func() bool {
			s := f.source()
			return s.Open && s.Trouble == "" && s.Offset == 20 && s.Size == 20 && s.Rotations == 0 && s.Truncations == 0
		})
		if books := f.stats.Snapshot(time.Now()); books.Books.Read != 6 || books.Read.Lines != 6 || books.Read.Bytes != 20 {
			t.Errorf("books: %+v", books)
		}
	})
}

func TestFileIsReadFromTheEnd(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for _, c := range []struct {
		name, before, after, want string
		offset                    int64
	}{
		{"after a newline", "old\nold\n", "new\n", "new", 8},
		{"within a line", "old\nha", "lf\n", "half", 4},
		{"empty", "", "new\n", "new", 0},
		{"no newline yet", "ha", "lf\n", "half", 0},
		{"only a newline", "\n", "new\n", "new", 1},
		{"the last newline is far back", "old\n" + long, "\n", "", 4},
		{"no newline far and wide", long, "\n", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, c.before)
				f := follow(t, options{Config: tail.Config{Wakeups: wakeups}, fromEnd: true}, path)
				f.eventually("the first look", func() bool { return f.source().Open })
				add(t, file, c.after)
				f.want(1, cmp.Or(c.want, long[:longHead]))
				if got := f.file(1); got.start.Offset != c.offset || got.start.Line != 1 {
					t.Errorf("begins at %+v, want offset %d, line 1", got.start, c.offset)
				}
			})
		})
	}
}

func TestHalfLineIsKeptBackUntilItsNewline(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "one\nt")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
		f.want(1, "one")
		f.still()
		add(t, file, "w")
		f.still()
		add(t, file, "o")
		f.still()
		add(t, file, "\nthr")
		f.want(1, "one", "two")
		add(t, file, "ee\n")
		f.want(1, "one", "two", "three")
		if got := f.file(1).end; got.Offset != 14 || got.Line != 4 {
			t.Errorf("end = %+v, want offset 14, line 4", got)
		}
	})
}

// A quiet file that grows without a newline must not end the watch for good.
func TestEveryWriteToAQuietFileIsRead(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
		var want []string
		for i := range 3 {
			time.Sleep(1300 * time.Millisecond) // quiet after 1 s
			add(t, file, fmt.Sprintf("line %d\n", i))
			want = append(want, fmt.Sprintf("line %d", i))
			f.want(1, want...)
		}
	})
}

func TestLineIsLongerThanTheLimitButNotThanABlock(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		long := strings.Repeat("x", 3*maxLine)
		path := logFile(t)
		create(t, path, long+"\nnext\n")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
		f.want(1, long, "next")
		if got := f.file(1).tooLong; got != nil {
			t.Errorf("TooLong = %d, want none: it came whole", got)
		}
	})
}

// Whatever is left of a block when such a line comes.
func TestLineOfTheLimitAlwaysComesWhole(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups, MaxLine: 10 << 10}}, path)
		long := strings.Repeat("x", 10<<10)
		var want []string
		for i := range 10 {
			short := strings.Repeat("s", 1500+700*i)
			add(t, file, short+"\n")
			want = append(want, short)
			f.want(1, want...)
			add(t, file, long+"\n")
			want = append(want, long)
			f.want(1, want...)
		}
	})
}

func TestLineIsLongerThanABlock(t *testing.T) {
	for _, length := range []int{blockSize - 1, blockSize, blockSize + 1, 2*blockSize - 1, 2 * blockSize, 2*blockSize + 1, 20*blockSize + 7} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				long := "begin" + strings.Repeat("x", length-5)
				path := logFile(t)
				file := create(t, path, "one\n"+long+"\ntwo\nthree\n"+long+"\n"+long+"\nfo")
				f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
				got := f.file(1)
				f.eventually("all lines", func() bool { got = f.file(1); return len(got.lines) == 6 })
				add(t, file, "ur\n")
				f.eventually("all lines", func() bool { got = f.file(1); return len(got.lines) == 7 })
				head, whole := long[:longHead], long
				for i, want := range []string{"one", "", "two", "three", "", "", "four"} {
					if got := got.lines[i]; want == "" && got != head && got != whole || want != "" && got != want {
						t.Errorf("line %d = %.20q of %d bytes, want %q", i, got, len(got), want)
					}
				}
				for _, n := range got.tooLong {
					if n != int64(length)+1 {
						t.Errorf("TooLong = %d, want %d", n, length+1)
					}
				}
				if length >= blockSize && len(got.tooLong) != 3 {
					t.Errorf("%d lines were too long, want 3", len(got.tooLong))
				}
				if want := int64(3*(length+1) + 4 + 4 + 6 + 5); got.end.Offset != want {
					t.Errorf("ends at %d, want %d", got.end.Offset, want)
				}
			})
		})
	}
}

func TestLineLongerThanABlockGrowsSlowly(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "one\n")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
		length := int64(0)
		for length < 3*blockSize {
			piece := strings.Repeat("x", 9999)
			add(t, file, piece)
			length += int64(len(piece))
			time.Sleep(150 * time.Millisecond)
		}
		f.want(1, "one")
		add(t, file, "\ntwo\n")
		f.want(1, "one", strings.Repeat("x", longHead), "two")
		if got := f.file(1); len(got.tooLong) != 1 || got.tooLong[0] != length+1 || got.end.Offset != length+9 {
			t.Errorf("TooLong = %d, end %d, want %d and %d", got.tooLong, got.end.Offset, length+1, length+9)
		}
	})
}

// The room that is left in a block may be smaller than the head of a line.
func TestLimitIsSmallerThanTheHeadOfALongLine(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "")
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups, MaxLine: 1 << 10}}, path)
		var want []string
		for i := range 12 {
			short, long := strings.Repeat("s", 1500+700*i), strings.Repeat("x", 2*blockSize)
			add(t, file, short+"\n")
			want = append(want, short)
			f.want(1, want...)
			add(t, file, long+"\n1\n2\n")
			want = append(want, long[:longHead], "1", "2")
			f.want(1, want...)
		}
	})
}

func TestOnceReadsUpToTheLastNewlineAndEnds(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	var want []string
	for i := range 20_000 {
		want = append(want, fmt.Sprintf("line %d", i))
		text.WriteString(want[i] + "\n")
	}
	for _, tail := range []string{"", "half", strings.Repeat("x", 3*blockSize)} {
		f := onceFollower(t, text.String()+tail)
		if err := f.wait(); err != nil {
			t.Errorf("Run = %v", err)
		}
		if got := f.got(1); !slices.Equal(got, want) {
			t.Errorf("%d lines, the last is %q, want %d", len(got), got[len(got)-1], len(want))
		}
	}
	for _, text := range []string{"", "half"} {
		f := onceFollower(t, text)
		if err := f.wait(); err != nil || len(f.files) != 0 {
			t.Errorf("of %q: Run = %v, %d files", text, err, len(f.files))
		}
	}
}

func onceFollower(t *testing.T, text string) *follower {
	t.Helper()
	path := logFile(t)
	create(t, path, text)
	return follow(t, options{Config: tail.Config{Once: true, Wakeups: true}}, path)
}

// refused waits for the end of Run with Once, and is why logs were not read. Run has no error
// then: it would end what delivers the lines of the others.
func (f *follower) refused() error {
	f.t.Helper()
	if err := f.wait(); err != nil {
		f.t.Errorf("Run = %v", err)
	}
	return f.reader.Failed()
}

func TestOnceNeedsTheFile(t *testing.T) {
	t.Parallel()
	path := logFile(t)
	f := follow(t, options{Config: tail.Config{Once: true}}, path)
	if err := f.refused(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "source s0") {
		t.Errorf("Refused = %v, want one of source s0 that says it is missing", err)
	}
	f = follow(t, options{Config: tail.Config{Once: true}}, filepath.Dir(path))
	if err := f.refused(); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("Refused = %v, want one that says it is a directory", err)
	}
	f = follow(t, options{Config: tail.Config{Once: true}}, "/proc/self/mem")
	if err := f.refused(); err != nil {
		t.Errorf("Refused = %v, want nil: it is empty", err)
	}
}

// One log that is missing is no reason to leave the others unread.
func TestOnceReadsTheOthers(t *testing.T) {
	t.Parallel()
	for _, missing := range []int{0, 1} {
		paths := []string{logFile(t), logFile(t)}
		create(t, paths[1-missing], "one\ntwo\n")
		f := start(t, options{Config: tail.Config{Once: true, Globs: []tail.Glob{{Name: "g", Pattern: filepath.Join(t.TempDir(), "*.log")}}}}, paths...)
		f.drain(0)
		err := f.refused()
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint("source s", missing, ": ")) || !strings.Contains(err.Error(), "no file matches") || strings.Count(err.Error(), "\n") != 1 {
			t.Errorf("Refused = %v, want one of source s%d that says it is missing, and one of the glob", err, missing)
		}
		if got := len(f.lines(1)); got != 2 {
			t.Errorf("%d lines were read, want 2", got)
		}
		if f.logged("waiting") > 0 {
			t.Error("it says that it waits, and does not")
		}
	}
}

// Once reads what was there at the start: a file that grows faster than it can
// be delivered has no end, and one that is rotated meanwhile is still there.
func TestOnceReadsWhatWasThereAtTheStart(t *testing.T) {
	t.Parallel()
	for what, happens := range map[string]func(path string, file *os.File){
		"grows":   func(_ string, file *os.File) { add(t, file, strings.Repeat("more\n", 10_000)) },
		"deleted": func(path string, _ *os.File) { remove(t, path) },
		"rotated": func(path string, _ *os.File) { rename(t, path, path+".1"); create(t, path, "new\n") },
	} {
		t.Run(what, func(t *testing.T) {
			path := logFile(t)
			text := strings.Repeat("0123456789\n", blockSize)
			file := create(t, path, text+"ha")
			f := start(t, options{Config: tail.Config{Once: true}}, path)
			f.eventually("the first chunk", func() bool { return len(f.chunks) > 0 })
			happens(path, file)
			f.drain(30 * time.Millisecond) // 11 blocks: longer than a tick
			if err := f.wait(); err != nil {
				t.Errorf("Run = %v", err)
			}
			if got := f.file(1); len(f.files) != 1 || got.end.Offset != int64(len(text)) || got.end.Line != blockSize+1 {
				t.Errorf("%d files, the first to %+v, want %d lines", len(f.files), got.end, blockSize)
			}
		})
	}
}

// The watchdog knows by it that the reader works, also with nothing to read and while
// nobody takes what was read.
func TestReaderTellsThatItLooks(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		for _, text := range []string{"", strings.Repeat("a line that nobody takes\n", 40*blockSize/25)} {
			path := logFile(t)
			create(t, path, text)
			f := start(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
			for range 4 {
				before := time.Now()
				f.eventually("a look", func() bool { return f.stats.Motion().Looked.After(before) })
			}
			f.drain(0)
			f.stop()
			if looked := f.stats.Motion().Looked; !looked.IsZero() {
				t.Errorf("it has ended, and looked at %v", looked)
			}
		}
	})
}
