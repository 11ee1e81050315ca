//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// logFormats are what nginx writes with and tailflux reads with, word for word.
var logFormats = []struct{ name, statement string }{
	{"combined", ""},
	{"upstreams", `log_format upstreams
	    '$host:"$server_port" $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
	    '"$http_x_forwarded_for" $upstream_addr $upstream_status $upstream_response_time $upstream_connect_time '
	    '$upstream_header_time $upstream_response_length $upstream_bytes_received $upstream_cache_status '
	    '$request_time $pipe $gzip_ratio';`},
	{"millis", `log_format millis
	    '$msec\t$remote_addr\t$request_method\t$scheme\t$status\t$bytes_sent\t$request_length\t"$server_protocol"\t'
	    '$request_uri\t$http_user_agent\t$request_time\t$connection\t${connection_requests}';`},
	{"iso", `log_format iso escape=default
	    '$time_iso8601|$remote_addr|$remote_user|"$request"|$status|$body_bytes_sent|"$http_referer"|'
	    "\"$http_user_agent\"|\"$http_cookie\"|$request_id|\"$uri\"|\"$args\"|\"$http_host\"|$content_length";`},
	{"structured", `log_format structured escape=json
	    '{"time":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user","request":"$request",'
	    '"status":$status,"bytes_sent":$bytes_sent,"request_time":$request_time,"referer":"$http_referer",'
	    '"agent":"$http_user_agent","xff":"$http_x_forwarded_for","host":"$host","addr":"$upstream_addr",'
	    '"urt":"$upstream_response_time","codes":"$upstream_status","uri":"$uri","cookie":"$http_cookie"}';`},
}

// formatVariables are all that is logged; $status becomes a tag.
const formatVariables = "msec time_local time_iso8601 remote_addr remote_user request status body_bytes_sent bytes_sent " +
	"http_referer http_user_agent http_x_forwarded_for http_cookie http_host host server_port scheme request_method " +
	"request_uri uri args server_protocol request_length request_time request_id connection connection_requests pipe " +
	"gzip_ratio content_length upstream_addr upstream_status upstream_response_time upstream_connect_time " +
	"upstream_header_time upstream_response_length upstream_bytes_received upstream_cache_status"

const formatsSite = `
    %[1]s
    client_header_timeout 1s;
    gzip on; gzip_min_length 1; gzip_types *;
    upstream first_is_down { server 127.0.0.1:%[3]d max_fails=0; server 127.0.0.1:%[2]d max_fails=0; }
    upstream all_down { server 127.0.0.1:%[3]d max_fails=0; server 127.0.0.1:%[4]d max_fails=0; }
    upstream socket { server unix:app.sock; }
    server {
        listen 127.0.0.1:%[2]d;
        listen unix:app.sock;
        root site;
        location /over/ { proxy_pass http://first_is_down/; }
        location /down/ { proxy_pass http://all_down/; }
        location /fall/ { proxy_pass http://all_down/; proxy_intercept_errors on; error_page 502 = @other; }
        location @other { rewrite ^ /text break; proxy_pass http://127.0.0.1:%[2]d; }
        location /sock/ { proxy_pass http://socket/; }
        location /drop { return 444; }
        location /text { return 200 "some text, some text, some text\n"; }
    }`

// knock is what a client sends, and what its request line is made of.
type knock struct {
	send                          string
	method, path, query, protocol string
	line                          string // as nginx has it, when that is not the first line of send
	hangup                        bool   // the client goes after it was sent
}

// request is a knock in good form, with more headers.
func request(line, method, path, query, protocol string, headers ...string) knock {
	all := append([]string{line, "Host: example.com", "Connection: close"}, headers...)
	return knock{send: strings.Join(all, "\r\n") + "\r\n\r\n", method: method, path: path, query: query, protocol: protocol}
}

func get11(target, path, query string, headers ...string) knock {
	return request("GET "+target+" HTTP/1.1", "GET", path, query, "HTTP/1.1", headers...)
}

// hello is the beginning of a TLS connection.
const hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x8f\"\\|\x00\xc0\x2b 'x' \x7f\x1b[0m"

func knocks() []knock {
	long := strings.Repeat("/long", 820) // 4,100 bytes
	huge := "GET /" + strings.Repeat("x", 9000)
	basic := func(user string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":secret"))
	}
	all := []knock{
		get11("/text", "/text", "", `User-Agent: he said "hi" \ c:\new\x41 \"`, `Referer: http://example.com/"?q="a b"#\`),
		get11("/a%0ab%22%5c?x=%0a%22%20\"\\", "/a%0ab%22%5c", "x=%0a%22%20\"\\", "User-Agent: curl/8.5.0"),
		get11("/caf\u00e9/\u0431\u043e\u0442?q=\u00fc", "/caf\u00e9/\u0431\u043e\u0442", "q=\u00fc", "User-Agent: \u0411\u043e\u0442 \U0001f916/1.0"),
		get11("/caf%C3%A9/%D0%B1", "/caf%C3%A9/%D0%B1", "", "User-Agent: \xff\xfe not \xd0 UTF-8", "Cookie: a=\"b\"; c=\xc3"),
		get11("/tab", "/tab", "", "User-Agent: tab\there, and \x7f"),
		get11("/bell", "/bell", "", "User-Agent: bell \x07"),
		get11(long, long, "", "User-Agent: long"),
		get11("/text?"+long, "/text", long),
		{send: huge + " HTTP/1.1\r\n\r\n", line: huge[:8192], method: "GET", path: huge[4:8192]},
		request("GET /text HTTP/1.0", "GET", "/text", "", "HTTP/1.0"), // no user agent
		get11("/text", "/text", "", "User-Agent:"),
		get11("/text", "/text", "", "User-Agent: -", "Referer: -"),
		get11("/text", "/text", "", "User-Agent: gzip", "Accept-Encoding: gzip"),
		get11("/text", "/text", "", "X-Forwarded-For: 2001:db8::1, 192.0.2.7, unknown"),
		get11("/text", "/text", "", basic(`evil "user" [04/Mar/2018:13:49:52 +0000]`)),
		get11("/text", "/text", "", basic("two words - -")),
		get11("/text", "/text", "", basic("")),
		{send: "GET /nine?a=b\r\n", method: "GET", path: "/nine", query: "a=b"}, // HTTP/0.9
		{send: hello},
		{send: "\x03\x00\x00/*\xe0\x00\x00\x00\x00\x00Cookie: mstshash=Administr\r\n"},
		{send: "MGLNDD_192.0.2.1_443\n"},
		{send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", method: "PRI", path: "*", protocol: "HTTP/2.0"},
		{send: "\r\n\r\n", hangup: true},
		{send: "GET / HT"}, // and no more: a timeout
		request("get / HTTP/1.1", "", "", "", ""),
		request("GET /a b HTTP/1.1", "GET", "/a b", "", "HTTP/1.1"),
		request("GET / HTTP/1.1 HTTP/1.1", "GET", "/ HTTP/1.1", "", "HTTP/1.1"),
		request("GET http://example.com/abs?x=1 HTTP/1.1", "GET", "/abs", "x=1", "HTTP/1.1"),
		request("OPTIONS * HTTP/1.1", "OPTIONS", "*", "", "HTTP/1.1"),
		request("CONNECT example.com:443 HTTP/1.1", "CONNECT", "", "", "HTTP/1.1"),
		request("POST /text HTTP/1.1", "POST", "/text", "", "HTTP/1.1", "Content-Length: 5", "", "hello"),
		get11("/text#top?no=query", "/text", ""),
		get11("//text?", "//text", ""),
		get11("/drop", "/drop", ""),
		get11("/down/", "/down/", ""),
		get11("/fall/", "/fall/", ""),
		get11("/sock/text?s=1", "/sock/text", "s=1"),
	}
	for range 4 {
		all = append(all, get11("/over/text", "/over/text", ""))
	}
	// What nginx asks itself for as a proxy, and what is pipelined.
	all = append(all,
		knock{line: "GET / HTTP/1.1", method: "GET", path: "/", protocol: "HTTP/1.1"},
		knock{line: "GET /text?s=1 HTTP/1.0", method: "GET", path: "/text", query: "s=1", protocol: "HTTP/1.0"},
		knock{
			line: "HEAD /text HTTP/1.1", method: "HEAD", path: "/text", protocol: "HTTP/1.1",
			send: "HEAD /text HTTP/1.1\r\nHost: [::1]:80\r\n\r\n" + get11("/text", "", "").send,
		})
	return all
}

// knock sends to nginx and waits for the end of the answer.
func (n *nginx) knock(k knock) {
	n.b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		n.b.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, k.send); err != nil {
		n.b.t.Fatal(err)
	}
	if k.hangup {
		return
	}
	if err := conn.SetReadDeadline(time.Now().Add(arrival)); err != nil {
		n.b.t.Fatal(err)
	}
	// A reset is nginx's right after a request it refuses; a timeout is not.
	if _, err := io.ReadAll(conn); os.IsTimeout(err) {
		n.b.t.Fatalf("no end of the answer to %.80q", k.send)
	}
}

// startFormats runs nginx with all formats, each with a log of its own.
func startFormats(b *bench) *nginx {
	b.t.Helper()
	if err := os.Mkdir(b.path("site"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.write("site/index.html", "<h1>It works</h1>\n")
	var logs strings.Builder
	for _, f := range logFormats {
		fmt.Fprintf(&logs, "%s\naccess_log %s.log %s;\n", f.statement, f.name, f.name)
	}
	logs.WriteString("log_format reference escape=json '{")
	for i, name := range strings.Fields(formatVariables) {
		if i > 0 {
			logs.WriteString(",")
		}
		fmt.Fprintf(&logs, `"%[1]s":"$%[1]s"`, name)
	}
	logs.WriteString("}';\naccess_log reference.log reference;\n")
	port := freePort(b.t)
	site := fmt.Sprintf(formatsSite, logs.String(), port, freePort(b.t), freePort(b.t))
	// One worker, so that all logs have one order.
	return serve(b, 1, port, strings.ReplaceAll(site, "unix:app.sock", "unix:"+b.path("app.sock")))
}

// cleaned is a text as InfluxDB can store it: what is no UTF-8 and control bytes
// are U+FFFD.
func cleaned(s string) string {
	var out strings.Builder
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			r = utf8.RuneError
		}
		out.WriteRune(r)
	}
	return out.String()
}

// aTag is a text as a tag has it: at most 1,024 bytes.
func aTag(s string) string {
	if len(s) > 1024 {
		s = strings.ToValidUTF8(s[:1024], "")
	}
	return cleaned(s)
}

// entries are those of an upstream list.
func entries(list string) []string {
	return strings.Split(strings.ReplaceAll(list, " : ", ", "), ", ")
}

// wanted is what the field of a variable should be, by the reference: a string,
// a float64, or nil.
func wanted(t *testing.T, name, logged string) any {
	v := nginxvar.Lookup(name)
	if logged == "" || logged == "-" {
		return nil
	}
	last, sum, some := "", 0.0, false
	parts := []string{logged}
	if v.List {
		parts = entries(logged)
	}
	for _, p := range parts {
		if p == "-" || p == "" {
			continue
		}
		last = p
		if n, err := strconv.ParseFloat(p, 64); err == nil {
			sum, some = sum+n, true
		}
	}
	switch v.Kind {
	case nginxvar.Status:
		n, err := strconv.ParseFloat(last, 64)
		if err != nil {
			t.Fatalf("$%s is %q", name, logged)
		}
		return n
	case nginxvar.Int, nginxvar.Float, nginxvar.Msec:
		if !some {
			return nil
		}
		return math.Round(sum*1e6) / 1e6
	}
	if last == "" {
		return nil
	}
	return cleaned(last)
}

// Real nginx writes five formats at once, driven by requests of all kinds. Every
// line is a point, and every value is what nginx says it is in a reference log of
// all variables.
func TestFormats(t *testing.T) {
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	n := startFormats(b)
	fields := []string{"vhost", "query", "protocol", "upstream_tries"}
	for name := range strings.FieldsSeq(formatVariables) {
		if name != "status" && name != "host" {
			fields = append(fields, name)
		}
	}
	sources := ""
	for _, f := range logFormats {
		format := strings.Join(strings.Fields(f.statement), " ") // a value of the configuration is one line
		if format == "" {
			format = f.name
		}
		sources += fmt.Sprintf("  - {name: %s, path: %q, format: %q, start: beginning}\n", f.name, b.path(f.name+".log"), format)
	}
	config := b.write("tailflux.yaml", fmt.Sprintf("sources:\n%stags: [method, path, status]\nfields: [%s]\nfold: false\nquery: keep\n",
		sources, strings.Join(fields, ", ")))
	d := b.start("--config", config)
	parts := map[string]knock{}
	for _, k := range knocks() {
		line := k.line
		if line == "" {
			line, _, _ = strings.Cut(k.send, "\n")
			line = strings.TrimSuffix(line, "\r")
		}
		parts[cleaned(line)] = k
		if k.send != "" {
			n.knock(k)
		}
	}
	parts[cleaned("GET /text HTTP/1.0")] = knock{method: "GET", path: "/text", protocol: "HTTP/1.0"}
	n.stop()

	text, err := os.ReadFile(b.path("reference.log"))
	if err != nil {
		t.Fatal(err)
	}
	var reference []map[string]string
	for line := range bytes.Lines(text) {
		var values map[string]string
		if err := json.Unmarshal(line, &values); err != nil {
			t.Fatalf("reference log: %q: %v", line, err)
		}
		reference = append(reference, values)
	}
	total := len(reference)
	if total < len(parts) {
		t.Fatalf("only %d lines were logged", total)
	}
	r := b.delivered(d, int64(len(logFormats)*total))
	if r.Lines.Rejected != 0 || r.Lines.Read != int64(len(logFormats)*total) {
		t.Errorf("/monitor: %+v, want %d lines of each log and none rejected", r.Lines, total)
		for _, entry := range rejects(t, d) {
			t.Errorf("%s: line %d: %s: %.300q", entry.Source, entry.LineNumber, entry.Reason, entry.Line)
		}
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	several := 0
	for _, values := range reference {
		if strings.Contains(values["upstream_addr"], ", ") {
			several++
		}
	}
	if several < 3 {
		t.Errorf("%d requests failed over to another upstream, want some", several)
	}
	values := 0
	for _, f := range logFormats {
		values += compareFormat(t, b, f.name, f.statement, fields, reference, parts)
	}
	t.Logf("%d lines in each of %d logs, %d values the same, %d with several upstreams", total, len(logFormats), values, several)
}

// compareFormat compares the points of a source with the reference, and returns
// how many values were compared.
func compareFormat(t *testing.T, b *bench, name, statement string, fields []string, reference []map[string]string, parts map[string]knock) (compared int) {
	t.Helper()
	if statement == "" {
		statement = `$remote_addr $remote_user $time_local $request $status $body_bytes_sent $http_referer $http_user_agent`
	}
	var logged []string
	for _, variable := range strings.Split(strings.ReplaceAll(statement, "${", "$"), "$")[1:] {
		end := strings.IndexFunc(variable, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
		})
		if end < 0 {
			end = len(variable)
		}
		logged = append(logged, variable[:end])
	}
	has := func(variable string) bool { return slices.Contains(logged, variable) }

	series, err := b.db.Query(t.Context(), database, fmt.Sprintf("SELECT * FROM nginx_access WHERE source = '%s'", name))
	if err != nil || len(series) != 1 {
		t.Fatalf("%s: %d series, %v", name, len(series), err)
	}
	if got := len(series[0].Values); got != len(reference) {
		t.Errorf("%s: %d points of %d lines", name, got, len(reference))
	}
	resolution := int64(time.Second)
	if has("msec") {
		resolution = int64(time.Millisecond)
	}
	for _, row := range series[0].Values {
		got := map[string]any{}
		for i, column := range series[0].Columns {
			got[column] = row[i]
			if n, ok := row[i].(json.Number); ok && column != "time" {
				got[column], _ = n.Float64()
			}
		}
		at, err := got["time"].(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		number := at % resolution
		if number < 1 || number > int64(len(reference)) {
			t.Errorf("%s: a point at %d: there is no line %d", name, at, number)
			continue
		}
		ref := reference[number-1]
		same := func(key string, want any) {
			compared++
			if got[key] != want {
				t.Errorf("%s: line %d, %.100q: %s is %.200q, want %.200q", name, number, ref["request"], key, fmt.Sprint(got[key]), fmt.Sprint(want))
			}
		}
		seconds, millis, _ := strings.Cut(ref["msec"], ".")
		want, err := strconv.ParseInt(seconds+millis+"000000", 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if at-number != want-want%resolution {
			t.Errorf("%s: line %d is at %d, want %s", name, number, at-number, ref["msec"])
		}
		k, ok := parts[cleaned(ref["request"])]
		if !ok {
			t.Errorf("%s: line %d: who asked for the %d bytes %.100q?", name, number, len(ref["request"]), ref["request"])
			continue
		}
		if !has("request") { // then there are only its parts
			k = knock{method: ref["request_method"], protocol: ref["server_protocol"]}
			uri, _, _ := strings.Cut(ref["request_uri"], "#")
			k.path, k.query, _ = strings.Cut(uri, "?")
		}
		if has("request_method") {
			k.method = ref["request_method"]
		}
		tag := func(s string) any {
			if s == "" || s == "-" {
				return nil
			}
			return aTag(s)
		}
		same("method", tag(k.method))
		same("path", tag(k.path))
		same("status", tag(ref["status"]))
		for _, field := range fields {
			switch {
			case field == "query":
				same(field, wanted(t, "args", k.query))
			case field == "protocol":
				same(field, wanted(t, "server_protocol", k.protocol))
			case field == "vhost" && has("host"):
				same(field, wanted(t, "host", ref["host"]))
			case field == "upstream_tries" && has("upstream_addr"):
				var want any
				if list := ref["upstream_addr"]; list != "" {
					want = float64(len(entries(list)))
				}
				same(field, want)
			case has(field):
				same(field, wanted(t, field, ref[field]))
			default:
				if got[field] != nil {
					t.Errorf("%s: line %d has %s = %v, which is not logged there", name, number, field, got[field])
				}
			}
		}
	}
	return compared
}
