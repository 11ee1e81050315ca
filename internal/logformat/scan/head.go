package scan

import (
	"slices"
	"strings"
)

// A head is what can be said about the rest of an expression, from some point
// on, by looking at the next few bytes of a line. It is the scanner's only
// reason to turn down a choice: what a head excludes cannot match.
type head struct {
	first byteSet  // the rest takes a byte, and begins with one of these; or
	end   bool     // the rest takes nothing, at the end of the line only; or
	open  bool     // the rest may take nothing anywhere: nothing is excluded
	texts []string // if any: the rest begins with one of these
}

// maxTexts and maxText bound the texts of a head.
const (
	maxTexts = 8
	maxText  = 64
)

// literal is the only text that the rest can begin with, or "".
func (h *head) literal() string {
	if len(h.texts) == 1 {
		return h.texts[0]
	}
	return ""
}

// or is the head of a choice.
func (h head) or(other head) head {
	for c := range h.first {
		h.first[c] = h.first[c] || other.first[c]
	}
	h.end = h.end || other.end
	h.open = h.open || other.open
	if h.texts == nil || other.texts == nil || len(h.texts)+len(other.texts) > maxTexts {
		h.texts = nil
	} else {
		h.texts = append(h.texts[:len(h.texts):len(h.texts)], other.texts...)
	}
	return h
}

// excludes reports whether no line can go on with both heads.
func (h *head) excludes(other *head) bool {
	if h.open || other.open || h.end && other.end {
		return false
	}
	if h.texts != nil && other.texts != nil {
		for _, s := range h.texts {
			for _, t := range other.texts {
				if strings.HasPrefix(s, t) || strings.HasPrefix(t, s) {
					return false
				}
			}
		}
		return true
	}
	return !h.first.overlaps(&other.first)
}

// look sets what follows every node below n, and returns the head of n and
// all that follows it.
func (n *node) look(next head) head {
	n.next = next
	switch n.kind {
	case nodeEnd:
		return head{end: true}

	case nodeLiteral:
		if n.text == "" {
			return next
		}
		h := head{texts: []string{n.text}}
		if l := next.literal(); len(n.text)+len(l) <= maxText {
			h.texts[0] += l
		}
		h.first[n.text[0]] = true
		return h

	case nodeRun:
		h := head{first: *n.set}
		if n.min == 0 {
			h = h.or(next)
			h.texts = nil
		}
		return h

	case nodeEscaped:
		h := head{first: *n.set}
		h.first['\\'] = true
		return h.or(next)

	case nodeCapture:
		return n.subs[0].look(next)

	case nodeSequence:
		for _, s := range slices.Backward(n.subs) {
			next = s.look(next)
		}
		return next

	case nodeChoice:
		n.heads = n.heads[:0]
		for _, s := range n.subs {
			n.heads = append(n.heads, s.look(next))
		}
		h := n.heads[0]
		for _, other := range n.heads[1:] {
			h = h.or(other)
		}
		return h

	case nodeLoop:
		// The body consumes at least a byte, so its own head does not depend on
		// what follows it; only then is it known what follows it.
		body := n.subs[0].look(head{open: true})
		repeat := body.or(next)
		n.subs[0].look(repeat)
		n.heads = []head{body, next}
		if n.lazy {
			n.heads = []head{next, body}
		}
		if n.min == 0 {
			return repeat
		}
		return body
	}
	panic("logformat: a node of no kind")
}
