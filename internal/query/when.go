package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// lengths are the units of a time that is one number; [time.ParseDuration] knows no days.
var lengths = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// ParseDuration reads a positive duration of whole seconds, such as 90s, 24h, 7d or 2w.
func ParseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	for unit, length := range lengths {
		digits, ok := strings.CutSuffix(s, unit)
		if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
			continue
		}
		var n int64
		if n, err = strconv.ParseInt(digits, 10, 64); err != nil || n > math.MaxInt64/int64(length) {
			return 0, fmt.Errorf("got %q, which is too long", s)
		}
		d = time.Duration(n) * length
	}
	if err != nil || d <= 0 || d%time.Second != 0 {
		return 0, fmt.Errorf("got %q, want a time of whole seconds such as 30s, 15m, 24h, 7d or 4w", s)
	}
	return d, nil
}

// ParseTime reads a day or a time; without a zone it is UTC.
func ParseTime(s string) (time.Time, error) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04",
	} {
		t, err := time.Parse(layout, s)
		switch {
		case err != nil:
		case t.Unix() < 0:
			return t, fmt.Errorf("got %q, which is before 1970", s)
		default:
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("got %q, want a time such as 2026-11-20, 2026-11-20T10:00 or 2026-11-20T10:00:00+01:00", s)
}

// Begin is when the window of whole seconds begins in which a time is. Windows are counted
// from 1970, as InfluxDB does; [time.Time.Truncate] counts from the year 1, which is another
// time for those that are no part of a day, such as a week.
func Begin(at time.Time, window time.Duration) time.Time {
	seconds, long := at.Unix(), int64(window/time.Second)
	return time.Unix(seconds-(seconds%long+long)%long, 0).UTC()
}
