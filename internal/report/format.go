package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// How figures are written: as the live page does it (format.js of package page).

const none = "–"

// count is 12,340.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// counted is count of what may be missing.
func counted(n live.Number) string {
	if isNone(n) {
		return none
	}
	return count(int64(n))
}

// size is 1.2 MB.
func size(n int64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if float64(n) >= unit.size {
			return digits(float64(n)/unit.size) + " " + unit.name
		}
	}
	return count(n) + " B"
}

// took is a time of a request: 182 ms, 1.24 s.
func took(seconds live.Number) string {
	s := float64(seconds)
	switch {
	case isNone(seconds):
		return none
	case s < 0.0005:
		return "0 ms"
	case s < 0.01:
		return digits(s*1000) + " ms"
	case s < 1:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 10:
		return fmt.Sprintf("%.2f s", s)
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f s", s)
}

// percent is 0.42 %.
func percent(part, of int64) string {
	if of == 0 {
		return none
	}
	switch p := 100 * float64(part) / float64(of); {
	case p == 0 || p == 100:
		return fmt.Sprintf("%.0f %%", p)
	case p < 0.01:
		return "<0.01 %"
	case p < 1:
		return fmt.Sprintf("%.2f %%", p)
	case p < 10:
		return fmt.Sprintf("%.1f %%", p)
	case p > 99.9:
		return "99.9 %" // not all
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

// span is a length of time: 40 s, 3 min, 2 h 5 min, 12 days.
func span(d time.Duration) string {
	switch minutes := int64(d.Round(time.Minute) / time.Minute); {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", d.Round(time.Second)/time.Second)
	case minutes < 90:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 48*60:
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	default:
		return fmt.Sprintf("%d days", (minutes+12*60)/(24*60))
	}
}

// digits are three that matter.
func digits(n float64) string {
	switch {
	case n >= 100:
		return fmt.Sprintf("%.0f", n)
	case n >= 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0")
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", n), "0"), ".")
}

func isNone(n live.Number) bool { return math.IsNaN(float64(n)) }
