package logformat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logformat"
)

// The caret is under the byte where the line stopped being what the format says.
func TestDiagnose(t *testing.T) {
	const head = `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] `
	combined, timed := mustFormat(t, "combined"), mustFormat(t, "timed")
	tutorial := mustRegexp(t, lineage)
	for _, tt := range []struct {
		name     string
		format   *logformat.Format
		line     string // "^" stands before the byte where it stops
		expected string
		after    string
		variable string
	}{
		{"combined for timed", timed, head + `^"GET / HTTP/1.1" 200 612 "-" "-"`, "a word for $scheme", "time_local", "scheme"},
		{"timed for combined", combined, head + `^http "GET / HTTP/1.1" 200 612 "-" "-" "-" 0.1 0.1`, "a literal `] \"` after $time_local", "time_local", ""},
		{"vhost_combined for combined", combined, `example.com:80 ^192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200 612 "-" "-"`, `a literal " - " after $remote_addr`, "remote_addr", ""},
		{"combined for vhost_combined", mustFormat(t, "vhost_combined"), `192.0.2.7^ - - [04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200 612 "-" "-"`, `a literal ":" after $host`, "host", ""},
		{"common for combined", combined, head + `"GET / HTTP/1.1" 200 612^`, "a literal ` \"` after $body_bytes_sent", "body_bytes_sent", ""},
		{"combined for common", mustFormat(t, "common"), head + `"GET / HTTP/1.1" 200 612^ "-" "-"`, "the end of the line after $body_bytes_sent", "body_bytes_sent", ""},
		{"no bracket", combined, `192.0.2.7 - - ^04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200 612 "-" "-"`, `a literal " [" after $remote_user`, "remote_user", ""},
		{"time too short", combined, `192.0.2.7 - - [04/Mar/2018:13:49^] "GET / HTTP/1.1" 200 612 "-" "-"`, "a time such as 04/Mar/2018:13:49:52 +0000 for $time_local", "remote_user", "time_local"},
		{"no status", combined, head + `"GET / HTTP/1.1" ^OK 612 "-" "-"`, "digits for $status", "request", "status"},
		{"torn request", combined, head + `"GET /index.ht^`, "a literal `\" ` after $request", "request", ""},
		{"torn time", combined, `192.0.2.7 - - [04/Mar/20^`, "a time such as 04/Mar/2018:13:49:52 +0000 for $time_local", "remote_user", "time_local"},
		{"a quote too many", combined, head + `"GET / HTTP/1.1" 200 612 "-" "a "^b" c"`, "the end of the line after $http_user_agent", "http_user_agent", ""},
		{"CR", combined, head + `"GET / HTTP/1.1" 200 612 "-" "-"^` + "\r", "the end of the line after $http_user_agent", "http_user_agent", ""},
		{"empty", combined, `^`, "a word for $remote_addr", "", "remote_addr"},
		{"a literal first", mustFormat(t, "[$time_local] $status"), `^04/Mar/2018:13:49:52 +0000 200`, `a literal "["`, "", ""},
		{"ingress without the alternative", mustFormat(t, "ingress"), head + `"GET / HTTP/1.1" 200 612 "-" "-" 86 0.012 [a-b-80] ^10.4.0.9:80 612 0.012 200 8d2f`, `a literal "] [" after $proxy_upstream_name`, "proxy_upstream_name", ""},
		{"JSON of a template", mustFormat(t, `escape=json '{"s":$status,"u":"$uri"}'`), `{"s":200,"u":^null}`, "a literal `,\"u\":\"` after $status", "status", ""},

		{"lineage", tutorial, head + `http "GET / HTTP/1.1" 2^xx 612 "-" "-" "-" 0.1 0.1`, "three digits for $status", "request", "status"},
		{"lineage, half of the status", tutorial, head + `http "GET / HTTP/1.1" 20^x 612 "-" "-" "-" 0.1 0.1`, "three digits for $status", "request", "status"},
		{"lineage on an upstream list", tutorial, head + `http "GET / HTTP/1.1" 200 612 "-" "-" "-" 0.010^, 0.020 0.1`, "a space after $upstream_response_time", "upstream_response_time", ""},
		{"lineage on combined", tutorial, head + `^"GET / HTTP/1.1" 200 612 "-" "-"`, "small letters for $scheme", "time_local", "scheme"},
		{"not a chain", mustRegexp(t, `^(?:(?P<status>\d+)|(?P<host>\w+\b)) ok$`), `200 ^no`, `a literal " ok"`, "", ""},
		{"a value that ends anywhere", mustFormat(t, `$my_own|$status`), `ab^"c|200`, `a literal "|" after $my_own`, "my_own", ""},
		{"within a value", mustRegexp(t, `^(?P<a>[a-z]+[0-9]+)$`), `ab^-`, "digits for $a", "", "a"},
		{"any case", mustRegexp(t, `(?i)^get (?P<uri>\S+) x$`), `GET /a ^y`, `a literal " X" after $uri`, "uri", ""},

		{"json: a log_format", mustFormat(t, "json"), `^` + combinedLine, `a JSON object, beginning with "{"`, "", ""},
		{"json: cut", mustFormat(t, "json"), `{"status":200,"uri":"/a^`, "the rest of a JSON object", "", ""},
		{"json: a hole", mustFormat(t, "json"), `{"a":^,"status":200}`, "a value after the colon; where one may be absent, log_format needs quotes around it", "", ""},
		{"json: a comma too many", mustFormat(t, "json"), `{"a":1, ^}`, "another key after the comma, or no comma before the }", "", ""},
		{"json: a comma too many in an array", mustFormat(t, "json"), `{"a":[1,^]}`, "another value after the comma, or no comma before the ]", "", ""},
		{"json: a key without quotes", mustFormat(t, "json"), `{"a":1,^b:2}`, "a key in double quotes", "", ""},
		{"json: a mark", mustFormat(t, "json"), "^\ufeff" + `{"a":1}`, "no byte order mark (EF BB BF) before the line: whatever writes or converts the log has put it there", "", ""},
		{"json: a mark, and more", mustFormat(t, "json"), "^\ufeff" + `{"a":1,}`, "no byte order mark (EF BB BF) before the line: whatever writes or converts the log has put it there", "", ""},
		{"a mark", mustFormat(t, "[$time_local] $status"), "^\ufeff[04/Mar/2018:13:49:52 +0000] 200", "no byte order mark (EF BB BF) before the line: whatever writes or converts the log has put it there", "", ""},
		{"a mark, and more", mustFormat(t, "[$time_local] $status"), "^\ufeff[04/Mar/2018:13:49:52 +0000] OK", `a literal "["`, "", ""},
		{"json: no comma", mustFormat(t, "json"), `{"a":1 ^"b":2}`, `JSON: invalid character '"' after object key:value pair`, "", ""},
		{"json: an array", mustFormat(t, "json"), `  ^[]`, `a JSON object, beginning with "{"`, "", ""},
		{"json: two", mustFormat(t, "json"), `{}^{}`, `JSON: invalid character '{' after top-level value`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, after, _ := strings.Cut(tt.line, "^")
			want := logformat.Diagnosis{Column: len(before) + 1, Expected: tt.expected, After: tt.after, Variable: tt.variable}
			if got := tt.format.Diagnose([]byte(before + after)); got != want {
				t.Errorf("Diagnose(%q)\n got %+v\nwant %+v", before+after, got, want)
			}
		})
	}
}

// A diagnosis is there exactly when there is no match, and lies on the line.
func TestDiagnoseOddLines(t *testing.T) {
	formats := []*logformat.Format{
		mustRegexp(t, lineage), mustRegexp(t, "^"+lineage+"$"), mustRegexp(t, `(?P<status>[^a-z]+\b){2,3}x?(?:y|(?P<_>z))[\x00-\x{10FFFF}]*?$`),
		mustRegexp(t, `(?P<a>.)[^\x00-\x{10FFFF}]`),
	}
	for _, name := range logformat.Presets() {
		formats = append(formats, mustFormat(t, name))
	}
	for _, line := range append(oddLines, jsonLine, `{"a":nan}`) {
		for _, f := range formats {
			_, ok := f.NewMatcher().Match([]byte(line))
			d := f.Diagnose([]byte(line))
			if ok != (d == logformat.Diagnosis{}) || !ok && (d.Column < 1 || d.Column > len(line)+1 || d.Expected == "") {
				t.Errorf("%s: Diagnose(%q) = %+v; it matches: %v", f.Regexp(), line, d, ok)
			}
		}
	}
}

// The longest line that is read at all must not stop the one who asks.
func TestDiagnoseLongLine(t *testing.T) {
	begin := time.Now()
	for _, name := range logformat.Presets() {
		f := mustFormat(t, name)
		for _, unit := range []string{"x", " ", `" `, `" "`, "1.", "{"} {
			line := `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "` + strings.Repeat(unit, 65536/len(unit))
			if d := f.Diagnose([]byte(line)); d.Column == 0 {
				t.Errorf("%s: Diagnose(%.80q) = %+v", name, line, d)
			}
		}
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("36 diagnoses took %v", took)
	}
}

func TestWarnings(t *testing.T) {
	const (
		anchors = "does not begin with ^;does not end with $;"
		tries   = `(?:[^ ,]+(?:(?:,| :) [^ ,]+)*)`
	)
	check := func(f *logformat.Format, want string) {
		t.Helper()
		var wants []string
		if want = strings.TrimSuffix(want, ";"); want != "" {
			wants = strings.Split(want, ";")
		}
		got := f.Warnings()
		same := len(got) == len(wants)
		for i := range wants {
			same = same && strings.Contains(got[i], wants[i])
		}
		if !same {
			t.Errorf("%s: Warnings() = %q, want %q", f.Regexp(), got, wants)
		}
	}
	for _, name := range logformat.Presets() {
		check(mustFormat(t, name), "")
	}
	check(mustFormat(t, `escape=json '{"uri":"$uri"}'`), "")
	check(mustFormat(t, `$remote_addr [$time_local] $uri $status $http_user_agent`), `$uri: it is not in quotes and may contain " "`)
	check(mustFormat(t, "$uri\t$request_uri $status $http_user_agent"), "")
	check(mustFormat(t, `$http_host|$request_uri|$status`), `$http_host: it is not in quotes`)
	check(mustFormat(t, `$time_iso8601 $uri$is_args$args $status $http_user_agent`), `$uri: it is not in quotes`)
	check(mustFormat(t, `$time_iso8601 $uri $status`), "")
	check(mustFormat(t, `$uri|$remote_addr:$remote_port|$time_local`), "") // which have no |
	check(mustFormat(t, `$uri:$remote_addr [$time_local]`), `$uri: it is not in quotes and may contain ":"`)
	check(mustFormat(t, `$uri-$status`), `$uri: it is not in quotes and may contain "-"`)
	check(mustFormat(t, `$uri - $status`), "")
	check(mustFormat(t, `$time_iso8601;$status;`), "")
	check(mustFormat(t, `'$time_iso8601 $status;'`), "")
	if got := mustFormat(t, "$time_iso8601 $status;\n").Warnings(); len(got) != 1 || !strings.Contains(got[0], `ends with the ";" of nginx.conf`) {
		t.Errorf("Warnings() with a semicolon = %q", got)
	}
	check(mustFormat(t, `$remote_user [$time_iso8601] $uri "$request"`), `$remote_user: it is not in quotes`)
	check(mustFormat(t, `$remote_user [$time_iso8601] "$request"`), "")
	check(mustFormat(t, `referer=$http_referer user_agent="$http_user_agent"`), "")
	check(mustFormat(t, `"urt":$upstream_response_time,"us":$upstream_status, "s":$status`), "")
	check(mustFormat(t, `$upstream_status, $upstream_response_time : $status`), `$upstream_status: ", "`+";"+`$upstream_response_time: " : "`)
	check(mustFormat(t, `escape=none '$remote_addr "$uri"'`), "a request for /a%0a… writes a newline through $uri, a TLS hello NUL bytes through $request")

	check(mustRegexp(t, lineage), "captures only the 17 of the IPv6 address 2001:db8::17;"+anchors+"$http_user_agent: (?-s:.*?) between quotes;$upstream_response_time: ")
	check(mustRegexp(t, `^(?P<status>\d+)$`), "")
	check(mustRegexp(t, `\A(?P<status>\d+)\z`), "")
	check(mustRegexp(t, `(?P<status>\d+)`), anchors)
	check(mustRegexp(t, `^(?P<remote_addr>[\d.]+)$`), "$remote_addr: [\\.0-9]+ does not match IPv6 addresses")
	check(mustRegexp(t, `addr=(?P<remote_addr>[\d.]+) `), "does not match IPv6 addresses;"+anchors)
	check(mustRegexp(t, `^(?P<remote_addr>[\da-f.:]+)$`), "")
	check(mustRegexp(t, `^(?P<remote_addr>\S+)$`), "")
	check(mustRegexp(t, `^"(?P<http_referer>.+?)" "(?P<http_user_agent>.*)"$`), "$http_referer;$http_user_agent")
	check(mustRegexp(t, `^"(?P<http_referer>[^"]+?)" "(?P<http_user_agent>[^"]*)"$`), "")
	check(mustRegexp(t, `^(?P<http_referer>.*?) (?P<http_user_agent>.*)$`), "")
	check(mustRegexp(t, `^(?P<upstream_status>\d{3}) (?P<upstream_addr>\S+) (?P<upstream_response_length>[\d-]+) (?P<upstream_connect_time>\S+)$`),
		"502, 200;10.0.0.1:80, 10.0.0.2:80;0, 612;0.010, 0.020 : 0.100")

	// What the warning recommends is safe, and takes lists.
	f := mustRegexp(t, `^(?P<upstream_response_time>`+tries+`) (?P<upstream_status>`+tries+`)$`)
	check(f, "")
	captures, ok := twinsOf(f).agree(t, []byte("0.010, 0.020 : 0.100 502, 502 : 200"))
	if !ok || string(captures[0]) != "0.010, 0.020 : 0.100" || string(captures[1]) != "502, 502 : 200" {
		t.Errorf("the recommended expression gives %q, %v", captures, ok)
	}
}
