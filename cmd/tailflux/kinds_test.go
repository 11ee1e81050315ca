package main

import (
	"bytes"
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

func timedLine(bytes, ratio, upstream string) string {
	return `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] https "GET /a HTTP/1.1" 200 ` + bytes + ` "-" "c" "` + ratio + `" ` + upstream + ` 0.2`
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
		{"lengths", `$msec "$http_content_length" "$sent_http_content_length" $upstream_http_content_length`, "fields: [http_content_length, sent_http_content_length, upstream_http_content_length]\n", `1795168800.123 "12" "5000000000" 7`, " http_content_length=12i,sent_http_content_length=5000000000i,upstream_http_content_length=7i "},
		{"lengths that are none", `$msec "$http_content_length" "$sent_http_content_length" $upstream_http_content_length`, "fields: [http_content_length, sent_http_content_length, upstream_http_content_length]\n", `1795168800.123 "a b" "-" -`, " count=1i "},
		{"lengths in JSON", "json", "fields: [sent_http_content_length]\n", `{"time":1795168800,"sent_http_content_length":"7"}`, " sent_http_content_length=7i "},
		{"1e3", "timed", "", timedLine("1e3", "2.00", "0.1"), "!nginx_access,"},
		{"over 64 bits", "timed", "", timedLine("99999999999999999999", "2.00", "0.1"), "source=web,status=200 request_time=0.2,upstream_response_time=0.1 "},
		{"1e3 in a list", "timed", "", timedLine("5", "2.00", "1e3"), " bytes_sent=5i,request_time=0.2 "},
		{"1e3 in quotes", "timed", "fields: [gzip_ratio, bytes_sent]\n", timedLine("5", "1e3", "0.1"), " bytes_sent=5i "},
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
		{"as it is asked for", "json", "tags: [httpRequest.Verb]\nfields: [httpRequest.size, Cost]\ntypes: {httpRequest.size: integer}\n", `{"time":1795168800,"httpRequest":{"Verb":"GET","size":7},"Cost":0.5}`, `httpRequest.Verb=GET,source=web httpRequest.size=7i,Cost=0.5 `},
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

// Lines whose quotes, escapes and ends are those of nginx's relatives.
func TestFramesOfEveryKind(t *testing.T) {
	const head = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] `
	for _, k := range []kind{
		{"an escaped quote", "combined", "fields: [http_user_agent]\n", head + `"GET /a HTTP/1.1" 200 8073 "-" "Dalvik/2.1.0 (Linux; U; Alba 10\" Build/X)"`, `,path=/a,source=web,status=200 http_user_agent="Dalvik/2.1.0 (Linux; U; Alba 10\" Build/X)" `},
		{"an escaped backslash", "combined", "fields: [http_user_agent]\n", head + `"GET /a HTTP/1.1" 200 8073 "-" "C:\\x\"y"`, `http_user_agent="C:\\x\"y"`},
		{"an empty user", "combined", "fields: [remote_user, body_bytes_sent]\n", strings.Replace(head, "- -", `- ""`, 1) + `"GET /c HTTP/1.1" 200 1334 "-" "curl"`, ",path=/c,source=web,status=200 body_bytes_sent=1334i "},
		{"with a virtual host", "vhost_combined", "fields: [vhost]\n", "example.com:443 " + head + `"GET /\"a\" HTTP/1.1" 200 8073 "-" "-"`, `path=/"a",source=web,status=200 vhost="example.com" `},
		{"by auto", "auto", "", head + `"GET /a HTTP/1.1" 200 8073 "-" "Alba 10\" Build/X"`, "path=/a,source=web,status=200 body_bytes_sent=8073i "},
		{"what nginx escapes", "combined", "fields: [http_user_agent]\n", head + `"GET /a HTTP/1.1" 200 1 "-" "\x22\x5C\x5Cx22"`, `http_user_agent="\"\\\\x22"`},
		{"CR LF", "combined", "", head + `"GET /a HTTP/1.1" 200 1 "-" "-"` + "\r", "path=/a,source=web,status=200 body_bytes_sent=1i "},
		{"CR LF behind text", "$msec $status $http_x", "fields: [http_x]\n", "1795168800.123 200 abc\r", `status=200 http_x="abc" `},
		{"CR LF by auto", "auto", "", head + `"GET /a HTTP/1.1" 200 1 "-" "-"` + "\r", "path=/a,source=web,status=200 body_bytes_sent=1i "},
	} {
		k.check(t)
	}
}

// The request in pieces, of which some have names of the operator's own.
func TestRequestsInPiecesOfEveryKind(t *testing.T) {
	const (
		head = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] `
		gl   = `log_format gl '$remote_addr - $remote_user [$time_local] "$request_method $safe_uri $server_protocol" $status $body_bytes_sent "$safe_referer" "$http_user_agent" $gzip_ratio';`
	)
	for _, k := range []kind{
		{"a code forge", gl, "", head + `"GET /group/project/-/issues/42?token=[FILTERED] HTTP/2.0" 200 612 "" "git/2.45" -`, "method=GET,path=/group/project/-/issues/:id,source=web,status=200 body_bytes_sent=612i "},
		{"its query", gl, "tags: [query, protocol]\n", head + `"GET /a?b=c HTTP/2.0" 200 612 "" "git/2.45" -`, `protocol=HTTP/2.0,query=b\=c,source=web `},
		{"as a field", gl, "fields: [safe_uri]\n", head + `"GET /a?token=x HTTP/2.0" 200 612 "" "git/2.45" -`, ` safe_uri="/a" `},
		{"a target with spaces", gl, "", head + `"GET /a b HTTP/2.0" 200 612 "" "git/2.45" -`, `path=/a\ b,`},
		{"a broken request", gl, "", head + `"- - -" 400 0 "" "-" -`, "web1,source=web,status=400 body_bytes_sent=0i "},
		{"the method's name", `[$time_local] "$verb $request_uri $server_protocol" $status`, "", `[20/Nov/2026:10:00:00 +0000] "PUT /a?x HTTP/1.1" 200`, "method=PUT,path=/a,source=web,status=200 "},
		{"the protocol's name", `[$time_local] "$request_method $filtered $proto" $status`, "tags: [protocol, path]\n", `[20/Nov/2026:10:00:00 +0000] "PUT /a?x HTTP/1.1" 200`, "path=/a,protocol=HTTP/1.1,source=web "},
		{"all but the last", `[$time_local] "$verb $what $server_protocol" $status`, "", `[20/Nov/2026:10:00:00 +0000] "PUT /a?x HTTP/1.1" 200`, "method=PUT,path=/a,source=web,status=200 "},
		{"two pieces", `[$time_local] "$request_method $clean" $status`, "", `[20/Nov/2026:10:00:00 +0000] "GET /a?x" 200`, "method=GET,path=/a,source=web,status=200 "},
		{"a fixed protocol", `[$time_local] "$request_method $clean HTTP/1.1" $status`, "", `[20/Nov/2026:10:00:00 +0000] "GET /a?x HTTP/1.1" 200`, "method=GET,path=/a,source=web,status=200 "},
		{"all of it", `[$time_local] "$filtered_request" $status`, "", `[20/Nov/2026:10:00:00 +0000] "GET /a?x HTTP/1.1" 200`, "method=GET,path=/a,source=web,status=200 "},
		{"none of its", `[$time_local] "$request_method $host" $status "$request_uri"`, "", `[20/Nov/2026:10:00:00 +0000] "GET example.com" 200 "/b"`, "method=GET,path=/b,source=web,status=200 "},
		{"another pair", `[$time_local] "$request" "$up_a $up_b" $status`, "", `[20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" "PUT /b" 200`, "method=GET,path=/a,source=web,status=200 "},
	} {
		k.check(t)
	}
}

// Where a line can be cut in several ways.
func TestCutsOfEveryKind(t *testing.T) {
	const (
		apisix = `'$time_iso8601 $hostname $remote_addr:$remote_port $status $request $http_user_agent $host $hostname-$pid-$connection-$connection_requests'`
		line   = `2026-11-20T10:00:00+00:00 web-1.example.net 192.0.2.7:38242 200 POST /v1/x HTTP/1.1 Mozilla/5.0 (X11; Linux x86_64) api.example.com web-1.example.net-4681-91395376-4`
		up     = `'$remote_addr [$time_local] "$request" $status $request_time "$up_scheme://$up_host$up_uri"'`
		bad    = `log_format bad [$time_local] $protocol $status $session_time;`
	)
	upLine := `192.0.2.7 [20/Nov/2026:10:00:00 +0000] "GET /b?x=1 HTTP/1.1" 200 0.004 "http://app.example.com/v1/b?x=1"`
	for _, k := range []kind{
		{"texts without quotes", apisix, "fields: [http_user_agent]\n", line, `,method=POST,path=/v1/x,source=web,status=200 http_user_agent="Mozilla/5.0 (X11; Linux x86_64)" `},
		{"touching", up, "", upLine, ",method=GET,path=/b,source=web,status=200 request_time=0.004 "},
		{"both together", up, "fields: [up_host_up_uri]\n", upLine, ` up_host_up_uri="app.example.com/v1/b" `},
	} {
		k.check(t)
	}
	for _, tt := range []struct {
		name, format, config string
		want                 []string
	}{
		{"one that is needed", up, "fields: [up_uri]\n", []string{"nothing separates $up_host from $up_uri", "$up_host_up_uri"}},
		{"one that a tag is", up, "tags: [up_host]\n", []string{"nothing separates"}},
		{"one that drops", up, "drop: [{up_host: a}]\n", []string{"nothing separates"}},
		{"one that the path is of", `[$time_local] "$request_method $up_host$request_uri"`, "", []string{"nothing separates $up_host from $request_uri"}},
		{"one that the time is", `[$time_local$status]`, "", []string{"nothing separates $time_local from $status"}},
		{"no quotes in nginx.conf", bad, "", []string{"nginx joins words without quotes", "no blank", "quotes are missing in nginx.conf"}},
	} {
		config := writeTemp(t, "tailflux.yaml", "sources: [{path: /x.log, format: '"+strings.ReplaceAll(tt.format, "'", "''")+"'}]\n"+tt.config)
		var out, errs bytes.Buffer
		code := execute([]string{"check", "--config", config}, &out, &errs)
		for _, want := range tt.want {
			if code != 2 || !strings.Contains(errs.String(), want) {
				t.Errorf("%s: check = exit %d\n%swant 2 and %q", tt.name, code, errs.String(), want)
			}
		}
	}
}

// What is configured and can never come is said, by check and by explain.
func TestWhatCanNeverComeIsSaid(t *testing.T) {
	const combined = "sources: [{path: /x.log, name: web, format: combined}]\n"
	for _, tt := range []struct {
		name, config string
		want         []string // none: no warning
	}{
		{"the defaults", combined, nil},
		{"a tag", combined + "tags: [methd, status]\n", []string{"tags: the format has nothing for methd; did you mean method?"}},
		{"a field", combined + "fields: [body_byte_sent]\n", []string{"fields: the format has nothing for body_byte_sent; did you mean body_bytes_sent?"}},
		{"a field that nginx has", combined + "fields: [request_tme]\n", []string{"fields: the format has nothing for request_tme", "request_time"}},
		{"a field of another format", combined + "fields: [request_time]\n", []string{"fields: the format has nothing for request_time"}},
		{"drop", combined + "drop: [{http_user_agnt: a}]\n", []string{"drop: the format has nothing for http_user_agnt; did you mean http_user_agent?"}},
		{"client", "sources: [{path: /x.log, name: web, format: '$msec $status'}]\ntags: [client]\n", []string{"tags: the format has nothing for client, which comes from $remote_addr"}},
		{"a path with a name of its own", "sources: [{path: /x.log, name: web, format: '$msec $status $safe'}]\ntags: [path]\n", []string{"tags: the format has nothing for path", "rename: {safe: path}"}},
		{"a regexp", "sources: [{path: /x.log, name: web, regexp: '^(?P<msec>\\S+) (?P<status>\\d+)$'}]\ntags: [stats]\n", []string{"tags: the format has nothing for stats; did you mean status?"}},
		{"a type", "sources: [{path: /x.log, name: web, format: '$msec $cost'}]\nfields: [cost]\n", []string{"nothing is known of the type of cost", "types: {cost: integer}"}},
		{"a type that is said", "sources: [{path: /x.log, name: web, format: '$msec $cost'}]\nfields: [cost]\ntypes: {cost: string}\n", nil},
		{"a value that shifts others", "sources: [{path: /x.log, name: web, format: '$msec $uri $status $http_user_agent'}]\n", []string{"$uri: it is not in quotes"}},
	} {
		log := writeTemp(t, "x.log", "")
		config := writeTemp(t, "tailflux.yaml", strings.ReplaceAll(tt.config, "/x.log", log))
		code, out := checked(t, "--config", config, "--state-dir", t.TempDir())
		_, stdout, _ := explainWith(t, "x\n", "--config", config)
		for _, want := range tt.want {
			if code != 0 || !strings.Contains(out, want) || !strings.Contains(out, "\nsource web\n  warning  ") {
				t.Errorf("%s: check = exit %d\n%swant %q", tt.name, code, out, want)
			}
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: explain =\n%swant %q", tt.name, stdout, want)
			}
		}
		if tt.want == nil && strings.Contains(out+stdout, "warning") {
			t.Errorf("%s: check and explain warn:\n%s%s", tt.name, out, stdout)
		}
	}
}

// Of a format that is found, check has the warnings that explain has.
func TestCheckWarnsOfAFormatThatIsFound(t *testing.T) {
	log := writeTemp(t, "access.log", explainCombined+"\n")
	config := writeTemp(t, "tailflux.yaml", "sources: [{path: "+log+", name: web}]\ntags: [methd]\nstate_dir: "+t.TempDir()+"\n")
	if code, out := checked(t, "--config", config); code != 0 || !strings.Contains(out, "tags: the format has nothing for methd") {
		t.Errorf("check = exit %d\n%s", code, out)
	}
	unknown := writeTemp(t, "access.log", `{"time":"2026-11-20T10:00:00Z","DownstreamStatus":200}`+"\n")
	config = writeTemp(t, "tailflux.yaml", "sources: [{path: "+unknown+", name: web, format: json}]\nstate_dir: "+t.TempDir()+"\n")
	if _, out := checked(t, "--config", config); !strings.Contains(out, "none of the keys in the lines") || !strings.Contains(out, "DownstreamStatus") {
		t.Errorf("check of keys that are not known:\n%s", out)
	}
}
