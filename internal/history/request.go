package history

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/lazyregexp"
	"github.com/tailflux/tailflux/internal/query"
)

// Request is what is asked. It is comparable: who asks the same gets the same answer.
type Request struct {
	Range    string // one of [ranges]; "": From and To were given
	From, To time.Time
	Class    Filter // 5xx
	Path     Filter
	Host     Filter
	Source   Filter
}

// Filter is what a tag of a line must be; "" is a line without it.
type Filter struct {
	Set  bool
	Text string
}

const day = 24 * time.Hour

// ranges end now.
var ranges = map[string]time.Duration{
	"1h": time.Hour, "6h": 6 * time.Hour, "24h": day, "7d": 7 * day, "30d": 30 * day, "90d": 90 * day, "1y": 365 * day,
}

const (
	rangeNames = "1h, 6h, 24h, 7d, 30d, 90d or 1y"
	shortest   = time.Minute
	longest    = 2 * 366 * day
	maxText    = 4096 // bytes of a filter
)

// parameters are those of a question; others say in which form it is answered.
var parameters = []string{"range", "from", "to", "class", "path", "host", "source", "format", "of"}

var class = lazyregexp.New(`^\dxx$`)

// Parse reads the parameters of a URL. The error is for whoever wrote it, and has all that
// is wrong.
func Parse(v url.Values, now time.Time) (r Request, err error) {
	var wrong []error
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch {
		case !slices.Contains(parameters, name):
			fail("unknown parameter %q; want some of %s", name, strings.Join(parameters, ", "))
		case len(v[name]) > 1:
			fail("%s: got it %d times, want it once", name, len(v[name]))
		}
	}
	filter := func(name string) Filter {
		f := Filter{Set: v.Has(name), Text: v.Get(name)}
		switch {
		case len(f.Text) > maxText:
			fail("%s: got %d bytes, want at most %d", name, len(f.Text), maxText)
		case !utf8.ValidString(f.Text):
			fail("%s: got %q, want UTF-8", name, f.Text)
		case strings.ContainsAny(f.Text, "\x00\r"): // InfluxQL has no way to write them
			fail("%s: got %q, want it without NUL and without the end of a line", name, f.Text)
		case name == "class" && f.Set && !class().MatchString(f.Text):
			fail("class: got %q, want a class of statuses such as 5xx", f.Text)
		}
		return f
	}
	r.Class, r.Path, r.Host, r.Source = filter("class"), filter("path"), filter("host"), filter("source")
	if v.Has("from") || v.Has("to") {
		if v.Has("range") {
			fail("range: want it, or from and to")
		}
		wrong = append(wrong, r.between(v, now))
	} else {
		r.Range = "24h"
		if v.Has("range") {
			r.Range = v.Get("range")
		}
		span, known := ranges[r.Range]
		if !known {
			fail("range: got %q, want %s", r.Range, rangeNames)
		}
		r.To = now.Truncate(fresh(span)).UTC()
		r.From = r.To.Add(-span)
	}
	return r, errors.Join(wrong...)
}

// between reads from and to.
func (r *Request) between(v url.Values, now time.Time) error {
	if !v.Has("from") {
		return errors.New("from: want a time, since there is to")
	}
	var wrong error
	read := func(name string) time.Time {
		t, err := query.ParseTime(v.Get(name))
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", name, err))
		}
		return t.UTC().Truncate(time.Second)
	}
	r.From, r.To = read("from"), now.UTC()
	if v.Has("to") {
		r.To = read("to")
	}
	if wrong != nil {
		return wrong
	}
	if r.To.After(now) || !v.Has("to") {
		r.To = now.Truncate(fresh(now.Sub(r.From))).UTC()
	}
	switch span := r.To.Sub(r.From); {
	case span < shortest:
		return fmt.Errorf("from %s to %s: want at least %s, that has begun", v.Get("from"), r.To.Format(time.RFC3339), shortest)
	case span > longest:
		return fmt.Errorf("from %s to %s: want at most two years", v.Get("from"), r.To.Format(time.RFC3339))
	}
	return nil
}

// long is how much time is asked about.
func (r *Request) long() time.Duration { return r.To.Sub(r.From) }

// fresh is for how long an answer about so much time is the newest: what is about a time
// that has just ended lacks what comes a little later.
func fresh(span time.Duration) time.Duration {
	return min(max(span/720, 10*time.Second), keptFor).Truncate(10 * time.Second)
}

// where are its filters.
func (r *Request) where() (all []query.Condition) {
	for _, f := range r.filters() {
		all = append(all, query.Condition{Tag: f.tag, Text: f.Text})
	}
	return all
}

type namedFilter struct {
	name, tag string
	Filter
}

func (r *Request) filters() []namedFilter {
	all := []namedFilter{{"class", "status_class", r.Class}, {"path", "path", r.Path}, {"host", "host", r.Host}, {"source", "source", r.Source}}
	return slices.DeleteFunc(all, func(f namedFilter) bool { return !f.Set })
}
