package checkpoint

import (
	"math"
	"slices"
)

// Span is a run of lines of a generation that a destination got, or is to get.
type Span struct {
	Destination string
	From, To    int64 // numbers of the first, and of the one after the last; To is 0 while it goes on
}

// Spans of a generation are noted for the destinations that were not there all the time,
// and for all of them when it is finished. Without any, and without destinations that have
// names, each line has a point and nothing else.

// openSpan is where the span of a destination begins that goes on.
func (g *Generation) openSpan(destination string) int {
	return slices.IndexFunc(g.Spans, func(s Span) bool { return s.Destination == destination && s.To == 0 })
}

// end ends what a destination gets. Slices that others hold stay as they are.
func (g *Generation) end(destination string) {
	if destination == Lines {
		return
	}
	s := Span{destination, g.FirstLine, g.reached(destination).Line}
	g.Spans = slices.Clone(g.Spans)
	if i := g.openSpan(destination); i >= 0 {
		s.From = g.Spans[i].From
		g.Spans = slices.Delete(g.Spans, i, i+1)
	}
	g.Spans = append(g.Spans, s)
}

// change notes which destinations are others.
func (g *Generation) change(was, now []string) {
	if len(was) == 0 {
		was = []string{Raw}
	}
	for _, d := range was {
		if !slices.Contains(now, d) {
			g.end(d)
		}
	}
	g.Spans = slices.DeleteFunc(g.Spans, func(s Span) bool { return s.From == s.To })
	for _, d := range now {
		if d != Lines && !slices.Contains(was, d) && g.Line > g.FirstLine {
			g.Spans = append(slices.Clip(g.Spans), Span{d, g.Line, 0})
		}
	}
}

// endAll ends all spans of a generation that is finished.
func (g *Generation) endAll(destinations []string) {
	for _, d := range destinations {
		g.end(d)
	}
}

// reopen undoes endAll: a generation that was finished or lost goes on. One of the
// destinations that was not there in the end gets what comes from now on.
func (g *Generation) reopen(destinations []string) {
	spans, alone := slices.Clone(g.Spans), len(g.Spans) == 0
	for _, d := range destinations {
		line := g.reached(d).Line
		i := slices.IndexFunc(spans, func(s Span) bool { return s.Destination == d && s.To == line })
		switch {
		case d == Lines || d == Raw && alone: // all the time
		case i >= 0 && spans[i].From == g.FirstLine:
			spans = slices.Delete(spans, i, i+1)
		case i >= 0:
			spans[i].To = 0
		case line > g.FirstLine:
			spans = append(spans, Span{d, line, 0})
		}
	}
	if g.Spans = spans; len(spans) == 0 {
		g.Spans = nil
	}
}

// explicit writes out, of what is read from a file, which lines destinations got. A copy is
// what it is a copy of.
func (c *content) explicit() {
	for _, s := range c.Sources {
		for _, all := range [][]Generation{s.Open, s.Imports} {
			for i := range all {
				g := &all[i]
				if len(c.Destinations) == 0 && g.Spans == nil {
					g.Spans = []Span{{Raw, g.FirstLine, g.Line}}
				}
				g.endAll(c.Destinations)
			}
		}
		for i := range s.Finished {
			g := &s.Finished[i]
			is := func(other Generation) bool { return other.ID == g.ID && other.Spans != nil }
			if at := slices.IndexFunc(s.Open, is); at >= 0 {
				g.Spans = s.Open[at].Spans
				continue
			}
			if at := slices.IndexFunc(s.Finished, is); at >= 0 {
				g.Spans = slices.Clone(s.Finished[at].Spans)
			} else {
				g.Spans = []Span{{Raw, g.FirstLine, g.Line}}
			}
			for i := range g.Spans {
				if of := &g.Spans[i]; of.To == 0 {
					of.To = g.reached(of.Destination).Line
				}
			}
		}
	}
}

// Got are the lines of the record that a destination got, or, of a log of which nothing
// more will be read, should have got.
func (r *Record) Got(destination string) (all []Span) {
	for _, s := range r.spans {
		if s.Destination != destination {
			continue
		}
		if r.rest > 0 && s.To >= r.rest {
			s.To = math.MaxInt64
		}
		all = append(all, s)
	}
	return all
}

// Until is the number of the line after the last one that any destination got, or should
// have got.
func (r *Record) Until() int64 {
	until := r.NextLine
	for _, s := range r.spans {
		until = max(until, s.To)
	}
	return until
}
