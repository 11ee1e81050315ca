package rejects_test

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// reopen opens the file after a crash; lines of web's generation 1 from number
// from on are undelivered.
func reopen(t *testing.T, dir string, maxBytes, from int64) *rejects.File {
	t.Helper()
	state, err := stateDir(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f, err := rejects.Open(state, maxBytes, func(_, source string, generation, line int64) bool {
		return source == "web" && generation == 1 && line >= from
	}, stats.New(time.Now()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Lines that are rejected again after a crash have one entry, however far the
// checkpoint was behind, also those in the predecessor.
func TestReplay(t *testing.T) {
	one := int64(len(entryText(t)))
	for from := int64(1); from <= 7; from++ {
		dir := t.TempDir()
		f := open(t, dir, 4*one)
		mustAppend(t, f, 1, 2, 3, 4, 5, 6)
		f.Close()
		f = reopen(t, dir, 4*one, from)
		var again []int64
		for n := from; n <= 8; n++ {
			again = append(again, n)
		}
		mustAppend(t, f, again...)
		check(t, dir, statedir.Rejects+".1", 1, 2, 3, 4)
		check(t, dir, statedir.Rejects, 5, 6, 7, 8)
		mustAppend(t, f, 9) // once passed, nothing is held against what comes
		f.Close()
	}
}

// Crash after crash, at any entry, with the last one torn or not.
func TestReplayAgainAndAgain(t *testing.T) {
	for seed := range uint64(50) {
		dice := rand.New(rand.NewPCG(seed, 0))
		dir := t.TempDir()
		delivered, written := int64(1), int64(0) // lines before delivered are; up to written are in the file
		var all []int64
		for n := int64(1); n <= 60; n++ {
			all = append(all, n)
		}
		for delivered <= 60 {
			f := reopen(t, dir, roomy, delivered)
			for next := delivered; next <= 60; {
				n := min(60-next+1, 1+dice.Int64N(9))
				mustAppend(t, f, all[next-1:next-1+n]...)
				next += n
				written = max(written, next-1)
				if dice.IntN(2) == 0 {
					delivered = next
				}
				if dice.IntN(4) == 0 {
					break // crash
				}
			}
			f.Close()
			if written == 60 && dice.IntN(3) == 0 {
				delivered = 61
			}
			path := filepath.Join(dir, statedir.Rejects)
			text := read(t, dir, statedir.Rejects)
			if err := os.WriteFile(path, []byte(text+text[:dice.IntN(50)]), 0o600); err != nil { // of an entry that was being written
				t.Fatal(err)
			}
		}
		open(t, dir, roomy).Close()
		check(t, dir, statedir.Rejects, all...)
	}
}

func TestReplayed(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, roomy)
	some := entries(1, 5, 9)
	some[1].Reason = "refused: no"
	some[2].Line, some[2].LineBytes = []byte("\xff"+strings.Repeat("a", 9000)), 70_000
	if _, err := f.Append(some); err != nil {
		t.Fatal(err)
	}
	f.Close()
	f = reopen(t, dir, roomy, 5)
	for _, tt := range []struct {
		name   string
		change func(*rejects.Entry)
		of     int // in some
		reason flow.Reason
		ok     bool
	}{
		{"the line", nil, 1, "refused: no", true},
		{"the long line", nil, 2, "no match", true},
		{"delivered", nil, 0, "", false},
		{"for another reason", func(e *rejects.Entry) { e.Reason = "" }, 1, "refused: no", true},
		{"at another time", func(e *rejects.Entry) { e.Time = time.Time{} }, 1, "refused: no", true},
		{"another number", func(e *rejects.Entry) { e.LineNumber = 6 }, 1, "", false},
		{"another line", func(e *rejects.Entry) { e.Line = []byte("GET /") }, 1, "", false},
		{"another length", func(e *rejects.Entry) { e.LineBytes++ }, 2, "", false},
		{"another generation", func(e *rejects.Entry) { e.Generation = 2 }, 1, "", false},
		{"another source", func(e *rejects.Entry) { e.Source = "api" }, 1, "", false},
	} {
		e := some[tt.of]
		if tt.change != nil {
			tt.change(&e)
		}
		if reason, ok := f.Replayed(e); reason != tt.reason || ok != tt.ok {
			t.Errorf("%s: Replayed = %q, %t, want %q, %t", tt.name, reason, ok, tt.reason, tt.ok)
		}
	}
	for number, want := range map[int64]bool{1: true, 9: true, 10: false} {
		if got := f.Replays("web", 1, number); got != want {
			t.Errorf("Replays of lines from %d on = %t, want %t", number, got, want)
		}
	}
	if f.Replays("web", 2, 1) || f.Replays("api", 1, 1) {
		t.Error("Replays = true of another generation")
	}
}

// After the checkpoint was lost generations are counted from 1 again: another
// line with the same number has an entry of its own.
func TestAnotherLineOfThatNumber(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, roomy)
	mustAppend(t, f, 1, 2, 3)
	f.Close()
	f = reopen(t, dir, roomy, 1)
	other := entries(1, 2, 3)
	other[1].Line = []byte("POST /")
	if n, err := f.Append(other); n != 3 || err != nil {
		t.Fatalf("Append = %d, %v", n, err)
	}
	check(t, dir, statedir.Rejects, 1, 2, 3, 2)
}
