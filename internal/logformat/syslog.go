package logformat

import "bytes"

// unwrapSyslog is for what nginx sends to syslog, in files as syslog daemons write them:
// of RFC 3164 and 5424, with and without the number in angle brackets, and with rsyslog's
// time of ISO 8601.
//
// https://nginx.org/en/docs/syslog.html
func unwrapSyslog(line, _ []byte) (inner []byte, what wrapped) {
	line, numbered := cutPriority(line)
	if rest, ok := bytes.CutPrefix(line, []byte("1 ")); ok && numbered {
		return unwrapRFC5424(rest)
	}
	const stamp = len("Nov 20 10:00:00")
	var rest []byte
	switch {
	case len(line) > stamp && line[stamp] == ' ' && line[3] == ' ' && line[9] == ':' && line[12] == ':':
		rest = line[stamp+1:]
	default:
		if !isISOStamp(line) {
			return nil, otherwise
		}
		_, rest, _ = bytes.Cut(line, []byte{' '})
	}
	// The host may be missing (nginx's nohostname), the tag ends with a colon.
	for range 2 {
		token, after, found := bytes.Cut(rest, []byte{' '})
		if !found {
			break
		}
		if len(token) > 1 && token[len(token)-1] == ':' {
			return after, aLine
		}
		rest = after
	}
	return nil, otherwise
}

// cutPriority cuts off a number in angle brackets.
func cutPriority(line []byte) (rest []byte, found bool) {
	if len(line) == 0 || line[0] != '<' {
		return line, false
	}
	at := bytes.IndexByte(line, '>')
	if at < 2 || at > 4 || !isDigits(line[1:at]) {
		return line, false
	}
	return line[at+1:], true
}

// unwrapRFC5424 is for what follows the version: time, host, program, process, kind,
// data of a structure, message.
func unwrapRFC5424(rest []byte) (inner []byte, what wrapped) {
	for range 5 {
		_, after, found := bytes.Cut(rest, []byte{' '})
		if !found {
			return nil, otherwise
		}
		rest = after
	}
	if data, ok := bytes.CutPrefix(rest, []byte("- ")); ok {
		return bytes.TrimPrefix(data, []byte("\ufeff")), aLine
	}
	if len(rest) == 0 || rest[0] != '[' {
		return nil, otherwise
	}
	quoted := false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ']' && i+1 < len(rest) && rest[i+1] == ' ':
			return bytes.TrimPrefix(rest[i+2:], []byte("\ufeff")), aLine
		}
	}
	return nil, otherwise
}
