package live

import (
	"math"
	"strconv"
	"time"
)

// Snapshot is what is shown of some time. It never changes, so many may read it.
type Snapshot struct {
	At    time.Time `json:"at"`    // when it was made
	Total Total     `json:"total"` // of the slots below
	Slots Slots     `json:"slots"`
	Top   Top       `json:"top"`
}

// Total is all of the time that is shown.
type Total struct {
	Requests     int64  `json:"requests"`
	ClientErrors int64  `json:"client_errors"` // of status 4xx
	ServerErrors int64  `json:"server_errors"` // of status 5xx
	Bytes        int64  `json:"bytes"`         // that were sent
	P50          Number `json:"p50"`           // seconds, as those below
	P95          Number `json:"p95"`
	P99          Number `json:"p99"`

	Older int64 `json:"older"` // since the start: lines from before the slots, which are in none
	Ahead int64 `json:"ahead"` // since the start: lines of which the time is more than a minute ahead of the clock, likewise
}

// Slots are columns of one length: of each slot the values at one place. Counts are exact.
type Slots struct {
	Step     int64              `json:"step"`     // seconds of a slot
	Time     []int64            `json:"time"`     // of its begin, in seconds since 1970
	Requests []Number           `json:"requests"` // null: not observed; 0: there were none
	Bytes    []Number           `json:"bytes"`
	Classes  map[string][]int64 `json:"classes"` // of status, "1xx" to "5xx" and "other"
	P50      []Number           `json:"p50"`     // null: no request had a time
	P95      []Number           `json:"p95"`
	P99      []Number           `json:"p99"`
}

// Top are the values with most requests, the first one first. They are of every line or,
// with more than 50,000 lines/s, of one of Sampled: their counts are multiplied by it.
type Top struct {
	Sampled int64 `json:"sampled"`
	// Full are the lists, as they are called below, that had more values than are kept: they
	// have those with most requests, of which they may lack a few.
	Full []string `json:"full"`

	Paths        []Row `json:"paths"`
	Failing      []Row `json:"failing"` // paths, by errors of the server
	ClientErrors []Row `json:"refused"` // paths, by errors of the client, such as those that are not there
	Slowest      []Row `json:"slowest"` // paths, by the 95th percentile of their times
	Clients      []Row `json:"clients"` // of an address only the network, unless it may be shown
	Agents       []Row `json:"agents"`
	Bots         []Row `json:"bots"` // agents that say they are

	Methods   []Row `json:"methods"`
	Statuses  []Row `json:"statuses"`
	Hosts     []Row `json:"hosts"` // virtual ones
	Referrers []Row `json:"referrers"`
	Sources   []Row `json:"sources"` // all that have requests
}

// Row is a value and its requests.
type Row struct {
	Name         string `json:"name"` // valid UTF-8; what a log line had, so it may contain anything
	Requests     int64  `json:"requests"`
	ClientErrors int64  `json:"client_errors"`
	ServerErrors int64  `json:"server_errors"`
	Bytes        int64  `json:"bytes"`
	Mean         Number `json:"mean"` // seconds
	P95          Number `json:"p95"`
}

// Request is a line as the live tail shows it.
type Request struct {
	Time    time.Time `json:"time"`
	Source  string    `json:"source"`
	Client  string    `json:"client,omitempty"`
	Method  string    `json:"method,omitempty"`
	Path    string    `json:"path,omitempty"` // as the log has it, without a query unless that is kept
	Host    string    `json:"host,omitempty"`
	Status  string    `json:"status,omitempty"`
	Bytes   Number    `json:"bytes"`
	Seconds Number    `json:"seconds"`
	Agent   string    `json:"agent,omitempty"`
}

// Filter says which requests of the live tail are wanted: those that have all of it. What is
// empty is not asked for.
type Filter struct {
	Text   string // somewhere in method, path, host, client or agent, in letters of either case
	Class  string // of status, as in Slots
	Source string
}

// Number is a number that may be missing: then it is NaN, which is null in JSON.
type Number float64

// None is the number that is missing.
func None() Number { return Number(math.NaN()) }

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(text []byte) (err error) {
	if string(text) == "null" {
		*n = None()
		return nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	*n = Number(f)
	return err
}
