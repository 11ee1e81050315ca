package top

import (
	"math"
	"strconv"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// unknown stands for what was not observed; nothing is 0.
const unknown = "-"

// short is a number with at most five characters and its size: 0, 0.4, 12.3, 312, 9,876, 12.3k, 4.56M.
func short(f float64) string {
	switch {
	case math.IsNaN(f):
		return unknown
	case f == 0:
		return "0"
	case f < 0.05:
		return "<0.1"
	case f < 99.95:
		return trimmed(f, 1)
	case f < 9999.5:
		return grouped(int64(math.Round(f)))
	}
	f, size := scaled(f, "kMGTPE")
	return three(f) + size
}

// count is a whole number in full as long as that has at most nine digits.
func count(n int64) string {
	if n > -1e9 && n < 1e9 {
		return grouped(n)
	}
	return short(float64(n))
}

func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// size is a number of bytes.
func size(f float64) string {
	switch {
	case math.IsNaN(f):
		return unknown
	case f < 999.5:
		return trimmed(f, 0) + " B"
	}
	f, unit := scaled(f, "kMGTPE")
	return three(f) + " " + unit + "B"
}

// took is the duration of requests, in seconds.
func took(n live.Number) string {
	f := float64(n)
	switch {
	case math.IsNaN(f):
		return unknown
	case f == 0:
		return "0 ms"
	case f < 0.0095:
		return trimmed(f*1000, 1) + " ms"
	case f < 0.9995:
		return trimmed(f*1000, 0) + " ms"
	case f < 999.5:
		return three(f) + " s"
	}
	return span(time.Duration(f * float64(time.Second)))
}

// share is a part of a whole in percent.
func share(part, whole int64) string {
	if whole == 0 {
		return unknown
	}
	f := float64(part) / float64(whole) * 100
	switch {
	case part == 0:
		return "0 %"
	case f < 0.01:
		return "<0.01 %"
	case f < 9.995:
		return trimmed(f, 2) + " %"
	}
	return trimmed(f, 1) + " %"
}

// span is a time that has passed.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(max(0, d).Round(time.Second).Seconds())) + " s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d"
}

func scaled(f float64, units string) (float64, string) {
	i := -1
	for f >= 999.5 && i+1 < len(units) {
		f /= 1000
		i++
	}
	return f, units[i : i+1]
}

// three has three digits: 1.23, 12.3, 123.
func three(f float64) string {
	switch {
	case f < 9.995:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 99.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

func trimmed(f float64, digits int) string { return strconv.FormatFloat(f, 'f', digits, 64) }
