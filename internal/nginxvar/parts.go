package nginxvar

import (
	"slices"
	"strings"
	"unicode"
)

// partWords are words by which people call the request, and what it is made of.
var partWords = map[string]string{
	"method": "method", "verb": "method", "meth": "method",
	"uri": "path", "url": "path", "path": "path", "urlpath": "path", "pathname": "path",
	"query": "query", "args": "query", "querystring": "query",
	"proto": "protocol", "protocol": "protocol",
	"request": "request", "req": "request", "requestline": "request",
}

// Words that stand before one of these and say that it is of something else, and those
// that may stand behind it.
const (
	others = "upstream up backend proxy referer referrer ref redirect location server file filename cookie auth cache ssl tls " +
		"forwarded socket root document base payment lb balancer grpc image callback next return sub original orig"
	harmless = "line masked safe clean cleaned filtered sanitized anonymized anonymised anon loggable log logged raw short full new " +
		"custom stripped redacted scrubbed normalized normalised decoded string"
)

// Part is the part of the request that a variable or key, which nginx does not have, is
// called by: method, path, query, protocol, or request for the whole of it; "" if its
// name says nothing of the kind. It is a guess.
func Part(name string) string {
	all := words(name)
	if len(all) == 1 {
		switch all[0] {
		case "m":
			return "method"
		case "u":
			return "path"
		}
	}
	if slices.ContainsFunc(all, func(word string) bool { return slices.Contains(strings.Fields(others), word) }) {
		return ""
	}
	for _, word := range slices.Backward(all) {
		if part := partOf(word); part != "" {
			return part
		}
		if !slices.Contains(strings.Fields(harmless), word) {
			break
		}
	}
	return ""
}

// partOf is that of a word, or of two that are written as one: nginx knows no capital
// letters.
func partOf(word string) string {
	if part := partWords[word]; part != "" {
		return part
	}
	for before := range strings.FieldsSeq(harmless + " request req http") {
		if rest, ok := strings.CutPrefix(word, before); ok && partWords[rest] != "" {
			return partWords[rest]
		}
	}
	return ""
}

// words are those of a name, in small letters: of safe_uri, safe.uri and safeUri the same.
func words(name string) (all []string) {
	begin, before := 0, ' '
	for i, r := range name {
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		if (!letter || unicode.IsLower(before) && unicode.IsUpper(r)) && begin < i {
			all = append(all, strings.ToLower(name[begin:i]))
		}
		switch {
		case !letter:
			begin = i + len(string(r))
		case unicode.IsLower(before) && unicode.IsUpper(r):
			begin = i
		}
		before = r
	}
	if begin < len(name) {
		all = append(all, strings.ToLower(name[begin:]))
	}
	return all
}

// OfHTTP reports whether a variable is one of nginx that only a request over HTTP has;
// OfStream whether only nginx's stream module has it.
func OfHTTP(name string) bool {
	return slices.Contains(strings.Fields("request request_method request_uri request_time request_length uri document_uri args query_string "+
		"body_bytes_sent gzip_ratio scheme http2 http3 upstream_response_time upstream_header_time upstream_cache_status"), name) ||
		slices.ContainsFunc([]string{"http_", "sent_http_", "upstream_http_", "cookie_", "arg_"},
			func(p string) bool { return strings.HasPrefix(name, p) })
}

// OfStream is described at OfHTTP.
func OfStream(name string) bool {
	return slices.Contains(strings.Fields("session_time bytes_received protocol upstream_session_time upstream_first_byte_time"), name) ||
		strings.HasPrefix(name, "ssl_preread_") || strings.HasPrefix(name, "mqtt_preread_")
}
