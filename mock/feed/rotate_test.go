package feed_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/mock/feed"
)

// files reads FILE and what was rotated, oldest first; gaps are an error.
func files(t *testing.T, path string) [][]byte {
	t.Helper()
	all, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	contents := make([][]byte, len(all))
	for i := range all {
		name := path
		if i > 0 {
			name += "." + string(rune('0'+i))
		}
		if contents[len(all)-1-i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return contents
}

func counts(files [][]byte) (lines []int) {
	for _, f := range files {
		lines = append(lines, bytes.Count(f, []byte("\n")))
	}
	return lines
}

// With an imagined clock, every file is known to the line.
func TestRotation(t *testing.T) {
	for _, row := range []struct {
		name     string
		rotation feed.Rotation
		lines    int64
		want     []int // lines in each file, oldest first
		lost     int   // lines in files not kept
	}{
		{"by lines", feed.Rotation{Lines: 100}, 450, []int{100, 100, 100, 100, 50}, 0},
		{"by lines, at the end", feed.Rotation{Lines: 100}, 200, []int{100, 100}, 0},
		{"by time", feed.Rotation{Every: 100 * time.Millisecond}, 450, []int{100, 100, 100, 100, 50}, 0},
		{"lag goes to the old file", feed.Rotation{Every: 100 * time.Millisecond, Lag: 20 * time.Millisecond}, 450, []int{120, 100, 100, 100, 30}, 0},
		{"lag, lines since opened", feed.Rotation{Lines: 100, Lag: 20 * time.Millisecond}, 450, []int{120, 120, 120, 90}, 0},
		{"stopped within the lag", feed.Rotation{Lines: 100, Lag: 20 * time.Millisecond}, 110, []int{110, 0}, 0},
		{"lag longer than the interval", feed.Rotation{Every: 100 * time.Millisecond, Lag: 150 * time.Millisecond}, 450, []int{250, 150, 50, 0}, 0},
		{"keep", feed.Rotation{Lines: 100, Keep: 2}, 450, []int{100, 100, 50}, 200},
		{"never", feed.Rotation{}, 450, []int{450}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "access.log")
			got := run(t, feed.Options{Log: content, Start: start, Lines: row.lines, Path: path, Rotation: row.rotation})
			parts := files(t, path)
			if diff := cmp.Diff(row.want, counts(parts)); diff != "" {
				t.Errorf("lines in the files, -want +got:\n%s", diff)
			}
			want := bytes.SplitAfter(reference(t, int(row.lines), time.Millisecond), []byte("\n"))[row.lost:]
			if diff := cmp.Diff(string(bytes.Join(want, nil)), string(bytes.Join(parts, nil))); diff != "" {
				t.Errorf("all files together, -want +got:\n%s", diff)
			}
			if rotations := len(row.want) - 1 + row.lost/100; got.Rotations != int64(rotations) || got.Lines != row.lines {
				t.Errorf("Summary() = %+v, want %d rotations, %d lines", got, rotations, row.lines)
			}
		})
	}
}

func TestAppendsToWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, []byte("old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".1", []byte("older\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, feed.Options{Log: content, Start: start, Lines: 15, Path: path, Rotation: feed.Rotation{Lines: 10}})
	parts := files(t, path)
	if diff := cmp.Diff([]int{1, 11, 5}, counts(parts)); diff != "" {
		t.Errorf("lines in the files, -want +got:\n%s", diff)
	}
	if !bytes.HasPrefix(parts[1], []byte("old\n")) {
		t.Errorf("%s.1 does not begin with what was in the file", path)
	}
}

// A reader must find the new file empty beside the old one that still grows,
// and on the wall clock a log without lines is rotated too.
func TestRotationOfAQuietLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "access.log")
		f, err := feed.New(feed.Options{
			Log:      content,
			Rate:     0.1, // lines at 0 and 10 s
			Duration: 15 * time.Second,
			Path:     path,
			Rotation: feed.Rotation{Every: 4 * time.Second, Lag: 3 * time.Second},
		})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- f.Run(t.Context()) }()
		for _, row := range []struct {
			at   time.Duration
			want []int
		}{
			{3 * time.Second, []int{1}},
			{5 * time.Second, []int{1, 0}},     // renamed
			{9 * time.Second, []int{1, 0, 0}},  // again, meanwhile reopened
			{11 * time.Second, []int{1, 1, 0}}, // the old one still grows
			{14 * time.Second, []int{1, 1, 0, 0}},
		} {
			time.Sleep(row.at - time.Since(synctestBegan))
			synctest.Wait()
			if diff := cmp.Diff(row.want, counts(files(t, path))); diff != "" {
				t.Errorf("lines in the files after %v, -want +got:\n%s", row.at, diff)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := f.Summary(); got.Rotations != 3 || got.Lines != 2 {
			t.Errorf("Summary() = %+v, want 3 rotations, 2 lines", got)
		}
	})
}

// synctestBegan is when the clock of every bubble begins.
var synctestBegan = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
