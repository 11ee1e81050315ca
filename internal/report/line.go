package report

import (
	"fmt"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/shape"
)

// line counts a line with which text begins, and returns how many lines it is: 0 if the
// rest of it may come, unless this is the end.
func (c *counter) line(line, text []byte, end bool) (lines int, err error) {
	if c.shaped == nil {
		c.another(line, text)
	}
	if c.shaped == nil {
		c.reject(flow.NoMatch, line, nil)
		return 1, nil
	}
	captures, matched := c.read(line)
	switch {
	case matched:
		return 1, nil
	case c.shaped.Matcher.Aside():
		c.add(&c.Lines.Filtered, &c.of.Lines.Filtered)
		return 1, nil
	}
	joined, lines := c.shaped.Matcher.MatchPieces(text, c.maxLine)
	if lines == 0 && c.shaped.Matcher.Unfinished() && !end {
		return 0, nil
	}
	if lines > 0 && c.judge(c.shaped, joined) {
		return lines, nil
	}
	c.row++
	others, err := c.detector.Missed(line, c.row)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.of.Name, err)
	}
	if others != nil {
		c.shaped = others
		c.of.Formats = c.detector.Formats()
		if _, matched := c.read(line); matched {
			return 1, nil
		}
	}
	why := flow.NoMatch
	if captures != nil {
		why = flow.BadTime
	}
	c.reject(why, line, captures)
	return 1, nil
}

// another looks for the format of a file from a line on, of which no line before had one.
func (c *counter) another(line, text []byte) {
	if c.row++; !c.detector.IsKnown(line, c.row) {
		return
	}
	if shaped, err := c.detector.Begin(c.sample(text)); err == nil {
		c.shaped, c.row, c.of.Formats = shaped, 0, c.detector.Formats()
	}
}

// read counts a line that is in one of the formats of its file. If its time cannot be
// read, matched is false, but captures are not nil.
func (c *counter) read(line []byte) (captures [][]byte, matched bool) {
	for l := c.shaped; l != nil; l = l.Earlier {
		of, ok := l.Matcher.Match(line)
		if !ok {
			continue
		}
		if c.judge(l, of) {
			return of, true
		}
		captures = of
	}
	return captures, false
}

// judge counts a line by its captures, unless its time cannot be read.
func (c *counter) judge(l *shape.Lines, captures [][]byte) bool {
	switch l.Encoder.Judge(captures, c.Lines.Read+1) {
	case accesslog.Rejected:
		return false
	case accesslog.Filtered:
		c.add(&c.Lines.Filtered, &c.of.Lines.Filtered)
	case accesslog.Point:
		c.add(&c.Lines.Requests, &c.of.Lines.Requests)
		c.first, c.last = min(c.first, l.Encoder.At()), max(c.last, l.Encoder.At())
		c.board.Add(l.Encoder, captures, c.of.Name)
	}
	c.row = 0
	return true
}

// add counts a line, in all and of its file.
func (c *counter) add(all, ofFile *int64) {
	*all++
	*ofFile++
	c.Lines.Read++
	c.of.Lines.Read++
}

// maxRejects is how many rejected lines are shown.
const maxRejects = 20

// reject counts a line that is no request. captures are those of one whose time cannot be
// read.
func (c *counter) reject(why flow.Reason, line []byte, captures [][]byte) {
	c.add(&c.Lines.Rejected, &c.of.Lines.Rejected)
	c.Reasons[string(why)]++
	if len(c.Rejects) == maxRejects || why == flow.Empty && c.Reasons[string(why)] > 1 {
		return
	}
	r := Reject{Source: c.of.Name, LineNumber: c.of.Lines.Read, Reason: string(why), Column: 1}
	switch {
	case why == flow.TooLong:
		r.Why = fmt.Sprintf("max_line is %d bytes", c.maxLine)
		line = line[:min(len(line), 300)] // more characters than are shown, so none is cut
	case captures != nil:
		r.Column, r.Why = c.shaped.BadTime(line, captures)
	case c.shaped != nil:
		d := c.shaped.Format.Diagnose(line[:min(len(line), 8<<10)])
		r.Column, r.Why = d.Column, d.Expected
	}
	r.Line, r.Caret = escape.Around(line, r.Column)
	c.Rejects = append(c.Rejects, r)
}
