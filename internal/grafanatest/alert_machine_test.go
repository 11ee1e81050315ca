package grafanatest

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/rollup"
)

// What happens in a scene is said in minutes before now, when alerts are evaluated. The
// seconds of now are odd, as Grafana's are.
var alertNow = time.Date(2026, 3, 3, 3, 17, 23, 0, time.UTC)

// ago is a time so many minutes before now.
func ago(minutes float64) time.Time {
	return alertNow.Add(-time.Duration(minutes * float64(time.Minute)))
}

// stretch is from so many minutes before now to so many.
type stretch struct{ from, to float64 }

func (s stretch) has(at time.Time) bool { return !at.Before(ago(s.from)) && at.Before(ago(s.to)) }

func anyHas(all []stretch, at time.Time) bool {
	return slices.ContainsFunc(all, func(s stretch) bool { return s.has(at) })
}

// machine is a host with tailflux.
type machine struct {
	host        string
	runs        []stretch // each begins with a start
	logs        []watched
	undelivered func(at time.Time) float64 // seconds
	outages     []float64
	tags        map[string]func(at time.Time) float64 // per cent of their limit
}

// watched is one of its logs.
type watched struct {
	source   string
	known    []stretch // in which tailflux has it in its configuration; none: always
	requests []hit
	rejected []float64
	lost     []float64
	lag      func(at time.Time) float64
	unread   []stretch // in which it cannot be read
}

// hit is one request.
type hit struct {
	at     time.Time
	status string
	ms     int64
}

// every are requests at even distances.
func every(gap time.Duration, during stretch, status string, ms int64) (all []hit) {
	for at := ago(during.from); at.Before(ago(during.to)); at = at.Add(gap) {
		all = append(all, hit{at, status, ms})
	}
	return all
}

// single are requests at some times.
func single(status string, ms int64, minutes ...float64) (all []hit) {
	for _, m := range minutes {
		all = append(all, hit{ago(m), status, ms})
	}
	return all
}

// Points come that much later than what they are about.
const (
	ownEvery   = 10 * time.Second
	spanDelay  = 12 * time.Second
	writeDelay = 3 * time.Second
)

// end is when it is stopped for good. What is written to a log between two runs is read
// by the second.
func (m *machine) end() (at time.Time) {
	for _, run := range m.runs {
		if to := ago(run.to); to.After(at) {
			at = to
		}
	}
	return at
}

// points are those of a machine that are in InfluxDB now, as line protocol.
func (m *machine) points() string {
	var b strings.Builder
	for i := range m.logs {
		slices.SortStableFunc(m.logs[i].requests, func(a, b hit) int { return a.at.Compare(b.at) })
		b.Write(m.logs[i].rollups(m))
	}
	for _, run := range m.runs {
		for at := ago(run.from); run.has(at) && !at.After(alertNow); at = at.Add(ownEvery) {
			m.process(&b, at, at.Equal(ago(run.from)))
			for i := range m.logs {
				if l := &m.logs[i]; len(l.known) == 0 || anyHas(l.known, at) {
					l.own(&b, m.host, at)
				}
			}
		}
	}
	return b.String()
}

// process are the points of the process and of its tags.
func (m *machine) process(b *strings.Builder, at time.Time, starts bool) {
	started, undelivered := 0, 0.0
	if starts {
		started = 1
	}
	if m.undelivered != nil {
		undelivered = m.undelivered(at)
	}
	var read, rejected int
	for i := range m.logs {
		r, j := m.logs[i].counts(at)
		read, rejected = read+r, rejected+j
	}
	fmt.Fprintf(b, "tailflux,host=%s started=%di,uptime_seconds=%g,lines_read=%di,lines_written=%di,lines_rejected=%di,undelivered_seconds=%g,outages=%di %d\n",
		m.host, started, 100.0, read, read-rejected, rejected, undelivered, within(m.outages, at), at.UnixNano())
	for tag, percent := range m.tags {
		fmt.Fprintf(b, "tailflux,host=%s,tag=%s values=%di,limit=10000i,other=0i %d\n", m.host, tag, int(percent(at)*100), at.UnixNano())
	}
}

// within counts those of the ten seconds before.
func within(minutes []float64, at time.Time) (n int) {
	for _, m := range minutes {
		if age := at.Sub(ago(m)); age >= 0 && age < ownEvery {
			n++
		}
	}
	return n
}

// until is how many requests there were up to a time. They are in order.
func (l *watched) until(at time.Time) int {
	return sort.Search(len(l.requests), func(i int) bool { return l.requests[i].at.After(at) })
}

// counts are the lines of the ten seconds before.
func (l *watched) counts(at time.Time) (read, rejected int) {
	if anyHas(l.unread, at) {
		return 0, 0
	}
	read = l.until(at) - l.until(at.Add(-ownEvery))
	rejected = within(l.rejected, at)
	return read + rejected, rejected
}

// own are the points of a log.
func (l *watched) own(b *strings.Builder, host string, at time.Time) {
	read, rejected := l.counts(at)
	lag := 0.0
	if l.lag != nil {
		lag = l.lag(at)
	}
	open := 1
	if anyHas(l.unread, at) {
		open = 0
	}
	fmt.Fprintf(b, "tailflux,host=%s,source=%s lines_read=%di,lines_written=%di,lines_rejected=%di,lag_seconds=%g,open=%di,generations_lost=%di %d\n",
		host, l.source, read, read-rejected, rejected, lag, open, within(l.lost, at), at.UnixNano())
	if rejected > 0 {
		fmt.Fprintf(b, "tailflux,host=%s,source=%s,reason=no\\ match rejected=%di %d\n", host, l.source, rejected, at.UnixNano())
	}
	if open == 1 {
		to := at.Add(-spanDelay - time.Duration(lag*float64(time.Second)))
		from := to.Add(-ownEvery)
		for from.Before(to) { // cut at minutes
			end := from.Truncate(minute).Add(minute)
			if end.After(to) {
				end = to
			}
			fmt.Fprintf(b, "tailflux,host=%s,source=%s observed_from=%di,observed_seconds=%g %d\n", host, l.source, from.UnixNano(), end.Sub(from).Seconds(), end.UnixNano()-1)
			from = end
		}
	}
}

// rollups are those of the site, of what was read.
func (l *watched) rollups(m *machine) (text []byte) {
	d := rollup.Definition{Measurement: "nginx_site", Interval: 10 * time.Second, Tags: []string{"method", "status"}}
	s := rollup.New([]rollup.Definition{d}, m.host, 1<<30)
	g := &flow.Generation{Source: &flow.Source{Name: l.source}, ID: 1, FirstLine: 1}
	position := func(n int) flow.Position {
		return flow.Position{Generation: g, Offset: int64(n) * 100, Line: int64(n) + 1}
	}
	open := s.Begin(position(0), func(string) int64 { return 1 }, func(string) []rollup.Intent { return nil })
	n := 0
	for _, h := range l.requests {
		if !h.at.Truncate(d.Interval).Add(d.Interval+writeDelay).Before(alertNow) || h.at.After(m.end()) || anyHas(l.unread, h.at) {
			continue
		}
		n++
		tags := lineproto.AppendTag(nil, lineproto.TagPrefix("method"), []byte("GET"))
		tags = lineproto.AppendTag(tags, lineproto.TagPrefix("status"), []byte(h.status))
		s.Add(open, 0, int64(n), &accesslog.Measures{At: h.at.UnixNano(), Sizes: [3]int64{100, -1, -1}, Times: [2]int64{h.ms, -1}}, tags)
	}
	if n == 0 {
		return nil
	}
	open.Reach(position(n), []byte("x"), time.Time{})
	for _, o := range s.End() {
		for c := s.Cut(o); c.More(); {
			some, _ := c.Append(make([]byte, 0, 1<<20))
			text = append(text, some...)
		}
	}
	return text
}
