package top

import (
	"fmt"
	"strings"
	"time"
)

// The smallest screen that has everything, and what a larger one has more.
const (
	leastWidth, leastHeight = 60, 15
	fullWidth, fullHeight   = 76, 22 // each class and each percentile has a row
	looseHeight             = 30     // blank rows between the parts
)

// draw draws everything. It changes only where the view is scrolled to.
func (v *view) draw(w, h int) *canvas {
	c := newCanvas(w, h)
	if w < leastWidth || h < leastHeight {
		v.tooSmall(c)
		return c
	}
	v.headline(c)
	v.helpLine(c)
	if v.help {
		v.drawHelp(c)
		return c
	}
	y, gap := 1, 0
	if h >= looseHeight {
		gap = 1
	}
	y += gap
	if w >= fullWidth && h >= fullHeight {
		y = v.rates(c, y) + gap
	} else {
		y = v.ratesBrief(c, y)
	}
	y = v.pipeline(c, y) + gap
	v.lists(c, y, h-1-y)
	return c
}

// headline is the first row: whether all is well, whose figures these are, and when.
func (v *view) headline(c *canvas) {
	sentence, isWell := v.words()
	s := alarm
	if isWell {
		s = well
	}
	c.fill(0, 0, c.w, s)
	when := v.at.Format(time.TimeOnly)
	if v.at.IsZero() {
		when = "--:--:--"
	}
	if v.paused {
		when = "paused " + when
	}
	name := plain(v.name, c.w/3)
	room := c.w - columns(name) - len(when) - 4
	if columns(sentence) > room { // what is wrong matters more
		name = ""
		room = c.w - len(when) - 3
	}
	c.text(1, 0, room, sentence, s)
	if name != "" {
		name += " "
	}
	c.put(c.w-1-columns(name)-len(when), 0, name+when, s)
}

func (v *view) helpLine(c *canvas) {
	y := c.h - 1
	switch {
	case v.typing:
		x := c.text(1, y, c.w-30, "/"+v.filter, bold)
		c.set(x, y, '_', bold)
		c.right(c.w-1, y, c.w, "Enter keeps it, Esc clears", dim)
	case v.filter != "":
		c.text(1, y, c.w-30, "only with "+v.filter, bold)
		c.right(c.w-1, y, c.w, "/ other  Esc all  ? help", dim)
	default:
		c.put(1, y, "q quit  ? help  Tab list  ↑↓ row  / filter  p pause", dim)
	}
}

// tooSmall says what is wrong, at least.
func (v *view) tooSmall(c *canvas) {
	sentence, _ := v.words()
	need := fmt.Sprintf("%dx%d is too small a terminal: %dx%d shows all. q quits", c.w, c.h, leastWidth, leastHeight)
	y := 0
	for _, text := range []string{sentence, need} {
		for _, row := range wrapped(text, c.w) {
			c.text(0, y, c.w, row, normal) // a word may be wider
			y++
		}
	}
}

const keys = `q, Ctrl-C     quit
Tab, ←, →     another list
↑, ↓, PgUp, PgDn, Home, End
              another row; Enter shows all of it
/             only names with a text; Esc shows all again
p, space      pause: what is shown stays, until p
Ctrl-L        draw anew
?             this help; any key ends it

·  was not observed; ▁ is nothing
-  is not known: no request had it, or nobody looked
/s is of the last 10 s; p50, p95, p99 are of all that is shown`

func (v *view) drawHelp(c *canvas) {
	y := 2
	for _, trouble := range v.troubles() {
		for _, row := range wrapped(trouble, c.w-4) {
			if y < c.h-2 {
				c.text(2, y, c.w-4, row, bad)
				y++
			}
		}
	}
	if y > 2 {
		y++
	}
	for row := range strings.SplitSeq(keys, "\n") {
		if y < c.h-1 {
			c.put(2, y, row, normal)
		}
		y++
	}
}
