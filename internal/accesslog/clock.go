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
	index      int // capture of the time
	parse      func([]byte) (unixNano int64, ok bool)
	resolution int64 // nanoseconds below which the line's number goes

	text []byte // of the last line's time
	base int64  // what it was parsed to, in nanoseconds since 1970
}

// choose takes the finest time that the format has.
func (c *clock) choose(names []string) bool {
	for _, known := range []struct {
		name       string
		parse      func([]byte) (int64, bool)
		resolution time.Duration
	}{
		{"msec", parseMsec, time.Millisecond},
		{"time_iso8601", parseISO8601, time.Second},
		{"time_local", parseLocal, time.Second},
	} {
		if i := slices.Index(names, known.name); i >= 0 {
			c.index, c.parse, c.resolution = i, known.parse, int64(known.resolution)
			return true
		}
	}
	return false
}

// stamp returns the timestamp in nanoseconds since 1970.
func (c *clock) stamp(captures [][]byte, number int64) (int64, bool) {
	text := captures[c.index]
	if string(text) != string(c.text) {
		base, ok := c.parse(text)
		if !ok {
			return 0, false
		}
		c.base, c.text = base, append(c.text[:0], text...)
	}
	return c.base + number%c.resolution, true
}

func (c *clock) time() time.Time {
	if c.text == nil {
		return time.Time{}
	}
	return time.Unix(0, c.base)
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// parseLocal reads $time_local: 20/Nov/2026:10:00:00 +0000
func parseLocal(b []byte) (int64, bool) {
	if len(b) != 26 || b[2] != '/' || b[6] != '/' || b[11] != ':' || b[14] != ':' || b[17] != ':' || b[20] != ' ' {
		return 0, false
	}
	month := 0
	for m := range 12 {
		if string(b[3:6]) == months[3*m:3*m+3] {
			month = m + 1
		}
	}
	return unixNano(number(b[7:11]), month, number(b[0:2]), b[12:20], b[21:])
}

// parseISO8601 reads $time_iso8601: 2026-11-20T10:00:00+00:00, or with a Z.
func parseISO8601(b []byte) (int64, bool) {
	if len(b) < 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	var zone [5]byte
	switch {
	case len(b) == 20 && b[19] == 'Z':
		copy(zone[:], "+0000")
	case len(b) == 25 && b[22] == ':':
		copy(zone[:], b[19:22])
		copy(zone[3:], b[23:])
	default:
		return 0, false
	}
	return unixNano(number(b[0:4]), number(b[5:7]), number(b[8:10]), b[11:19], zone[:])
}

// parseMsec reads $msec: 1795168800.123
func parseMsec(b []byte) (int64, bool) {
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

// unixNano puts a date, 10:00:00 and +0000 together, and refuses what no clock
// shows.
func unixNano(year, month, day int, hms, zone []byte) (int64, bool) {
	hour, minute, second := number(hms[0:2]), number(hms[3:5]), number(hms[6:8])
	zoneHour, zoneMinute := number(zone[1:3]), number(zone[3:5])
	if min(year, month, day, hour, minute, second, zoneHour, zoneMinute) < 0 ||
		hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59 {
		return 0, false
	}
	date := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if date.Day() != day || int(date.Month()) != month {
		return 0, false // February 30
	}
	east := int64(zoneHour)*3600 + int64(zoneMinute)*60
	switch zone[0] {
	case '+':
	case '-':
		east = -east
	default:
		return 0, false
	}
	unix := date.Unix() - east
	if unix < 0 || unix > maxUnix {
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
