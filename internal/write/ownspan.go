package write

import (
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// ownPieces is how many pieces of observed time a request has at most, which is half a
// megabyte. More of them follow when it is stored.
const ownPieces = 5000

// ownLongest is how much observed time is written at once, at most: the end of it. What is
// older was stamped by a clock that was wrong, and would be millions of points.
const ownLongest = 2 * 366 * 24 * time.Hour

// seen notes how far a source is settled once a part, and all before it, is.
func (o *Own) seen(p *part) {
	if o == nil {
		return
	}
	s := o.of(p.Start.Generation.Source.Name)
	s.waits = !p.Whole
	// Later than that is a clock that was wrong: nothing was observed that is still to come.
	latest := time.Now().Add(time.Minute).UnixNano()
	if s.from == 0 && p.From > 0 && p.From <= latest {
		s.from = p.From - p.From%int64(time.Second)
	}
	if p.Seen <= latest {
		s.seen = max(s.seen, p.Seen)
	}
}

// quiet notes that a source is read to its end, so there are no more lines up to now. While a
// rotated file is open, more may come from that.
func (s *ownSource) quiet(is *stats.Source, looked time.Time) {
	if looked.IsZero() || s.waits || is.Unsettled != 0 || is.Files != 1 || !is.Open || is.Trouble != "" || is.Unfit != "" || is.Offset != is.Size {
		return
	}
	at := looked.Truncate(time.Second).Add(-time.Second).UnixNano()
	if s.from == 0 {
		s.from = at
	}
	s.seen = max(s.seen, at)
}

// spans appends the observed time that is not written yet, or as much as a request has.
func (o *Own) spans(dst []byte) []byte {
	room := ownPieces
	o.left = false
	for name, s := range o.sources {
		dst, room = s.spans(dst, o.Host, name, room)
		o.left = o.left || s.from > 0 && s.from < s.seen
	}
	return dst
}

// spans cuts at whole minutes of the log's time. A piece is stamped by its last nanosecond,
// so that it is within its minute, and no two of a source have one time.
func (s *ownSource) spans(dst []byte, host, source string, room int) ([]byte, int) {
	if s.from == 0 {
		return dst, room
	}
	s.from = max(s.from, s.seen-int64(ownLongest))
	for ; room > 0 && s.from < s.seen; room-- {
		to := min(s.seen, s.from-s.from%int64(time.Minute)+int64(time.Minute))
		p := point(dst, host, "source", source)
		p.integer("observed_from", s.from)
		p.seconds("observed_seconds", time.Duration(to-s.from))
		dst = p.end(to - 1)
		s.from = to
	}
	return dst, room
}
