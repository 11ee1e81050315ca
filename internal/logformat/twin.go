package logformat

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// An AmbiguousError is that lines are of several known formats.
type AmbiguousError struct {
	Names []string
	line  []byte
}

func (e AmbiguousError) Error() string {
	return fmt.Sprintf("the sample matches several formats (%s): %s; %s", strings.Join(e.Names, " or "), cut(e.line), remedy)
}

// Clocks is by how many milliseconds a part of a request may seem to take longer than the
// whole: nginx takes the two from clocks that differ.
const Clocks = 4

// more is by how many milliseconds the whole is longer than its part, if that is known; else 0.
func (k *known) more(captures [][]byte) (ms int64, ok bool) {
	if k.whole < 0 || k.part < 0 {
		return 0, false
	}
	whole, wholeOK := milliseconds(captures[k.whole])
	part, partOK := milliseconds(captures[k.part])
	if !wholeOK || !partOK {
		return 0, false
	}
	return whole - part, true
}

// A Twin tells a known format from the one that has $request_time and
// $upstream_response_time in each other's place.
type Twin struct {
	Name      string   // of the other
	First     bool     // the format has $request_time first
	wrapper   *wrapper // of both, or nil
	is        *known
	other     *known
	m, otherM *Matcher
}

// FindTwin returns the twin of a known format, in a wrapper or not, if it has one. It is
// for one goroutine.
func FindTwin(name string) (*Twin, bool) {
	all := allKnown()
	w, inner := cutWrapper(name)
	for _, k := range all {
		if k.name != inner || k.whole < 0 || k.part < 0 {
			continue
		}
		for _, other := range all {
			if !isTwin(k, other) {
				continue
			}
			twin := other.name
			if w != nil {
				twin = w.name + " " + twin
			}
			return &Twin{twin, k.whole < k.part, w, k, other, k.format.newBareMatcher(), other.format.newBareMatcher()}, true
		}
	}
	return nil, false
}

func isTwin(a, b *known) bool {
	if len(a.format.names) != len(b.format.names) || a.whole != b.part || a.part != b.whole {
		return false
	}
	for i, name := range a.format.names {
		if i != a.whole && i != a.part && b.format.names[i] != name {
			return false
		}
	}
	return true
}

// Proof is by how many milliseconds a request took longer than the upstreams it waited
// for, if a line is of the format: as much as there can be if it is not of the twin, and
// 0 if it is of neither. Below zero it is of the twin, if by more than [Clocks].
func (t *Twin) Proof(line []byte) int64 {
	if t.wrapper != nil {
		line, _ = t.wrapper.unwrap(line, nil)
	}
	captures, ok := t.is.fits(t.m, line)
	if !ok {
		return 0
	}
	more, known := t.is.more(captures)
	if _, ok := t.other.fits(t.otherM, line); !ok || !known {
		return math.MaxInt64
	}
	return more
}

// milliseconds is a time of three decimals.
func milliseconds(b []byte) (int64, bool) {
	if !isSeconds(b) {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.Replace(string(b), ".", "", 1), 10, 64)
	return n, err == nil
}
