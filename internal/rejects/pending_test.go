package rejects_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/rejects"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

func entry(number int64, line string) rejects.Entry {
	return rejects.Entry{
		Time: time.Unix(1_795_168_800, 0).UTC(), Source: "web", Generation: 1, LineNumber: number % 1000, Number: number,
		Reason: "no match", Line: []byte(line), LineBytes: int64(len(line)),
	}
}

func redelivered(number int64) rejects.Entry {
	e := entry(number, "")
	e.Kind, e.Line, e.LineBytes = rejects.Redelivered, nil, 0
	return e
}

func appendAll(t *testing.T, f *rejects.File, all ...rejects.Entry) {
	t.Helper()
	if n, err := f.Append(all); err != nil || n != len(all) {
		t.Fatalf("Append = %d, %v", n, err)
	}
}

// pendings are the pending lines of web in a few words, with line lengths.
func pendings(t *testing.T, dir string) (all []string) {
	t.Helper()
	p, err := rejects.ReadPending(dir, func(source string) bool { return source == "web" })
	if err != nil {
		t.Fatal(err)
	}
	err = p.Each(func(one rejects.Pending) error {
		text := string(one.Line)
		if len(text) > 20 {
			text = fmt.Sprintf("%s… %d", text[:5], len(text))
		}
		if !one.Whole {
			text = "?"
		}
		all = append(all, fmt.Sprintf("%d %d %s", one.Number, one.LineNumber, text))
		return nil
	})
	if err != nil || p.Len() != len(all) {
		t.Errorf("Each = %v with %d of %d", err, len(all), p.Len())
	}
	return all
}

// What is read back is each line as it was, unless it was redelivered.
func TestPending(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, 2_000_000)
	cut := entry(7001, "head")
	cut.LineBytes = 100_000
	other := entry(8001, "of another source")
	other.Source = "api"
	appendAll(t, f,
		entry(5001, "plain"), entry(5002, "\xff\xfe"), entry(5003, `\xE4`), entry(5004, strings.Repeat("long ", 4000)),
		entry(5005, strings.Repeat("very long \xff", 100_000)), entry(5006, "gone"), cut, other, entry(9001, ""),
		redelivered(5006), entry(5007, "twice"), redelivered(5007), entry(5007, "and again"))
	want := []string{"5001 1 plain", "5002 2 \xff\xfe", `5003 3 \xE4`, "5004 4 long … 20000", "5005 5 very … 1100000", "7001 1 ?", "9001 1 ", "5007 7 and again"}
	if diff := cmp.Diff(want, pendings(t, dir)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	lines, err := rejects.Read(dir)
	if of := lines.Of("web", 1); err != nil || len(of) != 8 || of[5006] != "" || of[5007] == "" || of[5005] == "" {
		t.Errorf("Read = %v, %v", of, err)
	}
	if n := lines.BySource()["web"]; n != 8 {
		t.Errorf("%d lines of web", n)
	}
	f.Close()
	if f, err = openFile(dir, 2_000_000); err != nil { // the long one is no damage
		t.Fatal(err)
	}
	f.Close()
	if diff := cmp.Diff(want, pendings(t, dir)); diff != "" {
		t.Errorf("opened again, -want +got:\n%s", diff)
	}
}

// A line that was redelivered before the checkpoint had passed it is not sent again.
func TestReplayOfARedeliveredLine(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, roomy)
	appendAll(t, f, entry(1, "x"), entry(2, "y"), redelivered(1))
	f.Close()
	f = reopen(t, dir, roomy, 1)
	if why, ok := f.Replayed(entry(1, "x")); !ok || why != flow.NoMatch {
		t.Errorf("Replayed = %s, %v", why, ok)
	}
	appendAll(t, f, entry(1, "x"), entry(2, "y"))
	if got := pendings(t, dir); len(got) != 1 {
		t.Errorf("pending are %q", got)
	}
}

// Entries of redelivered lines count for the limit too.
func TestLimitOfRedeliveredLines(t *testing.T) {
	dir := t.TempDir()
	st := stats.New(time.Now())
	state, err := stateDir(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f, err := rejects.Open(state, 1024, nil, st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const n = 100
	for i := range int64(n) {
		appendAll(t, f, entry(i+1, "x"), redelivered(i+1))
	}
	left := strings.Count(read(t, dir, statedir.Rejects)+read(t, dir, statedir.RejectsPrev), "\n")
	if got := st.Snapshot(time.Now()).RejectsExpired; got != int64(2*n-left) || left == 0 {
		t.Errorf("%d entries expired and %d are left, of %d", got, left, 2*n)
	}
}
