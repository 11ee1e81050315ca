package live

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tailflux/tailflux/internal/rollup"
)

// value is a row of a table, added up.
type value struct {
	sums
	name []byte
	p95  Number
}

// enough is how many requests a path has at least that comes before those with fewer,
// however slow these were.
const enough = 10

// top are the lists as they are shown when a time is the last one.
func (l *lists) top(nano int64) *Top {
	p := &l.panes
	if p.width > 0 {
		p.newest = nano / p.width
	}
	t := &Top{Sampled: 1, Full: []string{}}
	for i, n := range p.sampled {
		if p.has(p.numbers[i]) {
			t.Sampled = max(t.Sampled, n)
		}
	}
	byRequests := func(v *value) float64 { return float64(v.requests) }
	paths := l.paths.values(p, nil)
	t.Paths = best(paths, byRequests, l.rows)
	t.Failing = best(paths, func(v *value) float64 { return float64(v.server) }, l.rows)
	t.ClientErrors = best(paths, func(v *value) float64 { return float64(v.client) }, l.rows)
	t.Slowest = best(paths, func(v *value) float64 {
		switch {
		case v.timed == 0:
			return 0
		case v.requests < enough:
			return float64(v.p95) / 1e12
		}
		return float64(v.p95)
	}, l.rows)
	t.Clients = best(l.clients.values(p, nil), byRequests, l.rows)
	t.Agents = best(l.agents.values(p, nil), byRequests, l.rows)
	t.Bots = best(l.agents.values(p, (*row).isBot), byRequests, l.rows)
	t.Methods = best(l.methods.values(p, nil), byRequests, l.rows)
	t.Statuses = best(l.statuses.values(p, nil), byRequests, l.rows)
	t.Hosts = best(l.hosts.values(p, nil), byRequests, l.rows)
	t.Referrers = best(l.referrers.values(p, nil), byRequests, l.rows)
	t.Sources = best(l.sources.values(p, nil), byRequests, l.sources.capacity) // all: the page looks each up
	all := l.all()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].isFull(p) {
			t.Full = append(t.Full, name)
		}
	}
	return t
}

// values are those of a table that have requests, added up, or of these only some.
func (t *table) values(now *panes, only func(*row) bool) []value {
	all := make([]value, 0, len(t.rows))
	for i := range t.rows {
		r := &t.rows[i]
		v := value{sums: t.sum(r, now), name: r.name, p95: None()}
		if v.requests == 0 || only != nil && !only(r) {
			continue
		}
		if t.timed && v.timed > 0 {
			v.p95 = r.p95(now, v.greatest)
		}
		all = append(all, v)
	}
	return all
}

// p95 is that of the panes that are shown.
func (r *row) p95(now *panes, greatest uint32) Number {
	var all [rollup.Buckets]uint32
	for i := range r.sums {
		if s := &r.sums[i]; s.timed == 0 || !now.has(s.pane) {
			continue
		}
		for bucket, n := range r.times[i*rollup.Buckets:][:rollup.Buckets] {
			all[bucket] += n
		}
	}
	var p95 [1]Number
	percentiles(&all, int64(greatest), quantiles[1:2], p95[:])
	return p95[0]
}

// best are as many rows at most, those with the most of something; rows with 0 are left out.
func best(all []value, of func(*value) float64, most int) []Row {
	type ranked struct {
		rank float64
		*value
	}
	compare := func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(b.requests, a.requests), cmp.Compare(string(a.name), string(b.name)))
	}
	first := make([]ranked, 0, min(len(all), most)+1)
	for i := range all {
		v := ranked{of(&all[i]), &all[i]}
		if v.rank <= 0 || len(first) == most && compare(v, first[len(first)-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, v, compare)
		first = slices.Insert(first, at, v)
		first = first[:min(len(first), most)]
	}
	rows := make([]Row, len(first))
	for i, v := range first {
		rows[i] = Row{
			Name: string(v.name), Requests: int64(v.requests), ClientErrors: int64(v.client), ServerErrors: int64(v.server),
			Bytes: v.bytes, Mean: None(), P95: v.p95,
		}
		if v.timed > 0 {
			rows[i].Mean = Number(float64(v.ms) / float64(v.timed) / 1000)
		}
	}
	return rows
}
