package accesslog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// What a format can never give.
func TestMissing(t *testing.T) {
	names := []string{"msec", "status", "request", "host", "http_user_agent", "own"}
	s := accesslog.Schema{
		Tags:    []string{"status", "method", "methd", "vhost", "client", "user_agent", "path"},
		Fields:  []string{"request_time", "own", "upstream_tries", "request_time"},
		Mask:    []string{"remote_adr", "own"},
		Rollups: [][]string{{"status", "methd"}, {"vhost", "vhst"}, {"vhst"}},
		Drop:    []accesslog.Rule{{{"http_user_agent", "a"}, {"uri", "b"}}, {{"uri", "c"}}},
	}
	want := []accesslog.Miss{{"tags", "methd"}, {"tags", "client"}, {"fields", "request_time"}, {"fields", "upstream_tries"}, {"mask", "remote_adr"}, {"drop", "uri"}, {"rollups", "vhst"}}
	if got := accesslog.Missing(names, s); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got, want := accesslog.Untyped(names, s), []string{"own"}; !cmp.Equal(got, want) {
		t.Errorf("Untyped = %q, want %q", got, want)
	}
}
