package accesslog_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// A description is for people: nothing in it is escaped, all of it is UTF-8 and short, and
// what the schema withholds is not in it.
func TestDescribe(t *testing.T) {
	texts := map[string]func(*accesslog.Description) []byte{
		"method": func(d *accesslog.Description) []byte { return d.Method }, "path": func(d *accesslog.Description) []byte { return d.Path },
		"folded": func(d *accesslog.Description) []byte { return d.Folded }, "client": func(d *accesslog.Description) []byte { return d.Client },
		"agent": func(d *accesslog.Description) []byte { return d.Agent }, "referrer": func(d *accesslog.Description) []byte { return d.Referrer },
		"status": func(d *accesslog.Description) []byte { return d.Status },
	}
	for _, tt := range []struct {
		name   string
		change map[string]string
		schema func(*accesslog.Schema)
		whole  bool // addresses
		text   string
		want   string
	}{
		{"a plain line", nil, nil, false, "method", "GET"},
		{"a plain line", nil, nil, false, "path", "/a/b"},
		{"a plain line", nil, nil, false, "status", "302"},
		{"a plain line", nil, nil, false, "agent", "curl/8.5.0"},
		{"nothing", nil, nil, false, "referrer", ""},

		{"a query", map[string]string{"request": "GET /a?token=x HTTP/1.1"}, nil, false, "path", "/a"},
		{"a query that is kept", map[string]string{"request": "GET /a?token=x HTTP/1.1"}, func(s *accesslog.Schema) { s.KeepQuery = true }, false, "path", "/a?token=x"},
		{"no query that is kept", map[string]string{"request": "GET /a HTTP/1.1"}, func(s *accesslog.Schema) { s.KeepQuery = true }, false, "path", "/a"},
		{"a query of the page before", map[string]string{"http_referer": "https://b.example/x?q=secret"}, nil, false, "referrer", "https://b.example/x"},
		{"a path with numbers", map[string]string{"request": "GET /users/42 HTTP/1.1"}, nil, false, "path", "/users/42"},
		{"a path with numbers, folded", map[string]string{"request": "GET /users/42 HTTP/1.1"}, nil, false, "folded", "/users/:id"},
		{"a path with numbers, not folded", map[string]string{"request": "GET /users/42 HTTP/1.1"}, func(s *accesslog.Schema) { s.Fold = false }, false, "folded", "/users/42"},

		{"IPv4", nil, nil, false, "client", "46.140.4.0"},
		{"IPv4, whole", nil, nil, true, "client", "46.140.4.33"},
		{"IPv6", map[string]string{"remote_addr": "2001:db8:1:2:3:4:5:6"}, nil, false, "client", "2001:db8:1::"},
		{"IPv6, whole", map[string]string{"remote_addr": "2001:db8:1:2:3:4:5:6"}, nil, true, "client", "2001:db8:1:2:3:4:5:6"},
		{"IPv4 in IPv6", map[string]string{"remote_addr": "::ffff:192.0.2.7"}, nil, false, "client", "192.0.2.0"},
		{"a socket", map[string]string{"remote_addr": "unix:"}, nil, true, "client", ""},
		{"IPv4, masked in points, whole here", nil, func(s *accesslog.Schema) { s.Mask = []string{"remote_addr"} }, true, "client", "46.140.4.33"},

		{"escaped quotes", map[string]string{"http_user_agent": `a \x22b\x22`}, nil, false, "agent", `a "b"`},
		{"escaped umlaut", map[string]string{"http_user_agent": `M\xC3\xBCller`}, nil, false, "agent", "Müller"},
		{"bytes that are no text", map[string]string{"http_user_agent": `a\xFFb`}, nil, false, "agent", `a\xFFb`},
		{"a rune that was cut", map[string]string{"http_user_agent": `a\xE2\x82`}, nil, false, "agent", `a\xE2\x82`},
		{"raw bytes that are no text", map[string]string{"http_user_agent": "a\xffb"}, nil, false, "agent", `a\xFFb`},
		{"control characters are told as they are", map[string]string{"http_user_agent": `\x1B[31m`}, nil, false, "agent", "\x1b[31m"},

		{"just short enough", map[string]string{"http_user_agent": strings.Repeat("a", 256)}, nil, false, "agent", strings.Repeat("a", 256)},
		{"too long", map[string]string{"http_user_agent": strings.Repeat("a", 257)}, nil, false, "agent", strings.Repeat("a", 253) + "…"},
		{"much too long", map[string]string{"http_user_agent": strings.Repeat("a", 1<<20)}, nil, false, "agent", strings.Repeat("a", 253) + "…"},
		{"too long, of wide letters", map[string]string{"http_user_agent": strings.Repeat("€", 100)}, nil, false, "agent", strings.Repeat("€", 84) + "…"},
		{"too long, escaped", map[string]string{"http_user_agent": strings.Repeat(`\xE2\x82\xAC`, 100)}, nil, false, "agent", strings.Repeat("€", 84) + "…"},
		{"too long, no text", map[string]string{"http_user_agent": strings.Repeat("\xff", 300)}, nil, false, "agent", strings.Repeat(`\xFF`, 63) + "…"},
	} {
		schema := standard
		schema.Fold = true
		if tt.schema != nil {
			tt.schema(&schema)
		}
		e, err := accesslog.New(timed, schema)
		if err != nil {
			t.Fatal(err)
		}
		line := captures(tt.change)
		e.Judge(line, 1)
		var d accesslog.Description
		e.Describe(&d, line, tt.whole)
		e.DescribePath(&d, line)
		if got := string(texts[tt.text](&d)); got != tt.want {
			t.Errorf("%s: %s = %q, want %q", tt.name, tt.text, got, tt.want)
		}
		for name, of := range texts {
			if text := of(&d); !utf8.Valid(text) || len(text) > accesslog.MaxText {
				t.Errorf("%s: %s = %q, want UTF-8 of at most %d bytes", tt.name, name, text, accesslog.MaxText)
			}
		}
	}
}

// The host is the one that the request named, in whichever variable.
func TestDescribedHost(t *testing.T) {
	for variables, want := range map[string]string{
		"host": "a.example", "http_host": "a.example", "server_name": "a.example", "http_host host": "a.example", "scheme": "",
	} {
		names := append([]string{"msec"}, strings.Fields(variables)...)
		e, err := accesslog.New(names, standard)
		if err != nil {
			t.Fatal(err)
		}
		line := [][]byte{[]byte("1795168800.000")}
		for _, name := range names[1:] {
			value := "a.example"
			if name == "http_host" && len(names) > 2 {
				value = "b.example"
			}
			line = append(line, []byte(value))
		}
		e.Judge(line, 1)
		var d accesslog.Description
		e.Describe(&d, line, false)
		if string(d.Host) != want {
			t.Errorf("with $%s: host %q, want %q", variables, d.Host, want)
		}
	}
}

// Measures are worked out once a line, and anew for the next one.
func TestMeasuresAreOfTheLine(t *testing.T) {
	e, err := accesslog.New(timed, standard)
	if err != nil {
		t.Fatal(err)
	}
	for number, status := range []string{"200", "503", "-", "404", "99", "101"} {
		line := captures(map[string]string{"status": status, "bytes_sent": string(rune('1' + number))})
		e.Judge(line, int64(number))
		want := 0
		if len(status) == 3 {
			want = int(status[0] - '0')
		}
		for range 2 {
			m := e.Measures(line)
			if m.Class != want || m.Sizes[0] != int64(number+1) {
				t.Errorf("status %s: class %d and %d bytes, want %d and %d", status, m.Class, m.Sizes[0], want, number+1)
			}
		}
	}
}

// An agent is looked at in words: what is no plain text is found wherever it is in one.
func TestDescribedInWords(t *testing.T) {
	e, err := accesslog.New(timed, standard)
	if err != nil {
		t.Fatal(err)
	}
	for at := range 40 {
		before := strings.Repeat("a", at)
		for raw, want := range map[string]string{`\x22`: `"`, "\xff": `\xFF`, "é": "é", "\x7f": "\x7f"} {
			for _, after := range []string{"", "b", "bbbbbbbbb"} {
				line := captures(map[string]string{"http_user_agent": before + raw + after})
				e.Judge(line, 1)
				var d accesslog.Description
				e.Describe(&d, line, false)
				if got := string(d.Agent); got != before+want+after {
					t.Errorf("agent %q is described as %q", line[slices.Index(timed, "http_user_agent")], got)
				}
			}
		}
	}
}
