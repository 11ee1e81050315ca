package parse_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// lineOf is a line in a format; "odd" is none.
func lineOf(format string, i int) string {
	line := strings.Replace(good, "/a", fmt.Sprintf("/a%d", i), 1)
	switch format {
	case "odd":
		return fmt.Sprintf("half a line %d\n", i)
	case "times":
		return line + " 0.030 0.010\n"
	case "equal": // which of two formats it is cannot be told
		return line + " 0.010 0.010\n"
	case "skewed": // it need not be what it seems
		return line + " 0.011 0.010\n"
	case "swapped":
		return line + " 0.010 0.030\n"
	case "forwarded":
		return line + ` "10.0.0.1"` + "\n"
	case "json":
		return fmt.Sprintf(`{"time_iso8601":"2026-11-20T10:00:00+00:00","request":"GET /a%d HTTP/1.1","status":200}`+"\n", i)
	}
	return line + "\n"
}

// detecting is a stage that detects the format, as a process that follows a log.
type detecting struct {
	*stage
	shaper *shape.Shaper
	log    strings.Builder
}

func newDetecting(t *testing.T, dir, path string) *detecting {
	t.Helper()
	d := &detecting{}
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	state, err := statedir.Open(dir, log)
	if err != nil {
		t.Fatal(err)
	}
	state.Close() // another process may open it
	c := config.Default()
	c.Sources = []config.Source{{Name: "web", Path: path, Format: shape.Auto, Start: "beginning"}}
	d.shaper, err = shape.Open(shape.Options{
		Config: &c, State: state, Host: "web1", Log: log, Followed: func(string) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	st := stats.New(time.Now())
	source := &flow.Source{Index: st.AddSource("web", path), Name: "web", Path: path}
	d.stage = &stage{
		parser: parse.New(d.shaper, maxLine, flow.NewPool(1000, 64<<10), st, log),
		stats:  st, lines: flow.NewPool(1000, 1<<20), gen: &flow.Generation{Source: source, ID: 1, FirstLine: 1},
	}
	return d
}

// outcomes parses lines from one of an index on, in chunks of any size, and returns what
// became of each: its point, or the reason why it has none.
func (d *detecting) outcomes(t *testing.T, log []string, from, to int, random *rand.Rand) (all []string) {
	t.Helper()
	var chunks []flow.Chunk
	for from < to {
		n := min(to-from, 1+random.IntN(12))
		chunks = append(chunks, d.chunk(t, strings.Join(log[from:from+n], ""), int64(from+1), 0))
		from += n
	}
	for _, b := range d.run(t, chunks...) {
		points := strings.SplitAfter(string(b.Points), "\n")
		for i := range b.NumLines() {
			if at := slices.IndexFunc(b.Skipped, func(s flow.Skip) bool { return int64(s.Line) == i }); at >= 0 {
				all = append(all, string(b.Skipped[at].Reason))
				continue
			}
			all, points = append(all, points[0]), points[1:]
		}
		b.Release()
	}
	return all
}

// A process is killed at some line, with the choices of formats saved as before the last
// lines that were sent, or later. A fresh process reads lines again, from some earlier
// one and in other chunks. What was sent is the same again: a point stays the point that
// it was, and a line that was rejected stays so.
func TestReplayOverAChangeOfFormatGivesTheSamePoints(t *testing.T) {
	for _, formats := range [][]string{
		{"combined", "times"},
		{"times", "combined", "json"},
		{"odd", "combined", "odd", "forwarded"},
		{"combined", "odd", "json", "combined", "times"},
		{"json", "times", "json", "odd"},
		{"combined", "equal", "times", "equal"},
		{"skewed", "swapped", "skewed"},
		{"combined", "equal", "skewed", "swapped", "json"},
	} {
		const each = 12
		var log []string
		for _, format := range formats {
			for range each {
				log = append(log, lineOf(format, len(log)))
			}
		}
		random := rand.New(rand.NewPCG(1, uint64(len(log))))
		for sent := 1; sent < len(log); sent += 11 {
			for _, later := range []bool{false, true} {
				dir, path := t.TempDir(), t.TempDir()+"/access.log"
				first := newDetecting(t, dir, path)
				was := first.outcomes(t, log, 0, sent, random)
				sync := func() {
					if err := first.shaper.Sync(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				sync() // before they are sent
				first.outcomes(t, log, sent, len(log), random)
				if later { // saved, and not sent
					sync()
				}
				for from := 0; from < sent; from += 9 {
					second := newDetecting(t, dir, path)
					again := second.outcomes(t, log, from, len(log), random)
					for i := from; i < sent; i++ {
						if again[i-from] != was[i] {
							t.Fatalf("%q, %d lines sent, later %v, read again from %d: line %d was\n%sand is\n%s\n%s",
								formats, sent, later, from, i+1, was[i], again[i-from], &second.log)
						}
					}
				}
			}
		}
	}
}

// All lines of known formats become points, also those that make the format change, and
// whichever comes next; and each new format is said once.
func TestEveryLineOfAKnownFormatIsAPoint(t *testing.T) {
	for _, tt := range []struct {
		formats string
		changes int
	}{
		{"combined times", 1},
		{"times combined json", 2},
		{"combined odd json", 1},
		{"json combined json combined times combined", 2},
		{"forwarded times", 1},
		{"odd combined", 0},
		{"combined equal times", 1},
		{"equal swapped", 1},
		{"skewed times equal", 0},
		{"equal combined swapped", 2},
		{"swapped equal skewed", 0},
	} {
		formats := strings.Fields(tt.formats)
		var log []string
		odd := 0
		for i := range 10 * len(formats) {
			format := formats[i/10]
			log = append(log, lineOf(format, i))
			if format == "odd" {
				odd++
			}
		}
		for seed := range uint64(5) {
			d := newDetecting(t, t.TempDir(), t.TempDir()+"/access.log")
			points := 0
			for i, is := range d.outcomes(t, log, 0, len(log), rand.New(rand.NewPCG(2, seed))) {
				if strings.HasPrefix(is, "nginx_access,") {
					points++
				} else if !strings.HasPrefix(log[i], "half") {
					t.Errorf("%s: %q is %s", tt.formats, log[i], is)
				}
			}
			if points != len(log)-odd {
				t.Errorf("%s: %d points, want %d", tt.formats, points, len(log)-odd)
			}
			if n := strings.Count(d.log.String(), "log format has changed"); n != tt.changes {
				t.Errorf("%s: %d changes are said, want %d:\n%s", tt.formats, n, tt.changes, &d.log)
			}
		}
	}
}

// Lines that are read late, of a file that was rotated, change nothing: those behind them
// were read before.
func TestLateLinesDoNotChangeTheFormat(t *testing.T) {
	d := newDetecting(t, t.TempDir(), t.TempDir()+"/access.log")
	late := func(text string, line int64) flow.Chunk { return d.chunk(t, text, line, 0) }
	batches := d.run(t, late(lineOf("combined", 1), 1), late(lineOf("combined", 2), 500_001), late(lineOf("times", 3), 2),
		late(lineOf("times", 4), 500_002), late(lineOf("times", 5), 3), late(lineOf("combined", 6), 4))
	var points []int
	for _, b := range batches {
		points = append(points, b.NumPoints)
	}
	if want := []int{1, 1, 0, 1, 0, 1}; !slices.Equal(points, want) {
		t.Errorf("points %v, want %v\n%s", points, want, &d.log)
	}
}

// A format that no line becomes a point of is never chosen: times without a zone have
// none, unless one is configured.
func TestNoFormatWithoutPointsIsChosen(t *testing.T) {
	for _, line := range []string{
		`{"time_iso8601":"2026-11-20T10:00:00","request":"GET /a HTTP/1.1","status":200}` + "\n",
		`{"time":"yesterday","request":"GET /a HTTP/1.1","status":200}` + "\n",
		strings.Replace(good, "20/Nov", "31/Feb", 1) + "\n",
	} {
		d := newDetecting(t, t.TempDir(), t.TempDir()+"/access.log")
		log := append(slices.Repeat([]string{line}, 10), lineOf("combined", 1))
		got := d.outcomes(t, log, 0, len(log), rand.New(rand.NewPCG(3, 4)))
		if !strings.HasPrefix(got[10], "nginx_access,") || strings.Contains(d.log.String(), "format=json") {
			t.Errorf("%q: the line of combined behind ten of these is %s\n%s", line, got[10], &d.log)
		}
	}
}

// What was chosen of two formats that have two times in each other's place is overturned
// by the first line that proves it, and holds from there on; once it is proved it stays.
func TestTimesInEachOthersPlace(t *testing.T) {
	for _, tt := range []struct{ formats, want string }{
		{"equal swapped swapped", "0.010 0.030 0.030"},
		{"skewed swapped skewed", "0.011/0.010 0.030 0.010"}, // as the proof is in the first chunk or not
		{"skewed times skewed", "0.011 0.030 0.011"},
		{"swapped skewed", "0.030 0.010"},
	} {
		for _, each := range []int{1, 3, 30} {
			var log, want []string
			for i, format := range strings.Fields(tt.formats) {
				for range each {
					log = append(log, lineOf(format, len(log)))
					want = append(want, strings.Fields(tt.want)[i])
				}
			}
			for seed := range uint64(5) {
				d := newDetecting(t, t.TempDir(), t.TempDir()+"/access.log")
				for i, point := range d.outcomes(t, log, 0, len(log), rand.New(rand.NewPCG(5, seed))) {
					_, is, ok := strings.Cut(point, " request_time=")
					if is, _, _ = strings.Cut(is, ","); !ok {
						_, is, _ = strings.Cut(point, ",request_time=")
						is, _, _ = strings.Cut(is, ",")
					}
					if !slices.Contains(strings.Split(want[i], "/"), is) {
						t.Fatalf("%s: request_time of line %d is %s, want %s\n%s%s", tt.formats, i+1, is, want[i], point, &d.log)
					}
				}
			}
		}
	}
}
