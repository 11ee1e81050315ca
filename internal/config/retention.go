package config

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Retention is how long points are kept in a database that tailflux creates. 0 leaves it to
// InfluxDB.
type Retention struct {
	Raw     time.Duration // of the points of lines; at least 1h, or Forever
	Rollups time.Duration // of those of rollups, which have a policy of their own then; at least 1h, or Forever
}

// Forever is how long points are kept that never are too old.
const Forever time.Duration = math.MaxInt64

// RollupsPolicy is the retention policy that retention.rollups is about.
const RollupsPolicy = "tailflux_rollups"

// RollupsPolicy is where points of rollups go that name no policy; "" is where those of
// lines go.
func (c *Config) RollupsPolicy() string {
	if c.Retention.Rollups == 0 {
		return ""
	}
	return RollupsPolicy
}

// PolicyOf is the retention policy of a rollup; "" is where points of lines go.
func (c *Config) PolicyOf(r Rollup) string {
	if r.RetentionPolicy != "" {
		return r.RetentionPolicy
	}
	return c.RollupsPolicy()
}

const (
	day  = 24 * time.Hour
	year = 365 * day

	leastKept = time.Hour // InfluxDB takes no less
	mostKept  = 100 * year
)

// keepUnits are the longest first.
var keepUnits = []struct {
	name string
	of   time.Duration
}{{"y", year}, {"w", 7 * day}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// keep is how long something is kept; zero if that is not said.
func keep() kind[time.Duration] {
	const want = `how long, such as 36h, 7d, 12w or 2y, from 1h to 100y; forever or 0; or ""`
	k := scalar("duration", want, []shape{yamlString, yamlNumber}, parseKeep, KeepText)
	printed := k.value
	k.value = func(d time.Duration) (v value) {
		if v = printed(d); d != 0 {
			v.shape = yamlNumber // needs no quotes
		}
		return v
	}
	parse := k.parse
	k.parse = func(v value) (time.Duration, []fault) {
		d, faults := parse(v)
		if hint := keepHint(v.text); len(faults) > 0 && hint != "" {
			faults[0].want = hint
		}
		return d, faults
	}
	return k
}

var (
	isKeep    = lazyregexp.New(`^(\d+[ywdhms])+$`)
	keepPart  = lazyregexp.New(`(\d+)([ywdhms])`)
	isMonths  = lazyregexp.New(`^\d+ ?(mo|M|months?)$`)
	isNumber  = lazyregexp.New(`^\d+$`)
	isMinutes = lazyregexp.New(`^\d+m$`)
	keepWords = lazyregexp.New(`^(\d+) ?(years?|weeks?|days?|hours?)$`)
)

func parseKeep(s string) (d time.Duration, ok bool) {
	switch strings.ToLower(s) {
	case "":
		return 0, true
	case "forever", "inf", "0", "0s":
		return Forever, true
	}
	if !isKeep().MatchString(s) {
		return 0, false
	}
	for _, part := range keepPart().FindAllStringSubmatch(s, -1) {
		n, err := strconv.ParseInt(part[1], 10, 32)
		if err != nil {
			return 0, false
		}
		for _, unit := range keepUnits {
			if unit.name == part[2] {
				if time.Duration(n) > (mostKept-d)/unit.of {
					return 0, false
				}
				d += time.Duration(n) * unit.of
			}
		}
	}
	return d, d >= leastKept
}

// keepHint is what is meant by something that is no duration.
func keepHint(s string) string {
	switch {
	case isMonths().MatchString(s):
		return "days, since months have no one length, such as 30d"
	case isNumber().MatchString(s):
		return "a unit behind it: h, d, w or y, such as " + s + "d"
	case isMinutes().MatchString(s):
		return "at least 1h (m is minutes; write months as days, such as 30d)"
	}
	if words := keepWords().FindStringSubmatch(s); words != nil {
		return words[1] + words[2][:1]
	}
	return ""
}

// KeepText is how long something is kept, as it is configured.
func KeepText(d time.Duration) string {
	switch d {
	case 0:
		return ""
	case Forever:
		return "forever"
	}
	for _, unit := range keepUnits {
		if d%unit.of == 0 && unit.name != "w" {
			return strconv.FormatInt(int64(d/unit.of), 10) + unit.name
		}
	}
	return d.String()
}

// validateRetention judges what no duration can be judged by alone.
func (l *loader) validateRetention() {
	c := &l.config
	if c.InfluxDB.RetentionPolicy == RollupsPolicy && c.RollupsPolicy() != "" {
		l.fail(l.at["influxdb.retention_policy"], "influxdb.retention_policy",
			shorten(RollupsPolicy)+", which is that of rollups (retention.rollups)", "another name")
	}
}
