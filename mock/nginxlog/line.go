package nginxlog

import (
	"time"

	"github.com/tailflux/tailflux/mock/traffic"
)

// Kind says what a line is.
type Kind uint8

// The package comment says what is what.
const (
	Request Kind = iota
	Garbage
	Torn
)

func (k Kind) String() string {
	return [...]string{"request", "garbage", "torn"}[k]
}

// Line is the truth about one line, before it was escaped and whether or not
// the format shows it. Of a torn line only Kind is set.
//
// Texts are empty where nginx has no value and writes "-" (or, in JSON,
// nothing). A broken request (TLS hello, empty request line) has neither Method
// nor Path nor Protocol.
type Line struct {
	Kind   Kind
	Outage bool // made while the site's upstreams fail

	RemoteAddr string
	RemoteUser string
	Scheme     string
	Host       string
	Method     string
	Path       string // as in the request line, without query
	Query      string // without the question mark
	Protocol   string
	Referer    string
	UserAgent  string

	Status        int
	BytesSent     int64
	BodyBytesSent int64
	RequestLength int64
	GzipRatio     string // "" when not compressed

	// Whole milliseconds, as nginx logs them. The upstream ones are summed over
	// UpstreamTries; a try without connection or header adds nothing to its sum.
	RequestTime          time.Duration
	UpstreamTries        int
	UpstreamStatus       int // of the last try; 0: it has none
	UpstreamResponseTime time.Duration
	UpstreamConnectTime  time.Duration
	UpstreamHeaderTime   time.Duration
}

// Last returns the truth about the line that Append appended last.
func (g *Generator) Last() Line {
	r := g.req
	if g.kind == Torn {
		return Line{Kind: Torn}
	}
	t := Line{
		Kind:          g.kind,
		Outage:        r.Outage,
		RemoteAddr:    r.RemoteAddr,
		RemoteUser:    r.RemoteUser,
		Scheme:        r.Scheme,
		Host:          r.Host,
		Method:        r.Method,
		Path:          string(r.Path()),
		Query:         string(r.Query()),
		Protocol:      r.Protocol,
		Referer:       r.Referer,
		UserAgent:     text(r.Agent),
		Status:        r.Status,
		BytesSent:     r.BytesSent,
		BodyBytesSent: r.BodyBytes,
		RequestLength: r.RequestLength,
		RequestTime:   milliseconds(r.RequestTime),
		UpstreamTries: len(r.Tries()),
	}
	if r.GzipPercent > 0 {
		t.GzipRatio = string(appendHundredths(nil, r.GzipPercent))
	}
	for _, y := range r.Tries() {
		t.UpstreamStatus = y.Status
		t.UpstreamResponseTime += milliseconds(max(y.Response, 0))
		t.UpstreamConnectTime += milliseconds(max(y.Connect, 0))
		t.UpstreamHeaderTime += milliseconds(max(y.Header, 0))
	}
	return t
}

// text takes a blank text for none.
func text(s string) string {
	if s == traffic.Blank {
		return ""
	}
	return s
}

// Kind returns the kind of the line that Append appended last.
func (g *Generator) Kind() Kind {
	return g.kind
}

func milliseconds(n int64) time.Duration {
	return time.Duration(n) * time.Millisecond
}
