// Harness: what nginx, logrotate, gzip and an operator do to files.

package tail_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

// logFile is a path for a log file that does not exist yet.
func logFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "access.log")
}

// create makes a file, which must not be there yet, and keeps it open as nginx
// does.
func create(t testing.TB, path, text string) *os.File {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	add(t, file, text)
	return file
}

func add(t testing.TB, file *os.File, text string) {
	t.Helper()
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func truncate(t testing.TB, file *os.File, size int64) {
	t.Helper()
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
}

// later lets the file system's clock go on: the kernel's, not synctest's. It has steps of some
// milliseconds, on a busy virtual machine of tens, and since Linux 6.13 a file's time may be
// within one.
func later() {
	for before := clock(unix.CLOCK_REALTIME); clock(unix.CLOCK_REALTIME_COARSE) <= before; {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 5e6}, nil)
	}
}

func clock(id int32) int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(id, &now)
	return now.Nano()
}

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

// compress does what gzip and zstd do: the time of the file stays.
func compress(t *testing.T, path, end string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	later()
	out := create(t, path+end, "")
	var z io.WriteCloser
	if end == ".zst" {
		z, err = zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	} else {
		z, err = gzip.NewWriterLevel(out, gzip.BestSpeed)
	}
	if err == nil {
		_, err = io.Copy(z, in)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = out.Close()
	}
	if err == nil {
		err = os.Chtimes(out.Name(), info.ModTime(), info.ModTime())
	}
	if err != nil {
		t.Fatal(err)
	}
	remove(t, path)
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// numbered are count lines from first on, 100 bytes each.
func numbered(name string, first, count int) (text string, lines []string) {
	var b strings.Builder
	for i := range count {
		line := fmt.Sprintf("%s %-*d", name, 99-len(name)-1, first+i)
		b.WriteString(line + "\n")
		lines = append(lines, line)
	}
	return b.String(), lines
}

// random are lines of 100 bytes that hardly become smaller.
func random(count int) (text string, lines []string) {
	r := rand.New(rand.NewPCG(1, 2))
	line := make([]byte, 99)
	for range count {
		for i := range line {
			line[i] = byte('!' + r.IntN(90))
		}
		lines = append(lines, string(line))
	}
	return strings.Join(lines, "\n") + "\n", lines
}

// exchange swaps what is at two paths, without a moment at which nothing is there.
func exchange(t *testing.T, a, b string) {
	t.Helper()
	if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
		t.Skipf("the file system cannot exchange files: %v", err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
