package history_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/history"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/rollup"
)

// In the first minutes an answer says what to wait for, or what has figures already; later, and
// of other times, it does not.
func TestTheFirstMinutes(t *testing.T) {
	const (
		choose   = "no 5-minute window with requests has ended yet: choose 1h"
		wait     = "no 1-minute window with requests has ended yet: wait a minute or two"
		notKnown = "which of this time was observed is not known yet: wait a few minutes"
		nobody   = "nothing says which of this time was observed: no tailflux that writes points about itself (self_metrics) was here"
	)
	db := influxdtest.New(t, influxdtest.Options{})
	short := defaults[:2]
	for i, tt := range []struct {
		name             string
		began            time.Duration // before now
		stored           []rollup.Definition
		query            string
		series, observed string
	}{
		{"nothing yet", 40 * time.Second, nil, "range=24h", choose, notKnown},
		{"nothing yet, of an hour", 40 * time.Second, nil, "range=1h", wait, notKnown},
		{"short windows alone", 4 * time.Minute, short, "range=24h", choose, notKnown},
		{"of an hour, they suffice", 4 * time.Minute, short, "range=1h", "", notKnown},
		{"they all have ended", 4 * time.Minute, defaults, "range=24h", "", notKnown},
		{"another tailflux is young", time.Hour, short, "range=24h", choose, nobody},
		{"no traffic for long", time.Hour, nil, "range=24h", "", nobody},
		{"no traffic of that host", time.Minute, nil, "range=24h&host=x", "", nobody},
		{"a time long ago", time.Minute, nil, "from=2026-11-20&to=2026-11-21", "", nobody},
		{"a new rollup, and a time that is over", time.Hour, short, "from=2026-11-23&to=2026-11-24T09:45:00", "", nobody},
	} {
		b := newBedThatBegan(t, db, fmt.Sprint("early", i), tt.began)
		all := b.store.Rollups
		b.store.Rollups = tt.stored
		for _, ago := range []time.Duration{3 * time.Minute, 4 * time.Minute, 40 * time.Minute} {
			b.add([]line{{at: now.Add(-ago), host: "h", source: "s", path: "/", status: "200", method: "GET", ms: 5, bytes: 1}})
		}
		b.store = &history.Store{Client: b.client, Rollups: all, Own: "tailflux"}
		a := b.ask(tt.query)
		if a.Missing["series"] != tt.series || a.Missing["observed"] != tt.observed {
			t.Errorf("%s: %s says %q, want series %q, observed %q", tt.name, tt.query, a.Missing, tt.series, tt.observed)
		}
	}
}

// What comes soon is asked for again soon.
func TestTheFirstAnswersAreKeptForTenSeconds(t *testing.T) {
	ask, asked := quiet(t, now)
	const query = "range=24h"
	for _, tt := range []struct {
		at   time.Duration
		anew bool
	}{{time.Second, true}, {10 * time.Second, false}, {11 * time.Second, true}, {20 * time.Minute, true}, {20*time.Minute + 11*time.Second, false}} {
		before := asked.Load()
		ask(query, now.Add(tt.at))
		if anew := asked.Load() > before; anew != tt.anew {
			t.Errorf("after %s it is asked anew: %t, want %t", tt.at, anew, tt.anew)
		}
	}
}
