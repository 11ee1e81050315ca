package accesslog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/influxdata/influxdb1-client/models"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

var timed = []string{
	"remote_addr", "remote_user", "time_local", "scheme", "request", "status", "bytes_sent",
	"http_referer", "http_user_agent", "gzip_ratio", "upstream_response_time", "request_time",
}

var standard = accesslog.Schema{
	Measurement: "nginx_access", Host: "web1", Source: "web",
	Tags: []string{"method", "status", "scheme", "path"},
	Fields: []string{
		"bytes_sent", "body_bytes_sent", "request_length", "request_time",
		"upstream_response_time", "upstream_connect_time", "upstream_header_time",
	},
}

// A good line, as its captures.
func captures(change map[string]string) (c [][]byte) {
	good := []string{
		"46.140.4.33", "-", "20/Nov/2026:10:00:00 +0000", "https", "GET /a/b?t=1 HTTP/1.1", "302", "6944",
		"-", "curl/8.5.0", "2.76", "0.323", "0.340",
	}
	var line []byte
	var ends []int
	for i, name := range timed {
		value := good[i]
		if changed, ok := change[name]; ok {
			value = changed
		}
		line = append(line, value...)
		ends = append(ends, len(line))
		line = append(line, behind...)
	}
	from := 0
	for _, end := range ends {
		c = append(c, line[from:end])
		from = end + len(behind)
	}
	return c
}

// behind stands in the line behind each capture, within its capacity.
const behind = "?# "

// appended appends, and says why there is no point; "" if there is one.
func appended(e *accesslog.Encoder, dst []byte, captures [][]byte, number int64) (points []byte, why string) {
	points, outcome := e.Append(dst, captures, number)
	switch outcome {
	case accesslog.Filtered:
		why = "filtered"
	case accesslog.Rejected:
		why = "bad time"
	case accesslog.Point:
	}
	return points, why
}

func TestAppend(t *testing.T) {
	const (
		head = "nginx_access,host=web1"
		tags = head + ",method=GET,path=/a/b,scheme=https,source=web,status=302"
		nums = " bytes_sent=6944i,request_time=0.340,upstream_response_time=0.323"
		at   = " 1795168800000000007\n"
	)
	for _, tt := range []struct {
		name   string
		change map[string]string
		want   string // or the reason
	}{
		{"a good line", nil, tags + nums + at},
		{"no upstream", map[string]string{"upstream_response_time": "-"}, tags + " bytes_sent=6944i,request_time=0.340" + at},
		{"upstream list", map[string]string{"upstream_response_time": "0.010, 0.020"}, tags + " bytes_sent=6944i,request_time=0.340,upstream_response_time=0.030" + at},
		{"upstream groups", map[string]string{"upstream_response_time": "0.010, 0.020 : 1.1"}, tags + " bytes_sent=6944i,request_time=0.340,upstream_response_time=1.130" + at},
		{"upstream list with a server that did not answer", map[string]string{"upstream_response_time": "-, 0.020"}, tags + " bytes_sent=6944i,request_time=0.340,upstream_response_time=0.020" + at},
		{"upstream list of none that answered", map[string]string{"upstream_response_time": "-, -"}, tags + " bytes_sent=6944i,request_time=0.340" + at},
		{"a number that is none", map[string]string{"upstream_response_time": "1.2.3", "bytes_sent": "12x"}, tags + " request_time=0.340" + at},
		{"an integer over 64 bits", map[string]string{"bytes_sent": "9223372036854775808"}, tags + " request_time=0.340,upstream_response_time=0.323" + at},
		{"the largest integer", map[string]string{"bytes_sent": "9223372036854775807"}, tags + " bytes_sent=9223372036854775807i,request_time=0.340,upstream_response_time=0.323" + at},
		{"NaN and Inf", map[string]string{"request_time": "NaN", "upstream_response_time": "Inf"}, tags + " bytes_sent=6944i" + at},
		{"no number at all", map[string]string{"request_time": "-", "upstream_response_time": "-", "bytes_sent": "-"}, tags + " count=1i" + at},
		{"TLS hello", map[string]string{"request": `\x16\x03\x01`, "status": "400"}, head + ",scheme=https,source=web,status=400" + nums + at},
		{"empty request", map[string]string{"request": "", "status": "408"}, head + ",scheme=https,source=web,status=408" + nums + at},
		{"absent request", map[string]string{"request": "-", "status": "408"}, head + ",scheme=https,source=web,status=408" + nums + at},
		{"HTTP/0.9", map[string]string{"request": "GET /old"}, head + ",method=GET,path=/old,scheme=https,source=web,status=302" + nums + at},
		{"spaces in the target", map[string]string{"request": "GET /a b c HTTP/1.1"}, head + `,method=GET,path=/a\ b\ c,scheme=https,source=web,status=302` + nums + at},
		{"absolute target", map[string]string{"request": "GET http://example.com/x?y HTTP/1.1"}, head + ",method=GET,path=/x,scheme=https,source=web,status=302" + nums + at},
		{"absolute target without a path", map[string]string{"request": "GET http://example.com HTTP/1.1"}, head + ",method=GET,path=/,scheme=https,source=web,status=302" + nums + at},
		{"CONNECT", map[string]string{"request": "CONNECT example.com:443 HTTP/1.1"}, head + ",method=CONNECT,scheme=https,source=web,status=302" + nums + at},
		{"OPTIONS *", map[string]string{"request": "OPTIONS * HTTP/1.1"}, head + ",method=OPTIONS,path=*,scheme=https,source=web,status=302" + nums + at},
		{"no protocol that is one", map[string]string{"request": "GET / FTP/1.0"}, head + ",scheme=https,source=web,status=302" + nums + at},
		{"a space in the version", map[string]string{"request": "GET / HTTP/ .1"}, head + ",scheme=https,source=web,status=302" + nums + at},
		{"a space at the end of the version", map[string]string{"request": "GET / HTTP/1.1 "}, head + ",method=GET,path=/,scheme=https,source=web,status=302" + nums + at},
		{"two spaces", map[string]string{"request": "GET   /x  HTTP/1.1"}, head + ",method=GET,path=/x,scheme=https,source=web,status=302" + nums + at},
		{"no target", map[string]string{"request": "GET  HTTP/1.1"}, head + ",scheme=https,source=web,status=302" + nums + at},
		{"a space after HTTP/0.9", map[string]string{"request": "GET /x "}, head + ",method=GET,path=/x,scheme=https,source=web,status=302" + nums + at},
		{"a URL in the query of no path", map[string]string{"request": "GET login?next=http://evil/secret HTTP/1.1"}, head + ",method=GET,scheme=https,source=web,status=302" + nums + at},
		{"HTTP/2", map[string]string{"request": "GET /a/b HTTP/2"}, tags + nums + at},
		{"small letters", map[string]string{"request": "get / HTTP/1.0"}, head + ",scheme=https,source=web,status=302" + nums + at},
		{"a tag that InfluxDB refuses", map[string]string{"request": "GET /a\\ HTTP/1.1"}, head + ",method=GET,path=/a?,scheme=https,source=web,status=302" + nums + at},
		{"another zone", map[string]string{"time_local": "20/Nov/2026:11:30:00 +0130"}, tags + nums + at},
		{"west", map[string]string{"time_local": "19/Nov/2026:23:59:59 -1000"}, tags + nums + " 1795168799000000007\n"},
		{"no time", map[string]string{"time_local": "-"}, "bad time"},
		{"February 30", map[string]string{"time_local": "30/Feb/2026:10:00:00 +0000"}, "bad time"},
		{"before 1970", map[string]string{"time_local": "31/Dec/1969:23:59:59 +0000"}, "bad time"},
		{"the last second", map[string]string{"time_local": "11/Apr/2262:23:47:15 +0000"}, tags + nums + " 9223372035000000007\n"},
		{"after it", map[string]string{"time_local": "11/Apr/2262:23:47:16 +0000"}, "bad time"},
		{"a second that is none", map[string]string{"time_local": "20/Nov/2026:10:00:60 +0000"}, "bad time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := accesslog.New(timed, standard)
			if err != nil {
				t.Fatal(err)
			}
			got, why := appended(e, []byte("before\n"), captures(tt.change), 7)
			if !strings.HasSuffix(tt.want, "\n") {
				if why != tt.want || string(got) != "before\n" {
					t.Fatalf("Append = %q, %q, want reason %q", got, why, tt.want)
				}
				return
			}
			if string(got) != "before\n"+tt.want || why != "" {
				t.Errorf("Append =\n%q, %q, want\n%q", got, why, tt.want)
			}
			if _, err := models.ParsePointsWithPrecision([]byte(tt.want), time.Time{}, "ns"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	for _, tt := range []struct {
		variable, text string
		number         int64
		want           int64 // 0 is for a bad time
	}{
		{"time_local", "20/Nov/2026:10:00:00 +0000", 1, 1795168800_000000001},
		{"time_local", "20/Nov/2026:10:00:00 +0000", 2_000_000_001, 1795168800_000000001},
		{"time_local", "20/Nov/2026:10:00:00", 1, 0}, // telegraf #3020; see TestTimezone
		{"time_iso8601", "2026-11-20T10:00:00+00:00", 5, 1795168800_000000005},
		{"time_iso8601", "2026-11-20T12:00:00+02:00", 5, 1795168800_000000005},
		{"time_iso8601", "2026-11-20T10:00:00Z", 5, 1795168800_000000005},
		{"time_iso8601", "2026-11-20T05:30:00-04:30", 5, 1795168800_000000005},
		{"time_local", "20/Nov/2026:05:00:00 -0500", 1, 1795168800_000000001},
		{"time_local", "29/Feb/2028:00:00:00 +0000", 1, 1835395200_000000001},
		{"time_local", "29/Feb/2026:10:00:00 +0000", 1, 0},
		{"time_iso8601", "2026-04-31T10:00:00Z", 1, 0},
		{"time_iso8601", "2026-11-20 10:00:00+00:00", 5, 1795168800_000000005},
		{"time_iso8601", "2026-11-20T10:00:00.123Z", 5, 1795168800_123000005},
		{"time_iso8601", "2026-11-20T10:00:00.123Z", 1_000_005, 1795168800_123000005},
		{"time_iso8601", "2026-11-20T10:00:00.12Z", 1_000_005, 1795168800_121000005},
		{"time_iso8601", "2026-11-20T10:00:00.123456Z", 1_005, 1795168800_123456005},
		{"time_iso8601", "2026-11-20T10:00:00.123456789Z", 5, 1795168800_123456789},
		{"time_iso8601_ms", "2026-11-20T10:00:00.123+00:00", 5, 1795168800_123000005},
		{"time_local", "20/Nov/2026:10:00:00.123 +0000", 5, 1795168800_123000005},
		{"msec", "1795168800.123", 5, 1795168800_123000005},
		{"msec", "1795168800.123", 1_000_005, 1795168800_123000005},
		{"msec", "1795168800", 5, 1795168800_000000005},
		{"msec", "1795168800123", 5, 1795168800_123000005},
		{"msec", "1795168800123456789", 5, 1795168800_123456789},
		{"msec", "1795168800123000000", 5, 1795168800_123000005},
		{"msec", "1795168800.12x", 5, 0},
		{"msec", "9999999999.999", 5, 0},
	} {
		e, err := accesslog.New([]string{tt.variable}, accesslog.Schema{Measurement: "m", Host: "h", Source: "s"})
		if err != nil {
			t.Fatal(err)
		}
		got, why := appended(e, nil, [][]byte{[]byte(tt.text)}, tt.number)
		if tt.want == 0 {
			if why != "bad time" {
				t.Errorf("%s %q = %q, want a bad time", tt.variable, tt.text, got)
			}
			continue
		}
		points, err := models.ParsePoints(got)
		if err != nil || points[0].UnixNano() != tt.want {
			t.Errorf("%s %q, line %d = %q, %v, want %d", tt.variable, tt.text, tt.number, got, err, tt.want)
		}
	}
}

func TestTimezone(t *testing.T) {
	for _, tt := range []struct {
		zone, variable, text string
		want                 string // "" is for a bad time
	}{
		{"UTC", "time_local", "04/Mar/2018:13:49:52", "2018-03-04T13:49:52Z"},
		{"Europe/Berlin", "time_local", "04/Mar/2018:13:49:52", "2018-03-04T12:49:52Z"},
		{"Europe/Berlin", "time_local", "04/Jul/2018:13:49:52", "2018-07-04T11:49:52Z"},
		{"Europe/Berlin", "time_local", "04/Jul/2018:13:49:52 +0000", "2018-07-04T13:49:52Z"}, // its own zone counts
		{"Europe/Berlin", "time_iso8601", "2018-07-04T13:49:52", "2018-07-04T11:49:52Z"},
		{"Europe/Berlin", "time_iso8601", "2018-07-04T13:49:52Z", "2018-07-04T13:49:52Z"},
		{"Europe/Berlin", "time_iso8601", "2018-07-04T13:49:52-01:00", "2018-07-04T14:49:52Z"},
		{"Europe/Berlin", "time_local", "25/Mar/2018:02:30:00", ""},                     // skipped
		{"Europe/Berlin", "time_local", "28/Oct/2018:02:30:00", "2018-10-28T00:30:00Z"}, // there twice: the first
		{"Europe/Berlin", "time_local", "31/Feb/2018:02:30:00", ""},
		{"Europe/Berlin", "time_local", "01/Jan/1970:00:30:00", ""}, // 1969 in UTC
		{"Europe/Berlin", "time_local", "04/Mar/2018:13:49:5", ""},
		{"Europe/Berlin", "time_local", "04/Mar/2018:13:49:52 ", ""},
		{"Europe/Berlin", "msec", "1520171392.000", "2018-03-04T13:49:52Z"},
	} {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		e, err := accesslog.New([]string{tt.variable}, accesslog.Schema{Measurement: "m", Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		_, why := appended(e, nil, [][]byte{[]byte(tt.text)}, 1)
		if got := e.Time().UTC().Format(time.RFC3339); (why == "") != (tt.want != "") || why == "" && got != tt.want || why != "" && why != "bad time" {
			t.Errorf("%s in %s = %s, %q, want %s", tt.text, tt.zone, got, why, tt.want)
		}
	}
}

// What nginx writes when several upstream servers were asked, or none.
func TestUpstreamLists(t *testing.T) {
	s := accesslog.Schema{Fields: []string{"upstream_status", "upstream_addr", "upstream_response_time", "upstream_bytes_sent", "upstream_tries"}}
	const absent = "source=s count=1i"
	for _, tt := range []struct{ variable, give, want string }{
		{"upstream_response_time", "0.010, 0.020 : 0.100", "upstream_response_time=0.130,upstream_tries=3i"}, // nginxlog-exporter #217, #274
		{"upstream_response_time", "0.010", "upstream_response_time=0.010,upstream_tries=1i"},
		{"upstream_response_time", "0.010 : ", "upstream_response_time=0.010,upstream_tries=1i"},
		{"upstream_response_time", "0.010, ", "upstream_response_time=0.010,upstream_tries=1i"},
		{"upstream_response_time", "0.010, - : 0.1", "upstream_response_time=0.110,upstream_tries=3i"},
		{"upstream_response_time", "-", absent}, // nginxlog-exporter #224
		{"upstream_response_time", "", absent},
		{"upstream_response_time", "-, -", "upstream_tries=2i"},
		{"upstream_response_time", "0.010, x", "upstream_tries=2i"},
		{"upstream_response_time", strings.Repeat("9999999999.999, ", 1000), "upstream_tries=1000i"}, // no sum over 64 bits
		{"upstream_bytes_sent", "61, -", "upstream_bytes_sent=61i,upstream_tries=2i"},                // beats #30697
		{"upstream_bytes_sent", "9223372036854775807, 1", "upstream_tries=2i"},
		{"upstream_bytes_sent", "-5, 1", "upstream_tries=2i"},
		{"upstream_status", "502, 200", "upstream_status=200i,upstream_tries=2i"},
		{"upstream_status", "502, -", "upstream_status=502i,upstream_tries=2i"},
		{"upstream_status", "502 : ", "upstream_status=502i,upstream_tries=1i"},
		{"upstream_addr", "10.0.0.1:80, 10.0.0.2:80", `upstream_addr="10.0.0.2:80",upstream_tries=2i`},
		{"upstream_addr", "unix:/a.sock : 10.0.0.2:80", `upstream_addr="10.0.0.2:80",upstream_tries=2i`},
		{"upstream_addr", "[::1]:80", `upstream_addr="[::1]:80",upstream_tries=1i`},
	} {
		if got := one(t, s, tt.variable, tt.give); strings.TrimPrefix(got, "source=s ") != strings.TrimPrefix(tt.want, "source=s ") {
			t.Errorf("%s %.50s = %s, want %s", tt.variable, tt.give, got, tt.want)
		}
	}
	tags := accesslog.Schema{Tags: []string{"upstream_status", "upstream_tries", "upstream_response_time", "upstream_bytes_sent"}}
	for _, tt := range []struct{ variable, give, want string }{
		{"upstream_status", "502, 200", "source=s,upstream_status=200,upstream_tries=2 count=1i"},
		{"upstream_response_time", "0.010, 0.020", "source=s,upstream_response_time=0.030,upstream_tries=2 count=1i"},
		{"upstream_response_time", "-, -", "source=s,upstream_tries=2 count=1i"},
		{"upstream_bytes_sent", "61, 612", "source=s,upstream_bytes_sent=673,upstream_tries=2 count=1i"},
	} {
		if got := one(t, tags, tt.variable, tt.give); got != tt.want {
			t.Errorf("tags of %s %s: %s, want %s", tt.variable, tt.give, got, tt.want)
		}
	}
}

// HAProxy writes a sign before what goes on, and other programs may do so; line protocol
// has none.
func TestNumbersWithAPlus(t *testing.T) {
	s := accesslog.Schema{Fields: []string{"bytes_sent", "request_time", "upstream_response_time", "upstream_bytes_sent"}}
	const absent = "source=s count=1i"
	for _, tt := range []struct{ variable, give, want string }{
		{"bytes_sent", "+0", "bytes_sent=0i"},
		{"bytes_sent", "+212", "bytes_sent=212i"},
		{"bytes_sent", "+2750123", "bytes_sent=2750123i"},
		{"bytes_sent", "+9223372036854775807", "bytes_sent=9223372036854775807i"},
		{"bytes_sent", "+9223372036854775808", absent},
		{"bytes_sent", "-5", "bytes_sent=-5i"},
		{"bytes_sent", "+", absent},
		{"bytes_sent", "++5", absent},
		{"bytes_sent", "+-5", absent},
		{"bytes_sent", "-+5", absent},
		{"request_time", "+0.109", "request_time=0.109"},
		{"request_time", "+5", "request_time=5"},
		{"request_time", "+-5", absent},
		{"request_time", "+x", absent},
		{"upstream_response_time", "+0.1, +0.2", "upstream_response_time=0.300"},
		{"upstream_bytes_sent", "+5, 7", "upstream_bytes_sent=12i"},
	} {
		if got := one(t, s, tt.variable, tt.give); strings.TrimPrefix(got, "source=s ") != strings.TrimPrefix(tt.want, "source=s ") {
			t.Errorf("%s %q = %s, want %s", tt.variable, tt.give, got, tt.want)
		}
	}
}

// What the operator says of a variable counts before what the table says, and numbers
// are absent and lists like those of nginx.
func TestTypesOfFields(t *testing.T) {
	kinds := map[string]nginxvar.Kind{"cost": nginxvar.Int, "lag": nginxvar.Float, "upstream_response_time": nginxvar.String, "status": nginxvar.Float}
	s := accesslog.Schema{
		Dialect: nginxvar.Dialect{Types: kinds},
		Fields:  []string{"cost", "lag", "upstream_response_time", "status", "other", "bytes_received", "session_time", "upstream_session_time"},
	}
	const absent = "source=s count=1i"
	for _, tt := range []struct{ variable, give, want string }{
		{"cost", "7", "cost=7i"},
		{"cost", "3, 4", "cost=7i"},
		{"cost", "3, -", "cost=3i"},
		{"cost", "-", absent},
		{"cost", "", absent},
		{"cost", "1.5", absent},
		{"lag", "7", "lag=7"},
		{"lag", "0.001, 0.024", "lag=0.025"},
		{"lag", "abc", absent},
		{"upstream_response_time", "0.010, 0.020", `upstream_response_time="0.010, 0.020"`},
		{"status", "200", "status=200"},
		{"other", "7", `other="7"`}, // nobody says what it is
		{"bytes_received", "439", "bytes_received=439i"},
		{"session_time", "440.473", "session_time=440.473"},
		{"upstream_session_time", "0.001, 0.002", "upstream_session_time=0.003"},
	} {
		if got := one(t, s, tt.variable, tt.give); strings.TrimPrefix(got, "source=s ") != strings.TrimPrefix(tt.want, "source=s ") {
			t.Errorf("%s %q = %s, want %s", tt.variable, tt.give, got, tt.want)
		}
	}
}

// Without $request its parts come from the variables that say the same.
func TestStandIns(t *testing.T) {
	s := accesslog.Schema{Tags: []string{"method", "path", "query", "protocol"}}
	renamed := s
	renamed.Dialect.Rename = map[string]string{"verb": "request_method"}
	for _, tt := range []struct {
		line []string
		want string
	}{
		{[]string{"request_method", "GET", "request_uri", "/a?b", "server_protocol", "HTTP/2.0"}, "method=GET,path=/a,protocol=HTTP/2.0,query=b,source=s"},
		{[]string{"uri", "/a", "args", "b"}, "path=/a,query=b,source=s"},
		{[]string{"request", "GET /a?b HTTP/1.1", "uri", "/index.html", "args", "c"}, "method=GET,path=/a,protocol=HTTP/1.1,query=b,source=s"},
		// After an error_page nginx goes on with GET /50x.html: $request is what was asked for.
		{[]string{"request", "POST /a?b HTTP/1.1", "request_method", "GET", "uri", "/50x.html"}, "method=POST,path=/a,protocol=HTTP/1.1,query=b,source=s"},
		{[]string{"request", "POST /a HTTP/1.1", "method", "PUT", "request_method", "GET"}, "method=PUT,path=/a,protocol=HTTP/1.1,source=s"}, // a rename, or a group
		{[]string{"request", "-", "request_method", "GET"}, "method=GET,source=s"},
		{[]string{"request_uri", "-"}, "source=s"},
		{[]string{"request_uri", ""}, "source=s"},
	} {
		if got := one(t, s, tt.line...); got != tt.want+" count=1i" {
			t.Errorf("%q = %s, want %s", tt.line, got, tt.want)
		}
	}
	if got := one(t, renamed, "request", "POST /a HTTP/1.1", "request_method", "PUT"); got != "method=PUT,path=/a,protocol=HTTP/1.1,source=s count=1i" {
		t.Errorf("with a rename to request_method: %s", got)
	}
}

// Lines of different seconds, as nginx logs them out of order, keep their own.
func TestSecondsChange(t *testing.T) {
	e, err := accesslog.New([]string{"msec"}, accesslog.Schema{Measurement: "m", Host: "h", Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	for i, second := range []string{"1795168800", "1795168801", "1795168800", "5", "1795168801"} {
		got, _ := e.Append(nil, [][]byte{[]byte(second + ".120")}, int64(i))
		if want := fmt.Sprintf("m,host=h,source=s count=1i %s12000000%d\n", second, i); string(got) != want {
			t.Errorf("Append = %q, want %q", got, want)
		}
	}
}

// The finest time of a format is taken.
func TestFinestTime(t *testing.T) {
	e, err := accesslog.New([]string{"time_local", "msec"}, accesslog.Schema{Measurement: "m", Host: "h", Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := e.Append(nil, [][]byte{[]byte("20/Nov/2026:10:00:00 +0000"), []byte("1795168800.123")}, 1)
	if want := "m,host=h,source=s count=1i 1795168800123000001\n"; string(got) != want {
		t.Errorf("Append = %q, want %q", got, want)
	}
}

func TestChosenTagsAndFields(t *testing.T) {
	names := []string{"time_local", "host", "request_uri", "upstream_status", "upstream_addr", "upstream_response_time", "server_protocol", "connection", "http_user_agent"}
	line := [][]byte{
		[]byte("20/Nov/2026:10:00:00 +0000"), []byte("example.com"), []byte("/x y"), []byte("502, 200"),
		[]byte("10.0.0.1:80, unix:/run/a b"), []byte("0.1, 0.2"), []byte("HTTP/2.0"), []byte("17"), []byte(`a "quoted" \ agent`),
	}
	e, err := accesslog.New(names, accesslog.Schema{
		Measurement: "my log", Host: "a b", Source: "x=y",
		Tags:   []string{"vhost", "upstream_addr", "protocol", "nowhere"},
		Fields: []string{"upstream_status", "upstream_tries", "connection", "http_user_agent", "request_uri"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, why := appended(e, nil, line, 1)
	want := `my\ log,host=a\ b,protocol=HTTP/2.0,source=x\=y,upstream_addr=unix:/run/a\ b,vhost=example.com ` +
		`upstream_status=200i,upstream_tries=2i,connection=17i,http_user_agent="a \"quoted\" \\ agent",request_uri="/x y" 1795168800000000001` + "\n"
	if string(got) != want || why != "" {
		t.Errorf("Append =\n%s, %q, want\n%s", got, why, want)
	}
}

// A name that the format has is that variable, also where it would be another one's.
func TestNamesOfTheFormatComeFirst(t *testing.T) {
	s := accesslog.Schema{
		Tags: []string{"client", "vhost", "upstream_tries", "user_agent", "referer"}, Fields: []string{"x_forwarded_for"},
		Mask: []string{"x_forwarded_for"},
	}
	for _, tt := range []struct {
		line []string
		want string
	}{
		{
			[]string{"client", "c", "vhost", "v", "upstream_tries", "7", "remote_addr", "192.0.2.7", "host", "h", "upstream_status", "200"},
			"client=c,source=s,upstream_tries=7,vhost=v count=1i",
		},
		{
			[]string{"remote_addr", "192.0.2.7", "host", "h", "http_user_agent", "a", "http_referer", "/x?y", "http_x_forwarded_for", "10.1.2.3"},
			`client=192.0.2.7,referer=/x,source=s,user_agent=a,vhost=h x_forwarded_for="10.1.2.0"`,
		},
	} {
		if got := one(t, s, tt.line...); got != tt.want {
			t.Errorf("%q = %s, want %s", tt.line, got, tt.want)
		}
	}
}

// Encoders that share what they remember do not disturb each other.
func TestFor(t *testing.T) {
	one, err := accesslog.New(timed, standard)
	if err != nil {
		t.Fatal(err)
	}
	two := one.For("t w,o")
	first, second := captures(nil), captures(map[string]string{
		"time_local": "20/Nov/2026:10:00:01 +0000", "request": "POST /c HTTP/1.1", "status": "404",
	})
	for range 3 {
		for _, tt := range []struct {
			e        *accesslog.Encoder
			captures [][]byte
			want     string
		}{
			{one, first, "nginx_access,host=web1,method=GET,path=/a/b,scheme=https,source=web,status=302 bytes_sent=6944i,request_time=0.340,upstream_response_time=0.323 1795168800000000001\n"},
			{two, second, `nginx_access,host=web1,method=POST,path=/c,scheme=https,source=t\ w\,o,status=404 bytes_sent=6944i,request_time=0.340,upstream_response_time=0.323 1795168801000000001` + "\n"},
		} {
			if got, outcome := tt.e.Append(nil, tt.captures, 1); string(got) != tt.want || outcome != accesslog.Point {
				t.Errorf("Append =\n%q, want\n%q", got, tt.want)
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{[]string{"remote_addr"}, "no time: the format needs $time_local, $time_iso8601, $time_iso8601_ms or $msec"},
		{[]string{"time_local", "source"}, `the name "source" is reserved`},
		{[]string{"time"}, `the name "time" is reserved`},
	} {
		if _, err := accesslog.New(tt.names, standard); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("New(%q) = %v, want %s", tt.names, err, tt.want)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	e, err := accesslog.New(timed, standard)
	if err != nil {
		b.Fatal(err)
	}
	line := captures(nil)
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	number := int64(0)
	for b.Loop() {
		number++
		dst, _ = e.Append(dst[:0], line, number)
	}
}

// What an encoder keeps of the last time is not shared with those made of it.
func TestForHasATimeOfItsOwn(t *testing.T) {
	e, err := accesslog.New([]string{"msec"}, accesslog.Schema{Measurement: "m", Host: "h", Source: "a"})
	if err != nil {
		t.Fatal(err)
	}
	stamp := func(e *accesslog.Encoder, text string, want int64) {
		t.Helper()
		got, _ := e.Append(nil, [][]byte{[]byte(text)}, 1)
		points, err := models.ParsePoints(got)
		if err != nil || points[0].UnixNano() != want {
			t.Errorf("%s = %q, %v, want %d", text, got, err, want)
		}
	}
	stamp(e, "1795168800.123", 1795168800_123000001)
	other := e.For("b")
	stamp(other, "1795168800.456", 1795168800_456000001)
	stamp(e, "1795168800.456", 1795168800_456000001)
	stamp(other, "1795168800.123", 1795168800_123000001)
}
