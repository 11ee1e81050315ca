package influx_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influx"
)

// Only 204 is an acknowledgement; what else comes is told.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name       string
		status     int
		retryAfter string
		body       string
		want       *influx.AnswerError
		text       string
	}{
		{"acknowledged", 204, "", "", nil, ""},
		{
			"page of a proxy", 200, "", "<html>Welcome to the hotel's network</html>",
			&influx.AnswerError{Status: 200, Message: "<html>Welcome to the hotel's network</html>", Hint: "an HTML page from something else: does influxdb.url URL lead to InfluxDB?"},
			"influxdb answered 200 OK: an HTML page from something else: does influxdb.url URL lead to InfluxDB?",
		},
		{"nothing", 200, "", "", &influx.AnswerError{Status: 200}, "influxdb answered 200 OK"},
		{"created", 201, "", "", &influx.AnswerError{Status: 201}, "influxdb answered 201 Created"},
		{"accepted, for later", 202, "", "", &influx.AnswerError{Status: 202}, "influxdb answered 202 Accepted"},
		{"moved", 301, "", "", &influx.AnswerError{Status: 301}, "influxdb answered 301 Moved Permanently"},
		{"found", 302, "", "", &influx.AnswerError{Status: 302}, "influxdb answered 302 Found"},
		{"see other", 303, "", "", &influx.AnswerError{Status: 303}, "influxdb answered 303 See Other"},
		{"temporary redirect", 307, "", "", &influx.AnswerError{Status: 307}, "influxdb answered 307 Temporary Redirect"},
		{"permanent redirect", 308, "", "", &influx.AnswerError{Status: 308}, "influxdb answered 308 Permanent Redirect"},
		{
			"partial write", 400, "", `{"error":"partial write: field type conflict dropped=1"}` + "\n",
			&influx.AnswerError{Status: 400, Message: "partial write: field type conflict dropped=1"},
			"influxdb answered 400: partial write: field type conflict dropped=1",
		},
		{
			"no credentials", 401, "", `{"error":"authorization failed"}`,
			&influx.AnswerError{Status: 401, Message: "authorization failed", Hint: "URL wants a user: authorization failed (influxdb.username and influxdb.password_file, or influxdb.token_file)"},
			"influxdb answered 401 Unauthorized: URL wants a user: authorization failed (influxdb.username and influxdb.password_file, or influxdb.token_file)",
		},
		{"no right", 403, "", "no\n", &influx.AnswerError{Status: 403, Message: "no"}, "influxdb answered 403: no"},
		{"time-out", 408, "", "", &influx.AnswerError{Status: 408}, "influxdb answered 408 Request Timeout"},
		{"too large", 413, "", "", &influx.AnswerError{Status: 413}, "influxdb answered 413 Request Entity Too Large"},
		{
			"too many", 429, "7", "", &influx.AnswerError{Status: 429, RetryAfter: 7 * time.Second},
			"influxdb answered 429 Too Many Requests",
		},
		{"wish not understood", 429, "Wed, 21 Oct 2026 07:28:00 GMT", "", &influx.AnswerError{Status: 429}, "influxdb answered 429 Too Many Requests"},
		{"absurd wish", 429, "-7", "", &influx.AnswerError{Status: 429}, "influxdb answered 429 Too Many Requests"},
		{
			"broken", 500, "", `{"error":""}`,
			&influx.AnswerError{Status: 500, Message: `{"error":""}`}, `influxdb answered 500: {"error":""}`,
		},
		{
			"busy", 503, "1", `{"error":"request throttled"}`,
			&influx.AnswerError{Status: 503, Message: "request throttled", RetryAfter: time.Second},
			"influxdb answered 503: request throttled",
		},
		{"binary", 502, "", "\xff\x00", &influx.AnswerError{Status: 502, Message: "\uFFFD\x00"}, "influxdb answered 502: \uFFFD\x00"},
		{
			"long page", 502, "", "<p>" + strings.Repeat("ab", 500),
			&influx.AnswerError{Status: 502, Message: "<p>" + strings.Repeat("ab", 98) + "a", Hint: "an HTML page from something else: does influxdb.url URL lead to InfluxDB?"},
			"influxdb answered 502 Bad Gateway: an HTML page from something else: does influxdb.url URL lead to InfluxDB?",
		},
		{
			"long error", 400, "", `{"error":"` + strings.Repeat("ab", 5000) + `"}`,
			&influx.AnswerError{Status: 400, Message: strings.Repeat("ab", 4096)}, "influxdb answered 400: " + strings.Repeat("ab", 4096),
		},
		{
			"InfluxDB 2", 422, "", `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict dropped=1"}`,
			&influx.AnswerError{Status: 422, Code: "unprocessable entity", Message: "failure writing points to database: partial write: field type conflict dropped=1"},
			"influxdb answered 422: failure writing points to database: partial write: field type conflict dropped=1",
		},
		{
			"InfluxDB 3", 400, "", `{"error":"partial write of line protocol occurred","data":[{"original_line":"m v=","line_number":1,"error_message":"No fields were provided"}]}`,
			&influx.AnswerError{Status: 400, Message: "partial write of line protocol occurred: No fields were provided"},
			"influxdb answered 400: partial write of line protocol occurred: No fields were provided",
		},
		{
			"InfluxDB 3 about many lines", 400, "", `{"error":"partial write of line protocol occurred","data":[` + strings.Repeat(`{"original_line":"m v=","line_number":1,"error_message":"No"},`, 3000) + `]}`,
			&influx.AnswerError{Status: 400, Message: "partial write of line protocol occurred"},
			"influxdb answered 400: partial write of line protocol occurred",
		},
		{
			"error about many lines", 400, "", `{"error":"` + strings.Repeat(`unable to parse '\u00e4\"'\n`, 5000) + `"}`,
			&influx.AnswerError{Status: 400, Message: strings.Repeat("unable to parse 'ä\"'\n", 400)[:8192]},
			"influxdb answered 400: " + strings.Repeat("unable to parse 'ä\"'\n", 400)[:8192],
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.WriteHeader(tt.status)
				if tt.status != http.StatusNoContent {
					io.WriteString(w, tt.body)
				}
			})
			c := newClient(t, s.URL, nil)
			err := c.Write(t.Context(), pieces(1000))
			if diff := cmp.Diff([]string{"POST /write?db=db&precision=ns"}, s.asked()); diff != "" {
				t.Errorf("asked, -want +got:\n%s", diff)
			}
			if tt.want == nil {
				if err != nil {
					t.Errorf("Write = %v, want nil", err)
				}
				return
			}
			answer := answerOf(t, err)
			tt.want.Hint, tt.text = strings.Replace(tt.want.Hint, "URL", s.URL, 1), strings.Replace(tt.text, "URL", s.URL, 1)
			if diff := cmp.Diff(tt.want, answer); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if err.Error() != tt.text {
				t.Errorf("Write = %q, want %q", err, tt.text)
			}
			if answer.Pause() != tt.want.RetryAfter {
				t.Errorf("Pause() = %s, want %s", answer.Pause(), tt.want.RetryAfter)
			}
		})
	}
}

// A connection whose answers were read to their end is used again, unless the same is to be sent
// once more.
func TestConnectionIsKept(t *testing.T) {
	addresses := map[string]bool{}
	status := http.StatusNoContent
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		w.WriteHeader(status)
	})
	c := newClient(t, s.URL, nil)
	for _, status = range []int{204, 400, 204, 413, 204} {
		_ = c.Write(t.Context(), pieces(100_000))
	}
	if len(addresses) != 1 {
		t.Errorf("%d connections, want 1", len(addresses))
	}
}

func TestRequest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		suffix string // of the URL
		change func(*influx.Config)
		uri    string
		header http.Header
	}{
		{name: "plain", uri: "/write?db=db&precision=ns"},
		{name: "slash at the end", suffix: "/", uri: "/write?db=db&precision=ns"},
		{name: "path prefix", suffix: "/insert/0/influx", uri: "/insert/0/influx/write?db=db&precision=ns"},
		{name: "path prefix with slash", suffix: "/influx/", uri: "/influx/write?db=db&precision=ns"},
		{
			name:   "retention policy",
			change: func(c *influx.Config) { c.Database, c.RetentionPolicy = "a b&c", "two weeks" },
			uri:    "/write?db=a+b%26c&precision=ns&rp=two+weeks",
		},
		{
			name:   "credentials",
			change: func(c *influx.Config) { c.Username, c.Password = "u", "p" },
			uri:    "/write?db=db&precision=ns",
			header: http.Header{"Authorization": {"Basic dTpw"}},
		},
		{
			name:   "gzip",
			change: func(c *influx.Config) { c.Gzip = true },
			uri:    "/write?db=db&precision=ns",
			header: http.Header{"Content-Encoding": {"gzip"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			c := newClient(t, s.URL+tt.suffix, tt.change)
			body := pieces(300_000)
			if err := c.Write(t.Context(), body); err != nil {
				t.Fatal(err)
			}
			got := s.last()
			if got.method != http.MethodPost || got.uri != tt.uri {
				t.Errorf("asked %s %s, want POST %s", got.method, got.uri, tt.uri)
			}
			if got.length != int64(len(got.body)) { // InfluxDB answers 413 by it
				t.Errorf("Content-Length: %d with a body of %d bytes", got.length, len(got.body))
			}
			want := string(join(body))
			if tt.header.Get("Content-Encoding") == "gzip" {
				got.body = unpack(t, got.body)
			}
			if got.body != want {
				t.Errorf("the body of %d bytes differs from the %d bytes sent", len(got.body), len(want))
			}
			for _, key := range []string{"Authorization", "Content-Encoding", "Idempotency-Key"} {
				if got, want := got.header.Get(key), tt.header.Get(key); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
			if got := got.header.Get("User-Agent"); got != "tailflux" {
				t.Errorf("User-Agent: %q", got)
			}
		})
	}
}

func join(pieces [][]byte) (all []byte) {
	for _, piece := range pieces {
		all = append(all, piece...)
	}
	return all
}

func unpack(t *testing.T, packed string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// 404: the database is created, with the prefix and the credentials, and the
// next try may succeed.
func TestDatabaseIsCreatedWhenMissing(t *testing.T) {
	created := false
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "p" {
			t.Errorf("%s has password %q", r.URL.Path, password)
		}
		switch {
		case r.URL.Path == "/x/query":
			created = true
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Influxdb-Version", "1.8.10")
			io.WriteString(w, `{"results":[{"statement_id":0}]}`)
		case created:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error":"database not found: \"db\""}`)
		}
	})
	c := newClient(t, s.URL+"/x", func(c *influx.Config) { c.Username, c.Password = "u", "p" })
	answer := answerOf(t, c.Write(t.Context(), pieces(10)))
	if answer.Status != 404 || answer.Message != `database not found: "db"` {
		t.Errorf("first Write = %v", answer)
	}
	if err := c.Write(t.Context(), pieces(10)); err != nil {
		t.Errorf("second Write = %v", err)
	}
	if asked := s.asked(); len(asked) != 3 || !strings.HasPrefix(asked[1], "POST /x/query?") || !strings.Contains(asked[1], "q=CREATE+DATABASE+%22db%22") {
		t.Errorf("asked %q", asked)
	}
}

// That CREATE DATABASE is refused is no error; that nobody answers is one.
func TestPrepare(t *testing.T) {
	for _, tt := range []struct {
		name, kind, body string
		status           int
	}{
		{"created", "application/json", `{"results":[{"statement_id":0}]}`, 200},
		{"may not", "application/json", `{"error":"not authorized"}`, 403},
		{"not logged in", "application/json", `{"error":"authorization failed"}`, 401},
		{"statement fails", "application/json", `{"results":[{"statement_id":0,"error":"no"}]}`, 200},
		{"unknown there", "text/plain", "unsupported path requested: /query", 404},
		{"page of a proxy", "text/html", "<html></html>", 200},
		{"gateway", "text/html", "<html></html>", 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/ping" {
					w.Header().Set("X-Influxdb-Version", "1.8.10")
					w.WriteHeader(http.StatusNoContent)
					return
				}
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			c := newClient(t, s.URL, nil)
			if err := prepare(t.Context(), c); err != nil {
				t.Errorf("Prepare = %v, want nil", err)
			}
			if err := c.CreateDatabase(t.Context()); (err != nil) != (tt.name != "created") || err != nil && !errors.Is(err, influx.ErrRefused) {
				t.Errorf("CreateDatabase = %v", err)
			}
		})
	}
	s := httptest.NewServer(nil)
	s.Close()
	if err := prepare(t.Context(), newClient(t, s.URL, nil)); err == nil || errors.Is(err, influx.ErrRefused) {
		t.Errorf("Prepare = %v, want an error when nobody answers", err)
	}
}

// What a wrong influxdb.url leads to is said in its terms.
func TestWrongURL(t *testing.T) {
	page := func(status int, server, body string) string {
		s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", server)
			w.WriteHeader(status)
			io.WriteString(w, body)
		})
		return s.URL
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	plain := page(404, "nginx/1.22.1", "<html><h1>404 Not Found</h1></html>")
	notFound := page(404, "", "404 page not found\n")
	for url, want := range map[string]string{
		closed.URL:          "no InfluxDB at " + closed.URL + " (influxdb.url): connection refused",
		plain:               "influxdb answered 404 Not Found: an HTML page from nginx/1.22.1: does influxdb.url " + plain + " lead to InfluxDB?",
		notFound + "/write": "influxdb answered 404 Not Found: influxdb.url must not end in /write, tailflux adds it",
		"https" + strings.TrimPrefix(plain, "http"): "https" + strings.TrimPrefix(plain, "http") + " (influxdb.url) speaks http, not https: http: server gave HTTP response to HTTPS client",
	} {
		c := newClient(t, url, nil)
		if err := c.Write(t.Context(), pieces(1)); err == nil || err.Error() != want {
			t.Errorf("%s: Write = %v, want %s", url, err, want)
		}
		err := c.CreateDatabase(t.Context())
		if refused := errors.Is(err, influx.ErrRefused); err == nil || refused != strings.Contains(want, "answered") || !refused && err.Error() != want {
			t.Errorf("%s: CreateDatabase = %v", url, err)
		}
	}
}
