package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

const (
	tailEvery   = 200 * time.Millisecond
	tailBeat    = 15 * time.Second // a comment, when there is nothing to send
	maxTailText = 256              // bytes of what is filtered by
	maxTail     = 100              // requests in one event; there are at most 50 a second
)

// serveTail sends requests as they are read, those of the last 200 ms together.
func (p *Page) serveTail(w http.ResponseWriter, r *http.Request) {
	filter, err := filterOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	board := p.board()
	if board == nil {
		http.Error(w, "the live figures are off: http.live: true turns them on", http.StatusNotFound)
		return
	}
	s, ok := p.open(w, r)
	if !ok {
		return
	}
	defer s.close()
	requests, stop := board.Watch(filter)
	defer stop()
	if s.send(fmt.Appendf(nil, "retry: %d\n\n", retry.Milliseconds())) != nil {
		return
	}
	for said := time.Now(); s.wait(r.Context(), tailEvery); {
		batch := gather(requests)
		events := []byte(": still here\n\n")
		switch {
		case len(batch) > 0:
			data, err := json.Marshal(batch)
			if err != nil {
				panic(err) // of what can be encoded
			}
			events = event("requests", data)
		case time.Since(said) < tailBeat:
			continue
		}
		if s.send(events) != nil {
			return
		}
		said = time.Now()
	}
}

// gather takes what waits, and does not wait.
func gather(requests <-chan live.Request) (batch []live.Request) {
	for len(batch) < maxTail {
		select {
		case request, ok := <-requests:
			if !ok {
				return batch
			}
			batch = append(batch, request)
		default:
			return batch
		}
	}
	return batch
}

// filterOf is what a client wants to see of the requests.
func filterOf(r *http.Request) (f live.Filter, err error) {
	q, err := url.ParseQuery(r.URL.RawQuery) // not r.URL.Query(), which leaves out what it cannot read
	if err != nil {
		return f, err
	}
	f = live.Filter{Text: q.Get("text"), Class: q.Get("class"), Source: q.Get("source")}
	if len(f.Text) > maxTailText || len(f.Source) > maxTailText {
		return f, fmt.Errorf("text and source may have %d bytes at most", maxTailText)
	}
	switch f.Class {
	case "", "1xx", "2xx", "3xx", "4xx", "5xx", "other":
		return f, nil
	}
	return f, errors.New("class is one of 1xx, 2xx, 3xx, 4xx, 5xx and other, or empty")
}
