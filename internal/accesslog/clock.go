package accesslog

import (
	"slices"
	"time"
)

// clock turns the time of a line into its timestamp. nginx logs seconds or
// milliseconds; the digits below are the line's number, so that no two lines of
// a source share a timestamp. (InfluxDB overwrites points of equal series and
// time: in whole seconds, 57.6 % of an ordinary log is lost.)
type clock struct {
	zone  *time.Location // of times without one; nil refuses them
	times []timeVariable // of the format, the finest one first

	last *timeVariable // of the last line that had a time
	text []byte        // its text
	base int64         // what it was parsed to, in nanoseconds since 1970
}

// timeVariable is one of the times that the format has. A line may lack some of
// them when it is a JSON object.
type timeVariable struct {
	index      int // of the capture
	parse      func([]byte, *time.Location) (unixNano int64, ok bool)
	resolution int64 // nanoseconds below which the line's number goes
}

// choose finds the times that the format has.
func (c *clock) choose(names []string) bool {
	for _, known := range []struct {
		name       string
		parse      func([]byte, *time.Location) (int64, bool)
		resolution time.Duration
	}{
		{"msec", parseMsec, time.Millisecond},
		{"time_iso8601", parseISO8601, time.Second},
		{"time_local", parseLocal, time.Second},
	} {
		if i := slices.Index(names, known.name); i >= 0 {
			c.times = append(c.times, timeVariable{i, known.parse, int64(known.resolution)})
		}
	}
	return len(c.times) > 0
}

// stamp returns the timestamp in nanoseconds since 1970, from the finest time
// that the line has.
func (c *clock) stamp(captures [][]byte, number int64) (int64, bool) {
	for i := range c.times {
		t := &c.times[i]
		text := captures[t.index]
		if !present(text) {
			continue
		}
		if t != c.last || string(text) != string(c.text) {
			base, ok := t.parse(text, c.zone)
			if !ok {
				return 0, false
			}
			c.last, c.base, c.text = t, base, append(c.text[:0], text...)
		}
		if number >= t.resolution {
			number %= t.resolution // expensive, and almost never needed
		}
		return c.base + number, true
	}
	return 0, false
}

func (c *clock) time() time.Time {
	if c.text == nil {
		return time.Time{}
	}
	return time.Unix(0, c.base)
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// parseLocal reads $time_local: 20/Nov/2026:10:00:00 +0000
func parseLocal(b []byte, zone *time.Location) (int64, bool) {
	if len(b) < 20 || b[2] != '/' || b[6] != '/' || b[11] != ':' || b[14] != ':' || b[17] != ':' {
		return 0, false
	}
	month := 0
	for m := range 12 {
		if string(b[3:6]) == months[3*m:3*m+3] {
			month = m + 1
		}
	}
	d := date{year: number(b[7:11]), month: month, day: number(b[0:2])}
	switch {
	case len(b) == 20:
		return d.in(b[12:20], zone)
	case len(b) == 26 && b[20] == ' ':
		return d.at(b[12:20], b[21:])
	}
	return 0, false
}

// parseISO8601 reads $time_iso8601: 2026-11-20T10:00:00+00:00, or with a Z.
func parseISO8601(b []byte, zone *time.Location) (int64, bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	d := date{year: number(b[0:4]), month: number(b[5:7]), day: number(b[8:10])}
	switch {
	case len(b) == 19:
		return d.in(b[11:], zone)
	case len(b) == 20 && b[19] == 'Z':
		return d.in(b[11:19], time.UTC)
	case len(b) == 25 && b[22] == ':':
		var offset [5]byte
		copy(offset[:], b[19:22])
		copy(offset[3:], b[23:])
		return d.at(b[11:19], offset[:])
	}
	return 0, false
}

// parseMsec reads $msec: 1795168800.123
func parseMsec(b []byte, _ *time.Location) (int64, bool) {
	n := len(b)
	if n < 5 || n > 14 || b[n-4] != '.' {
		return 0, false
	}
	seconds, millis := number(b[:n-4]), number(b[n-3:])
	if seconds < 0 || millis < 0 || seconds > maxUnix {
		return 0, false
	}
	return int64(seconds)*1e9 + int64(millis)*1e6, true
}

// maxUnix is the last whole second whose nanoseconds fit in an int64, in 2262.
const maxUnix = 1<<63/1000000000 - 1

// date is a day of the calendar; -1 stands for anything that is not a number.
type date struct{ year, month, day int }

// at puts the day, 10:00:00 and +0000 together.
func (d date) at(hms, offset []byte) (unixNano int64, ok bool) {
	hour, minute := number(offset[1:3]), number(offset[3:5])
	if min(hour, minute) < 0 || hour > 23 || minute > 59 {
		return 0, false
	}
	east := int64(hour)*3600 + int64(minute)*60
	switch offset[0] {
	case '+':
	case '-':
		east = -east
	default:
		return 0, false
	}
	unix, ok := d.unix(hms, time.UTC)
	return nanoseconds(unix-east, ok)
}

// in puts the day and 10:00:00 of a zone together. Of an hour that there is
// twice when clocks are set back it is the first one.
func (d date) in(hms []byte, zone *time.Location) (unixNano int64, ok bool) {
	if zone == nil {
		return 0, false
	}
	unix, ok := d.unix(hms, zone)
	t := time.Unix(unix, 0).In(zone)
	_, now := t.Zone()
	_, earlier := t.Add(-12 * time.Hour).Zone()
	if first := t.Add(time.Duration(now-earlier) * time.Second); first.Hour() == t.Hour() && first.Minute() == t.Minute() {
		unix = first.Unix()
	}
	return nanoseconds(unix, ok)
}

// unix refuses what no clock shows, such as February 30 and the hour that is
// skipped when clocks are set forward.
func (d date) unix(hms []byte, zone *time.Location) (int64, bool) {
	hour, minute, second := number(hms[0:2]), number(hms[3:5]), number(hms[6:8])
	if min(d.year, d.month, d.day, hour, minute, second) < 0 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	t := time.Date(d.year, time.Month(d.month), d.day, hour, minute, second, 0, zone)
	return t.Unix(), t.Day() == d.day && int(t.Month()) == d.month && t.Hour() == hour && t.Minute() == minute
}

// nanoseconds refuses times that InfluxDB has no timestamp for.
func nanoseconds(unix int64, ok bool) (int64, bool) {
	if !ok || unix < 0 || unix > maxUnix {
		return 0, false
	}
	return unix * 1e9, true
}

// number reads up to ten decimal digits; -1 is for anything else.
func number(b []byte) int {
	if len(b) == 0 || len(b) > 10 {
		return -1
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}
