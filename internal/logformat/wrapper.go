package logformat

import (
	"bytes"
	"strings"
)

// A wrapper is what puts each line of a log into a line of its own: a container's
// runtime, or syslog. Its name stands before that of the format, as in "docker combined".
type wrapper struct {
	name    string
	looks   string // for the operator
	decodes bool   // unwrap puts the line into room
	unwrap  func(line, room []byte) (inner []byte, what wrapped)
}

// wrapped is what a wrapper holds.
type wrapped int

const (
	otherwise wrapped = iota // it is no line of the wrapper
	aLine
	aside  // a line of a standard error: nginx's error log, and not its access log
	aPiece // of a line that was too long for the wrapper
)

const dockers = 0 // in wrappers

var wrappers = []*wrapper{
	{"docker", `{"log":"…\n","stream":"stdout","time":"…"}`, true, unwrapDocker},
	{"cri", "2026-11-20T10:00:00.123456789Z stdout F …", false, unwrapCRI},
	{"syslog", "Nov 20 10:00:00 host nginx: …", false, unwrapSyslog},
}

// cutWrapper separates the name of a wrapper from the format that stands behind it.
func cutWrapper(format string) (w *wrapper, inner string) {
	name, rest, found := strings.Cut(strings.TrimSpace(format), " ")
	for _, w := range wrappers {
		if found && w.name == name {
			return w, strings.TrimSpace(rest)
		}
	}
	return nil, format
}

// inside is Match of the line in a line, of whatever wrapper, when no wrapper is part of
// the format and the line as it is does not match.
func (m *Matcher) inside(line []byte) (captures [][]byte, ok bool) {
	m.aside = false
	if m.bare || m.format.wrapper != nil || !mayBeWrapped(line) {
		return nil, false
	}
	for _, w := range wrappers {
		inner, what := m.unwrapped(w, line)
		switch what {
		case otherwise, aPiece:
		case aLine, aside:
			return m.matchInner(inner, what)
		}
	}
	return nil, false
}

// mayBeWrapped reports whether a line begins as it does in some wrapper: with an object, a
// number in angle brackets, or a time as in Nov 20 10:00:00 or 2026-11-20T10:00:00.
func mayBeWrapped(line []byte) bool {
	switch {
	case len(line) == 0:
		return false
	case line[0] == '<', opensObject(line):
		return true
	}
	return len(line) > len("Nov 20 10:00:00") && (line[3] == ' ' || line[4] == '-')
}

// matchInner is Match of what a line holds. Some programs write their access log to the
// standard error; but whatever else stands there may be JSON, too.
func (m *Matcher) matchInner(inner []byte, what wrapped) (captures [][]byte, ok bool) {
	if what == aLine || what == aside && (m.object == nil || len(m.format.mark) > 0) {
		bare := m.bare
		m.bare = true
		captures, ok = m.Match(inner)
		m.bare = bare
	}
	m.aside = !ok && what == aside
	return captures, ok
}

func (m *Matcher) unwrapped(w *wrapper, line []byte) (inner []byte, what wrapped) {
	inner, what = w.unwrap(line, m.room)
	if w.decodes && cap(inner) > cap(m.room) {
		m.room = inner[:0]
	}
	return inner, what
}

// unwrapAll returns the lines in lines, if they are in a wrapper but for a few.
func unwrapAll(lines [][]byte) (*wrapper, [][]byte) {
	for _, w := range wrappers {
		whole := notInPieces(w, lines)
		fits := len(lines) - len(whole)
		var inner, errors [][]byte // errors are of the standard error
		for _, line := range whole {
			text, what := w.unwrap(line, nil)
			if what != otherwise {
				fits++
			}
			switch what {
			case aLine:
				inner = append(inner, text)
			case aside:
				if _, other := Other(text); !other {
					errors = append(errors, text)
				}
			case otherwise, aPiece:
			}
		}
		if len(inner) == 0 { // some programs write their access log there
			inner = errors
		}
		if len(inner) > 0 && enough(fits, len(lines)) {
			return w, inner
		}
	}
	return nil, nil
}

// unwrapAny is unwrapAll for one line.
func unwrapAny(line []byte) (*wrapper, []byte) {
	for _, w := range wrappers {
		switch text, what := w.unwrap(line, nil); what {
		case aLine:
			return w, text
		case aside:
			if _, other := Other(text); !other {
				return w, text
			}
		case otherwise, aPiece:
		}
	}
	return nil, nil
}

// diagnoseWrapped is Diagnose for a line in a wrapper; ok is false if it is in none. The
// column is in the line inside.
func (f *Format) diagnoseWrapped(line []byte) (d Diagnosis, ok bool) {
	all := wrappers
	if f.wrapper != nil {
		all = []*wrapper{f.wrapper}
	}
	for _, w := range all {
		inner, what := w.unwrap(line, nil)
		switch what {
		case otherwise:
		case aPiece:
			return Diagnosis{Column: 1, Expected: "a whole line: it was too long for " + w.name + ", which has cut it"}, true
		case aside:
			return Diagnosis{Column: 1, Expected: "a line of the standard output: this one is of the standard error, and is left out"}, true
		case aLine:
			return f.diagnoseBare(inner), true
		}
	}
	if f.wrapper != nil {
		return Diagnosis{Column: 1, Expected: "a line of " + f.wrapper.name + ": " + f.wrapper.looks}, true
	}
	return Diagnosis{}, false
}

// Aside reports whether the last line did not match because it is not of the access log: a
// container's runtime has both logs in one file.
func (m *Matcher) Aside() bool { return m.aside }

// unwrapCRI is for the files of a container's log in Kubernetes: a time, the stream, tags
// of which the first one is F for a full line and P for a piece, and the line.
//
// https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
func unwrapCRI(line, _ []byte) (inner []byte, what wrapped) {
	if !isISOStamp(line) {
		return nil, otherwise
	}
	_, rest, _ := bytes.Cut(line, []byte{' '})
	stream, rest, _ := bytes.Cut(rest, []byte{' '})
	tags, inner, found := bytes.Cut(rest, []byte{' '})
	tag, _, _ := bytes.Cut(tags, []byte{':'})
	full, piece := string(tag) == "F", string(tag) == "P"
	switch {
	case !found || !full && !piece:
		return nil, otherwise
	case string(stream) == "stderr":
		return inner, aside
	case string(stream) != "stdout":
		return nil, otherwise
	case piece:
		return inner, aPiece
	}
	return inner, aLine
}

// isISOStamp reports whether a text has the form 2026-11-20T10:00:00, and anything behind it.
func isISOStamp(b []byte) bool { return hasForm(b, "0000-00-00T00:00:00") }
