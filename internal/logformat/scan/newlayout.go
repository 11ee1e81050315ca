package scan

import (
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/logformat/scan/marks"
)

// A layouter goes through a chain and counts marks.
type layouter struct {
	layout
	marked uint16 // marks so far
	mark   uint16 // where it is: offset bytes from this mark
	offset uint16
	inside bool // quotes
	timed  bool // there was a time
	ended  bool // it is at the end of the line
}

// newLayout is the layout of a chain behind which nothing comes, or nil. It could begin
// inside quotes, but of such lines hardly any would be taken.
func newLayout(links []link) *layout {
	if links[0].kind == linkUntil {
		return nil
	}
	b := &layouter{}
	for i := range links {
		l := links[i] // a copy, since other separators are looked for
		switch {
		case l.kind == linkEnd && i == len(links)-1:
			b.ended = true
		case b.ended || l.kind == linkEnd || !b.link(&l):
			return nil
		default:
			b.follow(&l, links[i+1:])
		}
	}
	if !b.ended || b.marked == 0 || b.marked > marks.MostMarks || len(b.Runs) > marks.MostRuns {
		return nil
	}
	b.Marks = int(b.marked)
	return &b.layout
}

// link adds a link. It reports whether it can be read off.
func (b *layouter) link(l *link) bool {
	inner := false
	r := marks.Run{Text: l.word, Mask: l.mask, Mark: b.mark, Offset: b.offset, Least: uint16(l.min), Skip: uint16(l.skip)}
	switch {
	case l.kind == linkText:
	case l.text == "": // to the end of the line: it is the last link, or all is in vain
		b.ended = true
		r.Mark, r.Offset = b.marked+1, 0
	default:
		lead := firstMark(l.text, b.inside)
		if lead < 0 || !l.endsBefore(l.text) {
			return false
		}
		if inner = b.likelyTime(l); inner {
			b.marked++
		}
		r.Mark, r.Offset = b.marked+1, -uint16(lead)
	}
	if b.marked > marks.MostMarks || l.min > longest || len(l.text) > longest {
		return false
	}
	run := len(b.Runs)
	b.Runs = append(b.Runs, r)
	if l.capture >= 0 {
		b.captures.add(run, int(l.capture))
	}
	if l.kind != linkText && !b.look(l, run, inner) {
		return false
	}
	for _, c := range []byte(l.text[:l.skip]) {
		if c == '"' {
			b.inside = !b.inside
		}
		if c == '"' || c == ' ' && !b.inside {
			b.marked++
		}
	}
	b.mark, b.offset = r.Mark, r.Offset+r.Skip
	return true
}

// follow adds what Fit does not ask of the last link, behind which come others. What
// the next run's bytes exclude is not asked.
func (b *layouter) follow(l *link, others []link) {
	var next *byteSet // of the byte that comes behind the text
	if len(others) > 0 && int(l.skip) == len(l.text) && others[0].min > 0 && others[0].kind != linkText {
		next = others[0].set
	}
	l.texts = slices.DeleteFunc(slices.Clone(l.texts), func(separator prefix) bool {
		return l.text == "" || !strings.HasPrefix(separator.text, l.text) && !strings.HasPrefix(l.text, separator.text) ||
			next != nil && len(separator.text) > len(l.text) && !next[separator.text[len(l.text)]]
	})
	if next != nil && !slices.Contains(next[:l.above+1], true) {
		l.above = -1
	}
	if l.kind == linkExact || l.beyond || l.above >= 0 || len(l.texts) > 0 {
		b.odd = append(b.odd, oddCheck{len(b.Runs) - 1, l})
	}
}

// endsBefore reports whether a run of the link surely ends where the text begins, because
// of the text's byte that is not in its set.
func (l *link) endsBefore(text string) bool {
	for i := range int(l.back) {
		if !l.set[text[i]] {
			return false
		}
	}
	return l.kind == linkExact || !l.set[text[l.back]]
}

// likelyTime reports whether the link's run is a time with a space in it, as far as one
// can tell. In a program it does so once.
func (b *layouter) likelyTime(l *link) bool {
	if b.timed || b.inside || !l.likelyTime() {
		return false
	}
	b.timed = true
	return true
}

// look adds the check that all bytes of a link's run are in its set, as far as marks do
// not tell. It reports whether there is one.
func (b *layouter) look(l *link, run int, inner bool) bool {
	if inner {
		ranges, wide := newRanges(l.set.without('"'))
		b.spans = append(b.spans, spanCheck{run, true, ranges})
		return wide
	}
	// What no run has between two marks may be in the set.
	set := *l.set
	set['"'] = true
	set[' '] = set[' '] || !b.inside
	missing := set.missing()
	class, ok := newClass(l.set)
	if !ok {
		class, ok = newClass(&set)
	}
	ranges, wide := newRanges(l.set)
	switch {
	case len(missing) == 0:
	case len(missing) == 1 && missing[0] == '\\':
		b.escapes = true
	case ok:
		class.Run = uint16(run)
		b.Classes = append(b.Classes, class)
	case wide:
		b.spans = append(b.spans, spanCheck{run, false, ranges})
	default:
		return false
	}
	return true
}

// firstMark is the index of the first mark in text, or -1.
func firstMark(text string, inside bool) int {
	if inside {
		return strings.IndexByte(text, '"')
	}
	return strings.IndexAny(text, `" `)
}

// newClass makes a class of a set, if it is two ranges, or fewer.
func newClass(set *byteSet) (class marks.Class, ok bool) {
	n := 0
	for c := 0; c <= 0xFF; c++ {
		if !set[c] {
			continue
		}
		from := c
		for c < 0xFF && set[c+1] {
			c++
		}
		switch n++; n {
		case 1:
			class.From0, class.Above0 = uint8(from), uint8(c-from)
			class.From1, class.Above1 = class.From0, class.Above0
		case 2:
			class.From1, class.Above1 = uint8(from), uint8(c-from)
		}
	}
	return class, n == 1 || n == 2
}
