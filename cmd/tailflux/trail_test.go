package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/logfile"
)

// trailOf is a trail of a checkpoint, and how many lines that has passed.
func trailOf(t *testing.T) (tr *trail, acknowledge func(lines int64), passed func() int64, said *bytes.Buffer) {
	t.Helper()
	c := checkpoint.InMemory(nil)
	g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
	ledger := c.Ledger("web")
	ledger.Follow("/log")
	ledger.Begin(flow.Position{Generation: g, Line: 1}, logfile.Sum{}, logfile.File{})
	said = &bytes.Buffer{}
	tr = newTrail(c, slog.New(slog.NewTextHandler(said, nil)))
	acknowledge = func(lines int64) {
		tr.add(promise{end: flow.Position{Generation: g, Line: 1 + lines, Offset: 100 * lines}, last: []byte("the end\n")})
	}
	return tr, acknowledge, func() int64 { return c.From(g, checkpoint.Lines) - 1 }, said
}

func victoria(started int64) influx.Server {
	return influx.Server{Name: "VictoriaMetrics", Flags: influx.Flags{Started: started}}
}

var errAway = errors.New("no answer")

// What a store acknowledges from its memory is relied on when it is the same process as long
// after that as the lag, and never if it may have been another one meanwhile.
func TestTrail(t *testing.T) {
	const lag = 15 * time.Second
	for _, tt := range []struct {
		name   string
		store  influx.Server
		happen func(tr *trail) // ten seconds after the acknowledgement
		before int64           // lines passed, of ten, then
		after  int64           // and six seconds later, when the store was asked once more
		is     influx.Server
		lost   string
	}{
		{"InfluxDB", influx.Server{Name: "InfluxDB", Version: "1.8.10"}, func(tr *trail) { tr.unanswered(errAway) }, 10, 10, influx.Server{Name: "InfluxDB"}, ""},
		{"the same process", victoria(7), nil, 0, 10, victoria(7), ""},
		{"killed and back", victoria(7), nil, 0, 0, victoria(8), "started again"},
		{"killed and back, which is known early", victoria(7), func(tr *trail) { tr.asked(time.Now(), victoria(9), nil) }, 0, 0, victoria(9), "started again"},
		{"away for a moment", victoria(7), func(tr *trail) { tr.asked(time.Now(), influx.Server{}, errAway) }, 0, 10, victoria(7), ""},
		{"a request without an answer", victoria(7), func(tr *trail) { tr.unanswered(errAway) }, 0, 10, victoria(7), ""},
		{"a request without an answer, killed", victoria(7), func(tr *trail) { tr.unanswered(errAway) }, 0, 0, victoria(8), "started again"},
		{"behind a password since", victoria(7), nil, 0, 0, victoria(0), "does not tell"},
		{"that does not tell", victoria(0), nil, 0, 10, victoria(0), ""},
		{"that does not tell, a request without an answer", victoria(0), func(tr *trail) { tr.unanswered(errAway) }, 0, 0, victoria(0), "no answer"},
		{"that does not tell, away for a moment", victoria(0), func(tr *trail) { tr.asked(time.Now(), influx.Server{}, errAway) }, 0, 0, victoria(0), "no answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr, acknowledge, passed, said := trailOf(t)
				tr.follow(tt.store, lag)
				acknowledge(10)
				time.Sleep(10 * time.Second)
				tr.asked(time.Now(), tt.store, nil)
				if tt.happen != nil {
					tt.happen(tr)
				}
				if got := passed(); got != tt.before {
					t.Errorf("%d lines are relied on, want %d", got, tt.before)
				}
				time.Sleep(6 * time.Second)
				tr.asked(time.Now(), tt.is, nil)
				if got := passed(); got != tt.after {
					t.Errorf("%d lines are relied on later, want %d", got, tt.after)
				}
				if tr.isLost() != (tt.lost != "") || !strings.Contains(said.String(), tt.lost) || strings.Count(said.String(), "\n") > 1 {
					t.Errorf("lost: %t; said %q, want %q", tr.isLost(), said, tt.lost)
				}
			})
		})
	}
}

// Until lines are read again, nothing is relied on; afterwards it goes on as before, with the
// process that is there now.
func TestTrailBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, acknowledge, passed, _ := trailOf(t)
		tr.follow(victoria(7), time.Second)
		acknowledge(10)
		time.Sleep(2 * time.Second)
		tr.asked(time.Now(), victoria(7), nil)
		acknowledge(20)
		tr.asked(time.Now(), victoria(8), nil)
		acknowledge(30)
		time.Sleep(2 * time.Second)
		tr.asked(time.Now(), victoria(8), nil)
		if got := passed(); got != 10 {
			t.Errorf("%d lines are relied on, want 10", got)
		}
		tr.reset()
		tr.follow(victoria(8), time.Second)
		acknowledge(20)
		time.Sleep(2 * time.Second)
		acknowledge(30)
		tr.asked(time.Now(), victoria(8), nil)
		if got := passed(); got != 20 || tr.isLost() {
			t.Errorf("%d lines are relied on, want 20; lost: %t", got, tr.isLost())
		}
		settled := make(chan struct{})
		go func() {
			tr.drain(t.Context(), func() {})
			close(settled)
		}()
		time.Sleep(2 * time.Second)
		tr.asked(time.Now(), victoria(8), nil)
		<-settled
		if got := passed(); got != 30 {
			t.Errorf("%d lines are relied on, want 30", got)
		}
	})
}
