package grafanatest

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// Grafana divides the range by the number of points that a panel has room for, and takes a
// round interval near the quotient: the first of these whose bound is above it. The least
// interval of the panel wins when it is longer, as it is.
var roundIntervals = []struct{ below, is time.Duration }{
	{15 * time.Millisecond, 10 * time.Millisecond},
	{35 * time.Millisecond, 20 * time.Millisecond},
	{75 * time.Millisecond, 50 * time.Millisecond},
	{150 * time.Millisecond, 100 * time.Millisecond},
	{350 * time.Millisecond, 200 * time.Millisecond},
	{750 * time.Millisecond, 500 * time.Millisecond},
	{1500 * time.Millisecond, time.Second},
	{3500 * time.Millisecond, 2 * time.Second},
	{7500 * time.Millisecond, 5 * time.Second},
	{12500 * time.Millisecond, 10 * time.Second},
	{17500 * time.Millisecond, 15 * time.Second},
	{25 * time.Second, 20 * time.Second},
	{45 * time.Second, 30 * time.Second},
	{90 * time.Second, time.Minute},
	{210 * time.Second, 2 * time.Minute},
	{450 * time.Second, 5 * time.Minute},
	{750 * time.Second, 10 * time.Minute},
	{1050 * time.Second, 15 * time.Minute},
	{1500 * time.Second, 20 * time.Minute},
	{45 * time.Minute, 30 * time.Minute},
	{90 * time.Minute, time.Hour},
	{150 * time.Minute, 2 * time.Hour},
	{270 * time.Minute, 3 * time.Hour},
	{9 * time.Hour, 6 * time.Hour},
	{24 * time.Hour, 12 * time.Hour},
	{7 * 24 * time.Hour, 24 * time.Hour},
	{21 * 24 * time.Hour, 7 * 24 * time.Hour},
}

func intervalOf(span time.Duration, points int, least time.Duration) time.Duration {
	quotient := span / time.Duration(points)
	interval := 30 * 24 * time.Hour
	for _, r := range roundIntervals {
		if quotient < r.below {
			interval = r.is
			break
		}
	}
	return max(interval, least)
}

// influxDuration is an interval as InfluxQL has it: in the greatest unit of which it is
// a whole number.
func influxDuration(d time.Duration) string {
	for _, u := range []struct {
		name string
		is   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d%u.is == 0 {
			return strconv.FormatInt(int64(d/u.is), 10) + u.name
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// durationOf is an interval as Grafana writes it, such as 10s or 1d; "" is 0.
func durationOf(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	for unit, is := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, has := strings.CutSuffix(text, unit); has {
			n, err := strconv.Atoi(number)
			return time.Duration(n) * is, err
		}
	}
	return time.ParseDuration(text)
}

func TestIntervals(t *testing.T) {
	for _, tt := range []struct {
		span   time.Duration
		points int
		least  string
		want   string
	}{
		{time.Hour, 360, "10s", "10s"},
		{time.Hour, 240, "10s", "15s"},
		{time.Hour, 1000, "", "5s"},
		{time.Hour, 1000, "10s", "10s"},
		{24 * time.Hour, 1000, "10s", "1m"},
		{24 * time.Hour, 500, "10s", "2m"},
		{30 * 24 * time.Hour, 800, "10s", "1h"},
		{30 * 24 * time.Hour, 400, "10s", "2h"},
		{2 * 365 * 24 * time.Hour, 1000, "10s", "12h"},
		{2 * 365 * 24 * time.Hour, 500, "10s", "1d"},
		{time.Hour, 1000, "17s", "17s"},
		{time.Hour, 1000, "1d", "1d"},
		{5 * time.Second, 1000, "", "10ms"},
	} {
		least, err := durationOf(tt.least)
		if err != nil {
			t.Error(err)
		}
		if got := influxDuration(intervalOf(tt.span, tt.points, least)); got != tt.want {
			t.Errorf("%s over %d points, at least %q: %s, want %s", tt.span, tt.points, tt.least, got, tt.want)
		}
	}
}
