package verify

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Verdict says how a file compares with its points. Its JSON is documented in
// docs/old-logs.md.
type Verdict struct {
	File        string   `json:"file"`
	Source      string   `json:"source"`
	Generation  int64    `json:"generation"` // 0: unknown
	Approximate bool     `json:"approximate"`
	Lines       int64    `json:"lines"`
	Earlier     int64    `json:"earlier"` // lines that were there at the very first start
	Pending     int64    `json:"pending"` // lines that are not delivered yet
	Filtered    int64    `json:"filtered"`
	Rejected    int64    `json:"rejected"`
	Raw         bool     `json:"raw"`      // there should be a point for each line
	Added       int64    `json:"added"`    // lines that are in rollups only
	Expected    int64    `json:"expected"` // points
	Found       int64    `json:"found"`
	Missing     int64    `json:"missing"`
	Minutes     []Minute `json:"minutes"` // in which points are missing

	Rollups []*Rollup `json:"rollups"`

	fits    bool  // a line that is not delivered yet is of the format
	misfits int64 // such lines before it
}

// A Minute is one in which points are missing.
type Minute struct {
	Time     time.Time `json:"time"`
	Expected int64     `json:"expected"`
	Found    int64     `json:"found"`
}

// NoneMatches reports whether there are lines that should have become points, or should
// soon, and all of them are or would be rejected: the format is probably another one.
func (v *Verdict) NoneMatches() bool {
	return !v.fits && v.Rejected+v.misfits > 0 && v.Rejected+v.Earlier+v.Pending == v.Lines
}

// Differ reports whether a rollup does not add up to what the lines do.
func (v *Verdict) Differ() bool {
	return slices.ContainsFunc(v.Rollups, func(r *Rollup) bool { return len(r.Windows) > 0 })
}

// Print writes the verdict for people.
func (v *Verdict) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: source %s", v.File, v.Source)
	if v.Approximate {
		b.WriteString(", unknown to the state directory: approximate\n")
	} else {
		fmt.Fprintf(&b, ", generation %d\n", v.Generation)
	}
	row := func(what string, n int64, always bool) {
		if n != 0 || always {
			fmt.Fprintf(&b, "  %-34s %12d\n", what, n)
		}
	}
	row("lines", v.Lines, true)
	row("- before the first start", v.Earlier, false)
	row("- not delivered yet", v.Pending, false)
	row("- filtered", v.Filtered, false)
	row("- rejected", v.Rejected, false)
	row("- only added up", v.Added, !v.Raw)
	if v.Raw {
		row("= points that should be there", v.Expected, true)
		row("points in InfluxDB", v.Found, true)
		row("missing", v.Missing, true)
	}
	for _, m := range v.Minutes {
		fmt.Fprintf(&b, "  %s  %d of %d points\n", m.Time.Format("2006-01-02T15:04Z"), m.Found, m.Expected)
	}
	for _, r := range v.Rollups {
		fmt.Fprintf(&b, "  rollup %s\n", r.Measurement)
		row("- not delivered yet", r.Pending, false)
		row("- from when it was not configured", r.Outside, false)
		row("- in points that were refused", r.Refused, false)
		row("= lines that should be in it", r.Expected, true)
		row("lines in it", r.Found, true)
		row("windows that differ", int64(len(r.Windows)), true)
		for _, window := range r.Windows {
			window.print(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// add counts points of the minute that a timestamp is in, never of an earlier
// minute than before.
func (v *Verdict) add(stamp, expected, found int64) {
	at := time.Unix(0, stamp).UTC().Truncate(time.Minute)
	if n := len(v.Minutes); n == 0 || !v.Minutes[n-1].Time.Equal(at) {
		v.Minutes = append(v.Minutes, Minute{Time: at})
	}
	last := &v.Minutes[len(v.Minutes)-1]
	last.Expected += expected
	last.Found += found
	v.Found += found
	v.Missing += expected - found
}

// finish keeps the minutes in which points are missing.
func (v *Verdict) finish() {
	v.Minutes = slices.DeleteFunc(v.Minutes, func(m Minute) bool { return m.Found >= m.Expected })
}
