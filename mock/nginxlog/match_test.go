package nginxlog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/mock/nginxlog"
	"github.com/tailflux/tailflux/mock/traffic"
)

// What one value can look like, as strict as nginx's escaping allows.
const (
	address = `(?P<addr>[0-9a-f.:]+)`
	user    = `(?P<user>\S+)`
	local   = `\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]`
	text    = `((?:[!#-\[\]-~ ]|\\x[0-9A-F]{2})*)`
	jtext   = `((?:[^"\\\x00-\x1f]|\\["\\bfnrt]|\\u00[0-9A-F]{2})*)`
	seconds = `\d+\.\d{3}`
	tries   = `(?P<upstream>(?:-|` + seconds + `)(?:(?:, | : )(?:-|` + seconds + `))*)`
	trailer = ` (?P<status>\d{3}) (?P<bytes>\d+)`
	request = `"(?P<request>` + text + `)"`
)

var patterns = map[string]*regexp.Regexp{
	"timed":          regexp.MustCompile(`^` + address + ` - ` + user + ` ` + local + ` (?P<scheme>https?) ` + request + trailer + ` "` + text + `" "` + text + `" "(?:-|\d+\.\d\d)" ` + tries + ` (?P<rt>` + seconds + `)$`),
	"combined":       regexp.MustCompile(`^` + address + ` - ` + user + ` ` + local + ` ` + request + trailer + ` "` + text + `" "` + text + `"$`),
	"common":         regexp.MustCompile(`^` + address + ` - ` + user + ` ` + local + ` ` + request + trailer + `$`),
	"vhost_combined": regexp.MustCompile(`^(?P<host>[a-z._]+):(?:80|443) ` + address + ` - ` + user + ` ` + local + ` ` + request + trailer + ` "` + text + `" "` + text + `"$`),
	"json": regexp.MustCompile(`^\{"time":"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)","remote_addr":"` + address + `","remote_user":"` + jtext +
		`","host":"(?P<host>[a-z._]+)","scheme":"(?P<scheme>https?)","request":"(?P<request>` + jtext + `)","status":(?P<status>\d{3}),"bytes_sent":(?P<bytes>\d+),"request_length":\d+,"request_time":(?P<rt>` +
		seconds + `),"upstream_response_time":"(?:|` + tries + `)","http_referer":"` + jtext + `","http_user_agent":"` + jtext + `"\}$`),
}

// Every line that is not torn matches the pattern of its format, and what the
// pattern captures is the truth; no torn line matches the pattern of any format.
func TestLinesMatchTheirFormat(t *testing.T) {
	for _, format := range nginxlog.Names() {
		t.Run(format, func(t *testing.T) {
			g := generator(t, nginxlog.Options{
				Format:  format,
				Traffic: traffic.Options{CalmRequests: 900, OutageRequests: 100},
				Garbage: 0.05,
				Torn:    0.05,
			})
			var buf []byte
			for range 8_000 {
				buf = g.Append(buf[:0], start)
				line, ended := bytes.CutSuffix(buf, []byte("\n"))
				if !ended || bytes.Contains(line, []byte("\n")) {
					t.Fatalf("Append = %q, want one newline, at the end", buf)
				}
				if g.Kind() == nginxlog.Torn {
					for name, p := range patterns {
						if p.Match(line) {
							t.Fatalf("torn line matches %s: %q", name, line)
						}
					}
					continue
				}
				compare(t, string(line), patterns[format], g.Last())
			}
		})
	}
}

// compare holds what a pattern captures against the truth.
func compare(t *testing.T, line string, p *regexp.Regexp, truth nginxlog.Line) {
	t.Helper()
	m := p.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("%s line does not match: %q", truth.Kind, line)
	}
	check := func(group, want string) {
		if i := p.SubexpIndex(group); i >= 0 && m[i] != want {
			t.Fatalf("%s = %q, want %q, in %q", group, m[i], want, line)
		}
	}
	isJSON := line[0] == '{'
	size := truth.BodyBytesSent
	if strings.Contains(p.String(), `https?`) { // timed and json
		size = truth.BytesSent
	}
	check("addr", truth.RemoteAddr)
	check("host", truth.Host)
	check("scheme", truth.Scheme)
	check("status", strconv.Itoa(truth.Status))
	check("bytes", strconv.FormatInt(size, 10))
	check("rt", fmt.Sprintf("%.3f", truth.RequestTime.Seconds()))

	captured := m[p.SubexpIndex("request")]
	if truth.Method == "" {
		if truth.Kind != nginxlog.Garbage || strings.HasPrefix(captured, "GET ") {
			t.Fatalf("%s without method: %q", truth.Kind, line)
		}
	} else {
		want := truth.Method + " " + truth.Path + " " + truth.Protocol
		if truth.Query != "" {
			want = truth.Method + " " + truth.Path + "?" + truth.Query + " " + truth.Protocol
		}
		got := unescape(t, captured, isJSON)
		if truth.Query == "" {
			got = strings.Replace(got, "? ", " ", 1) // an empty query
		}
		if got != want {
			t.Fatalf("request = %q, want %q", got, want)
		}
	}
	if i := p.SubexpIndex("upstream"); i >= 0 {
		var sum time.Duration
		tries := strings.FieldsFunc(m[i], func(c rune) bool { return c == ',' || c == ' ' || c == ':' })
		if m[i] == "-" {
			tries = nil
		}
		for _, s := range tries {
			d, err := time.ParseDuration(s + "s")
			if err != nil {
				t.Fatal(err)
			}
			sum += d
		}
		if len(tries) != truth.UpstreamTries || sum != truth.UpstreamResponseTime {
			t.Fatalf("upstream %q, want %d tries of %v", m[i], truth.UpstreamTries, truth.UpstreamResponseTime)
		}
	}
}

var escaped = regexp.MustCompile(`\\x[0-9A-F]{2}`)

// unescape is the slow, obvious way back.
func unescape(t *testing.T, s string, isJSON bool) string {
	t.Helper()
	if !isJSON {
		return escaped.ReplaceAllStringFunc(s, func(e string) string {
			n, _ := strconv.ParseUint(e[2:], 16, 8)
			return string([]byte{byte(n)})
		})
	}
	var out []byte
	for i := 0; i < len(s); i++ { // bytes that are no UTF-8 must survive
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		end := i + 2
		if s[i+1] == 'u' {
			end = i + 6
		}
		var c string
		if err := json.Unmarshal([]byte(`"`+s[i:end]+`"`), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c...)
		i = end - 1
	}
	return string(out)
}

func TestJSONIsJSON(t *testing.T) {
	for line := range bytes.Lines(log(t, nginxlog.Options{Format: "json", Garbage: 0.2}, 10_000)) {
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
	}
}

// In formats that cannot be torn inside quotes, and with any other one, a torn
// line still misses what the format demands.
func TestTornInOtherFormats(t *testing.T) {
	for _, row := range []struct{ format, pattern string }{
		{`$remote_addr $status $request_time`, `^\S+ \d{3} ` + seconds + `$`},
		{`escape=none "$request" $status`, `^".*" \d{3}$`},
		{`"$status"`, `^"\d{3}"$`},
		{`escape=json {"r":"$request"}`, `^\{"r":"` + jtext + `"\}$`},
		{"$remote_addr\t$status", "^\\S+\t\\d{3}$"},
	} {
		p := regexp.MustCompile(row.pattern)
		for _, torn := range []float64{0, 1} {
			for line := range bytes.Lines(log(t, nginxlog.Options{Format: row.format, Torn: torn}, 3000)) {
				line = bytes.TrimSuffix(line, []byte("\n"))
				if got := p.Match(line); got != (torn == 0) {
					t.Fatalf("format %q, torn %v: %q matches: %v", row.format, torn, line, got)
				}
			}
		}
	}
}

func TestShares(t *testing.T) {
	g := generator(t, nginxlog.Options{Garbage: 0.02, Torn: 0.01})
	count := map[nginxlog.Kind]int{}
	for range 100_000 {
		g.Append(nil, start)
		count[g.Kind()]++
		if line := g.Last(); line.Kind != g.Kind() || line.Kind == nginxlog.Torn && line != (nginxlog.Line{Kind: nginxlog.Torn}) {
			t.Fatalf("Last() = %+v after a %s line", line, g.Kind())
		}
	}
	if n := count[nginxlog.Garbage]; n < 1800 || n > 2200 {
		t.Errorf("%d garbage lines in 100,000, want about 2,000", n)
	}
	if n := count[nginxlog.Torn]; n < 850 || n > 1150 {
		t.Errorf("%d torn lines in 100,000, want about 1,000", n)
	}
}
