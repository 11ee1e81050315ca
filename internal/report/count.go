package report

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/shape"
)

const (
	// sampleLines is how many lines the format of a file is detected from. If they are in
	// none, those of the next block are looked at, so many times.
	sampleLines = 1000
	maxSamples  = 64
)

// A counter counts the lines of files, one file after the other.
type counter struct {
	Report
	board    *live.Board
	detector *shape.Detector
	maxLine  int

	first, last int64 // times of requests in nanoseconds since 1970

	of      *File
	shaped  *shape.Lines // nil until the format is known
	samples int
	unknown error // why it is not known
	row     int   // so many lines in a row were in no format
	long    bool  // what comes is the rest of a line that is too long
}

func newCounter(o Options) *counter {
	return &counter{
		Report:   Report{Files: []*File{}, Reasons: map[string]int64{}, Rejects: []Reject{}},
		board:    newBoard(o),
		detector: shape.NewDetector(o.Config, o.Source),
		maxLine:  int(o.Config.MaxLineBytes),
		first:    math.MaxInt64, last: math.MinInt64,
	}
}

// count counts the lines of one file. The error is of reading it, or says that its lines
// are in no known format; what was counted until then stays counted.
func (c *counter) count(f *File, r io.Reader, progress func()) error {
	c.of, c.shaped, c.samples, c.unknown, c.row, c.long = f, nil, 0, nil, 0, false
	a := newAhead(r)
	defer a.close()
	var last block // which rest is in
	var rest []byte
	for {
		b, ok := a.next()
		if !ok {
			return a.err
		}
		text := b.behind(rest)
		a.done(last)
		n, err := c.text(text, b.last)
		if err != nil {
			return err
		}
		rest, last = text[n:], b
		if progress(); b.last && c.shaped == nil && a.err == nil {
			return c.unknown
		}
	}
}

// text counts the lines that end in a text, with end all of them, and returns how many
// bytes they are.
func (c *counter) text(text []byte, end bool) (taken int, err error) {
	if c.shaped == nil {
		if err := c.begin(text); err != nil {
			return 0, err
		}
	}
	for {
		n := bytes.IndexByte(text[taken:], '\n')
		if n < 0 {
			break
		}
		line, lines := flow.TrimCR(text[taken:taken+n]), 1
		switch {
		case c.long || n > c.maxLine:
			c.long = false
			c.reject(flow.TooLong, line, nil)
		case len(line) == 0:
			c.reject(flow.Empty, line, nil)
		default:
			if lines, err = c.line(line, text[taken:], end); err != nil || lines == 0 {
				return taken, err
			}
		}
		taken += n + 1
		for range lines - 1 { // those before the last one only hold a part of it
			c.add(&c.Lines.Filtered, &c.of.Lines.Filtered)
			taken += bytes.IndexByte(text[taken:], '\n') + 1
		}
	}
	if len(text)-taken > c.maxLine {
		c.long, taken = true, len(text)
	}
	return taken, nil
}

// begin finds out in which format the lines of a file are, by the first ones of a text.
func (c *counter) begin(text []byte) (err error) {
	sample := c.sample(text)
	if len(sample) == 0 {
		return nil
	}
	if c.shaped, err = c.detector.Begin(sample); err == nil {
		c.of.Formats = c.detector.Formats()
		return nil
	}
	if c.unknown == nil {
		c.unknown = fmt.Errorf("%s: format auto: %w", c.of.Name, err)
		if other := shape.Other(sample); other != "" {
			c.unknown = fmt.Errorf("%s: this is %s, not an access log", c.of.Name, other)
		}
	}
	if c.samples++; c.samples == maxSamples {
		return c.unknown
	}
	return nil
}

// sample are the first lines of a text.
func (c *counter) sample(text []byte) (lines [][]byte) {
	for line := range bytes.Lines(text) {
		line, whole := bytes.CutSuffix(line, []byte{'\n'})
		if !whole || len(lines) == sampleLines {
			break
		}
		if len(line) > 0 && len(line) <= c.maxLine {
			lines = append(lines, flow.TrimCR(line))
		}
	}
	return lines
}
