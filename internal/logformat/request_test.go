package logformat_test

import (
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
	} {
		if got := parts(mustFormat(t, format).StandIns()); len(got)+len(want) > 0 && !cmp.Equal(got, want) {
			t.Errorf("StandIns of %s = %v, want %v", format, got, want)
		}
	}
}
