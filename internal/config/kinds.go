package config

import (
	"fmt"
	"net"
	neturl "net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/docker/go-units"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// A kind is a type of value: what is accepted, and how it is read and written.
type kind[V any] struct {
	name  string // one word for --help
	want  string // what is accepted, to be read after "want"
	list  bool
	deep  bool // with keys of its own
	parse func(value) (V, []fault)
	value func(V) value
}

// A fault is what is wrong with a value, or with one item of it.
type fault struct {
	at   position
	item string // "[2]" or "[2].match", or empty
	got  string
	want string
}

// scalar makes a kind whose values are written as one word. shapes says what it
// looks like in the file, the first of them how it is printed.
func scalar[V any](name, want string, shapes []shape, parse func(string) (V, bool), format func(V) string) kind[V] {
	return kind[V]{
		name: name,
		want: want,
		parse: func(v value) (V, []fault) {
			parsed, ok := parse(v.text)
			if ok && (v.shape == untyped || slices.Contains(shapes, v.shape)) {
				return parsed, nil
			}
			wanted := want
			switch {
			case ok && v.shape == yamlString:
				wanted += ", without quotes"
			case ok && (v.shape == yamlNumber || v.shape == yamlBool):
				wanted += ", in quotes"
			}
			var zero V
			return zero, []fault{{at: v.at, got: v.got(), want: wanted}}
		},
		value: func(v V) value { return value{shape: shapes[0], text: format(v)} },
	}
}

// text is one line without control characters, and not empty.
func text() kind[string] {
	return hinted(words("a name", func(s string) (string, bool) {
		return s, s != "" && printable(s) && !strings.Contains(s, "${")
	}), textHint)
}

// userName is text, or empty, without what ends it in Basic authentication.
func userName() kind[string] {
	k := optional(text())
	parse := k.parse
	k.parse = func(v value) (string, []fault) {
		if strings.Contains(v.text, ":") {
			return "", []fault{{at: v.at, got: notShown, want: "a name without a colon, behind which HTTP has the password: that is read from influxdb.password_file"}}
		}
		return parse(v)
	}
	return k
}

// pattern is text in which tabs and line breaks are allowed too, as they are in
// log formats and between the pieces of one.
func pattern(want string) kind[string] {
	return words(want, func(s string) (string, bool) {
		return s, s != "" && printable(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s))
	})
}

// measurement is text that line protocol can carry at the start of a line: a
// leading # would make the line a comment, a backslash would eat the comma.
func measurement() kind[string] {
	return words(`a name without a backslash or a leading #`, func(s string) (string, bool) {
		return s, s != "" && printable(s) && !strings.HasPrefix(s, "#") && !strings.Contains(s, `\`)
	})
}

func path() kind[string] {
	return words("a path", func(s string) (string, bool) {
		return filepath.Clean(s), s != "" && printable(s)
	})
}

func glob() kind[string] {
	return hinted(words("the path of a log file, or a glob", func(s string) (string, bool) {
		clean := filepath.Clean(s)
		return clean, s != "" && printable(s) && clean != "/" && globHint(s) == ""
	}), globHint)
}

func oneOf(choices ...string) kind[string] {
	return words(strings.Join(choices, " or "), func(s string) (string, bool) {
		return s, slices.Contains(choices, s)
	})
}

func httpURL() kind[string] {
	return hinted(words("http[s]://HOST[:PORT][/PATH] without a query, or unix:/PATH of a socket", func(s string) (string, bool) {
		if socket, ok := strings.CutPrefix(s, "unix:"); ok {
			socket = strings.TrimPrefix(socket, "//")
			return "unix:" + filepath.Clean(socket), strings.HasPrefix(socket, "/") && printable(socket) && filepath.Clean(socket) != "/"
		}
		u, err := neturl.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(s, "@?#") {
			return "", false
		}
		if u.Port() != "" && !isPort(u.Port()) {
			return "", false
		}
		s = strings.TrimRight(s, "/")
		return s, !strings.HasSuffix(s, "/write")
	}), urlHint)
}

func listen() kind[string] {
	return words(`HOST:PORT, or "" for no HTTP server`, func(s string) (string, bool) {
		if s == "" {
			return s, true
		}
		host, port, err := net.SplitHostPort(s)
		number := strings.Trim(host, "0123456789.") == "" && host != "" // 256.0.0.1
		return s, err == nil && isPort(port) && printable(host) && !strings.Contains(host, " ") && (!number || net.ParseIP(host) != nil)
	})
}

// optional is k with the empty text accepted as well.
func optional(k kind[string]) kind[string] {
	parse := func(s string) (string, []fault) { return k.parse(value{shape: untyped, text: s}) }
	return hinted(words(k.want+` or ""`, func(s string) (string, bool) {
		if s == "" {
			return "", true
		}
		v, faults := parse(s)
		return v, len(faults) == 0
	}), func(s string) string {
		if _, faults := parse(s); len(faults) > 0 && faults[0].want != k.want {
			return faults[0].want
		}
		return ""
	})
}

// hinted is k with what hint wants instead, for the values of which it knows better. They
// are texts: of a list it knows nothing.
func hinted(k kind[string], hint func(string) string) kind[string] {
	parse := k.parse
	k.parse = func(v value) (string, []fault) {
		parsed, faults := parse(v)
		if len(faults) == 0 || slices.Contains([]shape{yamlSequence, yamlMapping, unsupported}, v.shape) {
			return parsed, faults
		}
		if want := hint(v.text); want != "" {
			faults[0].want = want
		}
		return parsed, faults
	}
	return k
}

func words(want string, parse func(string) (string, bool)) kind[string] {
	return scalar("text", want, []shape{yamlString}, parse, func(s string) string { return s })
}

func integer(low, high int) kind[int] {
	want := fmt.Sprintf("a whole number from %d to %d", low, high)
	return scalar("number", want, []shape{yamlNumber}, func(s string) (int, bool) {
		n, err := strconv.Atoi(s)
		// 010 is eight to some and ten to others.
		return n, err == nil && low <= n && n <= high && strconv.Itoa(n) == s
	}, strconv.Itoa)
}

func boolean() kind[bool] {
	return scalar("bool", "true or false", []shape{yamlBool}, func(s string) (bool, bool) {
		return s == "true", s == "true" || s == "false"
	}, strconv.FormatBool)
}

func duration(low, high time.Duration) kind[time.Duration] {
	want := fmt.Sprintf("a duration with its unit, from %s to %s", durationText(low), durationText(high))
	return scalar("duration", want, []shape{yamlNumber, yamlString}, func(s string) (time.Duration, bool) {
		d, err := time.ParseDuration(s)
		return d, err == nil && low <= d && d <= high
	}, durationText)
}

// durationText is d without the zeros that String appends: 1m, not 1m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func size(low, high int64) kind[int64] {
	want := fmt.Sprintf("a size from %s to %s", sizeText(low), sizeText(high))
	return scalar("size", want, []shape{yamlNumber, yamlString}, func(s string) (int64, bool) {
		n, err := units.RAMInBytes(s)
		return n, err == nil && low <= n && n <= high
	}, sizeText)
}

// sizeText is exact, unlike units.BytesSize, which rounds to four digits.
func sizeText(n int64) string {
	unit := ""
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, next
	}
	return strconv.FormatInt(n, 10) + unit
}

var isName = lazyregexp.New(`^[a-z_][a-z0-9_]*$`)

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// printable says that s is UTF-8 without control characters.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
