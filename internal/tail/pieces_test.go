// Lines in pieces, which are one line when their end is there.

package tail_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/tail"
)

const (
	aPiece  = "2026-11-20T10:00:00.123456789Z stdout P one"
	itsEnd  = "2026-11-20T10:00:00.123456789Z stdout F two"
	anError = "2026-11-20T10:00:00.123456789Z stderr F oh"
)

func text(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

// Pieces wait for their end, as half a line does for its newline, however long that takes.
func TestPiecesAreKeptBackUntilTheirEnd(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, text("one", aPiece))
		f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
		f.want(1, "one")
		f.still()
		add(t, file, text(anError))
		f.still()
		add(t, file, text(aPiece)+itsEnd)
		f.still()
		add(t, file, text("", anError, aPiece))
		want := []string{"one", aPiece, anError, aPiece, itsEnd, anError}
		f.want(1, want...)
		f.still()
		add(t, file, text("no end"))
		f.want(1, append(want, aPiece, "no end")...)
		if got := f.file(1).ends; !slices.Equal(got, []int64{2, 7, 9}) {
			t.Errorf("chunks end before the lines %v, want 2, 7, 9", got)
		}
	})
}

// No chunk ends between the pieces of a line, wherever in a block they are.
func TestNoChunkEndsBetweenPieces(t *testing.T) {
	const long = 3000
	first, last := aPiece+strings.Repeat("x", long), itsEnd+strings.Repeat("y", long)
	both(t, func(t *testing.T, wakeups bool) {
		for size := blockSize - 2*long - 200; size < blockSize+100; size += 150 {
			var want []string
			for left := size; left > 0; left -= 1000 {
				want = append(want, strings.Repeat("a", min(left, 1000)-1))
			}
			want = append(want, first, anError, last, "behind")
			path := logFile(t)
			create(t, path, text(want...))
			f := follow(t, options{Config: tail.Config{Wakeups: wakeups}}, path)
			f.want(1, want...)
			for _, end := range f.file(1).ends {
				if n := len(want) - int(end-1); n == 2 || n == 3 {
					t.Errorf("%d bytes before: a chunk ends %d lines before the end", size, n)
				}
			}
			f.stop()
		}
	})
}

// The rest of a file that is left is sent, whatever it is.
func TestPiecesAtTheEndOfARotatedFile(t *testing.T) {
	for name, rest := range map[string]string{"pieces": text(aPiece, aPiece), "half a line behind them": text(aPiece, aPiece) + "half"} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, text("one")+rest)
				f := follow(t, options{Config: tail.Config{Wakeups: wakeups, RotateWait: time.Second}}, path)
				f.want(1, "one")
				f.still()
				rotate(t, path, text(itsEnd))
				f.wants[2] = []string{itsEnd}
				f.want(1, append([]string{"one"}, strings.Split(strings.TrimSuffix(rest, "\n"), "\n")...)...)
				f.want(2, itsEnd)
				f.still()
			})
		})
	}
}
