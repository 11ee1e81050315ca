// NULs that nobody wrote, in a log that is read from its beginning.

package logfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logfile"
)

func TestLeadingNULs(t *testing.T) {
	for _, n := range []int{0, 1, 4095, 4096, 4097, 3*4096 + 5} {
		nuls := strings.Repeat("\x00", n)
		for _, behind := range []string{"", "x", "x\x00", strings.Repeat("x", 5000)} {
			if got := logfile.LeadingNULs([]byte(nuls + behind)); got != n {
				t.Errorf("LeadingNULs of %d and %.10q = %d", n, behind, got)
			}
		}
	}
}

// written writes a log, in which a # stands for a hole of 200 KiB.
func written(t testing.TB, text string) *logfile.Log {
	t.Helper()
	const hole = 200 << 10
	path := filepath.Join(t.TempDir(), "access.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, part := range strings.Split(text, "#") {
		if i > 0 {
			if _, err := f.Seek(hole, io.SeekCurrent); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.WriteString(part); err != nil {
			t.Fatal(err)
		}
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil {
		err = f.Truncate(at)
	}
	if err != nil {
		t.Fatal(err)
	}
	log, err := logfile.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log
}

// plainly cuts all of a log into lines, and says where each ends.
func plainly(t testing.TB, log *logfile.Log) (lines []string, ends []int64) {
	t.Helper()
	text, err := os.ReadFile(log.Path)
	if err != nil {
		t.Fatal(err)
	}
	from := -1
	end := func(at, behind int) {
		lines, ends = append(lines, string(text[from:at])), append(ends, int64(behind))
		from = -1
	}
	for i, c := range text {
		switch {
		case c == '\n' && from < 0:
			from = i
			end(i, i+1)
		case c == '\n':
			end(i, i+1)
		case c == 0 && from >= 0:
			end(i, i)
		case c != 0 && from < 0:
			from = i
		}
	}
	if from >= 0 {
		end(len(text), len(text))
	}
	return lines, ends
}

func FuzzLinesAroundHoles(f *testing.F) {
	for _, text := range []string{"", "#", "a\n#b\n", "#a\n\nha#b\n#", "ha#\n#\n", "a\nb\nlast", "last#", "\x00a\x00\n\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "#") > 5 || strings.ContainsRune(text, '\r') {
			t.Skip()
		}
		log := written(t, text)
		want, ends := plainly(t, log)
		var got []string
		for r := logfile.NewLineReader(log, 1<<20); ; {
			line, long, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || long {
				t.Fatal(err)
			}
			got = append(got, string(line))
		}
		if !slices.Equal(got, want) {
			t.Errorf("lines of %q: %q, want %q", text, got, want)
		}
		if n, err := log.Lines(1 << 40); err != nil || n != int64(len(want)) {
			t.Errorf("Lines of %q = %d, %v, want %d", text, n, err, len(want))
		}
		for i, end := range ends {
			if at, err := log.SkipLines(int64(i + 1)); err != nil || at != end {
				t.Errorf("SkipLines(%d) of %q = %d, %v, want %d", i+1, text, at, err, end)
			}
			if n, err := log.Lines(end); err != nil || n != int64(i+1) {
				t.Errorf("Lines(%d) of %q = %d, %v, want %d", end, text, n, err, i+1)
			}
		}
		all, err := os.ReadFile(log.Path)
		if err != nil {
			t.Fatal(err)
		}
		last := int64(bytes.LastIndexAny(all, "\n\x00") + 1)
		if at, err := logfile.AfterLastNewline(log.File, int64(len(all))); err != nil || at != last {
			t.Errorf("AfterLastNewline of %q = %d, %v, want %d", text, at, err, last)
		}
		for at := range int64(min(len(all), 3)) {
			if more := len(bytes.Trim(all[at:], "\x00")) > 0; log.HasMore(at) != more {
				t.Errorf("HasMore(%d) of %q = %t", at, text, !more)
			}
		}
	})
}

// A large hole costs no time, wherever a log is read or compared.
func TestLargeHole(t *testing.T) {
	const size int64 = 20 << 30
	open := func(behind string) *logfile.Log {
		path := filepath.Join(t.TempDir(), "access.log")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("first\n"); err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(size); err != nil {
			t.Skipf("the file system has no files of %d bytes: %v", size, err)
		}
		if _, err := f.WriteAt([]byte(behind), size); err != nil {
			t.Fatal(err)
		}
		log, err := logfile.OpenLog(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(log.Close)
		return log
	}
	log, other := open("second\n"), open("second\nthird\n")
	if end := log.EndOfHole(1 << 20); end < size-1<<20 {
		t.Skipf("the file system keeps no holes: that at 1 MiB ends at %d", end)
	}
	began := time.Now()
	if n, err := log.Lines(size + 7); n != 2 || err != nil {
		t.Errorf("Lines = %d, %v", n, err)
	}
	if at, err := log.SkipLines(2); at != size+7 || err != nil {
		t.Errorf("SkipLines = %d, %v", at, err)
	}
	if !log.IsPrefixOf(other.Opened) || other.IsPrefixOf(log.Opened) {
		t.Error("one is not a prefix of the other, or the other of the one")
	}
	if !log.HasMore(6) || log.HasMore(size+7) {
		t.Error("HasMore is wrong")
	}
	lines, err := logfile.FirstLines(log.Path, 10)
	if got := fmt.Sprintf("%s", lines); err != nil || got != "[first second]" {
		t.Errorf("FirstLines = %s, %v", got, err)
	}
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Files that begin with NULs are told apart by the text behind them.
func TestFilesThatBeginWithNULs(t *testing.T) {
	a, b, again := written(t, "#first\nmore\n"), written(t, "#other\nmore\n"), written(t, "#first\nmore\nand more\n")
	const nuls = 200 << 10
	sum := logfile.SumBehind(nuls, []byte("first\n"))
	if sum.Length != nuls+6 || !a.Begins(sum) || b.Begins(sum) || !again.Begins(sum) {
		t.Errorf("%+v: %t, %t, %t", sum, a.Begins(sum), b.Begins(sum), again.Begins(sum))
	}
	if start := a.Start(); !again.Begins(start) || b.Begins(start) {
		t.Errorf("Start = %+v", start)
	}
	if s := written(t, "#").Start(); s != logfile.SumOf(make([]byte, logfile.HeadBytes)) {
		t.Errorf("Start of nothing but NULs = %+v", s)
	}
}
