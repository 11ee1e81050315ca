// Package nginxvar says what nginx's variables are: which are numbers, times or
// single words, which may be lists of one value per upstream tried, and which
// may be anything a client sends.
//
// It knows the variables of the modules documented on nginx.org, for http and for
// stream, and what Angie, OpenResty, APISIX and the ingress controller add; and speaks
// only of what they write into a log. It reads no values and promises nothing about
// variables an operator defines with map, set or another module: those are Strings,
// unless a [Dialect] says otherwise.
package nginxvar

import (
	"maps"
	"slices"
	"strings"
)

// Kind is what the value of a variable looks like when it is there at all. An
// absent value is written as "-" (escape=default) or as nothing (json, none),
// whatever its kind.
type Kind uint8

// The kinds.
const (
	String      Kind = iota // anything; may hold spaces, may be empty
	Token                   // one word, never a space: an address, a method, an id
	Int                     // a decimal integer
	Float                   // a decimal fraction: seconds, a ratio, degrees
	Status                  // a status code, of a list the last one: three digits, "000" and "009" among them
	TimeLocal               // 04/Mar/2018:13:49:52 +0000; of some builds with a fraction
	TimeISO8601             // 2018-03-04T13:49:52+00:00, with a fraction or without
	Msec                    // seconds since 1970 with milliseconds: 1520171392.123
	Request                 // the request line: method, URI, protocol; or whatever a broken client sent
)

var kindNames = [...]string{
	String:      "string",
	Token:       "token",
	Int:         "int",
	Float:       "float",
	Status:      "status",
	TimeLocal:   "time_local",
	TimeISO8601: "time_iso8601",
	Msec:        "msec",
	Request:     "request",
}

// String is the kind's name in lower case, for messages and tests.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Time reports whether values of this kind say when the request was logged.
func (k Kind) Time() bool {
	return k == TimeLocal || k == TimeISO8601 || k == Msec
}

// A Variable is one nginx variable.
type Variable struct {
	Name string // without the "$"
	Kind Kind   // of the value, or of each element of a List

	// List means that nginx writes one element per upstream server tried:
	// "0.010, 0.020 : 0.100". A comma separates servers of one group, a colon
	// groups (after an internal redirect); an element may be "-", and the last
	// one may be empty.
	List bool

	// Empty means that a variable which is not a String may be written as
	// nothing even with escape=default: $server_name when none is configured.
	// Strings always may, and the flag is not set for them.
	Empty bool

	// Sent means that the value is what the client sent, also where that is not of
	// the kind: $content_length of a request that nginx refuses for it.
	Sent bool
}

// Lookup describes the variable called name, without "$" or braces. A name it
// does not know is a String; nginx's names are lower case, and so are these.
func Lookup(name string) Variable {
	if v, ok := variables[name]; ok {
		return v
	}
	return Variable{Name: name, Kind: String}
}

// family reports whether the name is of one of the open-ended families. What follows
// names something that a client or a backend sent, or a key of a token: a String.
func family(name string) bool {
	for _, prefix := range []string{
		"arg_", "cookie_", "http_", "sent_http_", "sent_trailer_", "upstream_http_", "upstream_cookie_", "upstream_trailer_",
		"proxy_protocol_tlv_", "jwt_header_", "jwt_claim_", "rdp_cookie_",
	} {
		if strings.HasPrefix(name, prefix) && len(name) > len(prefix) {
			return true
		}
	}
	return false
}

// Aliases are what people call variables of which nginx has a longer name, or, as
// with $host, one that means something else here.
var Aliases = map[string]string{
	"referer":         "http_referer",
	"referrer":        "http_referer",
	"user_agent":      "http_user_agent",
	"vhost":           "host",
	"x_forwarded_for": "http_x_forwarded_for",
}

// Unalias is the name of the variable that a name may stand for where there is no
// variable of that name, or the name itself: http_user_agent for user_agent.
func Unalias(name string) string {
	if variable, ok := Aliases[name]; ok {
		return variable
	}
	return name
}

// Same reports whether two names are of one value, whatever the format.
func Same(a, b string) bool { return canonical(a) == canonical(b) }

func canonical(name string) string {
	switch name {
	case "document_uri":
		return "uri"
	case "query_string", "query":
		return "args"
	case "method":
		return "request_method"
	case "protocol":
		return "server_protocol"
	}
	return Unalias(name)
}

// Times are the variables that say when the request was logged, the finest first.
var Times = []string{"msec", "time_iso8601_ms", "time_iso8601", "time_local"}

// Names are the variables that Lookup knows, sorted. The open-ended families are
// not among them.
func Names() []string { return slices.Sorted(maps.Keys(variables)) }
