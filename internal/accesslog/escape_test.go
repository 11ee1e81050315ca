package accesslog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// one encodes a line of the variables, given as name, value, name, value; the
// time is added. It returns the point without its head and its time, or the
// reason for which there is none, in brackets.
func one(t testing.TB, s accesslog.Schema, line ...string) string {
	t.Helper()
	s.Measurement, s.Host, s.Source = "m", "h", "s"
	names, values := []string{"msec"}, [][]byte{[]byte("1795168800.123")}
	for i := 0; i < len(line); i += 2 {
		names, values = append(names, line[i]), append(values, []byte(line[i+1]))
	}
	e, err := accesslog.New(names, s)
	if err != nil {
		t.Fatal(err)
	}
	got, why := appended(e, nil, values, 1)
	if why != "" {
		return "[" + why + "]"
	}
	point := strings.TrimSuffix(string(got), " 1795168800123000001\n")
	return strings.Replace(strings.TrimPrefix(point, "m,"), "host=h,", "", 1)
}

// field is the string field of a variable.
func field(t testing.TB, s accesslog.Schema, variable, value string) string {
	t.Helper()
	s.Fields = []string{variable}
	got := one(t, s, variable, value)
	got = strings.TrimSuffix(strings.TrimPrefix(got, "host=h,source=s "+variable+`="`), `"`)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(strings.TrimPrefix(got, "source=s "+variable+`="`))
}

func TestEscapes(t *testing.T) {
	for _, tt := range []struct{ escape, give, want string }{
		{"default", `plain`, `plain`},
		{"default", `a\x22b\x5Cc`, `a"b\c`}, // logstash #7779
		{"default", `\xD0\x9F\xD1\x80`, `Пр`},
		{"", `\xC3\xA9t\xC3\xA9`, `été`},
		{"default", `\x0A\x00\x7F`, "\uFFFD\uFFFD\uFFFD"}, // InfluxDB refuses them
		{"default", `\xFF`, "\uFFFD"},                     // no UTF-8
		{"default", `\x5Cx41`, `\x41`},                    // what the client sent
		{"default", `\x41`, `\x41`},                       // nginx does not write this, nor these
		{"default", `\xd0\x9f`, `\xd0\x9f`},
		{"default", `\"\\n\u0041`, `\"\\n\u0041`},
		{"default", `end\`, `end\`},
		{"default", `end\x`, `end\x`},
		{"default", `end\x2`, `end\x2`},
		{"default", `\x2G\xG2`, `\x2G\xG2`},
		{"apache", `a\x22b\x5Cc \x5C\x5Cn \x5Cx41`, `a"b\c \\n \x41`}, // nginx's
		{"apache", `C:\\x\"`, `C:\x"`},
		{"apache", `\xd0\x9f\xD1\x80`, `Пр`},
		{"apache", `\n\r\t\b\v\x7f`, strings.Repeat("\uFFFD", 6)},
		{"apache", `\\x22\\n`, `\x22\n`},
		{"apache", `\x41\q\u0041\x2g\f`, `\x41\q\u0041\x2g\f`}, // nobody writes these
		{"apache", `end\`, `end\`},
		{"apache", `end\x2`, `end\x2`},
		{"json", `a\"b\\c`, `a"b\c`},
		{"json", `\\x22\\n`, `\x22\n`},
		{"json", `\x22`, `\x22`},
		{"json", "Пр", "Пр"},
		{"json", `\n\r\t\b\f\u0000\u001F`, strings.Repeat("\uFFFD", 7)},
		{"json", `\u0041\u00e9\u001f\u002F\/\'`, `\u0041\u00e9\u001f\u002F\/\'`}, // nginx does not write these
		{"json", `end\`, `end\`},
		{"json", `end\u001`, `end\u001`},
		{"none", `a\x22b\"\\`, `a\x22b\"\\`},
	} {
		if got := field(t, accesslog.Schema{Escape: tt.escape}, "http_x", tt.give); got != tt.want {
			t.Errorf("escape=%s: %s = %q, want %q", tt.escape, tt.give, got, tt.want)
		}
	}
	if _, err := accesslog.New([]string{"msec"}, accesslog.Schema{Escape: "xml"}); err == nil {
		t.Error("escape=xml is no error")
	}
}

// What is escaped is no separator: the request is cut first.
func TestEscapesInARequest(t *testing.T) {
	s := accesslog.Schema{Tags: []string{"method", "path", "query", "protocol"}}
	for _, tt := range []struct{ give, want string }{
		{`GET /\xD0\x9F?q=\x22x\x22 HTTP/1.1`, `method=GET,path=/П,protocol=HTTP/1.1,query="x",source=s count=1i`},
		{`GET /a\x0AHTTP/1.1 HTTP/1.0`, "method=GET,path=/a?HTTP/1.1,protocol=HTTP/1.0,source=s count=1i"},
		{`GET /%D0%9F%20a HTTP/1.1`, `method=GET,path=/%D0%9F%20a,protocol=HTTP/1.1,source=s count=1i`},
		{`GET /a\x5C HTTP/1.1`, "method=GET,path=/a?,protocol=HTTP/1.1,source=s count=1i"}, // telegraf #7558
		{`\x16\x03\x01\x02\x00`, `source=s count=1i`},                                      // vrl #226
	} {
		want := strings.Replace(tt.want, `query="x"`, `query=q\="x"`, 1)
		if got := one(t, s, "request", tt.give); got != want {
			t.Errorf("%s = %s, want %s", tt.give, got, want)
		}
	}
}

// nginxDefault and nginxJSON write as nginx does, from its source:
// ngx_http_log_escape and ngx_escape_json.
func nginxDefault(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02X`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func nginxJSON(s string) string {
	short := map[byte]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case short[c] != "":
			b.WriteString(short[c])
		case c < 0x20:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// apache writes as Apache does: ap_escape_logitem.
func apache(s string) string {
	short := map[byte]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\v': `\v`}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case short[c] != "":
			b.WriteString(short[c])
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func FuzzEscapes(f *testing.F) {
	for _, seed := range []string{"", "a", "é\\\"\n", "\x00\x1f\x7f\xff", `\x41\u0041\\`, "-"} {
		f.Add(seed)
	}
	none := accesslog.Schema{Escape: "none"}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" || s == "-" {
			t.Skip("absent")
		}
		// A variable whose value is taken as it is, and one that is escaped,
		// become the same field.
		want := field(t, none, "http_x", s)
		if got := field(t, accesslog.Schema{Escape: "default"}, "http_x", nginxDefault(s)); got != want {
			t.Errorf("escape=default of %q = %q, want %q", s, got, want)
		}
		if got := field(t, accesslog.Schema{Escape: "apache"}, "http_x", nginxDefault(s)); got != want {
			t.Errorf("escape=default of %q, or Apache's = %q, want %q", s, got, want)
		}
		if got := field(t, accesslog.Schema{Escape: "apache"}, "http_x", apache(s)); got != want {
			t.Errorf("%q as Apache writes it = %q, want %q", s, got, want)
		}
		if got := field(t, accesslog.Schema{Escape: "json"}, "http_x", nginxJSON(s)); got != want {
			t.Errorf("escape=json of %q = %q, want %q", s, got, want)
		}
		for _, escape := range []string{"default", "apache", "json"} { // whatever stands there
			if got := field(t, accesslog.Schema{Escape: escape}, "http_x", s); len(got) > 3*len(s) {
				t.Errorf("escape=%s: %q = %q", escape, s, got)
			}
		}
	})
}
