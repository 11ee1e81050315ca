package history_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/history"
	"github.com/tailflux/tailflux/internal/influx"
)

// quiet is an InfluxDB that has nothing, and counts what it is asked; tailflux is as old as that.
func quiet(t *testing.T, began time.Time) (ask func(query string, at time.Time) *history.Answer, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		if r.URL.Path == "/ping" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		asked.Add(1)
		fmt.Fprint(w, `{"results":[{}]}`)
	}))
	t.Cleanup(server.Close)
	client, err := influx.New(influx.Config{URL: server.URL, Database: "h", Timeout: time.Minute, InFlight: 2, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	clock := began
	store := &history.Store{Client: client, Rollups: defaults, Own: "tailflux"}
	handler := history.Handler(history.Config{
		Store: func() (*history.Store, error) { return store, nil }, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock },
	})
	return func(query string, at time.Time) *history.Answer {
		t.Helper()
		clock = at
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/history?"+query, nil))
		var a history.Answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
			t.Fatalf("GET /history?%s: %d %s", query, w.Code, w.Body)
		}
		return &a
	}, asked
}

// The time before ends where the time that is asked about begins, or before, and is of as much
// earlier as a range is long: of the same time of the day.
func TestTheTimeBefore(t *testing.T) {
	ask, _ := quiet(t, now.Add(-24*time.Hour))
	for i := range 4 {
		at := now.Add(time.Duration(i) * 143 * time.Second)
		for _, query := range []string{
			"range=1h", "range=6h", "range=24h", "range=7d", "range=30d", "range=90d", "range=1y", "from=2026-11-24T08:01:07&to=2026-11-24T09:30:41",
			"from=2026-11-24T08:01:59&to=2026-11-24T08:03:01", "from=2026-11-23T08:04:07&to=2026-11-24T08:06:00", "from=2026-11-23", "from=2026-11-01T08:01:07", "from=2025-11-01T08:01:07&to=2026-11-01",
		} {
			a := ask(query, at)
			shift, span := a.From.Sub(a.Previous.From), a.To.Sub(a.From)
			if shift != a.To.Sub(a.Previous.To) || a.Previous.To.After(a.From) || span <= 0 {
				t.Errorf("GET /history?%s at %s: from %s to %s, before from %s to %s", query, at, a.From, a.To, a.Previous.From, a.Previous.To)
			}
			if a.Range != "" && (shift != long[a.Range] || span < shift*9/10) {
				t.Errorf("GET /history?%s at %s: %s, and %s before, want %s", query, at, span, shift, long[a.Range])
			}
		}
	}
}

// What is about a time that has just ended is asked for again soon, or it would lack for long
// what is delivered a little later, however the time was asked for.
func TestAnswersAreKeptForAShortWhile(t *testing.T) {
	ask, asked := quiet(t, now.Add(-24*time.Hour))
	for _, tt := range []struct {
		query string
		kept  time.Duration
	}{
		{"from=2026-11-24T10:04:33&to=2026-11-24T10:07:33", 10 * time.Second},
		{"from=2026-11-24T04:07:33&to=2026-11-24T10:07:33", 30 * time.Second},
		{"from=2026-11-23T10:07:33&to=2026-11-24T10:07:33", 2 * time.Minute},
		{"from=2026-10-24&to=2026-11-24", 5 * time.Minute},
	} {
		for _, later := range []time.Duration{0, tt.kept - time.Second, tt.kept} {
			before := asked.Load()
			ask(tt.query, now.Add(later))
			if anew := asked.Load() > before; anew != (later == 0 || later >= tt.kept) {
				t.Errorf("GET /history?%s after %s: asked anew: %t", tt.query, later, anew)
			}
		}
	}
}
