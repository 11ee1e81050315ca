package page

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// Reject is a rejected line, with the place where it stops to be of its format.
type Reject struct {
	Time       time.Time `json:"time"`
	Source     string    `json:"source"`
	LineNumber int64     `json:"line_number"`
	Reason     string    `json:"reason"`
	Line       string    `json:"line"`  // what of it can be shown, printable
	Caret      int       `json:"caret"` // so many characters of Line are before the place; -1: there is none
	Why        string    `json:"why"`   // what was expected there, or ""
}

// answer is the JSON of /live.
type answer struct {
	Page     string          `json:"page"`     // the hash of its assets: another one is another page
	Live     *live.Snapshot  `json:"live"`     // null: it is off
	Pipeline json.RawMessage `json:"pipeline"` // as /monitor has it
	Rejects  []Reject        `json:"rejects"`
}

// now makes the answer.
func (p *Page) now() []byte {
	a := answer{Page: p.assets.hash, Pipeline: json.RawMessage("null"), Rejects: []Reject{}}
	if board := p.board(); board != nil {
		a.Live = board.Snapshot()
	}
	if p.config.Pipeline != nil {
		a.Pipeline = p.config.Pipeline()
	}
	if p.config.Rejects != nil {
		a.Rejects = append(a.Rejects, p.config.Rejects()...)
	}
	body, err := json.Marshal(a)
	if err != nil {
		panic(err) // of what can be encoded
	}
	return body
}

func (p *Page) board() Board {
	if p.config.Live == nil {
		return nil
	}
	return p.config.Live()
}

func (p *Page) serveLive(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(p.live.get()) // the client is gone
}

// event is a server-sent event; data has no newline.
func event(name string, data []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(name) + len(data) + 16)
	b.WriteString("event: ")
	b.WriteString(name)
	b.WriteString("\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes()
}
