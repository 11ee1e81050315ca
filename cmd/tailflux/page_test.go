package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/page"
)

// browser asks a daemon, by a name of its own if one is set, and keeps cookies by hand.
type browser struct {
	t            *testing.T
	url          string
	host, cookie string
}

// browserOf waits until the daemon answers.
func browserOf(t *testing.T, url string) browser {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(url + "/healthz")
		if err == nil {
			resp.Body.Close()
			return browser{t: t, url: url}
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func (b browser) get(path string) (status int, header http.Header, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = b.host
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// shown waits until /live is as wanted.
func (b browser) shown(wanted func(requests int64, rejects []page.Reject) bool) (rejects []page.Reject) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, _, body := b.get("/live")
		var got struct {
			Live struct {
				Total struct{ Requests int64 }
			}
			Rejects []page.Reject
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			b.t.Fatalf("%v in %s", err, body)
		}
		if wanted(got.Live.Total.Requests, got.Rejects) {
			return got.Rejects
		}
		if time.Now().After(end) {
			b.t.Fatalf("/live is %s", body)
		}
	}
}

// The page of a daemon has the requests of its log, and the lines that do not match, with the
// place where they stop matching; also with a format that was detected.
func TestPageOfADaemon(t *testing.T) {
	for _, format := range []string{"combined", "auto"} {
		t.Run(format, func(t *testing.T) {
			in := newInstallation(t, "--format", format, "--start", "beginning")
			now := time.Now().UTC().Format("02/Jan/2006:15:04:05 +0000")
			good := `192.0.2.1 - - [` + now + `] "GET / HTTP/1.1" 200 5 "-" "-"` + "\n"
			in.write(strings.Repeat(good, 30) +
				`192.0.2.1 - - [` + now + `] "GET /cut` + "\n" +
				strings.Repeat(good, 5) +
				"\x16\x03\x01 <script>\u202e" + "\n" +
				`192.0.2.1 - - [30/Feb/2026:15:04:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-"` + "\n\n")
			b := browserOf(t, in.start("run").URL)
			rejects := b.shown(func(requests int64, rejects []page.Reject) bool { return requests == 35 && len(rejects) == 4 })
			for i, want := range []struct {
				reason, line, why string
				number            int64
				caret             bool
			}{
				{"empty", "", "", 39, false},
				{"bad time", "30/Feb", "expected", 38, true},
				{"no match", `\x16\x03\x01 <script>\xE2\x80\xAE`, "expected", 37, true},
				{"no match", "GET /cut", "expected", 31, true},
			} {
				got := rejects[i]
				if got.Reason != want.reason || got.LineNumber != want.number || got.Source != "web" || !strings.Contains(got.Line, want.line) || !strings.Contains(got.Why, want.why) || got.Caret >= 0 != want.caret || got.Caret > len([]rune(got.Line)) {
					t.Errorf("reject %d is %+v, want %+v", i, got, want)
				}
			}
			if last := rejects[3]; !strings.HasSuffix(last.Line, "GET /cut") || last.Caret != len(last.Line) {
				t.Errorf("the caret of the line that was cut is not at its end: %+v", last)
			}
			status, header, body := b.get("/")
			if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(body, "<title>tailflux</title>") {
				t.Errorf("GET / = %d %v", status, header)
			}
		})
	}
}

// With a token, a browser has a cookie once it has shown it; a name that others can have
// lead here is refused, but for those of http.hosts.
func TestPageIsGuarded(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := newInstallation(t, "--http-token-file", token, "--http-hosts", "logs.example.com")
	in.write("")
	d := in.start("run")
	b := browserOf(t, d.URL)
	for _, path := range []string{"/", "/live", "/live/stream", "/live/tail", "/assets/x/app.js", "/history"} {
		if status, _, body := b.get(path); status != http.StatusUnauthorized || strings.Contains(body, "s3cret") {
			t.Errorf("GET %s = %d, want 401", path, status)
		}
	}
	status, header, _ := b.get("/?token=s3cret")
	if status != http.StatusSeeOther {
		t.Fatalf("GET /?token=… = %d, want 303", status)
	}
	b.cookie, _, _ = strings.Cut(header.Get("Set-Cookie"), ";")
	for _, host := range []string{"", "localhost:9193", "tailflux:9193", "logs.example.com"} {
		b.host = host
		for _, path := range []string{"/", "/live", "/monitor"} {
			if status, _, _ := b.get(path); status != http.StatusOK {
				t.Errorf("GET %s of %q with the cookie = %d, want 200", path, host, status)
			}
		}
	}
	if _, _, body := b.get("/monitor"); !strings.Contains(body, `"kind": "scanner"`) {
		t.Errorf("/monitor before the first line: %s, want the format's kind", body)
	}
	b.host = "evil.example"
	for _, path := range []string{"/", "/live", "/live/stream", "/monitor", "/metrics"} {
		if status, _, body := b.get(path); status != http.StatusMisdirectedRequest || !strings.Contains(body, "http.hosts") {
			t.Errorf("GET %s of evil.example = %d %s, want 421", path, status, body)
		}
	}
	if strings.Contains(d.Log(), "s3cret") {
		t.Error("the token is in the log")
	}
}
