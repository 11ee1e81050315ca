package top

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// String is the canvas without styles, and without blanks at the ends of rows.
func (c *canvas) String() string {
	var b strings.Builder
	for y := range c.h {
		var row strings.Builder
		for _, cell := range c.cells[y*c.w : (y+1)*c.w] {
			if cell.r != 0 {
				row.WriteRune(cell.r)
			}
		}
		b.WriteString(strings.TrimRight(row.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

func row(c *canvas, y int) string { return strings.Split(c.String(), "\n")[y] }

// styleOf is that of the first cell with a text.
func styleOf(t *testing.T, c *canvas, text string) style {
	t.Helper()
	for y, row := range strings.Split(c.String(), "\n") {
		if before, _, found := strings.Cut(row, text); found {
			return c.cells[y*c.w+columns(before)].style
		}
	}
	t.Fatalf("%q is not on\n%s", text, c)
	return 0
}

func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys []key
		want string // on the screen
		not  string
	}{
		{"another list", []key{keyTab}, "/checkout/1", "/api/"},
		{"and back", []key{keyTab, keyBackTab}, "/api/", "/checkout/"},
		{"round to the last", []key{keyLeft}, "bad time", "/api/"},
		{"round to the first", []key{keyLeft, keyRight}, "/api/", "bad time"},
		{"down beyond the screen", []key{keyPageDown, keyPageDown}, "/items/:id/21", "/items/:id/1 "},
		{"to the end", []key{keyEnd}, "/items/:id/40", "/items/:id/1 "},
		{"beyond the end", []key{keyEnd, keyDown, keyPageDown}, "/items/:id/40", "/items/:id/1 "},
		{"back from there", []key{keyEnd, keyHome}, "/items/:id/1 ", "/items/:id/40"},
		{"up at the first", []key{keyUp, keyUp, keyDown}, "/items/:id/1 ", "/items/:id/40"},
		{"filter", []key{'/', 'd', '/', '1', '2'}, "/items/:id/12", "/items/:id/1 "},
		{"filter in any case", []key{'/', 'I', 'D', '/', '3', '9', keyEnter}, "/items/:id/39", "/items/:id/1 "},
		{"filter without a match", []key{'/', 'q', '?'}, "none with q?", "/items/"},
		{"filter corrected", []key{'/', 'q', keyBackspace, '4', '0', keyEnter}, "/items/:id/40", "none"},
		{"filter emptied", []key{'/', keyBackspace, keyBackspace, keyEnter}, "/items/:id/1 ", "only with"},
		{"filter given up", []key{'/', 'q', keyEscape}, "/items/:id/1 ", "only with"},
		{"filter taken off", []key{'/', 'q', keyEnter, keyEscape}, "/items/:id/1 ", "only with"},
		{"filter of rejects", []key{keyLeft, '/', '9', '9', '/'}, "bad time", "no match"},
		{"help", []key{'?'}, "Ctrl-C", "/items/"},
		{"out of help", []key{'?', 'x'}, "/items/", "Ctrl-C"},
		{"pause", []key{'p'}, "paused 12:00:03", ""},
		{"pause ended", []key{' ', ' '}, "/items/", "paused"},
		{"no key", []key{'x', keyNone, keyBackspace}, "/items/:id/1 ", "only with"},
		{"all of a row", []key{keyDown, keyEnter}, "/items/:id/2\n", "/items/:id/1 "},
		{"all of the next row", []key{keyEnter, keyDown, keyDown}, "/items/:id/3\n", "/items/:id/1 "},
		{"back from a row", []key{keyEnter, keyEscape}, "/items/:id/1 ", "mean"},
		{"back from a row to the filter", []key{'/', '7', keyEnter, keyEnter, keyEscape}, "only with 7", "mean"},
		{"all of a row of another list", []key{keyEnter, keyTab}, "/checkout/1 ", "mean"},
		{"all of no row", []key{keyLeft, keyLeft, keyEnter}, "none", "share"},
		{"all of a long name", []key{keyTab, keyTab, keyTab, keyTab, keyEnter}, "like Gecko) Chrome/\n 1\n", "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(busy())
			v.draw(80, 24)
			for _, k := range tt.keys {
				if v.press(k) {
					t.Fatalf("%d quits", k)
				}
				v.draw(80, 24)
			}
			if s := v.draw(80, 24).String(); !strings.Contains(s, tt.want) || tt.not != "" && strings.Contains(s, tt.not) {
				t.Errorf("want %q and not %q:\n%s", tt.want, tt.not, s)
			}
		})
	}
	if !looking(busy()).press('q') {
		t.Error("q does not quit")
	}
	v := looking(busy())
	if v.press('/'); v.press('q') {
		t.Error("a letter of a filter quits")
	}
}

func TestPauseKeepsThePicture(t *testing.T) {
	v := looking(busy())
	v.press('p')
	next := busy()
	next.Live.Top.Paths[0].Name = "/new"
	v.came(next, nil, noon.Add(time.Minute))
	if s := v.draw(80, 24).String(); strings.Contains(s, "/new") || !strings.Contains(s, "12:00:03") {
		t.Errorf("it goes on:\n%s", s)
	}
	v.press('p')
	if s := v.draw(80, 24).String(); !strings.Contains(s, "/new") || !strings.Contains(s, "12:01:03") {
		t.Errorf("it does not go on:\n%s", s)
	}
}

// The list becomes shorter, or is filtered, while a row far down is chosen.
func TestChosenRowIsThere(t *testing.T) {
	v := looking(busy())
	v.press(keyEnd)
	v.draw(80, 24)
	for _, n := range []int{20, 3, 1, 0, 2} {
		p := busy()
		p.Live.Top.Paths = p.Live.Top.Paths[:n]
		v.came(p, nil, noon)
		if s := v.draw(80, 24).String(); n > 0 && !strings.Contains(s, fmt.Sprintf("/items/:id/%d ", n)) {
			t.Errorf("of %d rows the last is not there:\n%s", n, s)
		}
		if n > 0 && styleOf(t, v.draw(80, 24), fmt.Sprintf("/items/:id/%d ", v.row+1)) != chosen {
			t.Errorf("of %d rows none is chosen", n)
		}
	}
}

func TestUnreachable(t *testing.T) {
	v := looking(busy())
	refused := errors.New("connection refused")
	v.came(nil, refused, noon.Add(time.Second))
	v.came(nil, errors.New("timeout"), noon.Add(61*time.Second))
	c := v.draw(120, 24)
	if first := row(c, 0); !strings.Contains(first, "No answer since 12:00:04, for 1 min: timeout") || !strings.Contains(first, "12:00:03") || styleOf(t, c, "No answer") != alarm {
		t.Errorf("%q in style %d", first, styleOf(t, c, "No answer"))
	}
	if !strings.Contains(c.String(), "/items/:id/1") {
		t.Errorf("the last picture is gone:\n%s", c)
	}
	v.came(busy(), nil, noon.Add(time.Hour))
	if first := row(v.draw(120, 24), 0); !strings.Contains(first, "All is well") || !strings.Contains(first, "13:00:03") {
		t.Errorf("back again: %q", first)
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(p *Picture)
		want   string
	}{
		{"well", func(*Picture) {}, "All is well"},
		{"no answer of InfluxDB yet", func(p *Picture) { p.Pipeline.InfluxDB.Up = false }, "InfluxDB has not answered yet"},
		{"InfluxDB is away", func(p *Picture) {
			p.Pipeline.InfluxDB.Up, p.Pipeline.InfluxDB.Outage, p.Pipeline.InfluxDB.LastError = false, 200, "refused"
		}, "InfluxDB is away since 11:56:43: 1,500 lines wait: refused"},
		{"log", func(p *Picture) { p.Pipeline.Sources[0].Trouble = "permission denied" }, "Log web: permission denied"},
		{"log not open", func(p *Picture) { p.Pipeline.Sources[0].Open = false }, "Log web cannot be read"},
		{"log lost", func(p *Picture) { p.Pipeline.Sources[0].Lost = 2 }, "Log web: 2 files were deleted before they were read"},
		{"slow delivery", func(p *Picture) { p.Pipeline.Undelivered = 61 }, "The oldest of 1,500 lines waits for 1 min: InfluxDB is slow, or refuses requests"},
		{"delivery that is not slow yet", func(p *Picture) { p.Pipeline.Undelivered = 60 }, "All is well"},
		{"reject file", func(p *Picture) { p.Pipeline.Rejects.Trouble = "disk full" }, "The reject file cannot be written, and reading waits: disk full"},
		{"checkpoint", func(p *Picture) { p.Pipeline.Checkpoint.Trouble = "disk full" }, "The checkpoint cannot be saved: disk full"},
		{"reload refused", func(p *Picture) {
			p.Pipeline.Reload = &struct {
				State string `json:"state"`
				Error string `json:"error"`
			}{"refused", "host"}
		}, "The last reload was refused, and the configuration before it is in force: host"},
		{"behind", func(p *Picture) { p.Pipeline.Sources[0].LagBytes, p.Pipeline.Sources[0].LagSeconds = 5e6, 700 }, "Reading is 11 min behind: 5.00 MB are to be read"},
		{"a little behind", func(p *Picture) { p.Pipeline.Sources[0].LagBytes, p.Pipeline.Sources[0].LagSeconds = 5e6, 10 }, "All is well"},
		{"rejected", func(p *Picture) { p.Pipeline.Lines.Rejected = 123456 }, "10.0 % of the lines since the start are rejected"},
		{"few rejected", func(p *Picture) { p.Pipeline.Lines.Rejected = 12345 }, "All is well"},
		{"errors", func(p *Picture) { p.Live.Slots.Classes["5xx"] = p.Live.Slots.Classes["2xx"] }, "90.0 % of the requests of the last minute failed (5xx)"},
		{"errors before", func(p *Picture) { copy(p.Live.Slots.Classes["5xx"][:160], p.Live.Slots.Classes["2xx"]) }, "All is well"},
		{"errors of few", func(p *Picture) {
			clear(p.Live.Slots.Requests)
			clear(p.Live.Slots.Classes["5xx"])
			p.Live.Slots.Requests[178], p.Live.Slots.Classes["5xx"][178] = 2, 2
		}, "All is well"},
		{"off", func(p *Picture) { p.Live = nil }, "No figures of requests: http.live is false"},
		{"several", func(p *Picture) {
			p.Pipeline.InfluxDB.Up, p.Pipeline.Checkpoint.Trouble, p.Pipeline.Sources[0].Trouble = false, "full", "gone"
		}, "InfluxDB has not answered yet (and 2 more: ?)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := busy()
			tt.change(p)
			got, isWell := looking(p).words()
			if got != tt.want || isWell != (tt.want == "All is well") {
				t.Errorf("%q %t, want %q", got, isWell, tt.want)
			}
			for _, size := range sizes { // nothing of it is a reason to panic
				looking(p).draw(size.w, size.h)
			}
		})
	}
}

// What was rejected long ago is not told for ever, nor what another process has rejected.
func TestRejectedInTheLastMinute(t *testing.T) {
	v := looking(busy())
	at := noon
	next := func(after time.Duration, read, rejected int64, want string) {
		t.Helper()
		p := busy()
		p.Pipeline.Lines.Read, p.Pipeline.Lines.Rejected = read, rejected
		at = at.Add(after)
		v.came(p, nil, at)
		if got, _ := v.words(); got != want {
			t.Errorf("%d read and %d rejected: %q, want %q", read, rejected, got, want)
		}
	}
	next(time.Second, 1234667, 57, "50.0 % of the lines of the last minute are rejected")
	next(30*time.Second, 1235567, 57, "5.00 % of the lines of the last minute are rejected")
	next(40*time.Second, 1236567, 57, "All is well")
	next(time.Second, 100, 100, "100.0 % of the lines since the start are rejected") // after a restart
	next(time.Second, 200, 100, "All is well")
}

// A file alone has no InfluxDB that could be away.
func TestAloneNothingIsDelivered(t *testing.T) {
	p := busy()
	p.Pipeline.InfluxDB.Up, p.Pipeline.Undelivered = false, 3600
	v := &view{name: "access.log", alone: true}
	v.came(p, nil, noon)
	if got, isWell := v.words(); !isWell {
		t.Error(got)
	}
	if s := v.draw(80, 24).String(); strings.Contains(s, "write") {
		t.Errorf("there is a write stage:\n%s", s)
	}
}

func snapshotOf(requests ...live.Number) *live.Snapshot {
	s := &live.Snapshot{At: noon}
	s.Slots.Step = 5
	for i, n := range requests {
		s.Slots.Time = append(s.Slots.Time, noon.Unix()-5*int64(len(requests)-i))
		s.Slots.Requests = append(s.Slots.Requests, n)
	}
	return s
}

func TestCourseTellsNothingFromNotObserved(t *testing.T) {
	none := live.None()
	for _, tt := range []struct {
		columns int
		slots   []live.Number
		want    string
	}{
		{10, nil, ""},
		{0, []live.Number{1}, ""},
		{10, []live.Number{0, none, 7, none, 0}, "▁·█·▁"},
		{10, []live.Number{0, 0, 0}, "▁▁▁"},
		{10, []live.Number{none, none}, "··"},
		{10, []live.Number{1, 2, 3, 4, 5, 6, 7}, "▃▄▅▆▇██"},
		{2, []live.Number{1, 7, 0, 0}, "█▁"},
		{2, []live.Number{none, 7, 3, 3}, "·█"},             // half of it is not known
		{2, []live.Number{none, none, none, 7, 7, 0}, "·█"}, // each is of three
		{2, []live.Number{7, 0, 0}, "█▁"},                   // the newest column is whole
		{1, []live.Number{0, 0, 7}, "█"},
		{1, []live.Number{none, none, 7}, "█"}, // just begun
		{2, []live.Number{none, 7, none, 7}, "·█"},
	} {
		s := snapshotOf(tt.slots...)
		if got := course(s, tt.columns, numbers(s.Slots.Requests)); got != tt.want {
			t.Errorf("course of %v in %d columns = %q, want %q", tt.slots, tt.columns, got, tt.want)
		}
	}
	s := snapshotOf(3, 0, none)
	if got := course(s, 9, numbers([]live.Number{0.1, none, none})); got != "█ ·" {
		t.Errorf("course of times = %q", got)
	}
}

func TestRate(t *testing.T) {
	none := live.None()
	for _, tt := range []struct {
		slots []live.Number
		want  float64
	}{
		{[]live.Number{100, 10, 20}, 3},
		{[]live.Number{100, none, 20}, 4},
		{[]live.Number{100, none, none}, math.NaN()},
		{[]live.Number{100, 0, 0}, 0},
		{nil, math.NaN()},
	} {
		s := snapshotOf(tt.slots...)
		if got := rate(s, numbers(s.Slots.Requests)); got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("rate of %v = %v, want %v", tt.slots, got, tt.want)
		}
	}
	s := snapshotOf(100, 10, 20)
	s.At = s.At.Add(-time.Second) // the last is not over
	if got := rate(s, numbers(s.Slots.Requests)); got != 11 {
		t.Errorf("rate without the slot that is not over = %v", got)
	}
}

func TestUnits(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct{ got, want string }{
		{short(0), "0"},
		{short(0.01), "<0.1"},
		{short(0.05), "0.1"},
		{short(9.96), "10.0"},
		{short(99.96), "100"},
		{short(9999.4), "9,999"},
		{short(9999.6), "10.0k"},
		{short(999499), "999k"},
		{short(999500), "1.00M"},
		{short(nan), "-"},
		{count(0), "0"},
		{count(-1234), "-1,234"},
		{count(999), "999"},
		{count(1000), "1,000"},
		{count(123456789), "123,456,789"},
		{count(12e9), "12.0G"},
		{size(0), "0 B"},
		{size(999), "999 B"},
		{size(999.6), "1.00 kB"},
		{size(1e15), "1.00 PB"},
		{size(nan), "-"},
		{took(0), "0 ms"},
		{took(0.0001), "0.1 ms"},
		{took(0.0099), "10 ms"},
		{took(0.9996), "1.00 s"},
		{took(999), "999 s"},
		{took(1000), "16 min"},
		{took(live.None()), "-"},
		{share(0, 0), "-"},
		{share(0, 9), "0 %"},
		{share(1, 1e6), "<0.01 %"},
		{share(1, 3), "33.3 %"},
		{share(9996, 100000), "10.0 %"},
		{share(3, 3), "100.0 %"},
		{span(0), "0 s"},
		{span(-time.Hour), "0 s"},
		{span(59 * time.Second), "59 s"},
		{span(119 * time.Minute), "119 min"},
		{span(47 * time.Hour), "47 h"},
		{span(240 * time.Hour), "10 d"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

// What another tailflux answers, or none.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct{ answer, err string }{
		{`{"live": null, "pipeline": {"lines": {"read": 1}}, "rejects": []}`, ""},
		{`{"live": {"slots": {"requests": [null, 0, 1.5]}}, "more": 1}`, ""},
		{`{}`, "none of this tailflux's"},
		{`null`, "none of this tailflux's"},
		{``, "none of this tailflux's"},
		{`<html>`, "none of this tailflux's"},
		{`{"live": 1}`, "none of this tailflux's"},
	} {
		p, err := parse([]byte(tt.answer))
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: %v, want %q", tt.answer, err, tt.err)
		}
		if err == nil {
			for _, size := range sizes {
				looking(p).draw(size.w, size.h)
			}
		}
	}
}

// Who looks at counts that are multiplied is told so, where there is little room too.
func TestSampledListsSaySo(t *testing.T) {
	p := busy()
	p.Live.Top.Sampled = 1024
	v := looking(p)
	if s := v.draw(60, 15).String(); !strings.Contains(s, "path (of one line in 1,024) ") {
		t.Errorf("it is not said:\n%s", s)
	}
	p.Live.Top.Sampled = 1
	if s := v.draw(60, 15).String(); strings.Contains(s, "one line in") {
		t.Errorf("it is said of lists of each line:\n%s", s)
	}
}
