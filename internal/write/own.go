package write

import (
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// Own are the points about tailflux itself. They are not in the books: they have a request of
// their own, which is tried again at the next turn, and nothing waits for it. What is counted
// meanwhile goes into the one after it.
//
// It is kept from one Run to the next. Its methods do nothing if it is nil.
type Own struct {
	Host    string       // the tag
	Policy  string       // the retention policy, if it is another one than that of the lines
	Memory  func() int64 // bytes of the process
	AtStart bool         // the first ones are sent at once

	said    bool // that they are refused
	started bool // it was written that the process did
	last    stats.Snapshot
	tags    map[string]int64 // of these, what there was of other, then
	sources map[string]*ownSource
	left    bool   // there is more observed time than a request has
	unsent  []byte // is on its way, or was, and nobody knows whether it is stored
}

// ownSource is what was settled of a source since it was last written.
type ownSource struct {
	read, written, filtered, rejected int64
	reasons                           map[string]int64

	// All lines between these times, in nanoseconds since 1970, are settled, which is not
	// written yet; from is 0 before the first line.
	from, seen int64
	waits      bool // lines do in a rollup
	last       stats.Source
}

// ownInterval is how often they are sent.
const ownInterval = 10 * time.Second

// ownPatience is how long they are waited for at the end.
const ownPatience = 2 * time.Second

func (o *Own) of(source string) *ownSource {
	s := o.sources[source]
	if s == nil {
		s = &ownSource{reasons: map[string]int64{}}
		if o.sources == nil {
			o.sources = map[string]*ownSource{}
		}
		o.sources[source] = s
	}
	return s
}

// settled counts the lines of a request. It is called before its rejected lines are.
func (o *Own) settled(r *request) {
	if o == nil {
		return
	}
	for i := range r.parts {
		p := &r.parts[i]
		s := o.of(p.Start.Generation.Source.Name)
		s.written += p.Written()
		if p.Cut != nil {
			continue
		}
		s.read += p.NumLines()
		s.filtered -= p.ReadAgain
		for _, skip := range p.Skipped {
			if skip.Filtered {
				s.filtered++
			}
		}
	}
}

func (o *Own) rejected(source, reason string, lines int64) {
	if o == nil {
		return
	}
	s := o.of(source)
	s.rejected += lines
	s.reasons[reason] += lines
}

// points appends what there is to say, and begins to count anew.
func (o *Own) points(dst []byte, looked time.Time, now stats.Snapshot, at time.Time) []byte {
	dst = o.process(dst, &now, at)
	for i := range now.Sources {
		is := &now.Sources[i]
		s := o.of(is.Name)
		s.quiet(is, looked)
		dst = s.points(dst, o.Host, is, at)
	}
	dst = o.spans(dst)
	for _, t := range now.Tags {
		p := point(dst, o.Host, "tag", t.Name)
		p.integer("values", t.Values)
		p.integer("limit", int64(t.Limit))
		p.integer("other", t.Other-o.tags[t.Name])
		dst = p.end(at.UnixNano())
	}
	o.tags = map[string]int64{}
	for _, t := range now.Tags {
		o.tags[t.Name] = t.Other
	}
	o.last, o.started = now, true
	return dst
}

func (o *Own) process(dst []byte, now *stats.Snapshot, at time.Time) []byte {
	was := &o.last
	started := int64(1)
	if o.started {
		started = 0
	}
	p := point(dst, o.Host, "", "")
	p.integer("started", started)
	p.seconds("uptime_seconds", now.Uptime)
	p.integer("memory_bytes", o.Memory())
	p.integer("lines_read", now.Books.Read-was.Books.Read)
	p.integer("lines_written", now.Books.Written-was.Books.Written)
	p.integer("lines_rejected", now.Books.Rejected-was.Books.Rejected)
	p.integer("lines_filtered", now.Books.Filtered-was.Books.Filtered)
	p.integer("lines_in_flight", now.Books.InFlight)
	p.integer("bytes_read", now.BytesRead-was.BytesRead)
	p.seconds("undelivered_seconds", now.Undelivered)
	p.integer("channel_read_lines", now.Read.Lines)
	p.integer("channel_read_bytes", now.Read.Bytes)
	p.integer("channel_write_lines", now.Write.Lines)
	p.integer("channel_write_bytes", now.Write.Bytes)
	p.integer("requests", now.InfluxDB.Batches-was.InfluxDB.Batches)
	p.integer("retries", now.InfluxDB.Retries-was.InfluxDB.Retries)
	p.integer("outages", now.InfluxDB.Outages-was.InfluxDB.Outages)
	p.seconds("outage_seconds", now.InfluxDB.Outage)
	p.integer("cuts", max(0, cutsOf(now)-cutsOf(was)))
	p.integer("rejects_expired", now.RejectsExpired-was.RejectsExpired)
	return p.end(at.UnixNano())
}

func cutsOf(s *stats.Snapshot) (n int64) {
	for i := range s.Rollups {
		n += s.Rollups[i].Cuts
	}
	return n
}

// points appends those of a source, and begins to count anew.
func (s *ownSource) points(dst []byte, host string, is *stats.Source, at time.Time) []byte {
	p := point(dst, host, "source", is.Name)
	p.integer("lines_read", s.read)
	p.integer("lines_written", s.written)
	p.integer("lines_rejected", s.rejected)
	p.integer("lines_filtered", s.filtered)
	p.integer("lag_bytes", is.Size-is.Offset)
	lag := time.Duration(0)
	if is.Size > is.Offset && !is.LastLine.IsZero() {
		lag = max(0, at.Sub(is.LastLine))
	}
	p.seconds("lag_seconds", lag)
	open := int64(0)
	if is.Open {
		open = 1
	}
	p.integer("open", open)
	p.integer("rotations", is.Rotations-s.last.Rotations)
	p.integer("truncations", is.Truncations-s.last.Truncations)
	p.integer("generations_lost", is.Lost-s.last.Lost)
	dst = p.end(at.UnixNano())
	for reason, lines := range s.reasons {
		p := point(dst, host, "source", is.Name)
		p.tag("reason", reason)
		p.integer("rejected", lines)
		dst = p.end(at.UnixNano())
	}
	next := ownSource{reasons: s.reasons, from: s.from, seen: s.seen, waits: s.waits, last: *is}
	clear(next.reasons)
	*s = next
	return dst
}
