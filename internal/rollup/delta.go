package rollup

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/lineproto"
)

// Cut is a cut in the making: its deltas must be taken before anything else is done with the
// sums.
type Cut struct {
	flow.Cut
	share *share
	cells *cells
	head  []byte // measurement, host and source
	host  []byte // without the source

	number int64 // in the stamps of windows that may have a delta already
}

// Cut ends a cut of what is open, where its generation was read to.
func (s *Sums) Cut(o Open) *Cut {
	g, sh := o.Generation, &o.shares[o.Rollup]
	sh.rollup.forgetZeros(s.now)
	sh.sort()
	c := &Cut{share: sh, cells: s.cells, host: sh.rollup.head, Cut: flow.Cut{
		Rollup: sh.rollup.key, RetentionPolicy: sh.rollup.RetentionPolicy, Interval: sh.rollup.Interval,
		Begin: sh.begin, End: g.at, Ending: bytes.Clone(g.ending), Lines: sh.lines, Deltas: sh.cells,
	}}
	c.number = sh.begin % numbers
	switch sh.rebase(); {
	case s.alone:
		c.number = Redelivered(sh.begin)
	case !g.isImported(): // imports are cut alike from wherever they begin
		c.Base, c.Newest = sh.base, sh.newest
		sh.newest = max(sh.newest, sh.newestOpen())
	}
	c.head = lineproto.AppendTag(bytes.Clone(c.host), lineproto.TagPrefix("source"), []byte(g.Source.Name))
	sh.begin, sh.next = g.at.Line, max(sh.next, g.at.Line)
	sh.lines, sh.full, sh.since = 0, false, time.Time{}
	sh.turn, sh.turned, sh.late, g.turn = 0, 0, 0, 0
	for sh.isBound() && sh.marks[0] <= g.at.Line {
		sh.marks = sh.marks[1:]
	}
	g.updateDue()
	return c
}

// renewal is how long a point of zeros is assumed to be stored. After that it is written
// again, as the same point: the database may have been dropped without notice.
const renewal = 5 * time.Minute

// forgetZeros forgets what has a point of zeros, now and then.
func (r *rollup) forgetZeros(now time.Time) {
	if now.Sub(r.renewed) >= renewal {
		clear(r.zeroed)
		r.renewed = now
	}
}

// More reports whether deltas are left.
func (c *Cut) More() bool { return c.share.first != nil }

// Append appends deltas to an empty buffer, as many as it has room for, and returns how
// many points these are. It appends none if the next one does not fit.
func (c *Cut) Append(room []byte) (text []byte, points int) {
	text = room
	for c.More() && (len(text) == 0 || cap(text)-len(text) >= c.most()) {
		grown, n := c.appendDelta(text)
		if cap(grown) != cap(room) { // it was moved elsewhere: there is no room
			return text, points
		}
		if n > 1 {
			c.share.rollup.zeroed[c.hour()] = true
		}
		text = grown
		points += n
		first := c.share.first
		c.share.pop()
		c.cells.drop(first)
	}
	return text, points
}

// most is the most bytes that the next delta can have, with the zeros before it.
func (c *Cut) most() int {
	const fields = 8 << 10 // all that there are, with numbers of any length, twice
	return len(c.host) + len(Zeros) + len(c.head) + len(c.share.first.key) + fields
}

// hour is that of the next delta. InfluxDB keeps points in groups of whole hours.
func (c *Cut) hour() int64 { return c.share.first.window / 3600e9 }

// appendDelta appends the first cell, and before the first one of an hour a point at its
// begin in which every bucket is 0: in a query whose times touch no point with a bucket, that would be
// null even with fill(0), and one null makes the sum of all null, without an error.
func (c *Cut) appendDelta(p []byte) (text []byte, points int) {
	cell := c.share.first
	at := cell.window + c.number
	if c.Base > 0 && cell.window > c.Newest {
		at = cell.window + c.Base%numbers
	}
	if !c.share.rollup.zeroed[c.hour()] {
		p = append(append(append(p, c.host...), Zeros...), allZero...)
		p = lineproto.AppendEnd(p, c.hour()*3600e9)
		points++
	}
	p = append(append(p, c.head...), cell.key...)
	p = cell.appendFields(p)
	return lineproto.AppendEnd(p, at), points + 1
}

// Zeros is the tag of a point that counts nothing.
const Zeros = ",source=tailflux"

// IsZeros reports whether a point is one of those that count nothing.
func IsZeros(point []byte) bool { return bytes.Contains(point, []byte(Zeros+" ")) }

// ZerosFor is the point of zeros that stands before a delta.
func ZerosFor(delta []byte) []byte {
	host, _, _ := bytes.Cut(delta, []byte(",source="))
	p := append(append(bytes.Clone(host), Zeros...), allZero...)
	at, _ := lineproto.Stamp(delta)
	return lineproto.AppendEnd(p, at-at%3600e9)
}

// Requests is how many lines a delta counts.
func Requests(point []byte) (n int64) {
	_, rest, _ := bytes.Cut(point, []byte(" requests="))
	digits, _, _ := bytes.Cut(rest, []byte{'i'})
	n, _ = strconv.ParseInt(string(digits), 10, 64)
	return n
}

func (c *cell) appendFields(p []byte) []byte {
	p = appendInteger(p, " requests=", c.requests)
	for i := range c.sizes {
		if c.has&(hasSizes<<i) != 0 {
			p = appendInteger(p, sizeNames[i], c.sizes[i])
		}
	}
	for i := range c.times {
		if c.has&(hasTimes<<i) == 0 {
			continue
		}
		t, names := &c.times[i], &timeNames[i]
		p = appendInteger(p, names.sum, t.sum)
		p = appendInteger(p, names.greatest, t.greatest)
		for b := range Buckets {
			if n := c.buckets[b][i]; n > 0 {
				p = appendInteger(p, names.buckets[b], int64(n))
			}
		}
	}
	if c.has&hasTries != 0 {
		p = appendInteger(p, ",upstream_tries=", c.tries)
	}
	return p
}

func appendInteger(p []byte, name string, n int64) []byte {
	return append(strconv.AppendInt(append(p, name...), n, 10), 'i')
}

// BucketField is the name of the field that counts a bucket of a time.
func BucketField(time string, bucket int) string { return fmt.Sprintf("%s_b%02d", time, bucket) }

type namesOfTime struct {
	sum, greatest string
	buckets       [Buckets]string
}

var (
	sizeNames = func() (names [len(accesslog.Sizes)]string) {
		for i, size := range accesslog.Sizes {
			names[i] = "," + size + "="
		}
		return names
	}()
	timeNames = func() (names [len(accesslog.Times)]namesOfTime) {
		for i, time := range accesslog.Times {
			names[i].sum, names[i].greatest = ","+time+"_ms=", ","+time+"_ms_max="
			for b := range Buckets {
				names[i].buckets[b] = "," + BucketField(time, b) + "="
			}
		}
		return names
	}()
	allZero = func() (fields []byte) {
		for _, time := range accesslog.Times {
			for b := range Buckets {
				fields = append(fields, ","+BucketField(time, b)+"=0i"...)
			}
		}
		fields[0] = ' ' // in place of the first comma
		return fields
	}()
)
