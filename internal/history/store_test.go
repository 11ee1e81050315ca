package history_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/history"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/rollup"
)

// now is when tests ask: no round time.
var now = time.Date(2026, 11, 24, 10, 7, 33, 0, time.UTC)

// line is one of a log.
type line struct {
	at                                 time.Time
	host, source, path, status, method string
	ms                                 int64 // -1: it has no time
	bytes                              int64
}

var defaults = []rollup.Definition{
	{Measurement: "nginx_site", Interval: 10 * time.Second, Tags: []string{"method", "status"}},
	{Measurement: "nginx_paths", Interval: time.Minute, Tags: []string{"path", "status_class"}},
	{Measurement: "nginx_site_5m", Interval: 5 * time.Minute, Tags: []string{"status_class"}},
}

// odd are paths that mean something to InfluxQL, regular expressions, HTML or spreadsheets.
var odd = []string{
	"/", "/a", "/a/b", `/a\/b`, `/it's`, `/say "hi"`, `/back\slash`, "/caf\u00e9", "/a,b=c d", "/x|y", "/(a+)+$", "/.*", "/$/i", "/a' OR 'a'='a",
	`/'; DROP DATABASE h; --`, `/" OR "path" != "`, "/<script>alert(1)</script>", "=1+1", "+2", "-3", "@4", "/\u202egpj", "/a%20b?", "/{a}[b]", "",
}

// bed is an influxd with some lines, and a handler that asks it.
type bed struct {
	t       *testing.T
	db      *influxdtest.Server
	name    string
	client  *influx.Client
	store   *history.Store
	handler http.Handler
	log     strings.Builder
	now     time.Time
	sizes   string // the fields of sizes, of all that was sent and of a body; "": bytes_sent alone
	n       int64
}

func newBed(t *testing.T, db *influxdtest.Server, name string) *bed {
	t.Helper()
	return newBedThatBegan(t, db, name, 24*time.Hour)
}

// newBedThatBegan has a handler that is so old.
func newBedThatBegan(t *testing.T, db *influxdtest.Server, name string, began time.Duration) *bed {
	t.Helper()
	client, err := influx.New(influx.Config{URL: db.URL(), Database: name, Timeout: time.Minute, InFlight: 2, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Cleanup(client.Close)
		err = client.CreateDatabase(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, db: db, name: name, client: client, now: now.Add(-began)}
	b.store = &history.Store{Client: client, Rollups: defaults, Own: "tailflux"}
	b.handler = history.Handler(history.Config{
		Store: func() (*history.Store, error) { return b.store, nil },
		Log:   slog.New(slog.NewTextHandler(&b.log, nil)),
		Now:   func() time.Time { return b.now },
	})
	b.now = now
	return b
}

var escape = strings.NewReplacer(`,`, `\,`, `=`, `\=`, ` `, `\ `)

// add stores what rollups have of lines: a point for each line, as if each had been cut alone.
func (b *bed) add(lines []line) {
	b.t.Helper()
	var text [][]byte
	for _, l := range lines {
		tags := map[string]string{"method": l.method, "status": l.status, "path": l.path, "status_class": l.status[:1] + "xx"}
		for _, d := range b.store.Rollups {
			var p strings.Builder
			fmt.Fprintf(&p, "%s,host=%s,source=%s", d.Measurement, escape.Replace(l.host), escape.Replace(l.source))
			for _, tag := range d.Tags {
				if v := tags[tag]; v != "" {
					fmt.Fprintf(&p, ",%s=%s", tag, escape.Replace(v))
				}
			}
			p.WriteString(" requests=1i")
			fmt.Fprintf(&p, cmp.Or(b.sizes, ",bytes_sent=%[1]di"), l.bytes, l.bytes/2)
			if l.ms >= 0 {
				fmt.Fprintf(&p, ",request_time_ms=%di,request_time_ms_max=%di,%s=1i", l.ms, l.ms, rollup.BucketField("request_time", rollup.Bucket(l.ms)))
			}
			b.n++
			fmt.Fprintf(&p, " %d\n", l.at.Truncate(d.Interval).UnixNano()+b.n)
			text = append(text, []byte(p.String()))
		}
	}
	// As tailflux does: a bucket that nobody met is 0, and not nothing.
	for _, d := range b.store.Rollups {
		hours := map[time.Time]bool{}
		for _, l := range lines {
			hours[l.at.Truncate(time.Hour)] = true
		}
		for hour := range hours {
			var p strings.Builder
			fmt.Fprintf(&p, "%s,host=none,source=tailflux ", d.Measurement)
			for i := range rollup.Buckets {
				fmt.Fprintf(&p, "%s=0i,", rollup.BucketField("request_time", i))
			}
			text = append(text, fmt.Appendf(nil, "%srequests=0i %d\n", p.String(), hour.UnixNano()))
		}
	}
	b.write(text)
}

func (b *bed) write(text [][]byte) {
	b.t.Helper()
	for part := range slices.Chunk(text, 5000) {
		if err := b.client.Write(b.t.Context(), part); err != nil {
			b.t.Fatal(err)
		}
	}
}

// saw stores that a source was observed for a time, in spans of at most so long.
func (b *bed) saw(host, source string, from, to time.Time, each time.Duration) {
	b.t.Helper()
	var text [][]byte
	for begin := from; begin.Before(to); {
		end := begin.Truncate(each).Add(each)
		if end.After(to) {
			end = to
		}
		text = append(text, fmt.Appendf(nil, "tailflux,host=%s,source=%s observed_from=%di,observed_seconds=%g %d\n",
			escape.Replace(host), escape.Replace(source), begin.UnixNano(), end.Sub(begin).Seconds(), end.UnixNano()))
		begin = end
	}
	b.write(text)
}

// get asks, and wants a status.
func (b *bed) get(query string, status int) (body string, header http.Header) {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, httptest.NewRequestWithContext(b.t.Context(), http.MethodGet, "/history?"+query, nil))
	if w.Code != status {
		b.t.Fatalf("GET /history?%s: %d %s, want %d; log:\n%s", query, w.Code, w.Body, status, &b.log)
	}
	return w.Body.String(), w.Header()
}

func (b *bed) ask(query string) *history.Answer {
	b.t.Helper()
	body, header := b.get(query, http.StatusOK)
	if got := header.Get("Content-Type"); got != "application/json" {
		b.t.Errorf("GET /history?%s: Content-Type %q", query, got)
	}
	var a history.Answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		b.t.Fatalf("GET /history?%s: %v\n%s", query, err, body)
	}
	return &a
}

// random lines of a time, of two hosts with two sources each.
func random(n int, from, to time.Time) (lines []line) {
	r := rand.New(rand.NewPCG(5, 6))
	for range n {
		l := line{
			at:   from.Add(time.Duration(r.Int64N(int64(to.Sub(from))))),
			host: []string{"web1", "web2", "it's"}[r.IntN(3)], source: []string{"shop", `a "b`}[r.IntN(2)],
			path: odd[r.IntN(len(odd))], method: []string{"GET", "POST"}[r.IntN(2)],
			status: []string{"200", "200", "200", "204", "304", "404", "499", "500", "502", "101", "000"}[r.IntN(11)],
			ms:     int64(70 * math.Exp(r.NormFloat64())), bytes: r.Int64N(100_000),
		}
		if r.IntN(9) == 0 || l.status == "101" {
			l.ms = -1
		}
		lines = append(lines, l)
	}
	return lines
}

func parameters(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// isBucket reports whether a percentile is that of the times, to the bucket.
func isBucket(got live.Number, times []int64, quantile float64) bool {
	if len(times) == 0 || math.IsNaN(float64(got)) {
		return len(times) == 0 && math.IsNaN(float64(got))
	}
	slices.Sort(times)
	want := times[max(0, int(math.Ceil(quantile*float64(len(times))))-1)]
	return rollup.Bucket(int64(math.Round(float64(got)*1000))) == rollup.Bucket(want)
}
