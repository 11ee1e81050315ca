// Package logtime reads the time of a log line, however it is written: as nginx
// and its kin write it, or RFC 3339, or as a number of seconds, milliseconds,
// microseconds or nanoseconds since 1970.
//
// It allocates nothing, and knows of a time what it says and how finely.
package logtime

import (
	"bytes"
	"fmt"
	"time"
)

// A Time is what a line says. It is between 1970 and 2262.
type Time struct {
	Nano int64 // nanoseconds since 1970

	// Resolution is the nanoseconds of a step of the last digit, at most a second
	// and at least one. Zeros that only fill a time up to micro- or nanoseconds do
	// not count: many programs write milliseconds so.
	Resolution int64
}

// Parse reads a time, by its shape:
//
//	20/Nov/2026:10:00:00 +0000        $time_local
//	2026-11-20T10:00:00+00:00         $time_iso8601, or with a Z, or a space for the T
//	1795168800.123                    $msec, or without a fraction
//	1795168800123                     milliseconds; micro- and nanoseconds by their digits
//	1.795168800123e9                  any of these numbers
//
// Zones are +0000, +00:00, +00 or Z. Each may have a fraction of any length, after a point or,
// before a zone, a comma. A time without a zone is one of zone; it is refused if zone is nil.
func Parse(text []byte, zone *time.Location) (t Time, ok bool) {
	t, is := parse(text, zone)
	return t, is == fine
}

// parsed is what came of a time.
type parsed int

const (
	unread  parsed = iota
	unshown        // it can be read, but no clock shows it, or no clock in its zone
	beyond         // it is before 1970, or after 2262
	fine
)

func parse(text []byte, zone *time.Location) (t Time, is parsed) {
	switch {
	case len(text) >= 20 && text[2] == '/':
		if text[6] != '/' || text[11] != ':' {
			return t, unread
		}
		return date{year: number(text[7:11]), month: month(text[3:6]), day: number(text[0:2])}.at(text[12:], zone)
	case len(text) >= 19 && text[4] == '-':
		if text[7] != '-' || text[10] != 'T' && text[10] != ' ' {
			return t, unread
		}
		return date{year: number(text[0:4]), month: number(text[5:7]), day: number(text[8:10])}.at(text[11:], zone)
	}
	if t, ok := epoch(text); ok {
		return t, fine
	}
	return t, unread
}

// IsTime reports whether text, which need not have a zone, is a time of the log: of a
// number it wants as many digits as a time has since 1973. A date is one of whatever year:
// a clock that was never set says 1970.
func IsTime(text []byte) bool {
	t, ok := Parse(text, time.UTC)
	return ok && (t.Nano >= 1e17 || bytes.IndexByte(text, ':') > 0)
}

// Wants says, for the operator, what would be accepted in place of a text that Parse
// refuses.
func Wants(text []byte, zone *time.Location) string {
	_, is := parse(text, zone)
	_, inUTC := parse(text, time.UTC)
	switch {
	case is == unread && (inUTC == fine || inUTC == beyond):
		return "a time with its zone, such as +0000, or the key timezone"
	case is == beyond:
		return fmt.Sprintf("a time from 1970 to 2262 in place of %q", text)
	case is == unshown && inUTC != unshown:
		return fmt.Sprintf("a time that clocks in %s show in place of %q, which they skip,", zone, text)
	}
	for end := len(text); end > 18; end-- {
		if _, ok := Parse(text[:end], time.UTC); ok {
			return fmt.Sprintf("a zone such as +0000, +00:00, +00 or Z in place of %q", bytes.TrimSpace(text[end:]))
		}
	}
	text = bytes.TrimPrefix(text, []byte{'-'}) // before 1970
	if n := digits(text); n > 0 && (n == len(text) || bytes.IndexByte([]byte(".,eE"), text[n]) >= 0) {
		return "seconds, milli-, micro- or nanoseconds since 1970, before 2262, such as 1520171392.123"
	}
	return "an existing date and time, with its zone,"
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

func month(name []byte) int {
	for m := range 12 {
		if string(name) == months[3*m:3*m+3] {
			return m + 1
		}
	}
	return 0
}

// date is a day of the calendar; -1 stands for anything that is not a number.
type date struct{ year, month, day int }

// at puts the day and what follows it together: 10:00:00, a fraction and a zone.
func (d date) at(text []byte, zone *time.Location) (t Time, is parsed) {
	if len(text) < 8 || text[2] != ':' || text[5] != ':' {
		return t, unread
	}
	hms, rest := text[:8], text[8:]
	t.Resolution = 1e9
	if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') {
		n := digits(rest[1:])
		if n == 0 {
			return t, unread
		}
		t.Nano, t.Resolution = fraction(rest[1:1+n], 1e9)
		rest = rest[1+n:]
	}
	var unix int64
	var ok bool
	if len(rest) == 0 {
		if zone == nil {
			return t, unread
		}
		unix, ok = d.in(hms, zone)
	} else if east, known := offset(rest); known {
		unix, ok = d.unix(hms, time.UTC)
		unix -= east
	} else {
		return t, unread
	}
	switch {
	case !ok:
		return t, unshown
	case unix < 0 || unix > maxUnix:
		return t, beyond
	}
	t.Nano += unix * 1e9
	return t.trimmed(), fine
}

// maxUnix is the last whole second whose nanoseconds fit in an int64, in 2262.
const maxUnix = 1<<63/1000000000 - 1

// offset reads Z, +0000, +00:00 or +00, with a space before it or without, as seconds
// east of Greenwich.
func offset(text []byte) (east int64, ok bool) {
	if text[0] == ' ' {
		text = text[1:]
	}
	var hour, minute int
	switch {
	case len(text) == 1 && text[0] == 'Z':
		return 0, true
	case len(text) == 3:
		hour = number(text[1:3])
	case len(text) == 5:
		hour, minute = number(text[1:3]), number(text[3:5])
	case len(text) == 6 && text[3] == ':':
		hour, minute = number(text[1:3]), number(text[4:6])
	default:
		return 0, false
	}
	if min(hour, minute) < 0 || hour > 23 || minute > 59 {
		return 0, false
	}
	east = int64(hour)*3600 + int64(minute)*60
	if text[0] == '-' {
		east = -east
	}
	return east, text[0] == '-' || text[0] == '+'
}

// in puts the day and 10:00:00 of a zone together. Of an hour that there is
// twice when clocks are set back it is the first one.
func (d date) in(hms []byte, zone *time.Location) (unix int64, ok bool) {
	unix, ok = d.unix(hms, zone)
	t := time.Unix(unix, 0).In(zone)
	_, now := t.Zone()
	_, earlier := t.Add(-12 * time.Hour).Zone()
	if first := t.Add(time.Duration(now-earlier) * time.Second); first.Hour() == t.Hour() && first.Minute() == t.Minute() {
		unix = first.Unix()
	}
	return unix, ok
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

// epoch reads a number. Its digits before the point say what it counts: in 2026
// seconds have ten, and each thousandth of them three more.
func epoch(text []byte) (t Time, ok bool) {
	n := digits(text)
	unit := int64(1e9)
	switch {
	case n == 0 || n > 19:
		return t, false
	case n > 17:
		unit = 1
	case n > 14:
		unit = 1e3
	case n > 11:
		unit = 1e6
	}
	count := uint64(0)
	for _, c := range text[:n] {
		count = count*10 + uint64(c-'0')
	}
	if count > maxUnix*uint64(1e9/unit) {
		return t, false
	}
	t = Time{Nano: int64(count) * unit, Resolution: unit}
	if len(text) > n {
		rest := text[n+1:]
		if at := bytes.IndexAny(text, "eE"); at > 0 {
			return power(text[:at], text[at+1:])
		}
		if text[n] != '.' || len(rest) == 0 || digits(rest) < len(rest) {
			return t, false
		}
		nano, resolution := fraction(rest, unit)
		t.Nano, t.Resolution = t.Nano+nano, resolution
	}
	return t.trimmed(), true
}

// power reads a number and a power of ten that it is multiplied with, as programs print
// large ones.
func power(number, exponent []byte) (t Time, ok bool) {
	exponent = bytes.TrimPrefix(exponent, []byte{'+'})
	by := 0
	for _, c := range exponent {
		if by = by*10 + int(c-'0'); c < '0' || c > '9' || by > maxPower {
			return t, false
		}
	}
	n := digits(number)
	if len(exponent) == 0 || len(number) > maxMantissa ||
		n < len(number) && (number[n] != '.' || n+1 == len(number) || digits(number[n+1:]) < len(number)-n-1) {
		return t, false
	}
	var room [maxMantissa + maxPower + 1]byte
	plain := append(room[:0], number[:n]...)
	for i := range by {
		c := byte('0')
		if n+1+i < len(number) {
			c = number[n+1+i]
		}
		plain = append(plain, c)
	}
	if n+1+by < len(number) {
		plain = append(append(plain, '.'), number[n+1+by:]...)
	}
	return epoch(bytes.TrimLeft(plain, "0"))
}

const (
	maxMantissa = 32
	maxPower    = 18
)

// fraction is what the digits after the point of a number are in nanoseconds, if
// the number counts units.
func fraction(digits []byte, unit int64) (nano, resolution int64) {
	for _, c := range digits {
		if unit == 1 {
			break
		}
		unit /= 10
		nano += int64(c-'0') * unit
	}
	return nano, unit
}

// trimmed is the time without digits that only fill it up.
func (t Time) trimmed() Time {
	for _, coarse := range [...]int64{1e6, 1e3} {
		if t.Resolution < coarse && t.Nano%coarse == 0 {
			t.Resolution = coarse
		}
	}
	return t
}

// digits is how many digits text begins with.
func digits(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}

// number reads a few decimal digits; -1 is for anything else.
func number(b []byte) int {
	if digits(b) < len(b) {
		return -1
	}
	n := 0
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n
}
