package grafanatest

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// chosenOf are the requests that are kept by what is chosen for these variables.
func (a asked) chosenOf(all []request, variables ...string) (kept []request) {
	for _, r := range all {
		if a.keeps(&r, variables...) {
			kept = append(kept, r)
		}
	}
	return kept
}

func (a asked) keeps(r *request, variables ...string) bool {
	for _, name := range variables {
		texts, is := a.chosen[name]
		if !is {
			continue
		}
		is = false
		for _, text := range texts {
			is = is || text == map[string]string{
				"host": r.host, "source": r.source, "method": r.method, "status_class": r.class(), "status": strconv.Itoa(r.status), "path": r.path,
			}[name]
		}
		if !is {
			return false
		}
	}
	return true
}

// windows are the requests in those windows of a rollup that begin in the range: what
// $timeFilter keeps of it.
func (a asked) windows(length time.Duration) []request {
	return a.in(wholeUp(a.from, length), wholeUp(a.to, length))
}

// wholeUp is the begin of the first window that does not begin before a time.
func wholeUp(at time.Time, length time.Duration) time.Time {
	if whole := at.Truncate(length); whole.Before(at) {
		return whole.Add(length)
	}
	return at
}

// buckets are those of GROUP BY time($__interval): the begin of each.
func (a asked) buckets() (all []time.Time) {
	for at := a.from.Truncate(a.interval); !at.After(a.to); at = at.Add(a.interval) {
		all = append(all, at)
	}
	return all
}

// byBucket puts requests into the buckets of their windows.
func (a asked) byBucket(all []request, window time.Duration) map[time.Time][]request {
	by := map[time.Time][]request{}
	for _, r := range all {
		at := r.at.Truncate(window).Truncate(a.interval)
		by[at] = append(by[at], r)
	}
	return by
}

// observed are the seconds from one time to another in which somebody read a source that
// is chosen.
func (a asked) observed(from, to time.Time) (seconds float64) {
	var cuts []time.Time
	for _, s := range a.spansOf() {
		cuts = append(cuts, s.from, s.to)
	}
	cuts = append(cuts, from, to)
	slices.SortFunc(cuts, time.Time.Compare)
	for i := range len(cuts) - 1 {
		begin, end := cuts[i], cuts[i+1]
		if begin.Before(from) || end.After(to) || !begin.Before(end) {
			continue
		}
		if slices.ContainsFunc(a.spansOf(), func(s span) bool { return !s.from.After(begin) && !s.to.Before(end) }) {
			seconds += end.Sub(begin).Seconds()
		}
	}
	return seconds
}

// spansOf are those of what is chosen.
func (a asked) spansOf() (all []span) {
	for _, s := range a.spans {
		if a.keeps(&request{host: s.host, source: s.source}, "host", "source") {
			all = append(all, s)
		}
	}
	return all
}

// quantile is that of milliseconds: the least value that a share of them does not exceed.
// Nothing is NaN.
func quantile(all []int64, q float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	all = slices.Sorted(slices.Values(all))
	return float64(all[max(0, int(math.Ceil(q*float64(len(all))))-1)])
}

// times are the request_times of requests that have one.
func times(all []request) (ms []int64) {
	for _, r := range all {
		if r.ms >= 0 && !r.tunnel() {
			ms = append(ms, r.ms)
		}
	}
	return ms
}
