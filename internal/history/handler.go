package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/live"
)

// Config says who is asked.
type Config struct {
	Store func() (*Store, error) // of just now; called from many goroutines
	Log   *slog.Logger
	Now   func() time.Time // nil: the clock
}

// server answers GET /history.
type server struct {
	Config
	flights    flights
	statements chan struct{}
	began      time.Time // which is when tailflux was started

	mu     sync.Mutex // guards what follows
	logged time.Time
}

// Handler answers GET /history; docs/live.md says what. It may be asked by many at once: at
// most two statements are asked of InfluxDB at a time.
func Handler(c Config) http.Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &server{Config: c, flights: flights{now: c.Now}, statements: make(chan struct{}, AtOnce), began: c.Now()}
}

// state is what there is in place of an answer, and Text why.
type state struct {
	Status int    `json:"-"`
	State  string `json:"state"`
	Text   string `json:"error"`
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// It may take longer than other answers.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(Patience + 5*time.Second))
	w.Header().Set("Cache-Control", "no-store")
	values, unread := url.ParseQuery(r.URL.RawQuery) // not r.URL.Query(), which leaves out what it cannot read
	request, err := Parse(values, s.Now())
	form, wrong := parseForm(values)
	if err = errors.Join(unread, err, wrong); err != nil {
		s.writeError(w, state{http.StatusBadRequest, "wrong", err.Error()})
		return
	}
	store, err := s.Store()
	if err != nil {
		s.writeError(w, s.failed(err))
		return
	}
	answer, err := s.flights.do(r.Context(), key{request, store}, func(ctx context.Context) (*Answer, error) {
		return s.work(ctx, store, request)
	})
	if err != nil {
		if r.Context().Err() == nil {
			s.writeError(w, s.failed(err))
		}
		return
	}
	s.show(w, answer, form)
}

func (s *server) writeError(w http.ResponseWriter, is state) {
	if is.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(is.Status)
	_ = json.NewEncoder(w).Encode(is) // the client is gone
}

// failed is what is shown of an error. What InfluxDB said is for the log: it may have names
// and addresses that a browser need not know.
func (s *server) failed(err error) state {
	var cannot unanswerable
	away := func(name, text string) state { return state{http.StatusServiceUnavailable, name, text} }
	switch {
	case errors.As(err, &cannot):
		return away("missing", cannot.Error())
	case errors.Is(err, errBusy):
		return away("busy", "too many different questions are being answered; ask again in a while")
	case errors.Is(err, errSlow):
		return away("slow", fmt.Sprintf("InfluxDB needed more than %s; ask for a shorter time, or for one path", Patience))
	}
	s.log(err)
	if errors.Is(err, influx.ErrRefused) {
		return away("refused", "InfluxDB refuses to answer; the log of tailflux says why")
	}
	return away("away", "InfluxDB does not answer (influxdb.url); the log of tailflux says why. The page Now needs no InfluxDB")
}

// log logs trouble, not more than once a minute.
func (s *server) log(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.Now(); s.logged.IsZero() || now.Sub(s.logged) > time.Minute {
		s.logged = now
		s.Log.Warn("cannot answer /history", "err", err)
	}
}

var (
	errNoRollups = errors.New("history is read from rollups, and none are configured (rollups: []). --rollups=default are those that tailflux has by itself; they count what comes from then on")
	errNoOwn     = errors.New("self_metrics is false: nothing says which time was observed, so a gap may also be a time without requests")
	errNotKnown  = errors.New("which of this time was observed is not known yet: wait a few minutes")
	errNoSpans   = errors.New("nothing says which of this time was observed: no tailflux that writes points about itself (self_metrics) was here")
)

// work answers a question.
func (s *server) work(ctx context.Context, store *Store, r Request) (*Answer, error) {
	if len(store.Rollups) == 0 {
		return nil, unanswerable{errNoRollups}
	}
	is, err := store.Client.Server(ctx)
	if err != nil {
		return nil, err
	}
	if why := is.NoInfluxQL(); why != "" {
		return nil, unanswerable{errors.New(why)}
	}
	a := &asking{Request: r, store: store, statements: s.statements, began: s.began, now: s.Now()}
	if err := a.where(ctx); err != nil {
		return nil, err
	}
	if err := a.chooseSpan(); err != nil {
		return nil, err
	}
	a.begin()
	if err := a.all(ctx); err != nil {
		return nil, err
	}
	a.early()
	a.alone()
	a.agree()
	a.quiet()
	return a.answer, nil
}

// begin makes an answer with nothing in it.
func (a *asking) begin() {
	a.answer = &Answer{
		Range: a.Range, From: a.from, To: a.to, Filters: map[string]string{}, Series: a.newSeries(0),
		Previous: Previous{From: a.from.Add(-a.shift), To: a.to.Add(-a.shift), Series: a.newSeries(a.shift)},
		Tables:   map[string][]Row{}, Observed: []Source{}, Gaps: []Gap{}, Rollups: map[string]string{}, Missing: map[string]string{},
	}
	for _, f := range a.filters() {
		a.answer.Filters[f.name] = f.Text
	}
	for _, total := range []*live.Total{&a.answer.Total, &a.answer.Previous.Total} {
		total.P50, total.P95, total.P99 = live.None(), live.None(), live.None()
	}
}

// all asks for all parts. Without requests over time there is no answer.
func (a *asking) all(ctx context.Context) error {
	now, before := a.answer, &a.answer.Previous
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.course(ctx, partSeries, 0, &now.Series, &now.Total) })
	part := func(work func(context.Context) error, names ...string) {
		g.Go(func() error { return a.part(ctx, names, work) })
	}
	part(a.paths, partPaths, partFailing, partSlowest) // which takes longest
	part(func(ctx context.Context) error { return a.times(ctx, partTimes, 0, &now.Series, &now.Total) }, partTimes)
	part(func(ctx context.Context) error {
		if err := a.course(ctx, partPrevious, a.shift, &before.Series, &before.Total); err != nil || before.Total.Requests == 0 {
			return err
		}
		return a.times(ctx, partPrevious, a.shift, &before.Series, &before.Total)
	}, partPrevious)
	part(a.observed, partObserved)
	part(a.places, partHosts, partSources)
	part(a.statuses, partStatuses)
	return g.Wait()
}

// alone gives the only host or source the percentile of all.
func (a *asking) alone() {
	for _, part := range []string{partHosts, partSources} {
		if table := a.answer.Tables[part]; len(table) == 1 {
			table[0].P95 = a.answer.Total.P95
		}
	}
}

// quiet shows 0 instead of a gap where the log was read and had no requests.
func (a *asking) quiet() {
	s := &a.answer.Series
	for i, share := range s.Observed {
		if share >= wholly && isNone(s.Requests[i]) {
			s.Requests[i], s.Bytes[i] = 0, 0
		}
	}
}

// show writes an answer in the form that is wanted.
func (s *server) show(w http.ResponseWriter, answer *Answer, f form) {
	body, err := f.render(answer)
	if err != nil {
		s.log(err)
		http.Error(w, "cannot write the answer; the log of tailflux says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", f.contentType())
	if f.of != "" {
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", f.fileName(answer)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client is gone
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return out.Bytes(), err
}
