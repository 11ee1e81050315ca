package traffic

import "github.com/tailflux/tailflux/mock/dice"

// Statuses of each kind of content in calm times, and what replaces some of
// them when the upstreams fail.
var (
	readStatus = dice.NewWeighted(
		[]int{200, 304, 302, 301, 404, 401, 403, 429, 499, 400, 500, 502, 503, 504},
		[]float64{86, 3, 2.6, 2, 3.4, 0.6, 0.5, 0.4, 0.5, 0.3, 0.18, 0.08, 0.05, 0.05})
	writeStatus = dice.NewWeighted(
		[]int{200, 201, 204, 302, 303, 422, 400, 401, 403, 409, 413, 429, 499, 500, 502, 504},
		[]float64{56, 19, 9, 6, 2, 2, 2, 1.2, 0.6, 0.5, 0.1, 0.6, 0.5, 0.3, 0.1, 0.1})
	fileStatus = dice.NewWeighted(
		[]int{200, 304, 206, 404, 403, 499, 416},
		[]float64{75, 19, 1.5, 3.5, 0.3, 0.6, 0.1})
	downloadStatus = dice.NewWeighted([]int{200, 206, 304, 404, 499}, []float64{60, 28, 3, 4, 5})
	outageStatus   = dice.NewWeighted([]int{502, 503, 504, 500}, []float64{50, 22, 18, 10})
)

// Sizes in bytes and times in milliseconds.
var (
	pageSize     = dice.NewLogNormal(9_000, 0.9)
	apiSize      = dice.NewLogNormal(900, 1.3)
	fileSize     = dice.NewLogNormal(14_000, 1.5)
	downloadSize = dice.NewLogNormal(1_800_000, 1.2)
	smallSize    = dice.NewLogNormal(420, 0.6)
	uploadSize   = dice.NewLogNormal(700, 1.1)
	workTime     = dice.NewLogNormal(70, 1.0)
	slowTime     = dice.NewLogNormal(2_600, 0.9)
	fileTime     = dice.NewLogNormal(0.9, 1.4)
	downloadTime = dice.NewLogNormal(1_500, 1.2)
)

// errorPages are the lengths of the pages nginx itself answers with.
var errorPages = map[int]int64{
	301: 162, 302: 138, 400: 150, 401: 172, 403: 146, 404: 146, 413: 176, 416: 190,
	429: 162, 500: 170, 502: 150, 503: 190, 504: 160,
}

// drawOutcome decides how the request went.
func (t *Traffic) drawOutcome(what resource, person bool) {
	d, r := t.dice, &t.req
	r.RequestLength = 180 + int64(d.Roll(700)) + int64(len(r.URI))
	dynamic := what.content == page || what.content == api
	switch {
	case what.content == health:
		r.Status = 200
	case what.content == static:
		r.Status = fileStatus.Pick(d)
	case what.content == download:
		r.Status = downloadStatus.Pick(d)
	case reads(r.Method):
		r.Status = readStatus.Pick(d)
	default:
		r.Status = writeStatus.Pick(d)
		r.RequestLength += uploadSize.Draw(d)
	}
	if r.Method == "OPTIONS" && r.Status == 200 {
		r.Status = 204
	}
	if dynamic && t.failing && d.Chance(0.45) {
		r.Status = outageStatus.Pick(d)
	}
	unserved := r.Status == 304 || r.Status == 413 || r.Status == 429
	cached := r.Status == 200 && r.Method == "GET" && d.Chance(0.05)
	if dynamic && !unserved && !cached {
		t.drawTries()
	} else {
		t.drawLocalTime(what)
	}
	t.drawSizes(what, person)
}

// drawLocalTime is for what nginx answers alone: at once, if it is small.
func (t *Traffic) drawLocalTime(what resource) {
	d, r := t.dice, &t.req
	switch {
	case what.content == download && (r.Status == 200 || r.Status == 206 || r.Status == 499):
		r.RequestTime = downloadTime.Draw(d)
	case what.content == static && r.Status == 200:
		r.RequestTime = fileTime.Draw(d)
		if d.Chance(0.01) { // a client on a train
			r.RequestTime += slowTime.Draw(d)
		}
	}
}

// drawTries lets one upstream after the other try. The sum of their times is
// what the request took, but for a millisecond or two.
func (t *Traffic) drawTries() {
	d, r := t.dice, &t.req
	failure := 0.012
	if t.failing {
		failure = 0.2
	}
	work := workTime.Draw(d)
	if d.Chance(0.008) || t.failing && d.Chance(0.25) {
		work += slowTime.Draw(d)
	}
	for r.tryCount < len(r.tries)-1 && d.Chance(failure) {
		t.addTry(t.failedTry())
	}
	last := Try{Server: d.Roll(5), Status: r.Status, Connect: int64(d.Roll(3))}
	last.Header = max(work-int64(d.Roll(5)), last.Connect)
	last.Response = max(work, last.Header)
	if r.tryCount == 0 && d.Chance(0.003) { // X-Accel-Redirect: the first upstream sends us to a second
		t.addTry(Try{Server: d.Roll(5), Status: 200, Header: 8, Response: 8 + int64(d.Roll(4))})
		last.Redirected = true
	}
	switch r.Status {
	case 499: // the client went away first
		last.Status, last.Header = 0, -1
	case 502: // refused
		last.Connect, last.Header, last.Response = -1, -1, int64(d.Roll(3))
	case 504:
		last.Header, last.Response = -1, 60_000+int64(d.Roll(4))
		if t.failing { // someone lowered proxy_read_timeout
			last.Response -= 50_000
		}
	}
	t.addTry(last)
	r.RequestTime += int64(d.Roll(3))
}

// failedTry is refused, or waits too long for a header.
func (t *Traffic) failedTry() Try {
	d := t.dice
	if d.Chance(0.8) {
		return Try{Server: d.Roll(5), Status: 502, Connect: -1, Header: -1, Response: int64(d.Roll(4))}
	}
	return Try{Server: d.Roll(5), Status: 504, Connect: int64(d.Roll(3)), Header: -1, Response: 3000 + int64(d.Roll(3))}
}

func (t *Traffic) addTry(y Try) {
	r := &t.req
	r.tries[r.tryCount] = y
	r.tryCount++
	r.RequestTime += y.Response
}

// drawSizes comes last: how much is sent depends on all that was decided.
func (t *Traffic) drawSizes(what resource, person bool) {
	d, r := t.dice, &t.req
	r.BytesSent = 190 + int64(d.Roll(260)) // the header
	ownPage, isError := errorPages[r.Status]
	switch {
	case r.Status == 499 && what.content != download:
		r.BytesSent = 0
	case r.Method == "HEAD" || r.Status == 304 || r.Status == 204:
	case isError && (r.tryCount == 0 || r.Status >= 502):
		r.BodyBytes = ownPage
	case r.Status >= 300 && r.Status != 499:
		r.BodyBytes = smallSize.Draw(d)
	case what.content == health:
		r.BodyBytes = 3
	case what.content == page && r.Method == "GET":
		r.BodyBytes = pageSize.Draw(d)
	case what.content == static:
		r.BodyBytes = fileSize.Draw(d)
	case what.content == download:
		r.BodyBytes = downloadSize.Draw(d)
	default:
		r.BodyBytes = apiSize.Draw(d)
	}
	r.BytesSent += r.BodyBytes
	if what.zipped && person && r.Status == 200 && r.BodyBytes > 256 {
		r.GzipPercent = 150 + int64(d.Roll(250)) + int64(d.Roll(280))
	}
}
