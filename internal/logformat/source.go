package logformat

import (
	"fmt"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// The ways nginx writes values into a log: the escape parameter of log_format.
type escaping uint8

const (
	escapeDefault escaping = iota // a value never contains a quote; an absent one is "-"
	escapeJSON                    // quotes and backslashes have a backslash; an absent value is empty
	escapeNone                    // a value may contain anything; an absent one is empty
)

var escapings = map[string]escaping{"default": escapeDefault, "json": escapeJSON, "none": escapeNone}

func (e escaping) String() string { return [...]string{"default", "json", "none"}[e] }

// A source is the text of a log_format as nginx sees it, and where in the
// operator's string each byte of it came from.
type source struct {
	origin string
	text   string
	at     []int // for each byte of text, and its end: the offset in origin
	bare   []int // where in text a word without quotes was joined to the one before it
	escape escaping
}

var (
	statement   = lazyregexp.New(`^(?:\s*#[^\n]*\n)*\s*log_format\s+(?:"[^"]*"|'[^']*'|[^\s'";]+)\s+`)
	comment     = lazyregexp.New(`(?m)^\s*#.*$`)
	typographic = lazyregexp.New(`[‘’‚“”„][$\[{]|\$\w+[\]}]?[‘’‚“”„]`)
	parameter   = lazyregexp.New(`^\s*escape=([^\s$;'"]*)(?:\s+|$)`)
)

// readSource reads a bare format, or one pasted from nginx.conf, whose quoted
// pieces it joins.
func readSource(origin string) (source, error) {
	s := source{origin: origin}
	if at := typographic().FindStringIndex(origin); at != nil {
		return s, fmt.Errorf("%s: the quote here is one of print, which another program has made of nginx's; write ' or \"", where(origin, at[0]))
	}
	begin := len(statement().FindString(origin))
	whole := begin > 0
	if m := parameter().FindStringSubmatchIndex(origin[begin:]); m != nil {
		name := origin[begin+m[2] : begin+m[3]]
		e, ok := escapings[name]
		if !ok {
			return s, fmt.Errorf("%s: escape=%s: want escape=default, escape=json or escape=none", where(origin, begin+m[2]), name)
		}
		s.escape, whole = e, true
		begin += m[1]
	}
	switch rest := strings.TrimLeft(origin[begin:], " \t\r\n"); {
	case whole && strings.HasPrefix(rest, "{"): // JSON from a ConfigMap, where nginx's quotes are not written
		s.bareText(strings.TrimRight(origin, "; \t\r\n"), len(origin)-len(rest))
		return s, nil
	case whole:
		err := s.join(begin)
		return s, err
	}
	// Nothing but quoted pieces, the first in single quotes: surely pasted. A
	// bare format may well begin with a double quote: "$msec","$status".
	if trimmed := strings.TrimSpace(origin); strings.HasPrefix(trimmed, "'") || strings.HasPrefix(trimmed, `"`) && strings.Contains(trimmed, `\"`) {
		if quoted := (source{origin: origin}); quoted.join(0) == nil && quoted.allQuoted() {
			return quoted, nil
		}
	}
	s.bareText(strings.TrimRight(origin, "\r\n"), 0)
	return s, nil
}

// bareText takes the text as it stands, from an offset on.
func (s *source) bareText(text string, from int) {
	s.text = text[from:]
	for i := range len(s.text) + 1 {
		s.at = append(s.at, from+i)
	}
}

// allQuoted reports whether every byte of the text stood inside quotes.
func (s *source) allQuoted() bool {
	var quote byte
	outside := func(r rune) bool { return strings.ContainsRune(" \t\r\n;'\"", r) }
	for i := 0; i < len(s.origin); i++ {
		switch c := s.origin[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case !outside(rune(c)):
			return false
		}
	}
	return true
}

// join reads words as nginx does, from offset i of the origin to a semicolon or
// the end, and joins them into the text.
func (s *source) join(i int) error {
	var text []byte
	add := func(c byte, at int) {
		text = append(text, c)
		s.at = append(s.at, at)
	}
	o, quoted := s.origin, true
	for {
		for i < len(o) && isSpace(o[i]) {
			i++
		}
		if i == len(o) || o[i] == ';' {
			break
		}
		if o[i] == '#' { // a comment between pieces
			n := strings.IndexByte(o[i:], '\n')
			if n < 0 {
				i = len(o)
				break
			}
			i += n
			continue
		}
		begin, quote := i, byte(0)
		if len(text) > 0 && (o[i] != '\'' && o[i] != '"' || !quoted) {
			s.bare = append(s.bare, len(text))
		}
		quoted = o[i] == '\'' || o[i] == '"'
		if o[i] == '\'' || o[i] == '"' {
			quote = o[i]
			i++
		}
		for i < len(o) && o[i] != quote && (quote != 0 || !isSpace(o[i]) && o[i] != ';') {
			if o[i] == '\\' && i+1 < len(o) {
				if n := strings.IndexByte(`"'\trn`, o[i+1]); n >= 0 {
					add("\"'\\\t\r\n"[n], i)
				} else {
					add('\\', i)
					add(o[i+1], i+1)
				}
				i += 2
				continue
			}
			add(o[i], i)
			i++
		}
		if quote == 0 {
			continue
		}
		if i == len(o) {
			return fmt.Errorf("%s: the quote %c that opens here is never closed", where(o, begin), quote)
		}
		i++ // the closing quote
		if i < len(o) && !isSpace(o[i]) && o[i] != ';' {
			remedy := `put a space between the pieces, or write the inner quote as \'`
			if quote == '"' {
				remedy = `put the whole format in single quotes, because it has double quotes in it, or write each of these as \"`
			}
			return fmt.Errorf(`%s: %q directly after a closing quote; %s`, where(o, i), o[i], remedy)
		}
	}
	if i < len(o) {
		if rest := strings.TrimSpace(comment().ReplaceAllString(o[i+1:], "")); rest != "" {
			return fmt.Errorf("%s: text after the semicolon; give one log_format only", where(o, i+1))
		}
	}
	s.text = strings.TrimSuffix(string(text), "\r") // which is no part of lines, either
	s.at = append(s.at, i)
	return nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
