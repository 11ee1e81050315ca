package accesslog

import (
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/logtime"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// clock turns the time of a line into its timestamp. The digits below the time's
// resolution are the line's number, so that no two lines of a source share a
// timestamp. (InfluxDB overwrites points of equal series and time: in whole
// seconds, 57.6 % of an ordinary log is lost.)
type clock struct {
	zone  *time.Location // of times without one; nil refuses them
	times []int          // captures that are times, the finest one first

	last int          // the capture of the last line that had a time
	text []byte       // its text, nil before the first
	at   logtime.Time // what it was parsed to
}

// choose finds the times that the format has. A line may lack some of them when it
// is a JSON object.
func (c *clock) choose(names []string) bool {
	for _, name := range nginxvar.Times {
		if i := slices.Index(names, name); i >= 0 {
			c.times = append(c.times, i)
		}
	}
	return len(c.times) > 0
}

// stamp returns the timestamp in nanoseconds since 1970, from the finest time
// that the line has.
func (c *clock) stamp(captures [][]byte, number int64) (int64, bool) {
	for _, i := range c.times {
		text := captures[i]
		if !present(text) {
			continue
		}
		if i != c.last || !isSame(text, c.text) {
			at, ok := logtime.Parse(text, c.zone)
			if !ok {
				return 0, false
			}
			c.last, c.at, c.text = i, at, append(c.text[:0], text...)
		}
		if number >= c.at.Resolution {
			number %= c.at.Resolution // expensive, and almost never needed
		}
		return c.at.Nano + number, true
	}
	return 0, false
}

func (c *clock) time() time.Time {
	if c.text == nil {
		return time.Time{}
	}
	return time.Unix(0, c.at.Nano)
}
