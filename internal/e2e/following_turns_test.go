//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
	"github.com/tailflux/tailflux/mock/feed"
)

const (
	turnRate  = 20_000 // lines a second
	turnEvery = 200 * time.Millisecond
	turnLag   = 50 * time.Millisecond
)

// Rotations 200 ms apart at 20,000 lines/s, the old file written 50 ms longer:
// nothing lost, nothing doubled. TestFastRotations is the short one, without
// wake-ups too. However late the machine is, each file is at the path for 200 ms.
func TestRotatedEveryTwoHundredMilliseconds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		seconds int64
		turn    func(*turner) error
	}{
		{"rename", 30, (*turner).rename},
		{"link", 10, (*turner).link},
		{"delete", 10, (*turner).remove},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
			w := &turner{b: b, turn: tt.turn, file: "access.log", sum: truth{Status: map[string]int64{}}}
			f, err := feed.New(feed.Options{Output: w, Rate: turnRate, Lines: tt.seconds * turnRate})
			if err != nil {
				t.Fatal(err)
			}
			w.d = b.start("--path", b.path("access.log"), "--format", "timed", "--start", "beginning")
			if err := w.open(); err != nil {
				t.Fatal(err)
			}
			err = f.Run(t.Context())
			w.f.Close()
			if err != nil {
				t.Fatal(err)
			}
			if fed := f.Summary(); w.turns < tt.seconds || w.sum.Lines != fed.Lines {
				t.Fatalf("%d rotations, %d lines of %+v", w.turns, w.sum.Lines, fed)
			}
			w.compare()
		})
	}
}

// turner is a log file that is rotated between two writes when it is time:
//
//	        turn           a lag later
//	────────┬──────────────┬─────────────►
//	FILE    │ old FILE     │ new FILE      where lines go
type turner struct {
	b    *bench
	d    *tailfluxtest.Daemon
	turn func(*turner) error // makes the path lead elsewhere

	file   string // that the next lines go to
	f      *os.File
	sum    truth
	turns  int64
	next   time.Time
	reopen time.Time // zero, or when the old file is given up
}

// rename is what logrotate does with create: the path is FILE, then FILE.1, FILE.2.
func (w *turner) rename() error {
	log := w.b.path(w.file)
	for i := w.turns; i > 0; i-- {
		if err := os.Rename(fmt.Sprintf("%s.%d", log, i), fmt.Sprintf("%s.%d", log, i+1)); err != nil {
			return err
		}
	}
	if err := os.Rename(log, log+".1"); err != nil {
		return err
	}
	return touch(log)
}

// link turns a link at the path to a new file.
func (w *turner) link() error {
	w.file = fmt.Sprintf("access-%04d.log", w.turns+1)
	if err := touch(w.b.path(w.file)); err != nil {
		return err
	}
	link := w.b.path("access.log.new")
	if err := os.Symlink(w.file, link); err != nil {
		return err
	}
	return os.Rename(link, w.b.path("access.log"))
}

// remove deletes the file, and a new one is made when the old one is given up. A
// file that is deleted can only be read by who has it open, so tailflux must have
// seen it; what is written to it afterwards must be read too.
func (w *turner) remove() error {
	if _, err := w.d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Read >= w.sum.Lines }); err != nil {
		return err
	}
	return os.Remove(w.b.path(w.file))
}

func openAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
}

func touch(path string) error {
	f, err := openAppend(path)
	if err == nil {
		f.Close()
	}
	return err
}

func (w *turner) open() (err error) {
	w.f, err = openAppend(w.b.path(w.file))
	w.next = time.Now().Add(turnEvery)
	return err
}

// Write gets whole lines.
func (w *turner) Write(lines []byte) (int, error) {
	now := time.Now()
	switch {
	case !w.reopen.IsZero() && now.After(w.reopen):
		w.f.Close()
		if err := w.open(); err != nil {
			return 0, err
		}
		w.next, w.reopen = w.next.Add(-turnLag), time.Time{}
	case w.reopen.IsZero() && now.After(w.next):
		if err := w.turn(w); err != nil {
			return 0, err
		}
		w.turns++
		w.reopen = time.Now().Add(turnLag)
	}
	n, err := w.f.Write(lines)
	if err == nil {
		err = w.add(lines)
	}
	return n, err
}

// add counts lines of the format timed, cut by hand.
func (w *turner) add(lines []byte) error {
	for line := range bytes.Lines(lines) {
		_, after, _ := strings.Cut(string(line), `" `) // behind the request
		fields := strings.Fields(after)
		if len(fields) < 2 {
			return fmt.Errorf("no line of the format timed: %q", line)
		}
		sent, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		w.sum.Lines++
		w.sum.Bytes += sent
		w.sum.Status[fields[0]]++
	}
	return nil
}

// compare holds what was read and stored against what was written.
func (w *turner) compare() {
	b := w.b
	b.t.Helper()
	r, err := w.d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
		return r.Lines.Read >= w.sum.Lines && r.Lines.InFlight == 0
	})
	if err != nil {
		b.t.Error(err)
	}
	if err := w.d.Stop(); err != nil {
		b.t.Error(err)
	}
	if r.Lines.Read != w.sum.Lines || r.Lines.Rejected != 0 {
		b.t.Errorf("/monitor: %+v, want %d lines read", r.Lines, w.sum.Lines)
	}
	if diff := cmp.Diff(w.sum, b.stored(w.sum.Status)); diff != "" {
		b.t.Errorf("written (-) and stored (+):\n%s", diff)
	}
	if strings.Contains(w.d.Log(), `"level":"ERROR"`) {
		b.t.Error("errors are in the log")
	}
	b.t.Logf("%d lines, %d rotations, %d files found only after they were rotated",
		w.sum.Lines, w.turns, strings.Count(w.d.Log(), "rotated unnoticed"))
}

// A line of a gigabyte is written in pieces, and tailflux killed before it is
// complete: it is rejected as too long, in little memory, and the line after it
// is a point.
func TestLineOfAGigabyte(t *testing.T) {
	t.Parallel()
	const giant, piece, most = 1 << 30, 1 << 20, 96 << 20
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	log := b.write("access.log", combined(200, 1))
	args := []string{"--path", log, "--start", "beginning"}
	d := b.start(args...)
	b.delivered(d, 1)
	f, err := openAppend(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := bytes.Repeat([]byte("all work and no play. "), piece/22+1)[:piece]
	var peaks []int64
	for i := range giant / piece {
		if i == giant/piece/2 {
			time.Sleep(time.Second) // it has scanned all that
			peaks = append(peaks, peakMemory(t, d))
			d.Kill()
			d = b.start(args...)
		}
		if _, err := f.Write(text); err != nil {
			t.Fatal(err)
		}
		if i%64 == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	time.Sleep(300 * time.Millisecond)
	b.write("access.log", "\n"+combined(404, 7))
	for deadline := time.Now().Add(arrival); b.points("status = '404'") == 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	peaks = append(peaks, peakMemory(t, d))
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if got, last := b.points(""), b.points("status = '404'"); got != 2 || last != 1 {
		t.Errorf("%d points, %d of them of the line after it, want 2 and 1", got, last)
	}
	for _, peak := range peaks {
		if peak > most && !raceEnabled {
			t.Errorf("%d bytes of memory, want at most %d", peak, most)
		}
	}

	data, err := os.ReadFile(d.RejectFile())
	if err != nil {
		t.Fatal(err)
	}
	var entry struct {
		Source     string `json:"source"`
		LineNumber int64  `json:"line_number"`
		Reason     string `json:"reason"`
		Line       string `json:"line"`
		LineBytes  int64  `json:"line_bytes"`
	}
	if err := json.Unmarshal(data, &entry); err != nil { // exactly one
		t.Fatalf("reject file: %v\n%.200s", err, data)
	}
	head := entry.Line
	entry.Line = ""
	if entry.Source != filepath.Base(log) || entry.LineNumber != 2 || entry.Reason != "too long" || entry.LineBytes != giant {
		t.Errorf("reject file: %+v, want line 2, too long, of %d bytes", entry, giant)
	}
	if len(head) < 1<<10 || !strings.HasPrefix(string(text), head) {
		t.Errorf("the reject file has %d bytes of the line, %.50q, want its beginning", len(head), head)
	}
	t.Logf("%d MiB of memory at most before and after it was killed", []int64{peaks[0] >> 20, peaks[1] >> 20})
}

// peakMemory is how much of a running daemon was in memory at most, in bytes.
func peakMemory(t *testing.T, d *tailfluxtest.Daemon) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
