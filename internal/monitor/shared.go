package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// sharedFor is how old an answer may be.
const sharedFor = 100 * time.Millisecond

// moments are what is answered, made when it is asked for, at most every 100 ms, for all
// who ask.
type moments struct {
	report func() monitorReport

	mu   sync.Mutex // guards what follows; who waits for it wants just what is being made
	made time.Time
	last *moment
}

// moment is the report of one instant, and what was made of it.
type moment struct {
	report monitorReport
	json   []byte

	mu      sync.Mutex // guards what follows
	metrics map[string]*recorded
}

func newMoments(info Info, st *stats.Stats) *moments {
	return &moments{report: func() monitorReport { return report(info, st, time.Now()) }}
}

// now returns the moment of now, which nobody may change.
func (m *moments) now() *moment {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); m.last == nil || now.Sub(m.made) >= sharedFor {
		m.last, m.made = newMoment(m.report()), now
	}
	return m.last
}

func newMoment(r monitorReport) *moment {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		panic(err) // of what can be encoded
	}
	return &moment{report: r, json: b.Bytes(), metrics: map[string]*recorded{}}
}

// maxKinds is how many answers to /metrics are kept that differ by what their clients take.
const maxKinds = 8

// once answers all who ask the same from one answer of next.
func (m *moments) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := m.now().answer(next, r)
		maps.Copy(w.Header(), a.header)
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body.Bytes()) // the client is gone
	})
}

func (m *moment) answer(next http.Handler, r *http.Request) *recorded {
	h := r.Header
	asked := strings.Join([]string{strings.Join(h.Values("Accept"), ","), strings.Join(h.Values("Accept-Encoding"), ","), r.URL.RawQuery}, "\n")
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept := m.metrics[asked]; kept != nil {
		return kept
	}
	made := &recorded{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(made, r)
	if len(m.metrics) < maxKinds {
		m.metrics[asked] = made
	}
	return made
}

// recorded is an answer to be given again.
type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header            { return r.header }
func (r *recorded) WriteHeader(status int)         { r.status = status }
func (r *recorded) Write(text []byte) (int, error) { return r.body.Write(text) }

// Ask returns what a handler answers to GET path, for who is in the same process.
func Ask(ctx context.Context, handler http.Handler, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return nil, err
	}
	w := recorded{header: http.Header{}, status: http.StatusOK}
	if handler.ServeHTTP(&w, r); w.status != http.StatusOK {
		return nil, fmt.Errorf("%s: %d: %s", path, w.status, w.body.Bytes())
	}
	return w.body.Bytes(), nil
}
