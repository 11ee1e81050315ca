package traffic

import (
	"fmt"
	"strconv"

	"github.com/tailflux/tailflux/mock/dice"
)

// Options choose the requests.
type Options struct {
	Seed uint64 // zero is a seed like any other

	// How many requests a time without and with failing upstreams lasts on
	// average. Zero means 18,000 and 1,000; a negative OutageRequests means
	// that nothing ever fails for long.
	CalmRequests   int
	OutageRequests int
}

// Traffic is a stream of requests. It is not safe for concurrent use.
type Traffic struct {
	dice         *dice.Dice
	site         *site
	calm, outage int
	failing      bool
	weatherLeft  int // requests until the weather changes
	connections  int64
	req          Request
}

// New checks the options.
func New(o Options) (*Traffic, error) {
	if o.CalmRequests < 0 {
		return nil, fmt.Errorf("calm requests %d: want a positive number", o.CalmRequests)
	}
	t := &Traffic{
		dice:        dice.New(o.Seed, 1),
		site:        theSite(),
		calm:        o.CalmRequests,
		outage:      o.OutageRequests,
		connections: 1000,
	}
	if t.calm == 0 {
		t.calm = 18_000
	}
	if t.outage == 0 {
		t.outage = 1_000
	}
	t.weatherLeft = t.dice.Stretch(t.calm)
	return t, nil
}

var (
	methods = dice.NewWeighted(
		[]string{"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"},
		[]float64{84, 10.5, 2.2, 1.4, 0.7, 0.7, 0.5})
	users     = []string{"alice", "bob", "deploy", "admin", "jos\xc3\xa9"}
	queryKeys = []string{
		"page=", "q=tea&page=", "id=", "sort=price&dir=desc&offset=", "lang=en&v=", "limit=50&after=",
		"utm_source=newsletter&utm_medium=email&utm_campaign=", "q=green+tea%20pot&n=", "fbclid=IwAR0",
	}
	rareQueries = []string{`q="tea+pot"`, "q=\xd1\x87\xd0\xb0\xd0\xb9", `path=C:\temp`, "q=caf\xe9", "filter[]={\"a\":1}", "a=b?c=d&&e"}
)

// Next returns a request of somebody who uses the site. It is good until the
// next call.
func (t *Traffic) Next() *Request {
	t.changeWeather()
	d := t.dice
	c := t.site.clients.Pick(d)
	r := t.begin(c)
	r.Method = methods.Pick(d)
	var what resource
	switch {
	case c.monitor:
		r.Method, what = "GET", resource{prefix: "/healthz", content: health}
	case reads(r.Method):
		what = t.site.reading.Pick(d)
	default:
		what = t.site.writing.Pick(d)
	}
	t.drawURI(what)
	r.Host = "www.example.com"
	if what.content == api {
		r.Host = "api.example.com"
	} else if r.ID[1]&7 == 0 {
		r.Host = "example.com"
	}
	if c.person {
		r.Referer = t.site.referers.Pick(d)
	}
	if d.Chance(0.015) {
		r.RemoteUser = users[d.Roll(len(users))]
	}
	t.drawOutcome(what, c.person)
	return r
}

// begin empties the request and keeps its buffer.
func (t *Traffic) begin(c client) *Request {
	r := &t.req
	*r = Request{
		URI:        r.URI[:0],
		Outage:     t.failing,
		RemoteAddr: c.addr,
		Scheme:     c.scheme,
		Protocol:   c.protocol,
		Agent:      c.agent,
	}
	r.ID[0] = t.dice.Bits()
	r.ID[1] = r.ID[0]*0x9e3779b97f4a7c15 + 1
	t.connections += int64(r.ID[0] & 1)
	r.Connection = t.connections
	r.ConnectionRequests = 1 + int64(r.ID[0]>>60)
	return r
}

func (t *Traffic) drawURI(what resource) {
	d, r := t.dice, &t.req
	r.URI = append(r.URI, what.prefix...)
	if what.ids > 0 {
		u := d.Share() // low ids are old, old is known, known is asked for
		r.URI = strconv.AppendInt(r.URI, 1+int64(u*u*u*float64(what.ids)), 10)
		r.URI = append(r.URI, what.suffix...)
	}
	r.pathLen = len(r.URI)
	switch x := d.Share(); {
	case what.content == health || what.content == static && x > 0.1:
	case x < 0.005:
		r.URI = append(append(r.URI, '?'), rareQueries[d.Roll(len(rareQueries))]...)
	case x < 0.34:
		r.URI = append(append(r.URI, '?'), queryKeys[d.Roll(len(queryKeys))]...)
		r.URI = strconv.AppendInt(r.URI, int64(d.Roll(5000)), 10)
	case x < 0.345:
		r.URI = append(r.URI, '?') // a query, but an empty one
	}
}

// changeWeather moves between calm and outage.
func (t *Traffic) changeWeather() {
	if t.weatherLeft--; t.weatherLeft > 0 {
		return
	}
	t.failing = !t.failing && t.outage > 0
	if t.failing {
		t.weatherLeft = t.dice.Stretch(t.outage)
	} else {
		t.weatherLeft = t.dice.Stretch(t.calm)
	}
}

// reads reports whether the method changes nothing.
func reads(method string) bool {
	return method == "GET" || method == "HEAD" || method == "OPTIONS"
}
