package logformat_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

// lineage is the pattern that tutorials hand down, with its groups named.
const lineage = `(?P<remote_addr>[\d\.]+)\s+(?P<ident>[^ \[]+)\s+(?P<remote_user>[^ \[]+)\s+\[(?P<time_local>[^\]]+)\]` +
	`\s+(?P<scheme>[a-z]+)\s+\"(?P<request>[^"]+)\"\s+(?P<status>\d{3})\s+(?P<bytes_sent>\d+)` +
	`\s+\"(?P<http_referer>[^"]+)\"\s+\"(?P<http_user_agent>.*?)\"\s+\"(?P<gzip_ratio>[\d\.-]+)\"` +
	`\s+(?P<upstream_response_time>[\d\.-]+)\s+(?P<request_time>[\d\.-]+)`

const (
	timedLine = `172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "KeepAliveClient" "-" 1.005 1.854`

	jsonLine = `{"time_iso8601":"2018-03-04T13:49:52+00:00","remote_addr":"2001:db8::17","request":"GET /a\"b\u00e9 HTTP/1.1","status":200,"request_time":0.120,"http_user_agent":"-"}`

	combinedLine = `2001:db8::17 - ada [04/Mar/2018:13:49:52 +0000] "GET / HTTP/2.0" 304 0 "https://example.com/a?b=c" "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"`
)

func mustFormat(t testing.TB, format string) *logformat.Format {
	t.Helper()
	f, err := logformat.CompileFormat(format)
	if err != nil {
		t.Fatalf("CompileFormat(%q): %v", format, err)
	}
	return f
}

func mustRegexp(t testing.TB, expr string) *logformat.Format {
	t.Helper()
	f, err := logformat.CompileRegexp(expr)
	if err != nil {
		t.Fatalf("CompileRegexp(%q): %v", expr, err)
	}
	return f
}

// twins are the two ways to match with one format. They are used for line after
// line, because what a matcher keeps from one line must not show in the next.
type twins struct {
	format     *logformat.Format
	fast, slow *logformat.Matcher
}

func twinsOf(f *logformat.Format) *twins {
	return &twins{f, f.NewMatcher(), f.NewSlowMatcher()}
}

// agree matches line in both ways and reports every difference. It returns what
// the standard library said.
func (w *twins) agree(t testing.TB, line []byte) (captures [][]byte, ok bool) {
	t.Helper()
	got, gotOK := w.fast.Match(line)
	want, wantOK := w.slow.Match(line)
	same := gotOK == wantOK && len(got) == len(want)
	copied := bytes.Contains(line, []byte(`\"`)) // see kin.go
	for i := range want {
		// Where a capture begins matters too.
		same = same && string(got[i]) == string(want[i]) && (got[i] == nil) == (want[i] == nil) && (len(got[i]) == 0 || copied || &got[i][0] == &want[i][0])
	}
	if !same {
		t.Errorf("scanner and regexp differ\nregexp:  %s\nline:    %q\nscanner: %q, %v\nregexp:  %q, %v",
			w.format.Regexp(), line, got, gotOK, want, wantOK)
	}
	return want, wantOK
}

// logLines are n lines as a busy server writes them, always the same ones.
func logLines(n int, format string) [][]byte {
	r := rand.New(rand.NewPCG(42, 1))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	lines := make([][]byte, n)
	for i := range lines {
		path := "/" + pick("api/v1/orders", "static/css/site.css", "product/search", "blog/assets/img/header.png", "login", "checkout/items/17")
		if r.IntN(10) < 6 {
			path += fmt.Sprintf("?%s=%s", pick("q", "page", "utm_source", "id"), pick("abc", "1", "newsletter-2026", "9f8a7b6c"))
		}
		took := r.ExpFloat64() * 0.12
		upstream := fmt.Sprintf("%.3f", took*0.95)
		if r.IntN(100) >= 92 {
			upstream = "-"
		}
		line := strings.NewReplacer(
			"$remote_addr", fmt.Sprintf("%d.%d.%d.%d", 10+r.IntN(190), r.IntN(256), r.IntN(256), 1+r.IntN(254)),
			"$remote_user", pick("-", "-", "-", "-", "-", "-", "-", "user17"),
			"$time_local", fmt.Sprintf("20/Nov/2026:10:00:%02d +0000", i*10/n),
			"$scheme", pick("https", "https", "https", "http"),
			"$request_time", fmt.Sprintf("%.3f", took),
			"$request", pick("GET", "GET", "GET", "POST", "HEAD")+" "+path+" "+pick("HTTP/1.1", "HTTP/2.0"),
			"$status", pick("200", "200", "200", "304", "404", "502"),
			"$body_bytes_sent", fmt.Sprint(200+int(r.ExpFloat64()*9000)),
			"$bytes_sent", fmt.Sprint(200+int(r.ExpFloat64()*9000)),
			"$http_referer", pick("-", "https://www.example.com/product/search", "https://www.example.com/"),
			"$http_user_agent", pick(
				"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
				"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
				"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.67",
				"curl/8.5.0"),
			"$gzip_ratio", pick("-", "3.27", "5.10"),
			"$upstream_response_time", upstream,
		).Replace(format)
		lines[i] = []byte(line)
	}
	return lines
}

const (
	combinedFormat = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`
	jsonFormat     = `{"time":"$time_local","addr":"$remote_addr","request":"$request","status":$status,"sent":$bytes_sent,"referer":"$http_referer","agent":"$http_user_agent","upstream":$upstream_response_time,"took":$request_time}`
	objectFormat   = `{"time_local":"$time_local","remote_addr":"$remote_addr","request":"$request","status":$status,"bytes_sent":$bytes_sent,"http_referer":"$http_referer","http_user_agent":"$http_user_agent","upstream_response_time":"$upstream_response_time","request_time":$request_time}`
	timedFormat    = `$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent "$http_referer" "$http_user_agent" "$gzip_ratio" $upstream_response_time $request_time`
)
