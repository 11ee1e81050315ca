package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// A kind is an input as a server writes it, and what explain makes of it.
type kind struct {
	name   string
	format string // or a regexp, if it begins with ^
	config string // more keys of the configuration
	line   string
	want   string // in the point or, if the line is rejected, in what was expected; "!" before what must not be there
}

// check explains the line, with the tag source=web, and compares.
func (k kind) check(t *testing.T) {
	t.Helper()
	key := "format: "
	if strings.HasPrefix(k.format, "^") {
		key = "regexp: "
	}
	quoted, err := json.Marshal(k.format) // which YAML reads too
	if err != nil {
		t.Fatal(err)
	}
	config := writeTemp(t, "tailflux.yaml", "sources:\n- path: /var/log/nginx/access.log\n  name: web\n  "+key+string(quoted)+"\n"+k.config)
	_, stdout, stderr := explainWith(t, k.line+"\n", "--config", config, "--json")
	var object struct {
		Point string
		Error struct{ Expected string }
	}
	if err := json.Unmarshal([]byte(stdout), &object); err != nil {
		t.Errorf("%s: explain --json = %s%s: %v", k.name, stdout, stderr, err)
		return
	}
	want, got := strings.TrimPrefix(k.want, "!"), object.Point+object.Error.Expected
	if strings.Contains(got, want) == strings.HasPrefix(k.want, "!") {
		t.Errorf("%s: explain of\n%s\nas %s\n= %s\nwant %s", k.name, k.line, k.format, got, k.want)
	}
}

// Times a little different from those of nginx: fractions, Z, numbers since 1970.
func TestTimesOfEveryKind(t *testing.T) {
	const (
		local  = `$time_local $status "$request"`
		quoted = `[$time_local] "$request" $status`
		ms     = `escape=json '{"@timestamp":"$time_iso8601_ms","status":"$status","request":"$request"}'`
		expr   = `^(?P<time_iso8601>\S+) (?P<status>\d+)$`
	)
	for _, k := range []kind{
		{"a new variable", ms, "", `{"@timestamp":"2026-11-20T10:00:00.123+00:00","status":"200","request":"GET /a HTTP/1.1"}`, "path=/a,source=web,status=200 count=1i 1795168800123000001"},
		{"its line as JSON", "json", "", `{"@timestamp":"2026-11-20T10:00:00.123+00:00","status":"200","request":"GET /a HTTP/1.1"}`, "path=/a,source=web,status=200 count=1i 1795168800123000001"},
		{"RFC 3339 by a regexp", expr, "", `2026-11-20T10:00:00.123Z 200`, " 1795168800123000001"},
		{"microseconds by a regexp", expr, "", `2026-11-20T10:00:00.123456Z 200`, " 1795168800123456001"},
		{"two digits by a regexp", expr, "", `2026-11-20T10:00:00.12+00:00 200`, " 1795168800120000001"},
		{"milliseconds by a regexp", `^(?P<msec>\d+) (?P<status>\d+)$`, "", `1795168800123 200`, " 1795168800123000001"},
		{"a fraction before a number", local, "", `20/Nov/2026:10:00:00.123 +0000 200 "GET /a HTTP/1.1"`, "path=/a,source=web,status=200 count=1i 1795168800123000001"},
		{"none before a number", local, "", `20/Nov/2026:10:00:00 +0000 200 "GET /a HTTP/1.1"`, "path=/a,source=web,status=200 count=1i 1795168800000000001"},
		{"a fraction in brackets", quoted, "", `[20/Nov/2026:11:00:00.5 +0100] "GET /a HTTP/1.1" 200`, " 1795168800500000001"},
		{"combined with a fraction", "combined", "", `192.0.2.7 - - [20/Nov/2026:10:00:00.123 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"`, " 1795168800123000001"},
		{"nanoseconds", "$time_iso8601 $status", "", `2026-11-20T10:00:00.123456789Z 200`, " 1795168800123456789"},
		{"seconds", "$msec $status", "", `1795168800 200`, " 1795168800000000001"},
		{"seconds in JSON", "json", "", `{"time":1795168800,"status":200}`, " 1795168800000000001"},
		{"milliseconds in JSON", "json", "", `{"timestamp":1795168800123,"status":200}`, " 1795168800123000001"},
		{"nanoseconds in JSON", "json", "", `{"ts":1795168800123456789,"status":200}`, " 1795168800123456789"},
		{"a float in JSON", "json", "", `{"ts":1795168800.1234567,"status":200}`, " 1795168800123456701"},
		{"found by auto", "auto", "", `{"time":"2026-11-20T10:00:00.123Z","status":200}`, " 1795168800123000001"},
		{"a day that is none", quoted, "", `[30/Feb/2026:10:00:00.5 +0000] "GET /a HTTP/1.1" 200`, "an existing date and time"},
	} {
		k.check(t)
	}
}

// What auto chooses makes points.
func TestAutoChoosesNothingWhoseTimesItCannotRead(t *testing.T) {
	for _, line := range []string{
		`{"time":"2026-13-20T10:00:00.123Z","status":200}`,
		`{"time":"yesterday","status":200}`,
		`{"time":0.004,"status":200}`,
		`192.0.2.7 - - [40/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"`,
	} {
		if _, stdout, stderr := explainWith(t, line+"\n"); !strings.Contains(stdout, "the nearest") || !strings.Contains(stdout, "no known format") {
			t.Errorf("explain %s without a format:\n%s%s\nwant no format", line, stdout, stderr)
		}
	}
}

// Numbers of all of nginx's modules and kin are numbers, and of others if it is said.
func TestNumbersOfEveryKind(t *testing.T) {
	const (
		tcp  = `log_format tcp '$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time "$upstream_addr"';`
		line = `192.0.2.7 [20/Nov/2026:10:00:00 +0000] TCP 200 87 439 440.473 "10.0.0.11:5432"`
	)
	for _, k := range []kind{
		{"stream", tcp, "fields: [bytes_sent, bytes_received, session_time]\n", line, " bytes_sent=87i,bytes_received=439i,session_time=440.473 "},
		{
			"stream, several servers", `'[$time_local] $status $upstream_bytes_sent $upstream_session_time $upstream_first_byte_time $upstream_connect_time'`,
			"fields: [upstream_bytes_sent, upstream_session_time, upstream_first_byte_time, upstream_connect_time]\n",
			`[20/Nov/2026:10:00:00 +0000] 200 0, 87 0.001, 5.002 -, 0.003 -, 0.001`,
			" upstream_bytes_sent=87i,upstream_session_time=5.003,upstream_first_byte_time=0.003,upstream_connect_time=0.001 ",
		},
		{"stream as JSON", "json", "fields: [bytes_received, session_time]\n", `{"time":"2026-11-20T10:00:00Z","bytes_received":"439","session_time":"440.473"}`, " bytes_received=439i,session_time=440.473 "},
		{"OpenResty", "$msec $brotli_ratio $echo_timer_elapsed", "fields: [brotli_ratio, echo_timer_elapsed]\n", "1795168800.123 2.31 0.004", " brotli_ratio=2.31,echo_timer_elapsed=0.004 "},
		{"Angie", "$msec $proxy_internal_body_length", "fields: [proxy_internal_body_length]\n", "1795168800.123 17", " proxy_internal_body_length=17i "},
		{"the ingress controller", "$msec $pass_port $balancer_ewma_score", "fields: [pass_port, balancer_ewma_score]\n", "1795168800.123 80 -1", " pass_port=80i,balancer_ewma_score=-1 "},
		{"of one's own", `$msec $cost $lag "$my"`, "fields: [cost, lag, my]\ntypes: {cost: integer, lag: float}\n", `1795168800.123 7 0.5 "1"`, ` cost=7i,lag=0.5,my="1" `},
		{"of one's own, absent", `$msec $cost $lag "$my"`, "fields: [cost, lag, my]\ntypes: {cost: integer, lag: float}\n", `1795168800.123 - - "-"`, ` count=1i `},
		{"of one's own, a list", `$msec $cost $status`, "fields: [cost]\ntypes: {cost: integer}\n", `1795168800.123 1, 2 200`, ` cost=3i `},
		{"by a regexp", `^(?P<msec>\S+) (?P<cost>\S+)$`, "fields: [cost]\ntypes: {cost: integer}\n", `1795168800.123 7`, ` cost=7i `},
		{"of JSON itself", "json", "fields: [cost, lag, my]\n", `{"time":1795168800,"cost":7,"lag":0.5,"my":"1"}`, ` cost=7,lag=0.5,my="1" `},
		{"of JSON, but an integer", "json", "fields: [cost]\ntypes: {cost: integer}\n", `{"time":1795168800,"cost":"7"}`, ` cost=7i `},
		{"no number any more", "$msec $request_time", "fields: [request_time]\ntypes: {request_time: string}\n", `1795168800.123 0.004`, ` request_time="0.004" `},
	} {
		k.check(t)
	}
	if _, stdout, _ := explainWith(t, line+"\n", "--format", tcp); strings.Contains(stdout, "warning") {
		t.Errorf("explain of a stream's log warns:\n%s", stdout)
	}
}

// JSON as others write it.
func TestJSONOfEveryKind(t *testing.T) {
	const traefik = `{"ClientHost":"192.0.2.7","DownstreamStatus":200,"RequestMethod":"GET","RequestPath":"/a?token=x","time":"2026-11-20T10:00:00Z"}`
	for _, k := range []kind{
		{"renamed", "json", "rename: {DownstreamStatus: status, RequestMethod: request_method, RequestPath: path, ClientHost: remote_addr}\n", traefik, ",method=GET,path=/a,source=web,status=200 count=1i"},
		{"renamed the other way round", "json", "rename: {status: DownstreamStatus, method: RequestMethod, path: RequestPath}\n", traefik, ",method=GET,path=/a,source=web,status=200 count=1i"},
		{"keys of an object", "json", "rename: {request.method: method, request.uri: path, size: bytes_sent}\n", `{"ts":1795168800.5,"request":{"method":"GET","uri":"/a?b"},"status":200,"size":7}`, ",method=GET,path=/a,source=web,status=200 bytes_sent=7i 1795168800500000001"},
		{"a time that is renamed", "json", "rename: {StartUTC: time_iso8601}\n", `{"StartUTC":"2026-11-20T10:00:00.123Z","status":200}`, "status=200 count=1i 1795168800123000001"},
		{"capital letters", "json", "", `{"Time":"2026-11-20T10:00:00Z","Status":200,"Request":"GET /a HTTP/1.1"}`, ",method=GET,path=/a,source=web,status=200 count=1i"},
		{"a list where a number was", "json", "", `{"time":"2026-11-20T10:00:00+00:00","request":"GET /a HTTP/1.1","status":200,"upstream_response_time": 0.001, 0.024}`, " upstream_response_time=0.025 "},
		{"a list in the middle", "json", "", `{"time":"2026-11-20T10:00:00+00:00","upstream_response_time":0.001, 0.024 : 0.1,"status":200}`, "status=200 upstream_response_time=0.125 "},
		{"a dash where a number was", "json", "", `{"time":"2026-11-20T10:00:00+00:00","upstream_response_time":-,"status":200}`, "status=200 count=1i"},
		{"an array of numbers", "json", "", `{"time":"2026-11-20T10:00:00+00:00","upstream_response_time":[0.001,0.024],"status":200}`, "status=200 upstream_response_time=0.025 "},
		{"a key twice", "json", "", `{"time":"2026-11-20T10:00:00+00:00","status":200,"status":404}`, "status=404 count"},
		{"a variable of a log_format renamed", `$msec $my_status "$safe"`, "rename: {my_status: status, safe: path}\n", `1795168800.123 200 "/a?b"`, "path=/a,source=web,status=200 "},
		{"a group renamed", `^(?P<ts>\S+) (?P<code>\d+)$`, "rename: {ts: time_iso8601, code: status}\n", `2026-11-20T10:00:00Z 200`, "status=200 count"},
	} {
		k.check(t)
	}
	for _, lines := range []string{traefik, traefik + "\n" + traefik, `{"time":1795168800,"httpRequest":{"DownstreamStatus":200}}`} {
		_, stdout, stderr := explainWith(t, lines+"\n", "--format=json")
		if !strings.Contains(stdout, "warning: none of the keys") || !strings.Contains(stdout, "DownstreamStatus") {
			t.Errorf("explain of keys that are not known:\n%s%s\nwant that to be said, with the keys", stdout, stderr)
		}
	}
	for _, line := range []string{`{"time":1795168800,"status":200,"DownstreamStatus":200}`, `{"time":1795168800}`} {
		if _, stdout, _ := explainWith(t, line+"\n", "--format=json"); strings.Contains(stdout, "warning") {
			t.Errorf("explain of %s warns:\n%s", line, stdout)
		}
	}
}
