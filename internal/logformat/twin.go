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

// A Twin tells a known format from the one that has $request_time and
// $upstream_response_time in each other's place.
type Twin struct {
	Name      string // of the other
	First     bool   // the format has $request_time first
	is        *known
	other     *known
	m, otherM *Matcher
}

// FindTwin returns the twin of a known format, if it has one. It is for one goroutine.
func FindTwin(name string) (*Twin, bool) {
	all := allKnown()
	for _, k := range all {
		if k.name != name || k.whole < 0 || k.part < 0 {
			continue
		}
		for _, other := range all {
			if isTwin(k, other) {
				return &Twin{other.name, k.whole < k.part, k, other, k.format.newBareMatcher(), other.format.newBareMatcher()}, true
			}
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
// 0 if it is of neither. Below zero it is of the twin, if by more than clocks differ.
func (t *Twin) Proof(line []byte) int64 {
	captures, ok := t.is.fits(t.m, line)
	if !ok {
		return 0
	}
	whole, wholeOK := milliseconds(captures[t.is.whole])
	part, partOK := milliseconds(captures[t.is.part])
	if _, ok := t.other.fits(t.otherM, line); !ok || !wholeOK || !partOK {
		return math.MaxInt64
	}
	return whole - part
}

// milliseconds is a time of three decimals.
func milliseconds(b []byte) (int64, bool) {
	if !isSeconds(b) {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.Replace(string(b), ".", "", 1), 10, 64)
	return n, err == nil
}
