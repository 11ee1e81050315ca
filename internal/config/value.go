package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// A shape is what kind of YAML node a value is, before its key gives it a meaning.
type shape int

const (
	yamlNull shape = iota
	yamlString
	yamlNumber
	yamlBool
	yamlSequence
	yamlMapping
	unsupported // a part of YAML that is refused; the text names it
	untyped     // from a flag or a variable: any scalar
)

// A value is one value as the file, a flag or a variable gave it.
type value struct {
	at      position
	shape   shape
	text    string  // of a scalar
	items   []value // of a list
	entries []entry // of a mapping
}

// An entry is one line "key: value" of a mapping.
type entry struct {
	key value
	val value
}

// keyName is the key for a message.
func (e entry) keyName() string {
	if e.key.shape == unsupported || !isName().MatchString(e.key.text) {
		return shorten(e.key.text)
	}
	return e.key.text
}

// A position is where something was given.
type position struct {
	name         string // a file, or without a line "--listen" or "TAILFLUX_LISTEN"
	line, column int    // from 1; column counts characters
}

func (p position) String() string {
	if p.line > 0 {
		return fmt.Sprintf("%s:%d:%d", p.name, p.line, p.column)
	}
	return p.name
}

// got is the value for an error message, to be read after "got". It is short,
// and a secret that may be part of it is left out.
func (v value) got() string {
	switch v.shape {
	case yamlNull:
		return "no value"
	case yamlNumber, yamlBool:
		return v.text
	case yamlSequence:
		return "a list"
	case yamlMapping:
		return "a mapping"
	case unsupported:
		return v.text
	default:
		return shorten(v.text)
	}
}

// secret finds what may carry a password: user:password@host and URL?p=password.
var secret = lazyregexp.New(`:.*@|://.*\?`)

const notShown = "a value that is not shown because it may hold a password"

func shorten(s string) string {
	const most = 60
	if secret().MatchString(s) {
		return notShown
	}
	if r := []rune(s); len(r) > most {
		return strconv.Quote(string(r[:most])) + "…"
	}
	return strconv.Quote(s)
}

// flat is the value as a flag takes it.
func (v value) flat() string {
	if v.shape != yamlSequence {
		return v.text
	}
	all := make([]string, len(v.items))
	for i, item := range v.items {
		if item.shape == yamlMapping { // rollups, which a flag does not take one by one
			return "default"
		}
		all[i] = item.flat()
	}
	return strings.Join(all, ",")
}

// yaml is the value as the file takes it.
func (v value) yaml() string {
	switch v.shape {
	case yamlString:
		return Quote(v.text)
	case yamlSequence:
		all := make([]string, len(v.items))
		for i, item := range v.items {
			all[i] = item.yaml()
		}
		return "[" + strings.Join(all, ", ") + "]"
	case yamlMapping:
		all := make([]string, len(v.entries))
		for i, e := range v.entries {
			all[i] = e.key.yaml() + ": " + e.val.yaml()
		}
		return "{" + strings.Join(all, ", ") + "}"
	default:
		return v.text
	}
}

// plainSafe is a word, path or URL, or an address with its port.
var plainSafe = lazyregexp.New(`^[A-Za-z/_][A-Za-z0-9/_.-]*(:[A-Za-z0-9/_.-]+)*$|^(\d+\.){3}\d+:\d+$`)

// Quote writes s so that YAML reads the same s again: bare where that is plainly
// safe, else in single quotes, which leave the backslashes of a regular expression
// alone, else in double quotes, whose escapes are those of Go. The encoder of the
// YAML library is not used because its answers for ".inf" and a tab are read as
// something else (TestPrintQuotes).
func Quote(s string) string {
	switch {
	case s == "":
		return `""`
	case plainSafe().MatchString(s) && !token.IsNeedQuoted(s):
		return s
	case !slices.ContainsFunc([]rune(s), func(r rune) bool { return !unicode.IsPrint(r) }):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	default:
		return strconv.Quote(s)
	}
}
