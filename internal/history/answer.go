package history

import (
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// Answer is all that is shown.
type Answer struct {
	Range   string            `json:"range"` // "" if from and to were given
	From    time.Time         `json:"from"`
	To      time.Time         `json:"to"`      // not part of it
	Filters map[string]string `json:"filters"` // those that were given

	Series   Series            `json:"series"`
	Total    live.Total        `json:"total"`
	Previous Previous          `json:"previous"`
	Tables   map[string][]Row  `json:"tables"`
	Observed []Source          `json:"observed"` // by source, then host: the first ones
	Logs     int               `json:"logs"`     // so many there are
	Gaps     []Gap             `json:"gaps"`
	Rollups  map[string]string `json:"rollups"` // measurement that answered, by part
	Missing  map[string]string `json:"missing"` // why there is nothing, by part

	late bool // some is missing, and may come if it is asked for again
	soon bool // some is missing, and comes by itself
}

// Row is one of a table.
type Row = live.Row

// Series are columns of one length. The last bucket may be shorter than the others.
type Series struct {
	live.Slots
	Seconds  []int64       `json:"seconds"`     // of the bucket
	Errors   []live.Number `json:"error_share"` // of requests with status 5xx, from 0 to 1
	Observed []live.Number `json:"observed"`    // share of the time, of all sources since each was first; null: not known yet
}

// Previous is the time before it, as long and in the same buckets.
type Previous struct {
	From   time.Time  `json:"from"`
	To     time.Time  `json:"to"`
	Series Series     `json:"series"`
	Total  live.Total `json:"total"`
}

// Source is what was observed of a log.
type Source struct {
	Host   string        `json:"host"`
	Source string        `json:"source"`
	Share  []live.Number `json:"share"` // of each bucket; null: not known yet
}

// Gap is a time that was not observed, or not of all sources.
type Gap struct {
	From     int64   `json:"from"` // seconds since 1970
	To       int64   `json:"to"`
	Observed float64 `json:"observed"` // the share that was
}

// Names of parts, in rollups and missing.
const (
	partSeries   = "series"
	partTimes    = "times"
	partPrevious = "previous"
	partObserved = "observed"
	partPaths    = "paths"
	partFailing  = "failing"
	partSlowest  = "slowest"
	partHosts    = "hosts"
	partSources  = "sources"
	partStatuses = "statuses"
)
