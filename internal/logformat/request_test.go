package logformat_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Which variables of the operator's own are parts of the request.
func TestStandIns(t *testing.T) {
	type parts map[string]string
	for format, want := range map[string]parts{
		`"$request_method $safe_uri $server_protocol"`: {"request_uri": "safe_uri"},
		`"$verb $safe_uri $server_protocol"`:           {"request_method": "verb", "request_uri": "safe_uri"},
		`"$verb $uri $proto" $status`:                  {"request_method": "verb", "server_protocol": "proto"},
		`"$request_method $safe HTTP/1.1"`:             {"request_uri": "safe"},
		`"$request_method $safe"`:                      {"request_uri": "safe"},
		`"$loggable_request"`:                          {"request": "loggable_request"},
		`"$request_method $host"`:                      nil,
		`"$a $b"`:                                      nil,
		`"$a $b $c"`:                                   nil,
		`$request_method $safe_uri $server_protocol x`: {"request_uri": "safe_uri"},
		`$request_method $safe_uri $status`:            nil, // without quotes it could be anything
		`"$request" "$my_request"`:                     nil,
		`"$request_uri" "$my_request"`:                 nil,
		`"$request_method $a $b $c $d"`:                nil,

		// All names say it.
		`"$verb $masked_uri $proto"`:      {"request_method": "verb", "request_uri": "masked_uri", "server_protocol": "proto"},
		`"$m $safeUrl"`:                   {"request_method": "m", "request_uri": "safeurl"},
		`"$http_verb $path HTTP/1.1"`:     nil, // a header
		`"$my_method $the_path HTTP/1.1"`: {"request_method": "my_method", "request_uri": "the_path"},
		`"$verb $masked_uri $version"`:    nil,
		`"$masked_uri $verb $proto"`:      nil,
		`"$verb $upstream_addr $proto"`:   nil,

		// A name says that of what is asked for, elsewhere.
		`$request_method "$sanitized_request_uri"`: {"request_uri": "sanitized_request_uri"},
		`$status "$filtered_request_uri"`:          {"request_uri": "filtered_request_uri"},
		`"$uri" "$filtered_request_uri"`:           nil,
		`"$upstream_request_uri" $status`:          nil,

		// These are no request.
		`"$my_request_id" $status`:    nil,
		`"$masked_request_body"`:      nil,
		`"$filtered_request_headers"`: nil,
		`"$total_request_time"`:       nil,
	} {
		if got := parts(mustFormat(t, format).StandIns()); len(got)+len(want) > 0 && !cmp.Equal(got, want) {
			t.Errorf("StandIns of %s = %v, want %v", format, got, want)
		}
	}
}

// A request in pieces between quotes is cut at its first and last blank, and nothing is
// said of quotes that it has; of others it is said what they may be.
func TestRequestInPiecesIsCut(t *testing.T) {
	for _, format := range []string{`"$verb $masked_uri $proto" $status`, `"$m $u $the_protocol" $status`, `"$req_method $safe_path $reqproto" $status`} {
		f := mustFormat(t, format)
		if len(f.Warnings()) > 0 {
			t.Errorf("%s: Warnings = %q", format, f.Warnings())
		}
		for request, want := range map[string][]string{
			"GET /a b?c=d e HTTP/1.1": {"GET", "/a b?c=d e", "HTTP/1.1"},
			"GET /a HTTP/2.0":         {"GET", "/a", "HTTP/2.0"},
			"- - -":                   {"-", "-", "-"},
			"  ":                      {"", "", ""}, // of maps
			"a b c d":                 {"a", "b", "c d"},
		} {
			captures, ok := f.NewMatcher().Match([]byte(`"` + request + `" 200`))
			if !ok || !slices.EqualFunc(captures[:3], want, func(got []byte, want string) bool { return string(got) == want }) {
				t.Errorf("%s: Match(%q) = %q, want %q", format, request, captures, want)
			}
		}
	}
	for format, want := range map[string]string{
		`"$a $b $c" $status`:         "$a: it shares its quotes with other variables and may contain \" \", which shifts the values after it; if they are the request, write rename: {a: method, b: path, c: protocol}",
		`"$a $b $server_name" $msec`: "rename: {a: method, b: path}",
		`"$verb $thing" $status`:     "rename: {verb: method, thing: path}",
	} {
		if got := strings.Join(mustFormat(t, format).Warnings(), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: Warnings = %q, want %q", format, got, want)
		}
	}
}
