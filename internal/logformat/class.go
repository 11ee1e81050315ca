package logformat

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// A slot is the place of a variable in a template: all that decides what its
// value may look like.
type slot struct {
	variable      nginxvar.Variable
	escape        escaping
	before, after string // the literals around it; "" next to a variable or an end
	last          bool   // the line ends here
	ends          string // bytes for a class: another variable follows directly, and begins with one of these
	begins        string // bytes for a class: another variable stands directly before, and the value begins with one of these
	kin           bool   // as Apache writes it
	likely        bool   // for what values nearly always are
	fences        string // bytes behind texts before it, from the last quote on; see fenced
	follows       bool   // nothing but bytes of a time stands between such a text and it
}

// class is the expression for the slot's values.
//
// It is as wide as nginx is, and as narrow as cutting the line needs: with
// escape=default no value contains a double quote, so between quotes anything
// goes; outside, a variable that is one word, a number or a time is held to
// that, which separates it from its neighbours.
func (s slot) class() string {
	v, text, quoted := s.variable, s.text(), s.quoted()
	switch {
	case strings.Contains(s.ends, "/") && s.likely: // a URI follows
		return `[^ "~\\` + s.ends + s.fenced() + `]*`
	case s.ends != "" && text && s.escape == escapeNone:
		return `[^` + s.ends + `]*?`
	case s.ends != "" && text && s.escape == escapeJSON:
		return `(?:[^"\\` + s.ends + `]|\\.)*?`
	case s.ends != "" && text:
		return `[^"` + s.ends + `]*?`
	case s.ends != "" && s.isServer():
		return `(?:~[^ "/]*[!#-,.0-~]|` + s.many(s.word(s.ends+s.fenced())) + `?)`
	case s.ends != "":
		return s.many(s.word(s.ends+s.fenced())) + `?`
	case text && s.escape == escapeNone:
		return s.lazy(`.*`)
	case quoted && s.escape == escapeNone && s.isHost():
		return s.many(s.word("")) + `?`
	case quoted && (s.escape == escapeJSON || s.kin):
		return `(?:[^"\\]|\\.)*`
	case quoted:
		return `[^"]*`
	case text && (s.escape == escapeJSON || s.kin):
		return s.lazy(`(?:[^"\\]|\\.)*`)
	case text:
		return s.lazy(`[^"]*`)
	case v.Kind.Time():
		return s.time()
	case v.List:
		ends := s.stop() + s.fenced()
		return s.many(`[^ ,"`+ends+`]`) + `(?:(?:,| :) [^ ,"` + ends + `]*)*`
	case v.Kind == nginxvar.Token && s.isServer() && s.stop()+s.fenced() != "":
		return `(?:~[^ "]*|` + s.many(s.word(s.stop()+s.fenced())) + `)`
	case v.Kind == nginxvar.Token:
		return s.many(s.word(s.stop() + s.fenced()))
	default: // Int, Float, Status
		return s.many(`[0-9.-]`)
	}
}

// begun is the class of a value that begins with one of some bytes, where another
// variable stands directly before: an absent URI, or the * of OPTIONS, is no part of the
// host.
func (s slot) begun(class string) string {
	switch {
	case s.begins == "":
		return class
	case s.likely:
		return `[` + s.begins + `]` + class
	}
	return `(?:[` + s.begins + `]` + class + `|[*-]|)`
}

// word is the class of a byte of a word, or of what stands for one, without some bytes.
func (s slot) word(without string) string {
	switch {
	case s.escape == escapeDefault || !s.isHost():
		return `[^ "` + without + `]`
	case s.escape == escapeJSON:
		return `(?:[^ "\\` + without + `]|\\.)`
	}
	return `[^ ` + without + `]`
}

// isHost reports whether the value is the host that a client has sent: of all words it is
// the one in which nginx takes a quote and a backslash.
func (s slot) isHost() bool { return s.variable.Name == "host" }

// isServer reports whether the value may be a server_name that is a regular expression,
// which begins with ~: that is $host, too, where the client sends none.
func (s slot) isServer() bool {
	return s.variable.Name == "host" || s.variable.Name == "server_name"
}

// time is the class of a time. It is wider than nginx, which has one way to write each:
// logtime reads what other programs write in its place.
func (s slot) time() string {
	end := " "
	if s.after != "" {
		end = s.after[:1]
	}
	kind, certain := s.variable.Kind, s.certain()
	switch {
	case kind == nginxvar.Msec && strings.Contains("+Ee", end):
		return `[0-9.]+`
	case kind == nginxvar.Msec:
		return `[0-9.+Ee]+`
	case s.followsText():
		// One word, maybe with a date before it or a zone behind it: what else has a
		// blank in it is of the text.
		return `(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:)?[+-:A-Za-z]+(?: [+-][0-9]{2}:?[0-9]{0,2})?`
	case kind == nginxvar.TimeLocal && certain:
		return `[ +-:A-Za-z]{19,}` // from + to : are + , - . / the digits and the colon
	case kind == nginxvar.TimeLocal:
		// Ends in one place even where a space and a number follow.
		return `[ +-:A-Za-z]{20}(?:[,.][0-9]+)?(?:Z| ?[+-][0-9]{2}:?[0-9]{0,2})`
	case certain:
		return `[ +-:A-Za-z]+`
	case end == ",":
		return `[0-9T:.+Z-]+`
	default:
		return `[0-9T:.,+Z-]+`
	}
}

// certain reports whether a time ends where no byte of a time is.
func (s slot) certain() bool {
	return s.last || s.after != "" && !strings.Contains(timeBytes, s.after[:1])
}

// followsText reports whether a time could begin in the text before it.
func (s slot) followsText() bool {
	return s.follows && s.certain() && s.variable.Kind.Time() && s.variable.Kind != nginxvar.Msec
}

// timeBytes are those that a time may have.
const timeBytes = " +,-./0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// text reports whether the value may have spaces in it.
func (s slot) text() bool {
	return s.variable.Kind == nginxvar.String || s.variable.Kind == nginxvar.Request || s.variable.Sent
}

func (s slot) quoted() bool {
	return strings.HasSuffix(s.before, `"`) && strings.HasPrefix(s.after, `"`)
}

// mayHold reports whether a text may have a byte in it that nginx does not escape.
func (s slot) mayHold(c byte) bool {
	switch {
	case c < ' ', c == '"', c > '~':
		return false
	case c == ' ': // in a request line nginx does not take it, since 1.21.1
		return !slices.Contains([]string{"request_uri", "args", "query_string"}, s.variable.Name)
	}
	return true
}

// holds reports whether a word or number may be a literal.
func (s slot) holds(literal string) bool {
	return !s.variable.Kind.Time() && regexp.MustCompile("^(?:"+s.class()+")$").MatchString(literal)
}

// lazy makes a repeat stop at the first place where the rest of the line fits,
// unless there is no rest.
func (s slot) lazy(repeat string) string {
	if s.last {
		return repeat
	}
	return repeat + "?"
}

// many repeats a class. An absent value is "-" with escape=default and nothing
// otherwise.
func (s slot) many(class string) string {
	if s.escape != escapeDefault || s.variable.Empty {
		return class + "*"
	}
	return class + "+"
}

// stop is the first byte of the literal that follows, for a class of excluded
// bytes, when no value of the variable contains that byte: then a word ends in
// one place only, however many of them stand side by side.
func (s slot) stop() string {
	if s.after == "" {
		return ""
	}
	c := s.after[:1]
	dash := c == "-" && (s.variable.Name == "remote_addr" || s.variable.Name == "scheme") // which are never absent
	if !dash && !s.lacks(c) {
		return ""
	}
	return member(c)
}

// fenced are the fences that no value of the variable contains: a text before it, which
// may, goes on to the last place where it can end. They are without that of stop.
func (s slot) fenced() (all string) {
	for c := range strings.SplitSeq(s.fences, "") {
		if one := member(c); s.lacks(c) && one != s.stop() && !strings.Contains(all, one) {
			all += one
		}
	}
	return all
}

// lacks reports whether no value of a word contains a byte.
func (s slot) lacks(c string) bool {
	return strings.Contains("\t!#$&'()*,;<>?@[]^`{|}~:=", c) && !strings.Contains(inside(s.variable.Name), c)
}

// member is a byte as part of a class.
func member(c string) string {
	if strings.Contains(`[]^`, c) {
		return `\` + c
	}
	return c
}

// inside is the punctuation that values of a word may contain: IPv6 addresses
// have colons, and have brackets where a port may follow.
func inside(name string) string {
	switch name {
	case "remote_addr", "server_addr", "realip_remote_addr", "proxy_protocol_addr", "proxy_protocol_server_addr",
		"is_request_port", "ssl_ciphers", "ssl_curves", "ssl_sigalgs":
		return ":"
	case "host", "proxy_host", "upstream_addr", "upstream_last_addr":
		return "[]:" // a client may send others as $host: then the line is no match
	case "server_name":
		return "[]:*" // or it is a regular expression; see isServer
	case "upstream_last_server_name":
		return "!#$&'()*<>?@[]^`{|}~:="
	case "is_args":
		return "?"
	}
	return ""
}

// between is what ends a variable that another one follows without a literal, as
// bytes for a class; "" if there is no telling: a host has no slash and no question
// mark, and a path begins with one of them. ($request_uri of a request for
// http://example.com?a=b is ?a=b.)
func between(left, right string) string {
	switch right {
	case "request_uri", "uri", "document_uri":
	default:
		return ""
	}
	switch left {
	case "server_name": // may be a regular expression
		return "/"
	case "host", "http_host", "proxy_host", "server_port", "request_port", "proxy_port":
		return "/?#"
	}
	return ""
}
