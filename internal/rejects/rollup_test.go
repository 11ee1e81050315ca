package rejects_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

func deltaEntry(rollup, line string, begin int64) rejects.Entry {
	return rejects.Entry{
		Time: time.Unix(1_795_168_800, 0), Kind: rejects.Rollup, Rollup: rollup, Source: "web", Generation: 1, LineNumber: begin, Number: begin,
		Reason: "refused: no", Line: []byte(line), LineBytes: int64(len(line)),
	}
}

// A delta that is refused again after a crash has one entry, and is known before it is sent;
// others of the same line, of another rollup or series, have their own. The entry of the
// line with the number where the cut begins is another one, too.
func TestDeltaHasOneEntry(t *testing.T) {
	dir := t.TempDir()
	all := []rejects.Entry{
		deltaEntry("site#1", `site,host=h,source=web,path=/a\,"b" requests=1i 10`, 5),
		deltaEntry("site#1", "site,host=h,source=web,path=/b requests=1i 10", 5),
		deltaEntry("paths#1", `site,host=h,source=web,path=/a\,"b" requests=1i 10`, 5),
	}
	write := func() {
		t.Helper()
		state, err := stateDir(dir, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		f, err := rejects.Open(state, roomy, func(rollup, source string, generation, line int64) bool {
			return rollup != "gone#1" && source == "web" && generation == 1 && line >= 5
		}, stats.New(time.Now()), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, errFile := os.Stat(filepath.Join(dir, statedir.Rejects))
		for i := range all {
			_, known := f.Replayed(all[i])
			size, _ := os.Stat(filepath.Join(dir, statedir.Rejects))
			if was := errFile == nil && size.Size() > 0; was != known && i == 0 {
				t.Errorf("Replayed of entry %d = %t", i, known)
			}
		}
		if n, err := f.Append(all); n != len(all) || err != nil {
			t.Fatalf("Append = %d, %v", n, err)
		}
		mustAppend(t, f, 5)
	}
	write()
	write()
	write()
	data, err := os.ReadFile(filepath.Join(dir, statedir.Rejects))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), `"kind":"rollup"`); n != len(all) {
		t.Errorf("%d entries of deltas, want %d:\n%s", n, len(all), data)
	}
	if n := strings.Count(string(data), "\n"); n != len(all)+1 {
		t.Errorf("%d entries, want %d and one of a line:\n%s", n, len(all), data)
	}
}
