package top

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/live"
)

// view is what is on the screen.
type view struct {
	name  string // whose figures they are
	alone bool   // of a file, without InfluxDB

	now    time.Time
	latest *Picture
	shown  *Picture  // latest, unless paused
	at     time.Time // when what is shown came
	before *Pipeline // a minute before latest, or less; nil: there was none
	minute []moment  // those since then
	failed error     // why there is no answer; nil: there is
	since  time.Time // when that began

	paused, help bool
	list         int    // of lists
	row, first   int    // chosen one of it, and the first on the screen
	whole        bool   // all of the chosen row is shown
	typing       bool   // a filter
	filter       string // of names
}

// A key is a character, or one of those below.
type key rune

const (
	keyNone key = -iota - 1
	keyTab
	keyBackTab
	keyUp
	keyDown
	keyLeft
	keyRight
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
	keyEnter
	keyEscape
	keyBackspace
)

// page is how far PgUp and PgDn go.
const page = 10

// came takes over an answer, or the reason why it did not come.
func (v *view) came(p *Picture, err error, now time.Time) {
	v.now = now
	if err != nil {
		if v.failed == nil {
			v.since = now
		}
		v.failed = err
		return
	}
	v.failed, v.latest = nil, p
	v.remember(p.Pipeline, now)
	if !v.paused {
		v.shown, v.at = p, now
	}
}

// moment is the pipeline at a time.
type moment struct {
	at time.Time
	*Pipeline
}

// remember keeps a minute of the pipeline. One that has read less is another process.
func (v *view) remember(p *Pipeline, now time.Time) {
	if p == nil {
		return
	}
	if n := len(v.minute); n > 0 && p.Lines.Read < v.minute[n-1].Lines.Read {
		v.minute = nil
	}
	v.minute = append(v.minute, moment{now, p})
	for now.Sub(v.minute[0].at) > time.Minute {
		v.minute = v.minute[1:]
	}
	if v.before = nil; len(v.minute) > 1 {
		v.before = v.minute[0].Pipeline
	}
}

// press does what a key means, and reports whether that is the end.
func (v *view) press(k key) (quit bool) {
	if v.typing {
		v.write(k)
		return false
	}
	if v.help && k != 'q' {
		v.help = false
		return false
	}
	switch k {
	case 'q':
		return true
	case '?', 'h':
		v.help = true
	case 'p', ' ':
		if v.paused = !v.paused; !v.paused {
			v.shown, v.at = v.latest, v.now
		}
	case '/':
		v.typing = true
	case keyEscape:
		if !v.whole {
			v.filter = ""
		}
		v.whole = false
	case keyEnter:
		v.whole = !v.whole && lists[v.list].rows != nil
	case keyTab, keyRight:
		v.turn(1)
	case keyBackTab, keyLeft:
		v.turn(len(lists) - 1)
	case keyUp, 'k':
		v.row--
	case keyDown, 'j':
		v.row++
	case keyPageUp:
		v.row -= page
	case keyPageDown:
		v.row += page
	case keyHome, 'g':
		v.row = 0
	case keyEnd, 'G':
		v.row = 1 << 30
	}
	return false
}

func (v *view) turn(by int) {
	v.list = (v.list + by) % len(lists)
	v.row, v.first, v.whole = 0, 0, false
}

// write changes the filter.
func (v *view) write(k key) {
	const most = 60
	switch {
	case k == keyEnter:
		v.typing = false
	case k == keyEscape:
		v.typing, v.filter = false, ""
	case k == keyBackspace:
		_, size := utf8.DecodeLastRuneInString(v.filter)
		v.filter = v.filter[:len(v.filter)-size]
	case k >= ' ' && len(v.filter) < most:
		v.filter += string(rune(k))
	}
	v.row, v.first = 0, 0
}

// list is a table that is chosen with Tab.
type list struct {
	name string
	of   string                       // what a row is
	rows func(t *live.Top) []live.Row // nil: the rejected lines
}

var lists = []list{
	{"paths", "path", func(t *live.Top) []live.Row { return t.Paths }},
	{"failing", "path", func(t *live.Top) []live.Row { return t.Failing }},
	{"slowest", "path", func(t *live.Top) []live.Row { return t.Slowest }},
	{"clients", "client", func(t *live.Top) []live.Row { return t.Clients }},
	{"agents", "agent", func(t *live.Top) []live.Row { return t.Agents }},
	{"bots", "bot", func(t *live.Top) []live.Row { return t.Bots }},
	{"rejects", "line", nil},
}

// matching are the rows of a list that have the filter in their names, in any case.
func (v *view) matching(l list) []live.Row {
	if v.shown == nil || v.shown.Live == nil || l.rows == nil {
		return nil
	}
	rows := l.rows(&v.shown.Live.Top)
	if v.filter == "" {
		return rows
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r live.Row) bool { return !v.has(r.Name) })
}

func (v *view) rejects() (all []Reject) {
	if v.shown == nil {
		return nil
	}
	for _, r := range v.shown.Rejects {
		if v.has(r.Line) || v.has(r.Source) || v.has(r.Reason) {
			all = append(all, r)
		}
	}
	return all
}

func (v *view) has(text string) bool {
	return v.filter == "" || strings.Contains(strings.ToLower(text), strings.ToLower(v.filter))
}

// scroll brings the chosen row onto the screen, which has room for so many of all.
func (v *view) scroll(all, room int) {
	v.row = max(0, min(v.row, all-1))
	v.first = max(0, min(v.first, v.row, all-room), v.row-room+1)
}
