package history_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/history"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/rollup"
)

// What is asked wrongly gets a text that has what was given and what is wanted; InfluxDB is
// not asked.
func TestAWrongQuestionIsToldWhatIsWrong(t *testing.T) {
	handler := history.Handler(history.Config{
		Store: func() (*history.Store, error) { t.Error("somebody is asked"); return nil, errors.New("somebody") },
		Log:   slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
	})
	for query, want := range map[string]string{
		"range=2h":                          `range: got "2h", want 1h, 6h`,
		"range=":                            `range: got "", want 1h`,
		"range=1H":                          `range: got "1H"`,
		"range=1h&range=6h":                 "range: got it 2 times",
		"path=/a&path=/b":                   "path: got it 2 times",
		"range=1h&from=2026-11-20":          "range: want it, or from and to",
		"to=2026-11-20":                     "from: want a time",
		"from=yesterday":                    `from: got "yesterday", want a time such as`,
		"from=2026-11-20&to=x":              `to: got "x", want a time such as`,
		"from=2026-11-20&to=2026-11-19":     "want at least 1m0s",
		"from=2026-11-24T10:07:00":          "want at least 1m0s",
		"from=2026-12-24":                   "want at least 1m0s",
		"from=2020-01-01":                   "want at most two years",
		"from=1700-01-01":                   `from: got "1700-01-01"`,
		"class=5":                           `class: got "5", want a class of statuses such as 5xx`,
		"class=5xx'":                        `class: got "5xx'"`,
		"class=":                            `class: got ""`,
		"class=5xx%0a":                      `class: got "5xx\n"`,
		"path=%ff":                          `path: got "\xff", want UTF-8`,
		"path=a%0Db":                        `path: got "a\rb", want it without NUL`,
		"host=%00":                          `host: got "\x00", want it without NUL`,
		"host=" + strings.Repeat("a", 5000): "host: got 5000 bytes, want at most 4096",
		"where=path":                        `unknown parameter "where"`,
		"q=DROP+DATABASE+x":                 `unknown parameter "q"`,
		"format=xml":                        `format: got "xml", want csv or json`,
		"format=csv":                        "format=csv: want of=",
		"format=csv&of=users":               `of: got "users", want one of requests`,
		"of=":                               `of: got ""`,
		"range=1h&path=/p;v=1":              "semicolon",
		"range=1h;path=/p":                  "semicolon",
		"path=%zz":                          `invalid URL escape "%zz"`,
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/history?"+query, nil))
		var is struct{ State, Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &is); err != nil || w.Code != http.StatusBadRequest || is.State != "wrong" || !strings.Contains(is.Error, want) {
			t.Errorf("GET /history?%.100s: %d %s, want 400 with %q", query, w.Code, w.Body, want)
		}
	}
}

// What no rollup can tell is said, and the rest is shown.
func TestWhatRollupsCannotTellIsSaid(t *testing.T) {
	b := newBed(t, influxdtest.New(t, influxdtest.Options{}), "h")
	b.add(random(300, now.Add(-time.Hour), now))
	site, paths, coarse := defaults[0], defaults[1], defaults[2]
	byPath := rollup.Definition{Measurement: "by_path", Interval: time.Minute, Tags: []string{"path"}}
	for _, tt := range []struct {
		rollups []rollup.Definition
		query   string
		missing []string
		answers string // of series
	}{
		{defaults, "range=1h", []string{"observed"}, "nginx_site"},
		{defaults, "range=24h", []string{"observed"}, "nginx_site_5m"},
		{defaults, "range=1h&path=/", []string{"observed", "statuses"}, "nginx_paths"},
		{defaults, "range=1h&class=5xx", []string{"observed"}, "nginx_site"},
		{[]rollup.Definition{site}, "range=30d", []string{"observed", "paths", "failing", "slowest"}, "nginx_site"},
		{[]rollup.Definition{coarse}, "range=1h", []string{"observed", "paths", "failing", "slowest", "statuses"}, "nginx_site_5m"},
		{[]rollup.Definition{paths}, "range=1h", []string{"observed", "statuses"}, "nginx_paths"},
		{[]rollup.Definition{byPath}, "range=1h", []string{"observed", "classes", "paths", "failing", "slowest", "hosts", "sources", "statuses"}, "by_path"},
	} {
		b.store = &history.Store{Client: b.client, Rollups: tt.rollups}
		a := b.ask(tt.query)
		for _, part := range tt.missing {
			if a.Missing[part] == "" {
				t.Errorf("%v, %s: nothing says why there are no %s: %q", tt.rollups, tt.query, part, a.Missing)
			}
		}
		if len(a.Missing) != len(tt.missing) || a.Rollups["series"] != tt.answers {
			t.Errorf("%v, %s: %s answers, missing %q, want %s and %q", tt.rollups, tt.query, a.Rollups["series"], a.Missing, tt.answers, tt.missing)
		}
	}
	for query, rollups := range map[string][]rollup.Definition{"range=1h": nil, "range=24h&path=/": {site}, "range=7d&path=/&class=5xx": {byPath}, "range=1y&class=5xx": {byPath}} {
		b.store = &history.Store{Client: b.client, Rollups: rollups}
		if body, _ := b.get(query, http.StatusServiceUnavailable); !strings.Contains(body, `"state":"missing"`) || !strings.Contains(body, "rollups: [") {
			t.Errorf("%v, %s: %s, want a text that says what to configure", rollups, query, body)
		}
	}
}

// An outage, a refusal and a foreign store are told without what InfluxDB said:
// that may have names, addresses and passwords. It is in the log, once.
func TestTroubleIsToldWithoutSecrets(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	const secret = "s3cret"
	for _, tt := range []struct {
		name      string
		url, says string // no url: that of a server that says it
		status    int
		state     string
	}{
		{"hangs", hanging(t), "", 0, "away"},
		{"no server", gone.URL, "", 0, "away"},
		{"no such name", "http://nowhere.invalid:8086", "", 0, "away"},
		{"wrong password", "", `{"error":"authorization failed for ` + secret + `"}`, 401, "refused"},
		{"no database", "", `{"results":[{"error":"database not found: ` + secret + `"}]}`, 200, "refused"},
		{"an HTML page", "", `<html>` + secret, 502, "refused"},
		{"an error of a statement", "", `{"results":[{"error":"` + secret + ` at http://user:` + secret + `@db"}]}`, 200, "refused"},
	} {
		if tt.url == "" {
			tt.url = saying(t, tt.status, tt.says)
		}
		timeout := 5 * time.Second
		if tt.name == "hangs" {
			timeout = 50 * time.Millisecond
		}
		client, err := influx.New(influx.Config{URL: tt.url, Database: secret, Username: "user-" + secret, Password: secret, Timeout: timeout, InFlight: 1, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		var log strings.Builder
		handler := history.Handler(history.Config{
			Store: func() (*history.Store, error) {
				return &history.Store{Client: client, Rollups: defaults, Own: "tailflux"}, nil
			},
			Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now },
		})
		for range 3 {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/history?range=1h", nil))
			var is struct{ State, Error string }
			_ = json.Unmarshal(w.Body.Bytes(), &is)
			if w.Code != http.StatusServiceUnavailable || is.State != tt.state || is.Error == "" || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: %d %s, want 503 with state %s", tt.name, w.Code, w.Body, tt.state)
			}
			for _, hidden := range []string{secret, "127.0.0.1", "user", "nowhere"} {
				if strings.Contains(w.Body.String(), hidden) {
					t.Errorf("%s: %s has %q", tt.name, w.Body, hidden)
				}
			}
		}
		if n := strings.Count(log.String(), "cannot answer /history"); n != 1 {
			t.Errorf("%s: logged %d times, want once:\n%s", tt.name, n, &log)
		}
	}
}

// hanging is the address of an InfluxDB that takes connections and answers nothing.
func hanging(t *testing.T) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(server.Close)
	return server.URL
}

// saying is the address of an InfluxDB that answers each question so.
func saying(t *testing.T, status int, said string) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		if r.URL.Path == "/ping" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.WriteHeader(status)
		fmt.Fprint(w, said)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Whoever asks the same gets one answer, of one question; there are at most two statements
// at once, and at most eight questions.
func TestManyBrowsersAskOnce(t *testing.T) {
	var asked, now2, most atomic.Int64
	let := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		if r.URL.Path == "/ping" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		asked.Add(1)
		if n := now2.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now2.Add(-1)
		select {
		case <-let:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, `{"results":[{}]}`)
	}))
	defer server.Close()
	open := sync.OnceFunc(func() { close(let) })
	defer open()
	client, err := influx.New(influx.Config{URL: server.URL, Database: "h", Timeout: time.Minute, InFlight: 2, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	store := &history.Store{Client: client, Rollups: defaults, Own: "tailflux"}
	handler := history.Handler(history.Config{
		Store: func() (*history.Store, error) { return store, nil }, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
	})
	ask := func(ctx context.Context, query string) int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/history?"+query, nil))
		return w.Code
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := ask(t.Context(), "range=24h"); got != http.StatusOK {
				t.Errorf("one of many: %d", got)
			}
		})
	}
	waitFor(t, func() bool { return now2.Load() == 2 })
	// Others fill what there is room for; one more is refused.
	leaving, leave := context.WithCancel(t.Context())
	for i := range 7 {
		all.Go(func() {
			for ask(leaving, "range=24h&path="+url.QueryEscape(fmt.Sprint("/", i))) == http.StatusServiceUnavailable {
			}
		})
	}
	more := func() int {
		brief, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return ask(brief, "range=24h&path=/more")
	}
	waitFor(t, func() bool { return more() == http.StatusServiceUnavailable })
	leave()
	// Whoever has left makes room.
	waitFor(t, func() bool { return more() != http.StatusServiceUnavailable })
	open()
	all.Wait()
	once := asked.Load()
	if got := ask(t.Context(), "range=24h"); got != http.StatusOK || asked.Load() != once {
		t.Errorf("asked again: %d, and %d statements more", got, asked.Load()-once)
	}
	if got := most.Load(); got > 2 {
		t.Errorf("%d statements at once, want 2", got)
	}
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !what(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it does not come")
		}
	}
}

// CSV and JSON have what the whole answer has; a path is never a formula.
func TestSheets(t *testing.T) {
	b := newBed(t, influxdtest.New(t, influxdtest.Options{}), "h")
	b.add(random(2000, now.Add(-time.Hour), now))
	b.saw("web1", "shop", now.Add(-2*time.Hour), now, time.Minute)
	a := b.ask("range=1h")
	for _, of := range []string{"requests", "classes", "errors", "times", "bytes", "observed", "paths", "failing", "slowest", "hosts", "sources", "statuses"} {
		body, header := b.get("range=1h&format=csv&of="+of, http.StatusOK)
		want := fmt.Sprintf(`attachment; filename="tailflux-%s-%s-%s.csv"`, of, a.From.Format("20060102T1504Z"), a.To.Format("20060102T1504Z"))
		if header.Get("Content-Disposition") != want || !strings.HasPrefix(header.Get("Content-Type"), "text/csv; charset=utf-8") {
			t.Errorf("%s: headers %v", of, header)
		}
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", of, err)
			continue
		}
		n := len(a.Series.Time)
		if table, ok := a.Tables[of]; ok {
			n = len(table)
			for i, row := range table {
				if got := rows[i+1]; strings.TrimPrefix(got[0], "'") != row.Name || got[1] != fmt.Sprint(row.Requests) ||
					of == "statuses" && len(got) != 4 || of != "statuses" && got[4] != fmt.Sprint(row.Bytes) {
					t.Errorf("%s: row %d is %q, want %+v", of, i, got, row)
				}
			}
		} else if at := rows[1][0]; at != time.Unix(a.Series.Time[0], 0).UTC().Format(time.RFC3339) {
			t.Errorf("%s begins at %s", of, at)
		}
		if len(rows) != n+1 || n == 0 {
			t.Errorf("%s: %d rows, want %d", of, len(rows), n+1)
		}
		for _, row := range rows[1:] {
			for _, cell := range row {
				if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") {
					t.Errorf("%s: a spreadsheet reads %q as a formula", of, cell)
				}
			}
		}
		body, _ = b.get("range=1h&format=json&of="+of, http.StatusOK)
		var objects []map[string]any
		if err := json.Unmarshal([]byte(body), &objects); err != nil || len(objects) != n || len(objects[0]) != len(rows[0]) {
			t.Errorf("%s: %v, %d objects, want %d: %.300s", of, err, len(objects), n, body)
		}
	}
	body, _ := b.get("range=1h&format=csv&of=requests", http.StatusOK)
	rows, _ := csv.NewReader(strings.NewReader(body)).ReadAll()
	if got, want := strings.Join(rows[0], " "), "time seconds requests requests_per_second previous_requests previous_requests_per_second observed"; got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	for i, n := range a.Series.Requests {
		if rows[i+1][2] != fmt.Sprint(int64(n)) {
			t.Errorf("row %d has %s requests, want %v", i, rows[i+1][2], n)
		}
	}
}
