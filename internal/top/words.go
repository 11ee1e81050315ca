package top

import (
	"fmt"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// What is not well; the live page goes by the same.
const (
	lateSeconds  = 10   // so far behind reading is
	slowSeconds  = 60   // so long a line waits to be delivered
	manyRejected = 0.01 // of the lines of the last minute
	manyErrors   = 0.05 // of its requests
	fewErrors    = 3    // are no reason
)

// words says in one sentence whether all is well.
func (v *view) words() (sentence string, isWell bool) {
	all := v.troubles()
	if len(all) == 0 {
		return "All is well", true
	}
	sentence = all[0]
	if n := len(all) - 1; n > 0 {
		sentence = fmt.Sprintf("%s (and %d more: ?)", sentence, n)
	}
	return sentence, false
}

// longest is how many columns of a trouble are kept.
const longest = 1000

// troubles are all of them, the worst first, as a terminal may have them.
func (v *view) troubles() []string {
	all := v.anything()
	for i, trouble := range all {
		all[i] = plain(trouble, longest)
	}
	return all
}

func (v *view) anything() (all []string) {
	say := func(format string, values ...any) { all = append(all, fmt.Sprintf(format, values...)) }
	if v.failed != nil {
		say("No answer since %s, for %s: %v", v.since.Format(time.TimeOnly), span(v.now.Sub(v.since)), v.failed)
	}
	if v.shown == nil {
		return all
	}
	if p := v.shown.Pipeline; p != nil {
		if db := p.InfluxDB; !v.alone && !db.Up {
			if db.LastError == "" {
				say("InfluxDB has not answered yet")
			} else {
				say("InfluxDB is away since %s: %s lines wait: %s",
					v.at.Add(-seconds(db.Outage)).Format(time.TimeOnly), count(p.Lines.InFlight), db.LastError)
			}
		}
		all = append(all, p.troubles()...)
		all = append(all, v.slowness(p)...)
	}
	if v.shown.Live == nil {
		say("No figures of requests: http.live is false")
		return all
	}
	if failed, requests := lastMinute(v.shown.Live); failed >= fewErrors && float64(failed) >= manyErrors*float64(requests) {
		say("%s of the requests of the last minute failed (5xx)", share(failed, requests))
	}
	return all
}

// troubles are those of files.
func (p *Pipeline) troubles() (all []string) {
	say := func(format string, values ...any) { all = append(all, fmt.Sprintf(format, values...)) }
	if p.Rejects.Trouble != "" {
		say("The reject file cannot be written, and reading waits: %s", p.Rejects.Trouble)
	}
	if p.Checkpoint.Trouble != "" {
		say("The checkpoint cannot be saved: %s", p.Checkpoint.Trouble)
	}
	for _, s := range p.Sources {
		switch {
		case s.Trouble != "":
			say("Log %s: %s", s.Name, s.Trouble)
		case !s.Open:
			say("Log %s cannot be read", s.Name)
		case s.Lost > 0:
			say("Log %s: %s files were deleted before they were read", s.Name, count(s.Lost))
		}
	}
	for _, g := range p.Globs {
		if g.Trouble != "" {
			say("Logs %s: %s", g.Name, g.Trouble)
		}
	}
	if p.Reload != nil && p.Reload.State == "refused" {
		say("The last reload was refused, and the configuration before it is in force: %s", p.Reload.Error)
	}
	return all
}

// slowness is what waits, and what is rejected.
func (v *view) slowness(p *Pipeline) (all []string) {
	say := func(format string, values ...any) { all = append(all, fmt.Sprintf(format, values...)) }
	if bytes, behind := p.lag(); !v.alone && behind > lateSeconds {
		say("Reading is %s behind: %s are to be read", span(seconds(behind)), size(float64(bytes)))
	}
	if !v.alone && p.InfluxDB.Up && p.Undelivered > slowSeconds {
		say("The oldest of %s lines waits for %s: InfluxDB is slow, or refuses requests", count(p.Lines.InFlight), span(seconds(p.Undelivered)))
	}
	read, rejected, of := p.Lines.Read, p.Lines.Rejected, " since the start" // of tailflux: nothing is known of a minute yet
	if v.alone {
		of = ""
	}
	if was := v.before; was != nil {
		read, rejected, of = read-was.Lines.Read, rejected-was.Lines.Rejected, " of the last minute"
	}
	if rejected > 0 && float64(rejected) > manyRejected*float64(read) {
		say("%s of the lines%s are rejected", share(rejected, read), of)
	}
	return all
}

// lastMinute is how many requests there were in it, and how many of them failed.
func lastMinute(s *live.Snapshot) (failed, requests int64) {
	of := figures{s}
	for i := len(s.Slots.Time) - 1; i >= 0 && s.Slots.Time[i] >= s.At.Unix()-60; i-- {
		if n := numbers(s.Slots.Requests)(i); n > 0 {
			requests += int64(n)
			failed += int64(class(&of.Slots, "5xx")(i))
		}
	}
	return failed, requests
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

// wrapped cuts a text into rows at its blanks.
func wrapped(text string, width int) (rows []string) {
	row := ""
	for word := range strings.FieldsSeq(text) {
		if row != "" && columns(row)+1+columns(word) > width {
			rows = append(rows, row)
			row = ""
		}
		if row != "" {
			row += " "
		}
		row += word
	}
	return append(rows, row)
}
