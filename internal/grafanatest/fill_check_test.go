package grafanatest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// numbers are the values of the first row of a query without groups.
func (w *world) numbers(t *testing.T, database, query string) (all []float64) {
	t.Helper()
	series, err := w.db.Query(t.Context(), database, query)
	if err != nil {
		t.Fatal(err)
	}
	if len(series) == 0 {
		return nil
	}
	for _, v := range series[0].Values[0][1:] {
		n, _ := v.(json.Number)
		f, _ := n.Float64()
		all = append(all, f)
	}
	return all
}

// What the record says is what tailflux wrote, in the plainest questions.
func TestRecordIsOfWhatWasRead(t *testing.T) {
	w := filled(t)
	for _, o := range origins {
		var requests, tries, sent, body, length, times, upstream float64
		for _, r := range w.known.requests {
			if r.source != o.source {
				continue
			}
			requests++
			tries += float64(len(r.upstream))
			sent += float64(max(0, r.sent))
			body += float64(max(0, r.body))
			length += float64(max(0, r.length))
			if !r.tunnel() {
				times += float64(max(0, r.ms))
				upstream += float64(max(0, r.upstreamMS()))
			}
		}
		where := fmt.Sprintf(`"source" = '%s'`, o.source)
		got := w.numbers(t, knownDB, `SELECT sum(requests), sum(upstream_tries), sum(bytes_sent), sum(body_bytes_sent), sum(request_length), sum(request_time_ms),
			sum(upstream_response_time_ms) FROM tailflux_rollups.nginx_site WHERE `+where)
		if want := fmt.Sprint([]float64{requests, tries, sent, body, length, times, upstream}); fmt.Sprint(got) != want {
			t.Errorf("%s: rollups have %v, want %s", o.source, got, want)
		}
		if n, err := w.db.Count(t.Context(), knownDB, "nginx_access", where); err != nil || n != int64(requests) {
			t.Errorf("%s: %d points of lines, %v, want %v", o.source, n, err, requests)
		}
		for _, tag := range []string{"path", "method"} {
			w.compareTag(t, o.source, tag)
		}
		var observed float64
		for _, s := range w.known.spans {
			if s.source == o.source {
				observed += s.to.Sub(s.from).Seconds()
			}
		}
		got = w.numbers(t, knownDB, `SELECT sum(observed_seconds) FROM tailflux_rollups.tailflux WHERE `+where)
		if len(got) != 1 || got[0] != observed {
			t.Errorf("%s: %v seconds were observed, want %v", o.source, got, observed)
		}
	}
}

// compareTag counts the points of each value.
func (w *world) compareTag(t *testing.T, source, tag string) {
	t.Helper()
	want := map[string]float64{}
	for _, r := range w.known.requests {
		if r.source == source {
			want[map[string]string{"path": r.path, "method": r.method}[tag]]++
		}
	}
	series, err := w.db.Query(t.Context(), knownDB, fmt.Sprintf(`SELECT count(bytes_sent), count(body_bytes_sent) FROM nginx_access WHERE "source" = '%s' GROUP BY %q`, source, tag))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range series {
		sum := 0.0
		for _, v := range s.Values[0][1:] {
			n, _ := v.(json.Number)
			f, _ := n.Float64()
			sum += f
		}
		if value := s.Tags[tag]; sum != want[value] {
			t.Errorf("%s: %v lines with %s %q, want %v", source, sum, tag, value, want[value])
		}
		delete(want, s.Tags[tag])
	}
	for value, n := range want {
		t.Errorf("%s: no lines with %s %q, want %v", source, tag, value, n)
	}
}

func TestKnownTrafficHasItsEvents(t *testing.T) {
	k := newKnown(time.Date(2026, 11, 20, 10, 3, 47, 0, time.UTC))
	for what, has := range map[string]func(r *request) bool{
		"tunnel":   func(r *request) bool { return r.tunnel() },
		"failover": func(r *request) bool { return len(r.upstream) == 2 },
		"burst": func(r *request) bool {
			return r.status == 502 && r.at.After(k.at(burstFrom)) && r.at.Before(k.at(burstTo))
		},
		"no method": func(r *request) bool { return r.method == "" },
	} {
		n := 0
		for i := range k.requests {
			if has(&k.requests[i]) {
				n++
			}
		}
		if n < 20 {
			t.Errorf("%s: %d requests", what, n)
		}
	}
	if n := len(k.in(k.at(silenceFrom), k.at(silenceTo-time.Second))); n != 0 {
		t.Errorf("%d requests in the silence", n)
	}
	if n := len(k.in(k.at(90*minute+time.Second), k.at(105*minute))); n != 0 {
		t.Errorf("%d requests in the gap", n)
	}
}
