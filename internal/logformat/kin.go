package logformat

import "bytes"

// Apache's kin write the same lines as nginx, but for two things: in a value they
// write \" for a quote, and an empty value without quotes is "". A format has a second
// expression for such lines (template.kin), which is asked about lines that do not
// match and have one of the two. nginx writes neither, so no line of nginx's is read
// otherwise. What the other escapes of a value mean is the same in all lines, whichever
// expression has cut them: see Escape.
//
// https://httpd.apache.org/docs/current/mod/mod_log_config.html#format-notes

// ofKin reports whether a line has something that nginx does not write.
func ofKin(line []byte) bool {
	for i := bytes.IndexByte(line, '"'); i >= 0; {
		if i > 0 && line[i-1] == '\\' || i+1 < len(line) && line[i+1] == '"' {
			return true
		}
		n := bytes.IndexByte(line[i+1:], '"')
		if n < 0 {
			break
		}
		i += 1 + n
	}
	return false
}

// matchKin is Match of the second expression, if there is one and the line may be of it.
func (m *Matcher) matchKin(line []byte) (captures [][]byte, ok bool) {
	if m.kin == nil || m.kin.guard != nil && !m.kin.guard().hasEnough(line) || !ofKin(line) {
		return nil, false
	}
	captures, ok = m.kin.Match(line)
	m.Slow, m.kin.Slow = m.Slow+m.kin.Slow, 0
	return captures, ok
}
