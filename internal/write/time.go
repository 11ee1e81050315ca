package write

import (
	"bytes"
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/lineproto"
)

// InfluxDB refuses points for their time: those that are older than it keeps, and those
// outside the write window of a policy. Both bounds are known from the policy, or found by
// bisecting the times of points: finding one costs a request for each doubling of the number
// of points.

// span is the time of points that are kept, in nanoseconds since 1970: from since on,
// and not after until.
type span struct{ since, until int64 }

// ahead is how much later than the clock a point may be that is not from the future:
// digits below a second are the number of its line.
const ahead = time.Second

func future(at int64) bool { return at > time.Now().Add(ahead).UnixNano() }

// refuseTime gives up a point that was refused for its time, and all that are further away
// from now.
func (d *delivery) refuseTime(one piece) {
	reason := flow.Expired
	if at, ok := lineproto.Stamp(one.text); ok {
		// What InfluxDB says about the direction is wrong at times.
		if future(at) {
			reason = flow.Future
			d.kept.until = min(d.kept.until, at-1)
		} else {
			d.kept.since = max(d.kept.since, at+1)
		}
		d.expire()
	}
	d.request.refuse(one.first, reason)
}

// outOfOrder is by how much a line may be older than the first one of its batch and still be
// found to be too old without being sent.
const outOfOrder = time.Hour

// expire rejects points that are out of the time that InfluxDB keeps.
func (d *delivery) expire() {
	if d.kept == always {
		return
	}
	older, newer := lineproto.OlderThan(d.kept.since), newerThan(d.kept.until)
	near, far := lineproto.OlderThan(later(d.kept.since, outOfOrder)), newerThan(later(d.kept.until, -outOfOrder))
	for i := range d.list {
		if !d.halving && !slices.ContainsFunc(d.list[i], func(p piece) bool {
			first := p.text[:bytes.IndexByte(p.text, '\n')+1]
			return near(first) || far(first)
		}) {
			continue // as in a log that is not far behind: nothing is looked at
		}
		d.list[i] = d.list[i].without(func(point int, text []byte) bool {
			switch {
			case older(text):
				d.request.refuse(point, flow.Expired)
			case newer(text):
				d.request.refuse(point, flow.Future)
			default:
				return false
			}
			return true
		})
	}
}

// newerThan returns a function that reports whether a point is later than a time.
func newerThan(nanoseconds int64) func(text []byte) bool {
	if nanoseconds == always.until {
		return func([]byte) bool { return false }
	}
	return func(text []byte) bool {
		at, ok := lineproto.Stamp(text)
		return ok && at > nanoseconds
	}
}

// later is a time of a span, shifted unless it is no bound.
func later(nanoseconds int64, by time.Duration) int64 {
	if nanoseconds == always.since || nanoseconds == always.until {
		return nanoseconds
	}
	return nanoseconds + int64(by)
}

// halvesOfTime divides points, some of which are refused for their time, so that the
// first part is nearer to now: if none of it is refused, the boundary is in the second.
func halvesOfTime(some points) (near, far points) {
	stamps := make([]int64, 0, some.count())
	for _, one := range each(some) {
		stamps = append(stamps, one.at)
	}
	slices.Sort(stamps)
	n := len(stamps)
	if present, fromFuture := split(some, future); len(present) > 0 && len(fromFuture) > 0 {
		return present, fromFuture
	}
	middle := stamps[n/2]
	if middle == stamps[0] { // many have one time
		at, _ := slices.BinarySearch(stamps, middle+1)
		if at == n {
			first, second := some.cut(n / 2)
			return second, first
		}
		middle = stamps[at]
	}
	older, newer := split(some, func(at int64) bool { return at >= middle })
	if future(stamps[0]) {
		return older, newer
	}
	return newer, older
}

// split divides points by their time.
func split(some points, second func(at int64) bool) (no, yes points) {
	is := func(text []byte) bool {
		at, _ := lineproto.Stamp(text)
		return second(at)
	}
	no = some.without(func(_ int, text []byte) bool { return is(text) })
	yes = some.without(func(_ int, text []byte) bool { return !is(text) })
	return no, yes
}

// stamped is one point.
type stamped struct {
	piece
	at int64 // 0 if it has no time
}

// each is every one of some points, in their order.
func each(some points) []stamped {
	all := make([]stamped, 0, some.count())
	for _, p := range some {
		for rest, number := p.text, p.first; len(rest) > 0; number++ {
			var line []byte
			line, rest = cutLines(rest, 1)
			at, _ := lineproto.Stamp(line)
			all = append(all, stamped{piece{line, number, 1}, at})
		}
	}
	return all
}

// minSearch is how many points it takes to look for a boundary in time when the words
// of a refusal do not say that it is about time.
const minSearch = 64

// notOurs is the number of a point of another request.
const notOurs = -1

// samples is how many points must be refused alone to show that all beyond a boundary
// are.
const samples = 12

// worthSearching reports whether there was no search, or it met no point that was
// stored and another request has one since.
func (d *delivery) worthSearching() bool {
	const most = 3
	control := d.doubts.controlPoint()
	changed := len(control) > 0 && (len(d.searched) == 0 || !bytes.Equal(control[0].text, d.searched[0].text))
	if repeated := d.searches > 0; repeated && (!d.noneStored || !changed) || d.searches == most {
		return false
	}
	d.searches, d.searched = d.searches+1, control
	return true
}

// rejectByTime sends some of the points alone, to find a time up to which they are stored
// and beyond which all are refused, whatever the answers say. If there is one it rejects
// those beyond, and lists the others.
func (d *delivery) rejectByTime(ctx context.Context, some points) (found bool, err error) {
	all := each(some)
	if control := d.doubts.controlPoint(); control != nil && bytes.Equal(measurement(control[0].text), measurement(all[0].text)) {
		// What was stored of other requests may be all that is stored.
		beside := each(control)[0]
		beside.first = notOurs
		all = append(all, beside)
	}
	slices.SortStableFunc(all, func(a, b stamped) int { return cmp.Compare(a.at, b.at) })
	s := search{delivery: d, all: all, answers: map[int]error{}}
	last := len(all) - 1
	present := 0
	for present < last && !future(all[present+1].at) {
		present++
	}
	oldest, newest := s.tryAlone(ctx, 0), s.tryAlone(ctx, last)
	stored := last
	if newest {
		stored = 0
		if oldest {
			stored = present
		}
	}
	d.noneStored = oldest && newest && s.tryAlone(ctx, present)
	if d.noneStored || !oldest && !newest {
		return false, ctx.Err()
	}
	beyond := map[int]error{}
	if oldest {
		s.boundary(ctx, stored, 0, beyond)
	}
	if newest && future(all[last].at) { // else it is not for its time
		s.boundary(ctx, stored, last, beyond)
	}
	if len(beyond) == 0 || ctx.Err() != nil {
		return false, ctx.Err()
	}
	for point, answer := range beyond {
		d.request.refuse(point, flow.Refused(answer.Error()))
	}
	d.list = slices.Insert(d.list, 0, some.without(func(point int, _ []byte) bool { return beyond[point] != nil }))
	return true, nil
}

// measurement is that of a point, up to where it may be escaped.
func measurement(point []byte) []byte {
	return point[:max(0, bytes.IndexAny(point, `, \`))]
}

// search is one look for boundaries in time.
type search struct {
	*delivery
	all     []stamped     // in the order of their times
	answers map[int]error // of those that were refused alone, nil if stored
}

// tryAlone sends one point until there is an answer about it, and reports whether it was
// refused: false when ctx ends.
func (s *search) tryAlone(ctx context.Context, i int) (refused bool) {
	if err, asked := s.answers[i]; asked {
		return err != nil
	}
	for ctx.Err() == nil {
		if s.limiter.wait(ctx) != nil {
			return false
		}
		means, err := s.send(ctx, points{s.all[i].piece})
		if means == influx.Retry || means == influx.Slow {
			_ = s.retry.wait(ctx, err) // ctx's
			continue
		}
		s.retry.over()
		s.answers[i] = err
		return err != nil
	}
	return false
}

// boundary notes the points from one that is refused up to where they are stored, if
// all samples of them are refused, too.
func (s *search) boundary(ctx context.Context, stored, refused int, beyond map[int]error) {
	end, near := refused, stored
	for near-refused > 1 || refused-near > 1 {
		if middle := (near + refused) / 2; s.tryAlone(ctx, middle) {
			refused = middle
		} else {
			near = middle
		}
	}
	low, high := min(end, refused), max(end, refused)
	if high-low < minSearch/2 {
		return
	}
	for range samples {
		if !s.tryAlone(ctx, low+rand.IntN(high-low)) { //nolint:gosec // no secret
			return
		}
	}
	delete(s.answers, near) // an outage may have begun meanwhile
	if s.tryAlone(ctx, near) {
		return
	}
	for i := low; i <= high; i++ {
		if s.all[i].first == notOurs {
			continue
		}
		beyond[s.all[i].first] = s.answers[refused]
		if err := s.answers[i]; err != nil {
			beyond[s.all[i].first] = err
		}
	}
}
