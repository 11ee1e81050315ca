package logformat_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// found is what a matcher finds in line, without what is absent; nil if the line
// does not match.
func found(m *logformat.Matcher, names []string, line []byte) map[string]string {
	captures, ok := m.Match(line)
	if !ok {
		return nil
	}
	values := map[string]string{}
	for i, c := range captures {
		if c != nil {
			values[names[i]] = string(c)
		}
	}
	return values
}

// One matcher for all, because what it keeps from one line must not show in the
// next.
func TestJSON(t *testing.T) {
	f := logformat.CompileJSON("my_own", "http_x_trace", "status")
	m, names := f.NewMatcher(), f.Names()
	type values map[string]string
	for _, tt := range []struct {
		name, line string
		want       values // nil: no match
	}{
		{"any order", `{"status":"404","remote_addr":"::1","msec":1520171392.123}`, values{"status": "404", "remote_addr": "::1", "msec": "1520171392.123"}},
		{"nothing", `{}`, values{}},
		{"spaces", " { \"status\" : 200 } \r", values{"status": "200"}},
		{"numbers as they stand", `{"status":009,"request_time":0.120,"bytes_sent":-1,"gzip_ratio":1e3}`, values{"status": "009", "request_time": "0.120", "bytes_sent": "-1", "gzip_ratio": "1e3"}},
		{"empty is not absent", `{"host":"","upstream_addr":"-"}`, values{"host": "", "upstream_addr": "-"}},
		{"neither strings nor numbers", `{"host":null,"uri":true,"args":["a"],"https":{"status":1},"status":2}`, values{"status": "2"}},
		{"escapes", `{"request":"GET /\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 HTTP/1.1"}`, values{"request": "GET /\"\\/\b\f\n\r\té😀 HTTP/1.1"}},
		{"escapes that are none", `{"request":"\x1","uri":"\u12","args":"\xg0\x41"}`, values{"request": `\x1`, "uri": `\u12`, "args": `\xg0\x41`}},
		{"nginx's, without escape=json", `{"request":"\x16\x03","uri":"/\xD0\xB6\x22\x5Cn\x5C\x5CxD0\x7F","args":"\xc3\xa9"}`, values{"request": "\x16\x03", "uri": "/ж\"" + `\n\\xD0` + "\x7f", "args": "é"}},
		{"a backslash before an x", `{"uri":"\\xD0","args":"\\\xD0\xB6"}`, values{"uri": `\xD0`, "args": `\ж`}},
		{"nginx's, beside a list", `{"uri":"\xD0\xB6","upstream_response_time":0.010, 0.020}`, values{"uri": "ж", "upstream_response_time": "0.010, 0.020"}},
		{"an escaped key", `{"stat\u0075s":200}`, values{"status": "200"}},
		{"not UTF-8", "{\"uri\":\"/\xff\xfe\"}", values{"uri": "/\xff\xfe"}},
		{"twice", `{"status":200,"status":404}`, values{"status": "404"}},
		{"twice, one without a value", `{"status":null,"status":404,"host":"a","host":null}`, values{"status": "404", "host": "a"}},
		{"three times", `{"uri":"/a","uri":"/b","status":1,"uri":"/c"}`, values{"uri": "/c", "status": "1"}},
		{"an alias twice", `{"method":"GET","method":"PUT"}`, values{"request_method": "PUT"}},
		{"upstream list", `{"upstream_response_time":"0.010, 0.020 : 0.100"}`, values{"upstream_response_time": "0.010, 0.020 : 0.100"}},
		{"the caller's own", `{"my_own":"a","http_x_trace":"b","http_x_other":"c"}`, values{"my_own": "a", "http_x_trace": "b"}},
		{"aliases", `{"method":"GET","path":"/a","query":"b","vhost":"c","referrer":"d"}`, values{"request_method": "GET", "uri": "/a", "args": "b", "host": "c", "http_referer": "d"}},
		{"the name before an alias", `{"method":"GET","request_method":"PUT","uri":"/a","path":"/b"}`, values{"request_method": "PUT", "uri": "/a"}},
		{"the name twice after an alias", `{"method":"GET","request_method":"PUT","request_method":"POST"}`, values{"request_method": "POST"}},
		{"the first of two aliases", `{"referrer":"a","referer":"b"}`, values{"http_referer": "a"}},
		{
			"times", `{"time":"2018-03-04T13:49:52+00:00","timestamp":1520171392.123,"@timestamp":"04/Mar/2018:13:49:52 +0000"}`,
			values{"time_iso8601": "2018-03-04T13:49:52+00:00", "msec": "1520171392.123", "time_local": "04/Mar/2018:13:49:52 +0000"},
		},
		{"times that are none", `{"time":"yesterday","timestamp":"","@timestamp":0.004,"ts":20180304}`, values{}},
		{"a time with a fraction", `{"time":"2018-03-04T13:49:52.123456Z"}`, values{"time_iso8601": "2018-03-04T13:49:52.123456Z"}},
		{"a time in milliseconds", `{"ts":1520171392123}`, values{"msec": "1520171392123"}},
		{"a time in seconds", `{"ts":"1520171392"}`, values{"msec": "1520171392"}},
		{"a time with an exponent", `{"time":1.7951688e9}`, values{"msec": "1.7951688e9"}},
		{"a time with an exponent and a sign", `{"ts":"1.795168800123E+09"}`, values{"msec": "1.795168800123E+09"}},
		{"numbers with an exponent that are no times", `{"time":1.7e2,"ts":"e9","timestamp":"1e-9"}`, values{}},
		{"a time by name", `{"time":"2018-03-04T13:49:52+00:00","time_iso8601":"2019-03-04T13:49:52+00:00"}`, values{"time_iso8601": "2019-03-04T13:49:52+00:00"}},
		{"capital letters", `{"Status":200,"REQUEST_METHOD":"GET","Host":"a","RequestTime":1}`, values{"status": "200", "request_method": "GET", "host": "a"}},
		{"the name before capital letters", `{"status":200,"Status":404}`, values{"status": "200"}},
		{"a list without quotes", `{"status":200,"upstream_response_time": 0.001, 0.024}`, values{"status": "200", "upstream_response_time": "0.001, 0.024"}},
		{"lists and a string", `{"upstream_status":502, 200 : 200,"uri":"/a: 1, 2\"","upstream_response_time":-, 0.1,"x":-}`, values{"upstream_status": "502, 200 : 200", "uri": `/a: 1, 2"`, "upstream_response_time": "-, 0.1"}},
		{"a dash without quotes", `{"upstream_response_time":-,"status":200}`, values{"upstream_response_time": "-", "status": "200"}},
		{"a list as an array", `{"upstream_response_time":[0.001,"0.024",null],"upstream_addr":[],"uri":["/a"]}`, values{"upstream_response_time": "0.001, 0.024, -"}},
		{"a number as an array", `{"request_time":[0.1],"status":[502,200],"body_bytes_sent":[1,null],"msec":[1520171392.123]}`, values{"request_time": "0.1", "status": "502, 200", "body_bytes_sent": "1, -", "msec": "1520171392.123"}},
		{"arrays that are no numbers", `{"request_time":[],"status":[null],"body_bytes_sent":[1,"2"],"uri":[[1]],"args":[{"a":1}],"host":[true]}`, values{}},
		{"an array", `[{"status":200}]`, nil},
		{"a string", `"{}"`, nil},
		{"two objects", `{"status":200}{"status":200}`, nil},
		{"cut", `{"status":200,"uri":"/a`, nil},
		{"a number that nginx left out", `{"status":200,"upstream_response_time":}`, nil},
		{"nothing at all", ``, nil},
		{"a log_format", combinedLine, nil},
		{"as before", `{"status":200}`, values{"status": "200"}},
	} {
		if got := values(found(m, names, []byte(tt.line))); !cmp.Equal(got, tt.want) {
			t.Errorf("%s: Match(%s): %s", tt.name, tt.line, cmp.Diff(tt.want, got))
		}
	}
	if captures, ok := m.Match(nil); ok {
		t.Errorf("Match(nil) = %q, want no match", captures)
	}
}

func TestJSONNames(t *testing.T) {
	f := logformat.CompileJSON("my_own", "status", "path", "method", "time", "my_own", "http_referer")
	sorted := slices.Sorted(slices.Values(f.Names()))
	if n := len(slices.Compact(slices.Clone(sorted))); n != len(sorted) {
		t.Errorf("%d names, only %d different", len(sorted), n)
	}
	check := func(name string, want bool) {
		t.Helper()
		if _, got := slices.BinarySearch(sorted, name); got != want {
			t.Errorf("name %s: %v, want %v", name, got, want)
		}
	}
	check("my_own", true)
	check("msec", true)
	check("http_user_agent", true)
	check("path", false)
	check("method", false)
	check("time", false)
}

// Keys that are called otherwise, in objects within the object too.
func TestJSONRenamed(t *testing.T) {
	f := logformat.CompileJSONIn(nginxvar.Dialect{Rename: map[string]string{
		"DownstreamStatus": "status", "request.method": "request_method", "request.uri": "request_uri", "request.headers.User-Agent": "http_user_agent",
		"x": "status", "cost.of.it": "my_cost",
	}}, "a.b", "own")
	m, names := f.NewMatcher(), f.Names()
	type values map[string]string
	for _, tt := range []struct {
		name, line string
		want       values
	}{
		{"capital letters", `{"DownstreamStatus":200}`, values{"status": "200"}},
		{"an object", `{"request":{"method":"GET","uri":"/a","headers":{"User-Agent":"curl"}},"own":"1"}`, values{"request_method": "GET", "request_uri": "/a", "http_user_agent": "curl", "own": "1"}},
		{"a dot in the key itself", `{"request.method":"GET"}`, values{"request_method": "GET"}},
		{"a request that is none of these", `{"request":"GET /a HTTP/1.1"}`, values{"request": "GET /a HTTP/1.1"}},
		{"the same key elsewhere", `{"method":"GET","headers":{"User-Agent":"x"}}`, values{"request_method": "GET"}},
		{"renamed before its own name", `{"DownstreamStatus":200,"status":404}`, values{"status": "200"}},
		{"its own name before", `{"status":404,"DownstreamStatus":200}`, values{"status": "200"}},
		{"two renamed: the last", `{"x":404,"DownstreamStatus":200}`, values{"status": "200"}},
		{"a variable of one's own", `{"cost":{"of":{"it":7}}}`, values{"my_cost": "7"}},
		{"as it is asked for", `{"a":{"b":"c"},"b":"d"}`, values{"a.b": "c"}},
		{"not an object", `{"a":"b","cost":[{"of":1}]}`, values{}},
	} {
		if got := values(found(m, names, []byte(tt.line))); !cmp.Equal(got, tt.want) {
			t.Errorf("%s: Match(%s): %s", tt.name, tt.line, cmp.Diff(tt.want, got))
		}
	}
	lines := [][]byte{
		[]byte(`{"Request":{"method":"GET"},"request":{"method":"GET","headers":{"User-Agent":"curl"}},"DownstreamStatus":200}`),
		[]byte(`{"status":200,"upstream_response_time": 0.001, 0.024}`),
	}
	for _, line := range lines {
		if n := testing.AllocsPerRun(100, func() { m.Match(line) }); n != 0 {
			t.Errorf("Match(%q) allocates %v times, want 0", line, n)
		}
	}
}

// A capture must not let its receiver write over the next one.
// Whatever the name of the format, keys are found that somebody asks for by their own
// names, also those that the format has another name for.
func TestOwnKeysOfNamedFormats(t *testing.T) {
	const (
		plain   = `{"time":1795168800,"status":200,"foo":"x"}`
		escaped = `{\"time\":1795168800,\"status\":200,\"foo\":\"x\"}`
		caddy   = `{"level":"info","ts":1795168800.5,"logger":"http.log.access","request":{"remote_ip":"192.0.2.7","remote_port":"52318",` +
			`"client_ip":"192.0.2.8","method":"GET","uri":"/a"},"bytes_read":3,"user_id":"u","duration":0.5,"size":10,"status":200}`
		traefik = `{"ClientHost":"192.0.2.7","DownstreamStatus":200,"Duration":1234567,"RouterName":"web@docker","time":"2026-11-20T11:00:00+01:00"}`
	)
	foo := map[string]string{"status": "200", "foo": "x"}
	for _, tt := range []struct {
		format, line string
		more         []string
		want         map[string]string // some of what is found
	}{
		{"json", plain, []string{"foo"}, foo},
		{" json", plain, []string{"foo"}, foo},
		{"docker json", `{"log":"` + escaped + `\n","stream":"stdout","time":"2026-11-20T10:00:00.1Z"}`, []string{"foo"}, foo},
		{"cri json", "2026-11-20T10:00:00.1Z stdout F " + plain, []string{"foo"}, foo},
		{"syslog json", "Nov 20 10:00:00 web nginx: " + plain, []string{"foo"}, foo},
		{"caddy", caddy, []string{"logger", "user_id", "request.remote_port", "level"}, map[string]string{"logger": "http.log.access", "user_id": "u", "request.remote_port": "52318", "level": "info", "status": "200"}},
		{
			"docker caddy", `{"log":"` + strings.ReplaceAll(caddy, `"`, `\"`) + `\n","stream":"stderr","time":"2026-11-20T10:00:00.1Z"}`,
			[]string{"logger"},
			map[string]string{"logger": "http.log.access", "remote_addr": "192.0.2.8"},
		},
		{
			"caddy", caddy,
			[]string{"bytes_read", "request.remote_ip", "size"},
			map[string]string{"bytes_read": "3", "request_length": "3", "request.remote_ip": "192.0.2.7", "remote_addr": "192.0.2.8", "size": "10", "body_bytes_sent": "10"},
		},
		{
			"traefik_json", traefik,
			[]string{"RouterName", "Duration", "DownstreamStatus", "client"},
			map[string]string{"RouterName": "web@docker", "Duration": "1234567", "request_time": "0.001234567", "DownstreamStatus": "200", "status": "200"},
		},
		{"traefik_json", strings.Replace(traefik, "DownstreamStatus", `downstreamstatus":4,"DownstreamStatus`, 1), []string{"DownstreamStatus"}, map[string]string{"DownstreamStatus": "200", "status": "200"}},
	} {
		f, err := logformat.CompileFormatIn(nginxvar.Dialect{}, tt.format, tt.more...)
		if err != nil {
			t.Fatal(err)
		}
		w := parsedTwinsOf(f)
		for range 3 { // by a skeleton, if one may be learned
			w.agree(t, []byte(tt.line))
		}
		got := found(w.fast, f.Names(), []byte(tt.line))
		for name, want := range tt.want {
			if got[name] != want {
				t.Errorf("%s with %v: %s of %s is %q, want %q", tt.format, tt.more, name, tt.line, got[name], want)
			}
		}
	}
}

// A name that rename gives to one key is not that of another one.
func TestARenamedKeyThatIsNotItsOwnName(t *testing.T) {
	d := nginxvar.Dialect{Rename: map[string]string{"a": "b", "b": "c", "request_time": "upstream_response_time"}}
	f := logformat.CompileJSONIn(d, "a", "b", "request_time")
	m, names := f.NewMatcher(), f.Names()
	for line, want := range map[string]map[string]string{
		`{"a":"1"}`:            {"a": "1", "b": "1"},
		`{"b":"2"}`:            {"c": "2"},
		`{"request_time":"3"}`: {"upstream_response_time": "3"},
	} {
		if got := found(m, names, []byte(line)); !cmp.Equal(got, want) {
			t.Errorf("Match(%s): %s", line, cmp.Diff(want, got))
		}
	}
}

func TestJSONAliasing(t *testing.T) {
	captures, _ := mustFormat(t, "json").NewMatcher().Match([]byte(`{"status":200,"uri":"/a","bytes_sent":612,"request_time":0.120,"host":"x"}`))
	snapshot := func() []string {
		var texts []string
		for _, c := range captures {
			texts = append(texts, string(c))
		}
		return texts
	}
	want := snapshot()
	for _, c := range captures {
		if c != nil {
			_ = append(c, 'x')
		}
	}
	got := snapshot()
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

// byEncodingJSON is the slow, obvious twin for what it takes for JSON.
func byEncodingJSON(line []byte, names []string) map[string]string {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	values := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return nil
		}
		text, ok := v.(string)
		if number, isNumber := v.(json.Number); isNumber {
			text, ok = number.String(), true
		}
		if ok && slices.Contains(names, name.(string)) {
			values[name.(string)] = text
		}
	}
	return values
}

var (
	surrogate = regexp.MustCompile(`(?i)\\ud[89a-f]`)
	otherName = regexp.MustCompile(`[A-Z]|\\u|ts"|upstream_|time"|timestamp"|method"|path"|protocol"|query"|referr?er"|user_agent"|vhost"|forwarded_for"`)
)

func FuzzJSON(f *testing.F) {
	format := mustFormat(f, "json")
	m, names := format.NewMatcher(), format.Names()
	f.Add([]byte(jsonLine))
	f.Add([]byte(`{"status":null,"status":404,"host":["a",{"b":1}],"uri":"\"\\\/\b\f\n\r\t\u00e9","x":1e-3}`))
	for _, line := range oddLines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		got := maps.Clone(found(m, names, line))
		if !bytes.Equal(line, before) {
			t.Fatalf("Match changed the line to %q", line)
		}
		// Beyond JSON fastjson is generous, and so are we. Lone surrogates, which
		// it leaves alone, become U+FFFD in encoding/json. And the twin knows
		// nothing of aliases.
		if !json.Valid(line) || !utf8.Valid(line) || surrogate.Match(line) || otherName.Match(line) ||
			bytes.Count(line, []byte("["))+bytes.Count(line, []byte("{")) > 200 {
			return
		}
		if want := byEncodingJSON(line, names); !cmp.Equal(got, want) {
			t.Errorf("Match(%q): %s", line, strings.TrimSpace(cmp.Diff(want, got)))
		}
	})
}
