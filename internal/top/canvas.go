package top

// A style is what a cell means; the terminal has a colour or an attribute for it.
type style int

const (
	normal style = iota
	dim
	bold
	good   // all is well; status 2xx
	moved  // status 3xx
	warn   // status 4xx
	bad    // status 5xx
	title  // headings
	chosen // the row, or the list, that keys are about
	alarm  // the first line when not all is well
	well   // and when it is
)

type cell struct {
	r     rune // 0: the second half of the one before
	style style
}

// canvas is a screen to draw on. What lies outside of it is cut off.
type canvas struct {
	w, h  int
	cells []cell
}

func newCanvas(w, h int) *canvas {
	c := &canvas{w: w, h: h, cells: make([]cell, w*h)}
	for i := range c.cells {
		c.cells[i].r = ' '
	}
	return c
}

// set puts a rune into a cell.
func (c *canvas) set(x, y int, r rune, s style) {
	if x >= 0 && x < c.w && y >= 0 && y < c.h {
		c.cells[y*c.w+x] = cell{r, s}
	}
}

// text puts any text, with at most so many columns, and returns the column behind it.
func (c *canvas) text(x, y, most int, text string, s style) int {
	return c.put(x, y, plain(text, min(most, c.w-x)), s)
}

// right puts a text that ends before column x.
func (c *canvas) right(x, y, most int, text string, s style) {
	text = plain(text, most)
	c.put(x-columns(text), y, text, s)
}

// put puts what plain has returned, or signs of ours.
func (c *canvas) put(x, y int, text string, s style) int {
	for _, r := range text {
		c.set(x, y, r, s)
		x++
		if widthOf(r) == 2 {
			c.set(x, y, 0, s)
			x++
		}
	}
	return x
}

// fill gives a whole row a style.
func (c *canvas) fill(x, y, w int, s style) {
	for i := x; i < x+w; i++ {
		if i >= 0 && i < c.w && y >= 0 && y < c.h {
			c.cells[y*c.w+i].style = s
		}
	}
}
