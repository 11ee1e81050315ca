package nginxvar_test

import (
	"slices"
	"testing"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

func TestLookup(t *testing.T) {
	check := func(name string, want nginxvar.Variable) {
		t.Helper()
		want.Name = name
		if got := nginxvar.Lookup(name); got != want {
			t.Errorf("Lookup(%q) = %+v, want %+v", name, got, want)
		}
	}
	check("remote_addr", nginxvar.Variable{Kind: nginxvar.Token})
	check("remote_user", nginxvar.Variable{Kind: nginxvar.String})
	check("request", nginxvar.Variable{Kind: nginxvar.Request})
	check("status", nginxvar.Variable{Kind: nginxvar.Status})
	check("time_local", nginxvar.Variable{Kind: nginxvar.TimeLocal})
	check("time_iso8601", nginxvar.Variable{Kind: nginxvar.TimeISO8601})
	check("msec", nginxvar.Variable{Kind: nginxvar.Msec})
	check("bytes_sent", nginxvar.Variable{Kind: nginxvar.Int})
	check("connection_requests", nginxvar.Variable{Kind: nginxvar.Int})
	check("server_port", nginxvar.Variable{Kind: nginxvar.Int, Empty: true})
	check("request_time", nginxvar.Variable{Kind: nginxvar.Float})
	check("gzip_ratio", nginxvar.Variable{Kind: nginxvar.Float})
	check("ssl_client_s_dn", nginxvar.Variable{Kind: nginxvar.String})
	check("geoip_latitude", nginxvar.Variable{Kind: nginxvar.Float})

	check("server_name", nginxvar.Variable{Kind: nginxvar.Token, Empty: true})
	check("host", nginxvar.Variable{Kind: nginxvar.Token, Empty: true})

	check("upstream_addr", nginxvar.Variable{Kind: nginxvar.Token, List: true, Empty: true})
	check("upstream_status", nginxvar.Variable{Kind: nginxvar.Status, List: true})
	check("upstream_bytes_sent", nginxvar.Variable{Kind: nginxvar.Int, List: true})
	check("upstream_response_length", nginxvar.Variable{Kind: nginxvar.Int, List: true})
	check("upstream_response_time", nginxvar.Variable{Kind: nginxvar.Float, List: true})
	check("upstream_cache_status", nginxvar.Variable{Kind: nginxvar.Token})

	check("proxy_alternative_upstream_name", nginxvar.Variable{Kind: nginxvar.Token, Empty: true})
	check("req_id", nginxvar.Variable{Kind: nginxvar.Token, Sent: true})
	check("content_length", nginxvar.Variable{Kind: nginxvar.Int, Sent: true})
	check("proxy_port", nginxvar.Variable{Kind: nginxvar.Int, Empty: true})

	// Families and strangers.
	check("http_user_agent", nginxvar.Variable{})
	check("http_content_length", nginxvar.Variable{Kind: nginxvar.Int, Sent: true})
	check("sent_http_content_length", nginxvar.Variable{Kind: nginxvar.Int, Sent: true})
	check("upstream_http_content_length", nginxvar.Variable{Kind: nginxvar.Int, Sent: true})
	check("http_content_type", nginxvar.Variable{})
	check("upstream_http_x_cache", nginxvar.Variable{})
	check("arg_status", nginxvar.Variable{})
	check("cookie_msec", nginxvar.Variable{})
	check("sent_http_location", nginxvar.Variable{})
	check("sent_trailer_x", nginxvar.Variable{})
	check("upstream_cookie_sid", nginxvar.Variable{})
	check("upstream_trailer_x", nginxvar.Variable{})
	check("proxy_protocol_tlv_alpn", nginxvar.Variable{})
	check("my_own", nginxvar.Variable{})
	check("STATUS", nginxvar.Variable{})
	check("", nginxvar.Variable{})
}

func TestNames(t *testing.T) {
	names := nginxvar.Names()
	if !slices.IsSorted(names) || len(names) < 150 {
		t.Errorf("Names() are %d, sorted %v, want 150 at least, sorted", len(names), slices.IsSorted(names))
	}
	for _, name := range names {
		if got := nginxvar.Lookup(name).Name; got != name {
			t.Errorf("Lookup(%q).Name = %q", name, got)
		}
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[nginxvar.Kind]string{
		nginxvar.String:    "string",
		nginxvar.TimeLocal: "time_local",
		nginxvar.Request:   "request",
		nginxvar.Kind(200): "unknown",
	} {
		if got := k.String(); got != want {
			t.Errorf("Kind(%d).String() = %q, want %q", k, got, want)
		}
	}
}

func TestKindTime(t *testing.T) {
	for k := nginxvar.String; k <= nginxvar.Request; k++ {
		want := k == nginxvar.TimeLocal || k == nginxvar.TimeISO8601 || k == nginxvar.Msec
		if got := k.Time(); got != want {
			t.Errorf("%v.Time() = %v, want %v", k, got, want)
		}
	}
}
