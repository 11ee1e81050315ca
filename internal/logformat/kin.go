package logformat

import (
	"bytes"
	"strings"
)

// Apache's kin write the same lines as nginx, but for two things: in a value they
// write \" for a quote, and an empty value without quotes is "". A format has a second
// expression for such lines (template.kin), which is asked about lines that do not
// match and have one of the two. nginx writes neither, so no line of nginx's is read
// otherwise.
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
// Captures with escapes are copies in which these are nginx's, valid until the next call.
func (m *Matcher) matchKin(line []byte) (captures [][]byte, ok bool) {
	if m.kin == nil || m.kin.guard != nil && !m.kin.guard().hasEnough(line) || !ofKin(line) {
		return nil, false
	}
	captures, ok = m.kin.Match(line)
	m.Slow, m.kin.Slow = m.Slow+m.kin.Slow, 0
	m.unescaped = m.unescaped[:0]
	for i, value := range captures {
		if bytes.IndexByte(value, '\\') >= 0 {
			from := len(m.unescaped)
			m.unescaped = appendAsNginx(m.unescaped, value)
			captures[i] = m.unescaped[from:len(m.unescaped):len(m.unescaped)]
		}
	}
	return captures, ok
}

// appendAsNginx appends a value of Apache's with nginx's escapes.
func appendAsNginx(dst, value []byte) []byte {
	const hex = "0123456789ABCDEF"
	for len(value) > 0 {
		if value[0] != '\\' || len(value) == 1 {
			dst, value = append(dst, value[0]), value[1:]
			continue
		}
		at := strings.IndexByte(`"\nrtbv`, value[1])
		switch {
		case at >= 0:
			c := "\"\\\n\r\t\b\v"[at]
			dst, value = append(dst, '\\', 'x', hex[c>>4], hex[c&15]), value[2:]
		case value[1] == 'x' && len(value) >= 4:
			dst, value = append(dst, '\\', 'x', upper(value[2]), upper(value[3])), value[4:]
		default:
			dst, value = append(dst, '\\'), value[1:]
		}
	}
	return dst
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}
