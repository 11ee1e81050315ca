package top

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// Picture is what GET /live answers, as far as it is shown.
type Picture struct {
	Live     *live.Snapshot `json:"live"` // nil: the daemon keeps none
	Pipeline *Pipeline      `json:"pipeline"`
	Rejects  []Reject       `json:"rejects"` // the last ones
}

// Reject is a rejected line.
type Reject struct {
	Time   time.Time `json:"time"`
	Source string    `json:"source"`
	Number int64     `json:"line_number"`
	Reason string    `json:"reason"`
	Line   string    `json:"line"`
	Caret  int       `json:"caret"` // so many characters of Line are before the place where it stops matching; -1: there is none
	Why    string    `json:"why"`
}

// Pipeline is a part of what GET /monitor answers.
type Pipeline struct {
	Lines struct {
		Read     int64 `json:"read"`
		Written  int64 `json:"written"`
		Rejected int64 `json:"rejected"`
		Filtered int64 `json:"filtered"`
		InFlight int64 `json:"in_flight"`
	} `json:"lines"`
	Undelivered float64 `json:"undelivered_seconds"`
	Throughput  struct {
		Lines Rates `json:"lines_per_second"`
		Bytes Rates `json:"bytes_per_second"`
	} `json:"throughput"`
	Channels struct {
		Read  Channel `json:"read"`
		Write Channel `json:"write"`
	} `json:"channels"`
	Sources []Source `json:"sources"`
	Globs   []struct {
		Name    string `json:"name"`
		Trouble string `json:"trouble"`
	} `json:"globs"`
	InfluxDB struct {
		Up        bool    `json:"up"`
		Version   string  `json:"version"`
		LastError string  `json:"last_error"`
		Outage    float64 `json:"outage_seconds"`
	} `json:"influxdb"`
	Rejects struct {
		Trouble string `json:"trouble"`
	} `json:"rejects"`
	Checkpoint struct {
		Trouble string `json:"trouble"`
	} `json:"checkpoint"`
	Reload *struct {
		State string `json:"state"`
		Error string `json:"error"`
	} `json:"reload"`
}

// Rates are means over some seconds.
type Rates struct {
	Over1s  float64 `json:"1s"`
	Over10s float64 `json:"10s"`
}

// Channel is what waits in one.
type Channel struct {
	Length   int   `json:"length"`
	Capacity int   `json:"capacity"`
	Lines    int64 `json:"lines"`
}

// Source is a log that is followed.
type Source struct {
	Name       string  `json:"name"`
	Open       bool    `json:"open"`
	Trouble    string  `json:"trouble"`
	Offset     int64   `json:"offset"`
	Size       int64   `json:"size"`
	LagBytes   int64   `json:"lag_bytes"`
	LagSeconds float64 `json:"lag_seconds"`
	Lost       int64   `json:"generations_lost"`
}

// parse reads an answer.
func parse(answer []byte) (*Picture, error) {
	p := &Picture{}
	if err := json.Unmarshal(answer, p); err != nil {
		return nil, fmt.Errorf("the answer is none of this tailflux's: %w", err)
	}
	if p.Live == nil && p.Pipeline == nil {
		return nil, fmt.Errorf("the answer is none of this tailflux's: neither live nor pipeline is in it")
	}
	return p, nil
}

// lag is how far reading is behind: the bytes of all logs, and the seconds of the last one.
func (p *Pipeline) lag() (bytes int64, seconds float64) {
	for _, s := range p.Sources {
		bytes += max(0, s.LagBytes)
		seconds = max(seconds, s.LagSeconds)
	}
	return bytes, seconds
}
