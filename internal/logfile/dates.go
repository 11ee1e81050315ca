package logfile

import (
	"strings"
	"time"
)

// The dates in the names of logs, as access-2026-11-28.log. This is the list of their
// shapes, which docs/following.md has too:
//
//	20261128  2026-11-28  2026_11_28  2026.11.28    the day
//	2026/11/28  2026-11/28  202611/28               the same, in directories
//	…-13  …_13  …T13  2026112813                    and an hour
//	…-1300  …-13-00  …T13:00:00Z  20261128130000    and minutes, and seconds
//	…/13                                            an hour as a directory, below those of a day
//
// Beside a whole one, a directory of its year, of its month, or of both is a part of it:
// 2026/11/access-2026-11-28.log.
//
// The year begins with 20, the day is one that there is, and no digit stands before it
// and neither a digit nor a letter behind it. So an address, a port or a plain number
// is none, unless it looks like one of these.

// dateIn is a date in a path.
type dateIn struct {
	span
	digits string // of year, month and day, and of the rest as far as it is there
}

// datesIn returns the dates in a path, in their order.
func datesIn(path string) (all []dateIn) {
	for at := 0; at < len(path); at++ {
		if at > 0 && isDigit(path[at-1]) {
			continue
		}
		if d, ok := dateAt(path, at); ok {
			all = append(all, d)
			at = d.end - 1
		}
	}
	return all
}

// dateAt is the date that begins at a place.
func dateAt(path string, at int) (d dateIn, ok bool) {
	t := timeText{path, at}
	year, ok1 := t.number(4)
	first := t.one("-_./")
	month, ok2 := t.number(2)
	second := t.one("-_./")
	day, ok3 := t.number(2)
	if !ok1 || !ok2 || !ok3 || year/100 != 20 || first != second && first != "/" && second != "/" {
		return d, false
	}
	if is := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC); is.Month() != time.Month(month) || is.Day() != day {
		return d, false
	}
	d = dateIn{span: span{at, t.at}}
	ok = t.isOver()
	if end, isTime := t.timeOfDay(first+second == "", second == "/"); isTime {
		d.end, ok = end, true
	}
	d.digits = strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, path[d.begin:d.end])
	return d, ok
}

// timeText is a text of which a time is read.
type timeText struct {
	text string
	at   int
}

// number reads so many digits.
func (t *timeText) number(digits int) (n int, ok bool) {
	if t.at+digits > len(t.text) {
		return 0, false
	}
	for _, c := range []byte(t.text[t.at : t.at+digits]) {
		if !isDigit(c) {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	t.at += digits
	return n, true
}

// one reads one of these characters, if it is there.
func (t *timeText) one(of string) string {
	if t.at < len(t.text) && strings.IndexByte(of, t.text[t.at]) >= 0 {
		t.at++
		return t.text[t.at-1 : t.at]
	}
	return ""
}

// isOver reports whether what was read ends here.
func (t *timeText) isOver() bool {
	return t.at == len(t.text) || !isDigit(t.text[t.at]) && !isLetter(t.text[t.at])
}

// timeOfDay reads an hour, with minutes and seconds if they are there, and returns where
// it ends. Behind compact digits it may stand at once, and below the directory of a day
// as one more.
func (t timeText) timeOfDay(compact, directory bool) (end int, ok bool) {
	by := t.one("-_T")
	if by == "" && directory {
		by = t.one("/")
	}
	if by == "" && !compact {
		return 0, false
	}
	for n, most := range []int{23, 59, 60} {
		if n > 0 {
			t.one("-_.:")
		}
		if value, isNumber := t.number(2); !isNumber || value > most {
			break
		}
		whole := t
		whole.one("Z")
		if whole.isOver() && !whole.goesOn() {
			end, ok = whole.at, true
		}
	}
	return end, ok
}

// goesOn reports whether more numbers follow, as in an address.
func (t timeText) goesOn() bool {
	return t.one("-_.:") != "" && t.at < len(t.text) && isDigit(t.text[t.at])
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
