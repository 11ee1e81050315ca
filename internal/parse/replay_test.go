package parse_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/statedir"
)

// A process is killed at some line, with some of its points sent and the file of
// tag values in whatever state that leaves: as the last sync left it, with
// everything written behind that, or torn in between. A fresh process reads the
// lines again, from some earlier one. No line that was sent has two points.
func TestReplayGivesTheSamePoints(t *testing.T) {
	const limit, lines = 6, 60
	var log []string
	for i := range lines {
		log = append(log, strings.Replace(good, "/a", fmt.Sprintf("/%c%c", 'a'+i%7, 'a'+i/9), 1)+"\n")
	}
	for sent := 1; sent < lines; sent += 7 {
		for _, tear := range []int{0, 1, 9, 20, 1000} {
			dir := t.TempDir()
			name := filepath.Join(dir, statedir.TagValues)
			first, values := openStage(t, "combined", dir, limit, 100, 64<<10)
			sentPoints := points(t, first, log, 0, sent)
			if err := values.Sync(t.Context()); err != nil { // before they are sent
				t.Fatal(err)
			}
			durable, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			points(t, first, log, sent, lines) // these are not
			if err := values.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			written, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			values.Close()
			if !bytes.HasPrefix(written, durable) {
				t.Fatal("what was durable has changed")
			}
			kept := min(len(durable)+tear, len(written))
			if err := os.WriteFile(name, written[:kept], 0o600); err != nil {
				t.Fatal(err)
			}
			for from := 0; from < sent; from += 20 {
				second, values := openStage(t, "combined", dir, limit, 100, 64<<10)
				again := points(t, second, log, from, lines)
				values.Close()
				for i := from; i < sent; i++ {
					if again[i-from] != sentPoints[i] {
						t.Fatalf("%d lines sent, read again from %d, %d bytes behind the last sync: line %d was\n%sand is\n%s",
							sent, from, kept-len(durable), i, sentPoints[i], again[i-from])
					}
				}
			}
		}
	}
}

// points are those of the lines from and up to to, each its own.
func points(t *testing.T, s *stage, log []string, from, to int) (all []string) {
	t.Helper()
	for _, b := range s.run(t, s.chunk(t, strings.Join(log[from:to], ""), int64(from+1), 0)) {
		all = append(all, strings.SplitAfter(strings.TrimSuffix(string(b.Points), "\n"), "\n")...)
		b.Release()
	}
	if len(all) != to-from {
		t.Fatalf("%d points of %d lines", len(all), to-from)
	}
	all[len(all)-1] += "\n"
	return all
}
