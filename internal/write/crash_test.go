package write_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/write"
)

// lives is a log whose daemon is killed again and again.
type lives struct {
	t     *testing.T
	kinds string // of all lines
	dir   string
	sink  func(ctx context.Context, body string) error
	saved int64 // number of the first line that the checkpoint has not
}

// stateDir is a state directory that is not locked, so that it can be opened again
// as after a crash.
func stateDir(t testing.TB, dir string) *statedir.Dir {
	t.Helper()
	d, err := statedir.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	return d
}

// run delivers lines from where the checkpoint stands, until it has ended or is
// killed. limit is for the disk of the reject file.
func (l *lives) run(c write.Config, killAfter time.Duration) {
	l.t.Helper()
	st := stats.New(time.Now())
	f := newFeed(l.t, st)
	for f.at.Line < l.saved {
		f.batch(l.kinds[f.at.Line-1:][:1])
	}
	file, err := rejects.Open(stateDir(l.t, l.dir), 1<<20, func(_, _ string, _, line int64) bool { return line >= l.saved }, st, slog.New(slog.DiscardHandler))
	if err != nil {
		l.t.Fatal(err)
	}
	defer file.Close()
	a := &acks{end: f.at, saved: f.at}
	w := write.New(c, sink{write: l.sink}, file, a, st, slog.New(slog.DiscardHandler))
	in := make(chan flow.Batch)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Run(ctx, in)
	}()
	killed := time.After(killAfter)
	for dice := rand.New(rand.NewPCG(uint64(f.at.Line), 9)); f.at.Line <= int64(len(l.kinds)); {
		rest := l.kinds[f.at.Line-1:]
		select {
		case in <- f.batch(rest[:min(len(rest), 1+dice.IntN(20))]):
		case <-killed:
			// Run saves when it ends; a process that is killed does not.
			_, l.saved, _ = a.state()
			cancel()
			<-ended
			return
		}
	}
	close(in)
	<-ended
	_, l.saved, _ = a.state()
}

// entries are the numbers of the lines in the reject file, with their reasons.
func (l *lives) entries() map[int64][]string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, statedir.Rejects))
	if err != nil {
		l.t.Fatal(err)
	}
	all := map[int64][]string{}
	for line := range strings.Lines(string(text)) {
		var e struct {
			LineNumber int64 `json:"line_number"`
			Reason     string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			l.t.Errorf("entry %q: %v", line, err)
		}
		all[e.LineNumber] = append(all[e.LineNumber], e.Reason)
	}
	return all
}

// A line was refused and is in the reject file, and the checkpoint is not saved.
// After the crash InfluxDB would take it: it stays rejected, and is there once.
func TestRejectedLineBecomesNoPointAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, 3)
		l := lives{t: t, kinds: "ppxpppp", dir: t.TempDir(), sink: s.write, saved: 1}
		c := write.Config{BatchPoints: 100, FlushInterval: time.Second, InFlight: 2}
		l.run(c, time.Hour)
		l.saved = 1 // the crash
		s.wrong = map[int]bool{}
		l.run(c, time.Hour)
		for n := 1; n <= 6; n++ {
			if s.stored[n] != (n != 3) {
				t.Errorf("point %d: stored is %t", n, s.stored[n])
			}
		}
		entries := l.entries()
		if len(entries) != 2 || len(entries[3]) != 1 || len(entries[4]) != 1 {
			t.Errorf("entries are %v, want one for each of the lines 3 and 4", entries)
		}
	})
}

// Killed at any moment, and whatever InfluxDB takes that it refused before: each
// line is a point or has an entry, not both and not two.
func TestEveryLineHasOneEndOverCrashes(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(seed, 2))
				kinds := make([]byte, 100+dice.IntN(400))
				var ofPoint []int64 // lines
				for i := range kinds {
					kinds[i] = "ppppppppxxef"[dice.IntN(12)]
					if kinds[i] == point {
						ofPoint = append(ofPoint, int64(i+1))
					}
				}
				s := newServer(t)
				refusing := dice.IntN(30)
				l := lives{t: t, kinds: string(kinds), dir: dir, saved: 1}
				l.sink = func(ctx context.Context, body string) error {
					time.Sleep(200 * time.Millisecond)
					return s.write(ctx, body)
				}
				c := write.Config{
					BatchPoints: 1 + dice.IntN(50), FlushInterval: time.Duration(1+dice.IntN(1000)) * time.Millisecond, InFlight: 1 + dice.IntN(3),
				}
				crashes := 0
				for ; l.saved <= int64(len(kinds)); crashes++ {
					s.wrong = map[int]bool{}
					for n := range ofPoint {
						if !s.stored[n+1] && dice.IntN(100) < refusing { // what is stored is taken again
							s.wrong[n+1] = true
						}
					}
					pause := time.Duration(dice.IntN(4000)) * time.Millisecond
					if crashes > 20 {
						pause = time.Hour
					}
					l.run(c, pause)
				}
				entries := l.entries()
				next := 0
				for i, kind := range kinds {
					number, stored := int64(i+1), false
					if kind == point {
						next++
						stored = s.stored[next]
					}
					want := 1
					if stored || kind == filtered {
						want = 0
					}
					if got := len(entries[number]); got != want {
						t.Errorf("line %d, %c: stored is %t, entries are %q", number, kind, stored, entries[number])
					}
				}
			})
		})
		if t.Failed() {
			return
		}
	}
}
