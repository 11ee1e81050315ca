package logformat_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of several ways to cut a line the one counts in which each value is what its variable
// nearly always is.
func TestCuts(t *testing.T) {
	type values map[string]string
	const apisix = `$time_iso8601 $hostname $remote_addr:$remote_port $status $request $http_user_agent $host $hostname-$pid-$connection-$connection_requests`
	for _, tt := range []struct {
		format, line string
		want         values // some of them
	}{
		{apisix, `2026-11-20T10:00:00+00:00 web-1.example.net 192.0.2.7:38242 200 POST /v1/x HTTP/1.1 Mozilla/5.0 (X11; Linux x86_64) api.example.com web-1.example.net-4681-91395376-4`, values{"request": "POST /v1/x HTTP/1.1", "http_user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "host": "api.example.com", "pid": "4681"}},
		{apisix, `2026-11-20T10:00:00+00:00 web-1 ::1:38242 400 - - api.example.com web-1-4681-91395376-4`, values{"request": "-", "http_user_agent": "-", "host": "api.example.com"}},
		{apisix, `2026-11-20T10:00:00+00:00 web-1 ::1:38242 400 \x16\x03 - api.example.com web-1-4681-91395376-4`, values{"request": `\x16\x03`, "http_user_agent": "-"}}, // what it is only now and then
		{`$msec $http_user_agent $http_referer $status`, `1.000 Mozilla/5.0 (X11; a) https://example.com/a 200`, values{"http_user_agent": "Mozilla/5.0 (X11; a)", "http_referer": "https://example.com/a"}},
		{`$msec $http_user_agent $http_referer $status`, `1.000 Mozilla/5.0 (X11; a) - 200`, values{"http_user_agent": "Mozilla/5.0 (X11; a)", "http_referer": "-"}},
		{`$msec $http_x_forwarded_for $http_user_agent $status`, `1.000 10.0.0.1, 10.0.0.2 curl/8 (x) 200`, values{"http_x_forwarded_for": "10.0.0.1, 10.0.0.2", "http_user_agent": "curl/8 (x)"}},
		{`$msec $http_x $request_method $uri $http_y`, `1.000 a b GET /c d`, values{"http_x": "a b", "request_method": "GET", "uri": "/c", "http_y": "d"}},
		{`$msec $http_x $status $body_bytes_sent $http_y`, `1.000 a 1 2 b 200 612 c`, values{"http_x": "a 1 2 b", "status": "200", "body_bytes_sent": "612", "http_y": "c"}},
		{`escape=json '$msec $request $http_user_agent $status'`, `1.000 GET /a\"b HTTP/2.0 curl x 200`, values{"request": `GET /a\"b HTTP/2.0`, "http_user_agent": "curl x"}},
		{`$msec $request $status $http_x`, `1.000 GET /a b 404 c HTTP/1.1 200 d`, values{"request": "GET /a b 404 c HTTP/1.1", "status": "200", "http_x": "d"}},
		{`$status $request $time_iso8601`, `200 GET /a HTTP/1.1 2026-11-30T10:00:00+00:00`, values{"request": "GET /a HTTP/1.1", "time_iso8601": "2026-11-30T10:00:00+00:00"}},
		{`$status $request $time_iso8601`, `400 \x16\x03 a b 2026-11-30T10:00:00+00:00`, values{"request": `\x16\x03 a b`, "time_iso8601": "2026-11-30T10:00:00+00:00"}},
		{`$status $request $time_iso8601|$body_bytes_sent`, `200 GET /a|1 HTTP/1.1 2026-11-30T10:00:00+00:00|612`, values{"request": "GET /a|1 HTTP/1.1", "body_bytes_sent": "612"}},
		{`escape=json '$status $request $time_iso8601'`, `200 GET /a HTTP/1.1 2026-11-30T10:00:00+00:00`, values{"request": "GET /a HTTP/1.1"}},
		{`$status $http_user_agent $time_local`, `200 curl x y 30/Nov/2026:10:00:00 +0000`, values{"http_user_agent": "curl x y", "time_local": "30/Nov/2026:10:00:00 +0000"}},
		{`$status $http_user_agent $time_local`, `200 curl 2026-01-01 2026-11-30 10:00:00.123 +0000`, values{"http_user_agent": "curl 2026-01-01", "time_local": "2026-11-30 10:00:00.123 +0000"}},
		{`$status $http_user_agent $time_local`, `200 - 30/Nov/2026:10:00:00`, values{"http_user_agent": "-", "time_local": "30/Nov/2026:10:00:00"}}, // without a zone
		{`$request, $host $time_local`, `GET /a, b HTTP/1.1, example.com 30/Nov/2026:10:00:00 +0000`, values{"request": "GET /a, b HTTP/1.1", "host": "example.com", "time_local": "30/Nov/2026:10:00:00 +0000"}},
		{`$request_uri|$remote_addr:$remote_port|$status`, `/users/7|8|192.0.2.7:4711|200`, values{"request_uri": "/users/7|8", "remote_addr": "192.0.2.7", "remote_port": "4711"}},
		{`$request_uri,$remote_addr:$remote_port,$status`, `/map?bbox=1,2,3,2001:db8::17:4711,200`, values{"request_uri": "/map?bbox=1,2,3", "remote_addr": "2001:db8::17"}},
		{`$request_uri|$request_method $status`, `/a|b|GET 200`, values{"request_uri": "/a|b", "request_method": "GET"}},
		{`$request_uri|$status|$remote_addr:$remote_port`, `/a|404|8|200|192.0.2.7:4711`, values{"request_uri": "/a|404|8", "status": "200", "remote_addr": "192.0.2.7"}},
		{`$http_x|$http_y;$request_id x`, `a|b|c;d;e x`, values{"http_x": "a", "http_y": "b|c;d", "request_id": "e"}},
		{`$request_uri|$upstream_addr $status`, `/a|b|10.0.0.1:80, 10.0.0.2:80 200`, values{"request_uri": "/a|b", "upstream_addr": "10.0.0.1:80, 10.0.0.2:80"}},
		{`$request_uri:$remote_addr $status`, `/a:z:192.0.2.7 200`, values{"request_uri": "/a:z", "remote_addr": "192.0.2.7"}},
		{`$request_uri-$body_bytes_sent`, `/a-1-200`, values{"request_uri": "/a-1", "body_bytes_sent": "200"}},
		{`$request_uri|$host$uri x`, `/a|b|example.com/c|d x`, values{"request_uri": "/a|b", "host": "example.com", "uri": "/c|d"}},
		{`$request_uri|$server_name|$status`, `/a|b|example.com|200`, values{"request_uri": "/a|b", "server_name": "example.com"}},
		{`$server_name|$request_uri|$status`, `example.com|/a|b|200`, values{"server_name": "example.com", "request_uri": "/a|b"}},
		{`$server_name|$request_uri|$status`, `~^(a|b)$|/a|200`, values{"server_name": "~^(a|b)$", "request_uri": "/a"}},
		{`$msec|$host|$request|$status`, `1.000|~^(?<sub>www|api)\x5C.example\x5C.com$|GET /a HTTP/1.0|200`, values{"host": `~^(?<sub>www|api)\x5C.example\x5C.com$`, "request": "GET /a HTTP/1.0"}},
		{`<$host> "$request"`, `<~^(?<sub>www)$> "GET /a HTTP/1.0"`, values{"host": `~^(?<sub>www)$`}},
		{`$msec $request $status $http_x`, `1.000 GET /old 200 d`, values{"request": "GET /old", "status": "200", "http_x": "d"}}, // HTTP/0.9
	} {
		f := mustFormat(t, tt.format)
		twinsOf(f).agree(t, []byte(tt.line))
		got := values(found(f.NewMatcher(), f.Names(), []byte(tt.line)))
		for name := range got {
			if _, wanted := tt.want[name]; !wanted {
				delete(got, name)
			}
		}
		if !cmp.Equal(got, tt.want) {
			t.Errorf("%s: Match(%q): %s", tt.format, tt.line, cmp.Diff(tt.want, got))
		}
	}
}

// Where a URI touches the host before it, it is clear which is which, also of an absent URI
// and of what nginx calls a host that no client named. Ordinary lines are scanned.
func TestHostsThatURIsTouch(t *testing.T) {
	for _, tt := range []struct{ format, line, host, uri string }{
		{`$scheme://$host$request_uri x`, `http://shop.example.com/a?b x`, "shop.example.com", "/a?b"},
		{`$scheme://$host$request_uri x`, `http://my-shop.example.com?a=b x`, "my-shop.example.com", "?a=b"},
		{`$scheme://$host$request_uri x`, `http://my-shop.example.com- x`, "my-shop.example.com", "-"},
		{`$scheme://$host$request_uri x`, `http://shop.example.com* x`, "shop.example.com", "*"},
		{`$scheme://$host$request_uri x`, `http://~^(?<sub>www|api)\x5C.example\x5C.com$/a x`, `~^(?<sub>www|api)\x5C.example\x5C.com$`, "/a"},
		{`$scheme://$host$request_uri x`, `http://~^(?<sub>www|api)$- x`, `~^(?<sub>www|api)$`, "-"},
		{`$scheme://$host$request_uri x`, `http://shop.example.comexample.com:443 x`, "shop.example.comexample.com:443", ""}, // CONNECT: no telling
		{`$http_host$request_uri x`, `-- x`, "-", "-"},
		{`$http_host$request_uri x`, `-/a b x`, "-", "/a b"},
		{`"$server_name$uri" x`, `"~^(?<sub>www|api)/a?b" x`, "~^(?<sub>www|api)", "/a?b"},
		{`"$server_name$uri" x`, `"_-" x`, "_", "-"},
		{`$host$uri$is_args$args x`, `example.com/a- x`, "example.com", "/a"},
		{`$host$uri$is_args$args x`, `example.com/a?b=- x`, "example.com", "/a"},
		{`$host$uri$is_args$args x`, `example.com-- x`, "example.com", "-"},
		{`escape=json '"$host$request_uri" x'`, `"example.com" x`, "example.com", ""},
		{`escape=json '"$host$request_uri" x'`, `"example.com/a\"b" x`, "example.com", `/a\"b`},
	} {
		f := mustFormat(t, tt.format)
		twinsOf(f).agree(t, []byte(tt.line))
		m := f.NewMatcher()
		got := found(m, f.Names(), []byte(tt.line))
		for variable, value := range got {
			want := tt.uri
			switch variable {
			case "host", "http_host", "server_name":
				want = tt.host
			case "request_uri", "uri":
			default:
				continue
			}
			if value != want {
				t.Errorf("%s: Match(%q): %s is %q, want %q", tt.format, tt.line, variable, value, want)
			}
		}
		if ordinary := strings.HasPrefix(tt.uri, "/") && !strings.Contains(tt.line, "~") && !strings.Contains(tt.uri, " "); len(got) == 0 || ordinary && m.Slow > 0 {
			t.Errorf("%s: Match(%q) = %q, %d lines by package regexp", tt.format, tt.line, got, m.Slow)
		}
	}
}

// A time behind a text without quotes, which may be its beginning, does not need package
// regexp for a request.
func TestTimesBehindTextsAreScanned(t *testing.T) {
	for format, line := range map[string]string{
		`$status $request $time_iso8601`:       `200 GET /a HTTP/1.1 2026-11-30T10:00:00+00:00`,
		`$status $request $time_local`:         `200 GET /a HTTP/1.1 30/Nov/2026:10:00:00 +0000`,
		`$status $request $host $time_iso8601`: `200 GET /a HTTP/1.1 example.com 2026-11-30T10:00:00Z`,
	} {
		m := mustFormat(t, format).NewMatcher()
		if _, ok := m.Match([]byte(line)); !ok || m.Slow > 0 {
			t.Errorf("%s: Match(%q): %v, %d lines by package regexp", format, line, ok, m.Slow)
		}
	}
}

// Variables that touch are one value, unless one of them is needed.
func TestTouching(t *testing.T) {
	for _, tt := range []struct{ format, needed, want string }{ // want is in the error
		{`"$up_scheme://$up_host$up_uri"`, "up_scheme", ""},
		{`"$up_scheme://$up_host$up_uri"`, "request", ""},
		{`"$up_scheme://$up_host$up_uri"`, "up_host", "column 23: nothing separates $up_host from $up_uri"},
		{`"$up_scheme://$up_host$up_uri"`, "up_uri", "write that in format"},
		{`"$up_host$up_uri" $up_uri`, "up_uri", ""}, // it is elsewhere too
		{`$uri$args`, "args", "column 5: nothing separates $uri from $args"},
		{`"$uri$is_args$args$status"`, "status", "$uri_is_args_args_status"},
		{`"$uri$is_args$args"`, "args", ""},
		{`$uri$is_args`, "uri", "$uri_is_args"},
		{`$host$request_uri`, "request_uri", ""},
		{`$scheme$host$request_uri`, "request_uri", "$scheme_host_request_uri"},
		{`$request$time`, "request", "$request_time_:"},
		{"log_format a\n  '$msec '\n  '$uri$args';", "args", "line 3, column 8"},
	} {
		err := mustFormat(t, tt.format).Apart(func(name string) bool { return name == tt.needed })
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), strings.TrimSuffix(tt.want, ":")) {
			t.Errorf("%s, when %s is needed: %v, want %q", tt.format, tt.needed, err, tt.want)
		}
	}
	type values map[string]string
	f := mustFormat(t, `$remote_addr "$up_scheme://$up_host$up_uri" $status`)
	got := values(found(f.NewMatcher(), f.Names(), []byte(`::1 "http://app.example.com/v1/b?x=1" 200`)))
	if want := (values{"remote_addr": "::1", "up_scheme": "http", "up_host_up_uri": "app.example.com/v1/b?x=1", "status": "200"}); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}
