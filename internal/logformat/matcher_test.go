package logformat_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

// What lines of the world give. Each want is name=value for the captures of
// interest; nil captures are not in it.
func TestMatch(t *testing.T) {
	check := func(format, line string, want ...string) {
		t.Helper()
		f := mustFormat(t, format)
		captures, ok := twinsOf(f).agree(t, []byte(line))
		if ok != (want != nil) {
			t.Errorf("%s: Match(%q) = %q, %v, want %q", format, line, captures, ok, want)
			return
		}
		got := make(map[string]string)
		for i, c := range captures {
			if c != nil {
				got[f.Names()[i]] = string(c)
			}
		}
		for _, w := range want {
			name, value, _ := strings.Cut(w, "=")
			if v, there := got[name]; !there || v != value {
				t.Errorf("%s: Match(%q): $%s = %q, want %q", format, line, name, v, value)
			}
		}
	}
	check("timed", timedLine, "remote_addr=172.0.0.12", "remote_user=-", "time_local=04/Mar/2018:13:49:52 +0000", "scheme=http",
		"request=GET /foo?query=t HTTP/1.0", "status=200", "bytes_sent=2133", "http_referer=-", "http_user_agent=KeepAliveClient",
		"gzip_ratio=-", "upstream_response_time=1.005", "request_time=1.854")
	check("combined", combinedLine, "remote_addr=2001:db8::17", "remote_user=ada", "http_referer=https://example.com/a?b=c")

	combined := func(user, request string) string {
		return `1.2.3.4 - ` + user + ` [04/Mar/2018:13:49:52 +0000] "` + request + `" 400 0 "-" "-"`
	}
	check("combined", combined("a b", "-"), "remote_user=a b")
	check("combined", combined("a [b", "-"), "remote_user=a [b")
	check("combined", combined("a [b] c", "-"), "remote_user=a [b] c")
	check("combined", combined("[04/Mar/2018:13:49:52 +0000]", "-"), "remote_user=[04/Mar/2018:13:49:52 +0000]")
	check("combined", combined("", "-"), "remote_user=")
	check("combined", combined("-", ""), "request=")
	check("combined", combined("-", `\x16\x03\x01`), `request=\x16\x03\x01`)
	check("combined", combined("-", "GET /a b HTTP/1.1"), "request=GET /a b HTTP/1.1")
	check("combined", combined("-", "GET / HTTP/1.1")+" ")
	check("combined", " "+combined("-", "GET / HTTP/1.1"))
	check("combined", "")

	timed := func(times string) string {
		return `1.2.3.4 - - [04/Mar/2018:13:49:52 +0000] http "GET / HTTP/1.1" 009 1 "-" "-" "2.31" ` + times
	}
	check("timed", timed("- 0.000"), "upstream_response_time=-", "request_time=0.000", "status=009")
	check("timed", timed("0.010, 0.020 : 0.100 0.130"), "upstream_response_time=0.010, 0.020 : 0.100", "request_time=0.130")
	check("timed", timed("0.010, - : 0.100 0.130"), "upstream_response_time=0.010, - : 0.100", "request_time=0.130")
	check("timed", timed("0.010 :  0.130"), "upstream_response_time=0.010 : ", "request_time=0.130")
	check("timed", timed("0.130 0.010, 0.020"))

	ingress := func(tail string) string {
		return `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "GET / HTTP/2.0" 200 612 "-" "curl/8.5.0" 86 0.012 ` + tail
	}
	check("ingress", ingress("[shop-web-80] [] 10.4.0.9:8080 612 0.012 200 8d2f6c1e"), "request_length=86", "request_time=0.012",
		"proxy_upstream_name=shop-web-80", "proxy_alternative_upstream_name=", "upstream_addr=10.4.0.9:8080", "upstream_status=200", "req_id=8d2f6c1e")
	check("ingress", ingress("[] [] - - - - 8d2f6c1e"), "proxy_upstream_name=", "upstream_response_time=-", "req_id=8d2f6c1e")
	check("ingress", ingress("[shop-web-80] [shop-canary-80] 10.4.0.9:8080, 10.4.0.10:8080 0, 612 0.001, 0.011 502, 200 8d2f6c1e"),
		"proxy_alternative_upstream_name=shop-canary-80", "upstream_addr=10.4.0.9:8080, 10.4.0.10:8080", "upstream_response_length=0, 612",
		"upstream_response_time=0.001, 0.011", "upstream_status=502, 200")
	check("ingress", ingress("[shop-web-80] 10.4.0.9:8080 612 0.012 200 8d2f6c1e"))
	check("ingress", ingress("[] [] - - - - abc def"), "req_id=abc def") // X-Request-ID: abc def

	const site = `$time_iso8601 $scheme://$http_host$uri$is_args$args $status`
	check(site, "2018-03-04T13:49:52+00:00 https://example.com:80/a-b?c=d?e f 200", "http_host=example.com:80", "uri=/a-b", "is_args=?", "args=c=d?e f", "status=200")
	check(site, "2018-03-04T13:49:52+00:00 https://-/a-b- 200", "http_host=-", "uri=/a-b", "status=200")
	check(site, "2018-03-04T13:49:52+00:00 https://example.com/a 200", "uri=/a") // of /a? with nothing behind it
	check(`$scheme://$host$request_uri $status`, "http://other.com?token=/a 200", "host=other.com", "request_uri=?token=/a", "status=200")
	check(`$remote_addr:$remote_port $content_length`, "unix:: abc", "remote_addr=unix:", "remote_port=", "content_length=abc")
	check(`$time_iso8601,$host,$request_uri,$status`, "2018-03-04T13:49:52+00:00,www.example.com,/map/@52.5,13.4,12z,200", "host=www.example.com",
		"request_uri=/map/@52.5,13.4,12z", "status=200")

	check("vhost_combined", "example.com:443 "+combined("-", "-"), "host=example.com", "server_port=443", "remote_addr=1.2.3.4")
	check("vhost_combined", "[2001:db8::1]:80 "+combined("-", "-"), "host=[2001:db8::1]", "server_port=80")
	check("vhost_combined", ":80 "+combined("-", "-"), "host=", "server_port=80")

	check(`$remote_addr:$remote_port $status`, "2001:db8::1:4711 200", "remote_addr=2001:db8::1", "remote_port=4711")
	check(`$request_id|$request_method|$upstream_addr|$http_x`, "ab|GET|10.0.0.1:80, unix:/a|b|c", "upstream_addr=10.0.0.1:80, unix:/a", "http_x=b|c")
	check(`$upstream_addr|$status`, "unix:/~a, b}|200", "upstream_addr=unix:/~a, b}", "status=200")
	check(`$time_local $status $request`, "04/Mar/2018:13:49:52 +0000 200 GET / HTTP/1.1", "time_local=04/Mar/2018:13:49:52 +0000", "status=200")
	check(`$scheme://$host$request_uri $status`, "https://[::1]/a b?c=http://d/ 200", "scheme=https", "host=[::1]", "request_uri=/a b?c=http://d/")
	check(`$upstream_addr, $status`, "10.0.0.1:80, 10.0.0.2:80, 200", "upstream_addr=10.0.0.1:80, 10.0.0.2:80", "status=200")

	json := `escape=json '{"u":"$uri","s":$status,"t":$upstream_response_time,"a":"$http_user_agent"}'`
	check(json, `{"u":"/a\"b\\","s":200,"t":0.010, 0.020,"a":"é \u0001"}`, `uri=/a\"b\\`, "status=200", "upstream_response_time=0.010, 0.020", `http_user_agent=é \u0001`)
	check(json, `{"u":"","s":404,"t":,"a":""}`, "uri=", "upstream_response_time=", "http_user_agent=")
	check(json, `{"u":"a\","s":404,"t":,"a":""}`)
	check(`escape=json 'host=$host uri="$request_uri" status=$status'`, `host=a\"b uri="/" status=200`, `host=a\"b`, "status=200")
	check(`escape=json 'host=$host uri="$request_uri" status=$status'`, `host=a\\ uri="/" status=200`, `host=a\\`, "status=200")
	check("escape=json '$msec\t$host\t$status'", "1520171392.123\ta\\\"b\t200", `host=a\"b`, "status=200")
	check("escape=none '$msec\t$host\t$status'", "1520171392.123\ta\"b\\\t200", `host=a"b\`, "status=200")
	check(`escape=none '"$host" $status'`, `"a"b" 200`, `host=a"b`, "status=200")
	check(`$host $status`, `a"b 200`)
	check(`escape=none '"$request" $status "$http_user_agent"'`, `"GET /"x" HTTP/1.1" 200 "y" "z"`, `request=GET /"x" HTTP/1.1`, `http_user_agent=y" "z`)
}

// A group that takes no part is nil; one that matches nothing is not.
func TestMatchNil(t *testing.T) {
	f := twinsOf(mustRegexp(t, `^(?P<a>x*)(?: (?P<b>y*))?(?:(?P<c>1)|(?P<d>2))$`))
	check := func(line string, want ...bool) {
		t.Helper()
		captures, ok := f.agree(t, []byte(line))
		if !ok {
			t.Fatalf("Match(%q): no match", line)
		}
		for i := range want {
			if (captures[i] != nil) != want[i] {
				t.Errorf("Match(%q): capture %s = %#v, want there = %v", line, f.format.Names()[i], captures[i], want[i])
			}
		}
	}
	check("1", true, false, true, false)
	check("x 2", true, true, false, true)
	check(" y1", true, true, true, false)
	check("2", true, false, false, true)

	captures, ok := mustRegexp(t, `(?P<a>x*)`).NewMatcher().Match(nil)
	if !ok || captures[0] == nil {
		t.Errorf("Match(nil) = %#v, %v, want an empty capture", captures, ok)
	}
}

func TestOddLines(t *testing.T) {
	formats := []*twins{twinsOf(mustRegexp(t, lineage)), twinsOf(mustRegexp(t, "^"+lineage+"$"))}
	for _, name := range logformat.Presets() {
		if name != "json" { // see json_test.go
			formats = append(formats, twinsOf(mustFormat(t, name)))
		}
	}
	for _, line := range oddLines {
		for _, f := range formats {
			f.agree(t, []byte(line))
		}
	}
}

// Which lines the scanner decides. This is about speed, not about answers; but a
// scanner that hands everything on would pass every other test.
func TestFast(t *testing.T) {
	check := func(f *logformat.Format, line string, wantOK, wantFast bool) {
		t.Helper()
		m := f.NewMatcher()
		_, ok := m.Match([]byte(line))
		if fast := m.Slow == 0; ok != wantOK || fast != wantFast || m.Slow > 1 {
			t.Errorf("%s\nMatch(%q): ok %v, slow %d, want ok %v, fast %v", f.Regexp(), line, ok, m.Slow, wantOK, wantFast)
		}
		slow := f.NewSlowMatcher()
		if slow.Match([]byte(line)); slow.Slow != 1 {
			t.Errorf("slow matcher: Slow = %d, want 1", slow.Slow)
		}
	}
	timed, combined, tutorial := mustFormat(t, "timed"), mustFormat(t, "combined"), mustRegexp(t, lineage)
	check(timed, timedLine, true, true)
	check(combined, combinedLine, true, true)
	check(tutorial, timedLine, true, true)
	check(timed, strings.Replace(timedLine, "1.005", "1.000, 0.005 : 0.001", 1), true, true)
	check(combined, strings.Replace(combinedLine, " ada ", " ada lovelace ", 1), true, true)
	check(combined, strings.Replace(combinedLine, " ada ", " ada [ ", 1), true, false)

	// Junk is turned down at once, unless it might go on differently.
	check(timed, "2026/11/20 10:00:00 [error] 17#17: *1 open() failed", false, true)
	check(timed, "", false, true)
	check(timed, combinedLine, false, true)
	check(tutorial, "junk", false, true)
	check(timed, timedLine[:100], false, true)
	check(combined, strings.Replace(combinedLine, " ada ", " a [ ", 1)+" 0.001", false, true)
	check(timed, strings.Replace(timedLine, "Mar", "M\"ar", 1), false, true)
	check(timed, strings.Replace(timedLine, "[04/Mar", "[04_Mar", 1), false, true)
	check(timed, strings.Replace(timedLine, " http ", " ", 1), false, true)
	check(timed, timedLine+"x", false, true)
}

func TestMatchAllocates(t *testing.T) {
	check := func(f *logformat.Format, line string, want bool) {
		t.Helper()
		m, bytes := f.NewMatcher(), []byte(line)
		if n := testing.AllocsPerRun(100, func() { m.Match(bytes) }); n != 0 {
			t.Errorf("Match(%q) allocates %v times, want 0", line, n)
		}
		if m.Slow != 0 {
			t.Errorf("Match(%q): Slow = %d, want 0", line, m.Slow)
		}
		if _, ok := m.Match(bytes); ok != want {
			t.Errorf("Match(%q) = %v, want %v", line, ok, want)
		}
	}
	check(mustFormat(t, "timed"), timedLine, true)
	check(mustFormat(t, "combined"), combinedLine, true)
	check(mustFormat(t, "vhost_combined"), "example.com:80 "+combinedLine, true)
	check(mustFormat(t, "ingress"), combinedLine+" 86 0.012 [a-b-80] [] 10.4.0.9:8080, 10.4.0.10:8080 0, 612 0.001, 0.011 502, 200 8d2f6c1e", true)
	check(mustFormat(t, "json"), jsonLine, true)
	check(mustFormat(t, "json"), combinedLine, false)
	check(mustRegexp(t, lineage), timedLine, true)
	check(mustFormat(t, "timed"), "junk", false)
}

// Captures are slices of the line, not copies.
func TestMatchAliases(t *testing.T) {
	line := []byte(timedLine)
	captures, ok := mustFormat(t, "timed").NewMatcher().Match(line)
	if !ok {
		t.Fatal("no match")
	}
	line[0] = 'x'
	if captures[0][0] != 'x' {
		t.Errorf("captures are copies, want slices of the line")
	}
}
