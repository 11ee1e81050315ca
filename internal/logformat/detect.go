package logformat

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ErrNoLines is returned by Detect when there is nothing to look at yet.
var ErrNoLines = errors.New("no lines to detect the format from")

// mostPercent of the lines must fit at least: with less than 20, all.
const mostPercent = 95

// Detect returns the known format of some lines: a preset, or a log_format that many
// people use. The lines are whole, without their newlines; empty ones are ignored.
// The name is what CompileFormat accepts: the name of a preset, or the log_format
// itself.
//
// A format is chosen if all lines fit it and no other. But one line that a crash or a
// full disk has torn must not make a log unreadable: if no format fits all lines, the
// only one that fits 95 % of them is chosen, which makes a difference from 20 lines on.
//
// Fitting is more than matching: a duration has three decimals, also in a list, and since the whole
// takes longer than its part, $request_time and $upstream_response_time, which look
// alike, can often be distinguished. If they cannot, no format is chosen: a wrong guess
// would be kept and never be noticed.
//
// The error is for the operator: it has the line that came nearest, and a remedy; the
// name is then that of the nearest format. It is ErrNoLines when there were no lines.
//
// Lines in a wrapper are judged by what is in them; the name begins with the wrapper's.
func Detect(lines [][]byte) (name string, err error) {
	name, err = detect(lines)
	if err == nil || errors.Is(err, ErrNoLines) {
		return name, err
	}
	if w, inner := unwrapAll(lines); w != nil {
		if name, err = detect(inner); name != "" {
			name = w.name + " " + name
		}
		if both, ok := errors.AsType[AmbiguousError](err); ok {
			for i, inner := range both.Names {
				both.Names[i] = w.name + " " + inner
			}
		}
	}
	return name, err
}

func detect(lines [][]byte) (name string, err error) {
	var samples [][]byte
	for _, line := range lines {
		if len(bytes.TrimSpace(line)) > 0 {
			samples = append(samples, line)
		}
	}
	if len(samples) == 0 {
		return "", ErrNoLines
	}
	var fitting, mostly, nearly []*known
	var others []trial
	for _, k := range allKnown() {
		t := try(k, samples)
		if t.nearly {
			nearly = append(nearly, k)
		}
		switch {
		case t.fits == len(samples) && !t.swapped:
			fitting = append(fitting, k)
			continue
		case enough(t.fits, len(samples)) && !t.swapped:
			mostly = append(mostly, k)
		}
		others = append(others, t)
	}
	if len(fitting) == 0 {
		fitting = mostly
	}
	if len(fitting) > 1 { // whatever is JSON of a kind is JSON
		fitting = slices.DeleteFunc(fitting, func(k *known) bool { return k.name == jsonPreset })
	}
	// Of twins it is rather the one whose requests take longer.
	if some := slices.DeleteFunc(slices.Clone(fitting), func(k *known) bool { return slices.Contains(nearly, k) }); len(some) > 0 {
		fitting = some
	}
	switch len(fitting) {
	case 0:
		return unknown(others, samples)
	case 1:
		return fitting[0].name, nil
	}
	return "", ambiguous(fitting, samples[0])
}

const remedy = "set format to the log_format in nginx.conf"

// Nearest returns a known format that the line matches, by the name that Detect would
// give.
func Nearest(line []byte) (name string, ok bool) {
	matchers, _ := knownMatchers.Get().(*[]*Matcher)
	defer knownMatchers.Put(matchers)
	var t tally
	t.count(line)
	for i, k := range allKnown() {
		if !k.format.mayMatch(line, &t) {
			continue
		}
		if _, ok := k.fits((*matchers)[i], line); ok {
			return k.name, true
		}
	}
	if w, inner := unwrapAny(line); w != nil {
		name, ok = Nearest(inner)
		if !ok {
			return "", false
		}
		return w.name + " " + name, true
	}
	return "", false
}

// knownMatchers holds matchers of all known formats: a log that is in no known format asks with
// every line.
var knownMatchers = sync.Pool{New: func() any {
	var all []*Matcher
	for _, k := range allKnown() {
		all = append(all, k.format.newBareMatcher())
	}
	return &all
}}

// A trial is what came of a known format and the lines.
type trial struct {
	known   *known
	fits    int  // lines, of those that were tried until there was no hope
	swapped bool // a part of the request takes longer than the whole
	longer  int  // index of the first line on which it does, or -1
	nearly  bool // it seems to, but clocks differ by as much
	odd     int  // index of the first line that does not fit, or -1
}

func try(k *known, lines [][]byte) trial {
	t := trial{known: k, longer: -1, odd: -1}
	m := k.format.newBareMatcher()
	odd := 0
	balance, near := 0, 0 // of the lines on which the whole is longer than the part, and the others
	for i, line := range lines {
		captures, ok := k.fits(m, line)
		if !ok {
			if t.odd < 0 {
				t.odd = i
			}
			if odd++; !enough(len(lines)-odd, len(lines)) {
				break
			}
			continue
		}
		t.fits++
		more, _ := k.more(captures)
		near += cmp.Compare(more, 0)
		if more > Clocks || more < -Clocks {
			balance += cmp.Compare(more, 0)
		}
		if more < -Clocks && t.longer < 0 {
			t.longer = i
		}
	}
	t.swapped, t.nearly = balance < 0, near < 0 // by the majority
	return t
}

func enough(fits, lines int) bool { return 100*fits >= mostPercent*lines }

// unknown is the nearest format, and the error, when none of the trials succeeded.
func unknown(trials []trial, lines [][]byte) (name string, err error) {
	if name, err = unknownJSON(trials, lines); err != nil {
		return name, err
	}
	var nearest trial
	var stop Diagnosis
	for _, t := range trials {
		if t.fits < nearest.fits {
			continue
		}
		var d Diagnosis
		if t.odd >= 0 {
			d = t.known.diagnose(lines[t.odd])
		}
		best := nearest.known == nil || t.fits > nearest.fits || d.Column > stop.Column
		if best || d.Column == stop.Column && t.known.name == usual(lines[max(0, t.odd)]) {
			nearest, stop = t, d
		}
	}
	if nearest.swapped && enough(nearest.fits, len(lines)) {
		return nearest.known.name, fmt.Errorf("the lines look like %s, but then upstreams would take longer than the requests they are part of: %s; %s",
			nearest.known.name, cut(lines[nearest.longer]), remedy)
	}
	all := "the first line"
	if len(lines) > 1 {
		all = fmt.Sprintf("all of the first %d lines", len(lines))
	}
	return nearest.known.name, fmt.Errorf("no known format matches %s; line %d is closest to %s, which at column %d expects %s: %s; %s",
		all, nearest.odd+1, nearest.known.name, stop.Column, stop.Expected, cut(lines[nearest.odd]), remedy)
}

// usual is what most logs are meant to be that have a line like that.
func usual(line []byte) string {
	if opensObject(line) {
		return jsonPreset
	}
	return "combined"
}

func ambiguous(all []*known, line []byte) error {
	var names []string
	for _, k := range all {
		names = append(names, k.name)
	}
	return AmbiguousError{names, line}
}

// cut quotes a line for a message.
func cut(line []byte) string {
	const enough = 400
	if len(line) > enough {
		return fmt.Sprintf("%q…", line[:enough])
	}
	return fmt.Sprintf("%q", line)
}
