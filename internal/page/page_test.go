package page_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/page"
)

// board is a Board with figures that somebody else makes.
type board struct {
	snapshots atomic.Int64 // asked for so often
	requests  chan live.Request
	filter    atomic.Pointer[live.Filter]
	stopped   atomic.Int64
}

func (b *board) Snapshot() *live.Snapshot {
	b.snapshots.Add(1)
	return &live.Snapshot{At: time.Unix(1_700_000_000, 0).UTC(), Total: live.Total{Requests: 42, P50: live.None()}, Top: live.Top{Sampled: 1, Paths: []live.Row{{Name: "<script>alert(1)</script>\u2028", Requests: 42}}}}
}

func (b *board) Watch(f live.Filter) (<-chan live.Request, func()) {
	b.filter.Store(&f)
	return b.requests, func() { b.stopped.Add(1) }
}

// handler serves a page about b.
func handler(b *board) http.Handler {
	mux := http.NewServeMux()
	c := page.Config{
		History:  http.NotFoundHandler(),
		Pipeline: func() []byte { return []byte("{\n  \"lines\": {\"read\": 7}\n}\n") },
		Rejects: func() []page.Reject {
			return []page.Reject{{Source: "web", Reason: "no match", Line: "</script>", Caret: 2}}
		},
	}
	if b != nil {
		c.Live = func() page.Board { return b }
	}
	page.New(c).Mount(mux)
	return mux
}

func ask(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// assets are the paths that the page names.
func assets(t *testing.T, h http.Handler) []string {
	t.Helper()
	found := regexp.MustCompile(`(?:src|href)="(assets/[^"]+)"`).FindAllStringSubmatch(ask(h, "GET", "/").Body.String(), -1)
	if len(found) < 5 {
		t.Fatalf("the page names %q", found)
	}
	var paths []string
	for _, one := range found {
		paths = append(paths, "/"+one[1])
	}
	return paths
}

// Whatever is answered says that nothing of elsewhere runs, and nobody frames it.
func TestPolicy(t *testing.T) {
	h := handler(&board{})
	for _, path := range append(assets(t, h), "/", "/live", "/assets/0/app.js", "/live/tail?class=9xx", "/history") {
		w := ask(h, "GET", path)
		policy := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("GET %s has the policy %q, want %s in it", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("GET %s has the policy %q", path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("GET %s has %s: %q, want %q", path, name, got, want)
			}
		}
	}
}

// The page has no script, style or handler in its HTML, and names nothing of elsewhere.
func TestNothingInlineOrForeign(t *testing.T) {
	h := handler(&board{})
	html := ask(h, "GET", "/").Body.String()
	for _, bad := range []string{`<script>`, `<style`, ` style="`, `javascript:`, `//cdn`} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if at := regexp.MustCompile(`\son[a-z]+="`).FindString(html); at != "" {
		t.Errorf("the page has the handler %q", at)
	}
	foreign := regexp.MustCompile(`(?:src|href)="(?:[a-z]+:)?//|import[^;]*['"]https?:|url\(["']?(?:https?:)?//`)
	for _, path := range append(assets(t, h), "/") {
		if at := foreign.FindString(ask(h, "GET", path).Body.String()); at != "" {
			t.Errorf("%s has %q", path, at)
		}
	}
}

// A browser need not load anything twice: the page only if it is another one, the rest
// never.
func TestCaching(t *testing.T) {
	h := handler(&board{})
	for _, path := range append(assets(t, h), "/") {
		want := "public, max-age=31536000, immutable"
		if path == "/" {
			want = "no-cache"
		}
		for _, coding := range []string{"", "gzip", "br, gzip;q=0.8"} {
			first := ask(h, "GET", path, "Accept-Encoding", coding)
			etag := first.Header().Get("ETag")
			if first.Code != 200 || first.Header().Get("Cache-Control") != want || !regexp.MustCompile(`^"[^"]+"$`).MatchString(etag) || first.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("GET %s (%s) = %d %v", path, coding, first.Code, first.Header())
			}
			for _, header := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
				if w := ask(h, "GET", path, "Accept-Encoding", coding, "If-None-Match", header); w.Code != 304 || w.Body.Len() > 0 || w.Header().Get("ETag") != etag {
					t.Errorf("GET %s (%s) If-None-Match %s = %d with %d bytes, want 304", path, coding, header, w.Code, w.Body.Len())
				}
			}
			for _, header := range []string{`"other"`, strings.Trim(etag, `"`), ""} {
				if w := ask(h, "GET", path, "Accept-Encoding", coding, "If-None-Match", header); w.Code != 200 {
					t.Errorf("GET %s (%s) If-None-Match %s = %d, want 200", path, coding, header, w.Code)
				}
			}
		}
	}
}

// Two codings are two entities: a cache must not take one for the other.
func TestEntityTags(t *testing.T) {
	h := handler(&board{})
	for _, path := range append(assets(t, h), "/") {
		plain, zipped := ask(h, "GET", path).Header().Get("ETag"), ask(h, "GET", path, "Accept-Encoding", "gzip").Header().Get("ETag")
		if plain == zipped {
			t.Errorf("GET %s has %s for both", path, plain)
		}
		if w := ask(h, "GET", path, "Accept-Encoding", "gzip", "If-None-Match", plain); w.Code != http.StatusOK {
			t.Errorf("GET %s compressed, with the tag of the other = %d, want 200", path, w.Code)
		}
	}
}

// Whoever takes gzip gets it, and it is the same.
func TestCompressed(t *testing.T) {
	h := handler(&board{})
	all := 0
	for _, path := range append(assets(t, h), "/") {
		plain := ask(h, "GET", path)
		for coding, want := range map[string]bool{
			"gzip": true, "GZIP": true, "deflate, gzip": true, "*": true, "gzip;q=0.1": true, "x-gzip": true, "br,gzip ; q=1.0": true,
			"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.0, *": false, "*;q=0": false, "gzipped": false,
		} {
			w := ask(h, "GET", path, "Accept-Encoding", coding)
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
				t.Errorf("GET %s with Accept-Encoding %q: compressed %v, want %v", path, coding, got, want)
				continue
			}
			body := w.Body.Bytes()
			if got := w.Header().Get("Content-Length"); got != fmt.Sprint(len(body)) {
				t.Errorf("GET %s with %q has Content-Length %s and %d bytes", path, coding, got, len(body))
			}
			if want {
				z, err := gzip.NewReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if body, err = io.ReadAll(z); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(body, plain.Body.Bytes()) {
				t.Errorf("GET %s with %q is other bytes", path, coding)
			}
		}
		all += ask(h, "GET", path, "Accept-Encoding", "gzip").Body.Len()
	}
	t.Logf("the page has %d bytes, compressed", all)
	if all > 120_000 {
		t.Errorf("the page has %d bytes, compressed, want at most 120,000", all)
	}
}

// What the page names, and what its scripts import, is there, under one hash; no other one is.
func TestAssets(t *testing.T) {
	h := handler(&board{})
	paths := assets(t, h)
	base := paths[0][:strings.LastIndex(paths[0], "/")+1]
	seen := map[string]bool{}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		w := ask(h, "GET", path)
		if w.Code != 200 || !strings.HasPrefix(path, base) {
			t.Errorf("GET %s = %d", path, w.Code)
		}
		for _, one := range regexp.MustCompile(`(?m)^(?:import|export)[^;]*? from '\./([^']+)'`).FindAllStringSubmatch(w.Body.String(), -1) {
			paths = append(paths, base+one[1])
		}
	}
	if !seen[base+"uplot.js"] || !seen[base+"charts.js"] {
		t.Errorf("the scripts import %v", seen)
	}
	for _, path := range []string{"/assets/app.js", "/assets/0000000000000000/app.js", base, base + "nothing.js", base + "../app.js", base + "index.html", base + "uplot.d.ts", base + "tsconfig.json"} {
		if w := ask(h, "GET", path); w.Code != 404 && w.Code != 307 && w.Code != 301 {
			t.Errorf("GET %s = %d, want 404", path, w.Code)
		}
	}
}

func TestMethods(t *testing.T) {
	h := handler(&board{})
	for _, path := range append(assets(t, h), "/", "/live", "/live/stream", "/live/tail") {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
			if w := ask(h, method, path); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s = %d, Allow %q, want 405", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close) // after those of its clients
	for _, path := range append(assets(t, h), "/", "/live", "/live/stream", "/live/tail") {
		resp, err := http.Head(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || len(body) > 0 || resp.Header.Get("Content-Type") == "" {
			t.Errorf("HEAD %s = %d, %q with %d bytes", path, resp.StatusCode, resp.Header.Get("Content-Type"), len(body))
		}
	}
}

// /live is one JSON of all that is shown.
func TestLive(t *testing.T) {
	for name, b := range map[string]*board{"on": {}, "off": nil} {
		w := ask(handler(b), "GET", "/live")
		var got struct {
			Page     string
			Live     *struct{ Total struct{ Requests int } }
			Pipeline struct{ Lines struct{ Read int } }
			Rejects  []page.Reject
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v in %s", name, err, w.Body)
		}
		if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: header %v", name, w.Header())
		}
		if (got.Live != nil) != (b != nil) || b != nil && got.Live.Total.Requests != 42 || got.Pipeline.Lines.Read != 7 || len(got.Rejects) != 1 || got.Rejects[0].Line != "</script>" || got.Page == "" {
			t.Errorf("%s: %s", name, w.Body)
		}
		if strings.ContainsAny(w.Body.String(), "\n\u2028<") {
			t.Errorf("%s: there is a new line or markup in %q", name, w.Body)
		}
	}
}

// However many ask, it is made ten times a second.
func TestLiveIsShared(t *testing.T) {
	b := &board{}
	h := handler(b)
	begin := time.Now()
	asked := 0
	for ; time.Since(begin) < 250*time.Millisecond; asked++ {
		ask(h, "GET", "/live")
	}
	most := int64(time.Since(begin)/(100*time.Millisecond)) + 1
	if made := b.snapshots.Load(); made > most || made < 2 || asked < 100 {
		t.Errorf("asked %d times in %v it was made %d times, want at most %d", asked, time.Since(begin), made, most)
	}
}

// events reads n events of a stream.
func events(t *testing.T, body io.Reader, n int) (names, data []string) {
	t.Helper()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for len(data) < n && lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			names = append(names, name)
		}
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			data = append(data, text)
		}
	}
	if len(data) < n {
		t.Fatalf("the stream ended with %v after %d events", lines.Err(), len(data))
	}
	return names, data
}

// answer is a response that is closed at the end of the test, or before.
type answer struct {
	Status int
	Header http.Header
	Body   io.ReadCloser
}

func open(t *testing.T, server *httptest.Server, path string, header ...string) answer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		resp.Body.Close()
	})
	return answer{resp.StatusCode, resp.Header, resp.Body}
}

// A stream has a frame at once and each second, plain or compressed, and of one second the
// same for all.
func TestStream(t *testing.T) {
	b := &board{}
	server := httptest.NewServer(handler(b))
	t.Cleanup(server.Close) // after those of its clients
	for _, coding := range []string{"identity", "gzip"} {
		resp := open(t, server, "/live/stream", "Accept-Encoding", coding)
		if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" || (resp.Header.Get("Content-Encoding") == "gzip") != (coding == "gzip") {
			t.Errorf("%s: %v", coding, resp.Header)
		}
		var body io.Reader = resp.Body
		if coding == "gzip" {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		begin := time.Now()
		names, data := events(t, body, 3)
		if took := time.Since(begin); took < time.Second || took > 4*time.Second {
			t.Errorf("%s: three frames came in %v", coding, took)
		}
		for i := range data {
			if names[i] != "now" || !json.Valid([]byte(data[i])) || !strings.Contains(data[i], `"requests":42`) {
				t.Errorf("%s: event %s: %s", coding, names[i], data[i])
			}
		}
	}
}

// However many watch, a frame is made once a second.
func TestStreamIsShared(t *testing.T) {
	b := &board{}
	server := httptest.NewServer(handler(b))
	t.Cleanup(server.Close) // after those of its clients
	var all []answer
	for range 20 {
		all = append(all, open(t, server, "/live/stream", "Accept-Encoding", "identity"))
	}
	begin, made := time.Now(), b.snapshots.Load()
	for _, resp := range all {
		events(t, resp.Body, 3)
	}
	if made = b.snapshots.Load() - made; made > int64(time.Since(begin)/time.Second)+1 {
		t.Errorf("for 20 clients %d frames were made in %v", made, time.Since(begin))
	}
}

// More than 40 streams are refused, whatever they are of, and one that ends makes room.
func TestStreamLimit(t *testing.T) {
	server := httptest.NewServer(handler(&board{}))
	t.Cleanup(server.Close) // after those of its clients
	var all []answer
	for i := range 40 {
		path := "/live/stream"
		if i%2 == 0 {
			path = "/live/tail"
		}
		resp := open(t, server, path)
		if resp.Status != 200 {
			t.Fatalf("stream %d: %d", i, resp.Status)
		}
		all = append(all, resp)
	}
	for _, path := range []string{"/live/stream", "/live/tail"} {
		resp := open(t, server, path)
		if resp.Status != http.StatusServiceUnavailable {
			t.Fatalf("one more of %s = %d, want 503", path, resp.Status)
		}
		text, _ := io.ReadAll(resp.Body)
		if resp.Header.Get("Retry-After") == "" || !strings.Contains(string(text), "40 clients") {
			t.Errorf("one more of %s = %d %s", path, resp.Status, text)
		}
	}
	if resp, err := http.Head(server.URL + "/live/stream"); err != nil {
		t.Fatal(err)
	} else if resp.Body.Close(); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("HEAD of one more = %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if resp := open(t, server, "/live"); resp.Status != 200 {
		t.Errorf("/live beside 40 streams = %d", resp.Status)
	}
	all[0].Body.Close()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp := open(t, server, "/live/stream")
		if resp.Status == 200 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("after one has ended: %d", resp.Status)
		}
	}
}

// A page of another site, which can read nothing, takes no stream from those who can.
func TestStreamOfAnotherSite(t *testing.T) {
	server := httptest.NewServer(handler(&board{}))
	t.Cleanup(server.Close) // after those of its clients
	for _, path := range []string{"/live/stream", "/live/tail"} {
		for site, want := range map[string]int{"cross-site": 403, "same-origin": 200, "same-site": 200, "none": 200, "": 200} {
			if resp := open(t, server, path, "Sec-Fetch-Site", site); resp.Status != want {
				t.Errorf("GET %s with Sec-Fetch-Site %q = %d, want %d", path, site, resp.Status, want)
			}
		}
	}
}

// A client that never reads is dropped, the others do not notice.
func TestSlowReader(t *testing.T) {
	big := &board{}
	mux := http.NewServeMux()
	page.New(page.Config{
		Live:     func() page.Board { return big },
		Pipeline: func() []byte { return []byte(`"` + strings.Repeat("x", 4<<20) + `"`) },
	}).Mount(mux)
	server := httptest.NewUnstartedServer(mux)
	closed := make(chan struct{}, 10)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close) // after those of its clients
	slow, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "GET /live/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp := open(t, server, "/live/stream", "Accept-Encoding", "identity")
	lines := bufio.NewReader(resp.Body)
	for begin, frames := time.Now(), 0; ; {
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the other one: %v", err)
		}
		if strings.HasPrefix(text, "event: ") {
			frames++
		}
		select {
		case <-closed:
			if took := time.Since(begin); frames < int(took.Seconds())-1 {
				t.Errorf("the other one had %d frames in %v", frames, took)
			}
			return
		default:
			if time.Since(begin) > 20*time.Second {
				t.Fatal("it is not dropped")
			}
		}
	}
}

// The tail has what was asked for, in batches, and says so when it is gone.
func TestTail(t *testing.T) {
	b := &board{requests: make(chan live.Request, 100)}
	server := httptest.NewServer(handler(b))
	t.Cleanup(server.Close) // after those of its clients
	resp := open(t, server, "/live/tail?text=Caf%C3%A9&class=5xx&source=web", "Accept-Encoding", "identity")
	for i := range 3 {
		b.requests <- live.Request{Path: fmt.Sprintf("/%d\n<b>", i), Seconds: live.None()}
	}
	names, data := events(t, resp.Body, 1)
	var got []live.Request
	if err := json.Unmarshal([]byte(data[0]), &got); err != nil || names[0] != "requests" || len(got) != 3 || got[2].Path != "/2\n<b>" {
		t.Errorf("event %s: %s %v", names[0], data[0], err)
	}
	if f := b.filter.Load(); *f != (live.Filter{Text: "Café", Class: "5xx", Source: "web"}) {
		t.Errorf("it watches %+v", f)
	}
	resp.Body.Close()
	for end := time.Now().Add(5 * time.Second); b.stopped.Load() != 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it still watches")
		}
	}
}

func TestTailRefuses(t *testing.T) {
	for path, want := range map[string]int{
		"/live/tail?class=6xx": 400, "/live/tail?class=5": 400, "/live/tail?text=" + strings.Repeat("x", 257): 400, "/live/tail?source=" + strings.Repeat("x", 257): 400,
		"/live/tail?text=a;b": 400, "/live/tail?text=%zz": 400,
	} {
		if w := ask(handler(&board{}), "GET", path); w.Code != want {
			t.Errorf("GET %.40s = %d, want %d", path, w.Code, want)
		}
	}
	if w := ask(handler(nil), "GET", "/live/tail"); w.Code != 404 || !strings.Contains(w.Body.String(), "http.live") {
		t.Errorf("without live figures: %d %s", w.Code, w.Body)
	}
}

// Nothing stays behind when clients and server are gone.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}
