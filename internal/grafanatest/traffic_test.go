package grafanatest

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// request is one of the record: what is known of a line without reading any. A number is
// -1 where the format of its source does not have it, or nginx wrote a -.
type request struct {
	at           time.Time // to the resolution of its log
	host, source string
	method, path string // as the tags have them: without a query, folded; "": not a request
	status       int
	sent, body   int64 // bytes_sent and body_bytes_sent
	length       int64 // request_length
	ms           int64 // request_time
	upstream     []int64
	server       string // upstream_addr of the last try
	target       string // as it was asked for, if the log has it so
}

// upstreamMS is upstream_response_time, all tries together.
func (r *request) upstreamMS() int64 {
	sum := int64(-1)
	for _, ms := range r.upstream {
		sum = max(sum, 0) + ms
	}
	return sum
}

// class is that of its status.
func (r *request) class() string { return string(rune('0'+r.status/100)) + "xx" }

// tunnel tells that its time is not that of an answer: somebody closed a connection.
func (r *request) tunnel() bool { return r.status == 101 }

// span is a time of a source of which all lines were read. It begins with its first and
// ends before the second of its last, of which there may be more.
type span struct {
	host, source string
	from, to     time.Time
}

// record is what was logged, in order of time, and what was observed.
type record struct {
	requests []request
	spans    []span
	events   []event
	own      []ownPoint                // that the test wrote
	rejected map[string]map[string]int // by source and reason
	filtered map[string]int            // by source
}

// event is something that tailflux says about itself.
type event struct {
	at           time.Time
	host, source string
	field        string
	value        float64
	run          bool // of a tailflux of this test, of which more is known
}

// origin is one of the four sources, as nginx writes it.
type origin struct {
	host, source string
	config       string // the lines of its entry in the configuration
	rate         float64
	second       bool // its stamps are whole seconds
	write        func(r *request) string
	// The times in it are about so many milliseconds.
	median float64
}

const (
	web1 = "web-1.example"
	web2 = "web-2|web-1.example" // an expression that the other one matches, too

	events = "events|web(.1)+[2]*" // so does that
)

// known is traffic of three hours and some minutes that ends at a time.
//
//	0:00       four sources
//	0:40-0:52  silence: everything is read, and nothing came
//	1:28-1:52  of web2, and 1:30-1:45 of web1: nobody was there; lines are lost
//	2:05-2:09  most answers of web are 502 and 503
//	2:15-2:20  each request of api is tried twice
//	2:30       shop dies
type known struct {
	record
	base, end time.Time
	lines     map[string][2][]string // by source: before and after the gap
	answers   answers                // of what was asked of it
}

const minute = time.Minute

func (k *known) at(after time.Duration) time.Time { return k.base.Add(after) }

// gap is when nobody reads a host.
func gap(host string) (from, to time.Duration) {
	if host == web1 {
		return 90 * minute, 105*minute + 13*time.Second
	}
	return 88 * minute, 112 * minute
}

const (
	silenceFrom, silenceTo   = 40 * minute, 52*minute + 30*time.Second
	burstFrom, burstTo       = 125 * minute, 129 * minute
	failoverFrom, failoverTo = 135 * minute, 140 * minute
	deathOfShop              = 150 * minute
)

// kinds are of which most requests are; the first of a site more than the last.
var kinds = []struct{ method, path, target string }{
	{"GET", "/", "/"},
	{"GET", "/checkout", "/checkout?step=2"},
	{"POST", "/api/orders", "/api/orders"},
	{"GET", "/users/:id", "/users/1731"},
	{"GET", "/static/app.js", "/static/app.js"},
	{"PUT", "/api/orders/:id", "/api/orders/99"},
	{"HEAD", "/", "/"},
	{"GET", `/say/"hi"`, `/say/"hi"`},
	{"GET", "/it's", "/it's"},
	{"GET", "/a,b=c", "/a,b=c"},
	{"GET", `/back\slash`, `/back\slash`},
	{"GET", "/größe/日本", "/größe/日本"},
	{"GET", "/with space/", "/with space/"},
	{"GET", "/a//b/", "/a//b/"},
	{"GET", "/x.y+z(1)[2]{3}|4^5*6$host", "/x.y+z(1)[2]{3}|4^5*6$host"},
	{"DELETE", "/api/orders/:id", "/api/orders/7"},
	{"", "", "\x16\x03\x01"}, // no HTTP
}

// newKnown makes it. The same end gives the same traffic.
func newKnown(end time.Time) *known {
	k := &known{answers: answers{}, end: end, base: end.Truncate(10 * minute).Add(-3 * time.Hour), lines: map[string][2][]string{}}
	k.rejected, k.filtered = map[string]map[string]int{}, map[string]int{}
	for n, o := range origins {
		rng := rand.New(rand.NewPCG(17, uint64(n)))
		from, to := gap(o.host)
		until := k.at(3 * time.Hour).Add(end.Sub(k.at(3 * time.Hour)))
		if o.source == "shop" {
			until = k.at(deathOfShop)
		}
		first := k.part(&o, rng, k.base, k.at(from))
		second := k.part(&o, rng, k.at(to), until)
		k.lines[o.source] = [2][]string{first, second}
	}
	slices.SortStableFunc(k.requests, func(a, b request) int { return a.at.Compare(b.at) })
	return k
}

// part makes the lines of a source that are read without a break. The first and the last
// are at its ends, or near the last if that is not a second of its log.
func (k *known) part(o *origin, rng *rand.Rand, from, to time.Time) (lines []string) {
	type written struct {
		at   time.Time
		text string
	}
	var all []written
	for at := from; !at.After(to); at = at.Add(time.Second) {
		after := at.Sub(k.base)
		if after >= silenceFrom && after < silenceTo {
			continue
		}
		ends := at.Equal(from) || at.Equal(to)
		for n := poisson(rng, o.rate); n > 0 || ends; n, ends = n-1, false {
			r := k.request(o, rng, at)
			w := written{at, o.write(&r)}
			edge := at.Sub(from) < time.Minute || to.Sub(at) < time.Minute
			switch odd := rng.IntN(60); {
			case edge:
			case odd == 0:
				w.at = at.Add(time.Duration(rng.IntN(20)) * time.Second) // nginx had it in a buffer
			case odd == 1 && o.source == "web":
				all = append(all, written{at, "no such line"})
				k.reject(o.source, "no match")
			case odd == 2:
				r.path, r.target, r.method, r.status = "/healthz", "/healthz", "GET", 200
				all = append(all, written{at, o.write(&r)})
				k.filtered[o.source]++
				continue
			}
			all = append(all, w)
			k.requests = append(k.requests, r)
		}
	}
	slices.SortStableFunc(all, func(a, b written) int { return a.at.Compare(b.at) })
	for _, w := range all {
		lines = append(lines, w.text)
	}
	k.spans = append(k.spans, span{o.host, o.source, from, to})
	return lines
}

func (k *known) reject(source, reason string) {
	if k.rejected[source] == nil {
		k.rejected[source] = map[string]int{}
	}
	k.rejected[source][reason]++
}

// request makes one.
func (k *known) request(o *origin, rng *rand.Rand, at time.Time) request {
	after := at.Sub(k.base)
	if !o.second {
		at = at.Add(time.Duration(rng.IntN(900)) * time.Millisecond)
	}
	kind := kinds[min(rng.IntN(len(kinds)), rng.IntN(len(kinds)))]
	r := request{
		at: at, host: o.host, source: o.source, method: kind.method, path: kind.path, target: kind.target,
		status: statuses[rng.IntN(len(statuses))], sent: rng.Int64N(20_000) + 200, length: rng.Int64N(900) + 80,
		ms: int64(o.median * math.Exp(rng.NormFloat64())),
	}
	r.body = max(0, r.sent-180)
	switch {
	case r.method == "":
		r.status = 400
	case o.source == "web" && after >= burstFrom && after < burstTo && rng.IntN(5) < 3:
		r.status = 502 + rng.IntN(2)
	case r.status == 101 && (o.source == "shop" || o.source == events):
		r.status = 200
	case r.status == 101:
		r.ms = 60_000 + rng.Int64N(1_000_000)
	}
	if rng.IntN(4) > 0 && r.method != "" {
		r.upstream, r.server = []int64{max(0, r.ms-rng.Int64N(3))}, "10.0.0.2:8080"
	}
	if o.source == "api" && after >= failoverFrom && after < failoverTo && r.method != "" {
		r.upstream, r.server = []int64{r.ms, rng.Int64N(40)}, "10.0.0.3:8080"
		r.ms += r.upstream[1]
	}
	return r
}

var statuses = []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 204, 206, 301, 302, 304, 304, 404, 404, 403, 499, 500, 504, 101, 200}

// poisson is a number of events of which there are rate on average.
func poisson(rng *rand.Rand, rate float64) (n int) {
	for p := rng.Float64(); p > math.Exp(-rate); p *= rng.Float64() {
		n++
	}
	return n
}

// in are the requests from one time up to another, without those at its very end: the
// number of its line makes the time of a point later than that.
func (r *record) in(from, to time.Time) []request {
	index := func(of time.Time) int {
		i, _ := slices.BinarySearchFunc(r.requests, of, func(each request, at time.Time) int { return each.at.Compare(at) })
		return i
	}
	return r.requests[index(from):max(index(from), index(to))]
}
