package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
)

const day = 24 * time.Hour

// Durations are taken as operators write them, and printed so that they are read again.
func TestRetentionDurations(t *testing.T) {
	for text, want := range map[string]struct {
		kept  time.Duration
		shown string
	}{
		"7d": {7 * day, "7d"}, "2y": {730 * day, "2y"}, "12w": {84 * day, "84d"}, "1w": {7 * day, "7d"}, "36h": {36 * time.Hour, "36h"},
		"1h": {time.Hour, "1h"}, "90m": {90 * time.Minute, "90m"}, "1d12h": {36 * time.Hour, "36h"}, "24h": {day, "1d"}, "168h0m0s": {7 * day, "7d"},
		"400d": {400 * day, "400d"}, "1y6h": {365*day + 6*time.Hour, "8766h"}, "100y": {36500 * day, "100y"}, "3600s": {time.Hour, "1h"},
		"forever": {config.Forever, "forever"}, "INF": {config.Forever, "forever"}, "0": {config.Forever, "forever"}, "0s": {config.Forever, "forever"},
		`""`: {0, `""`},
	} {
		c := layers{file: one + "retention: {raw: " + text + ", rollups: " + text + "}\n"}.mustLoad(t)
		if c.Retention != (config.Retention{Raw: want.kept, Rollups: want.kept}) {
			t.Errorf("%s is %v, want %v", text, c.Retention, want.kept)
		}
		if printed := roundTrip(t, c); !strings.Contains(printed, "retention:\n  raw: "+want.shown+"\n  rollups: "+want.shown+"\n") {
			t.Errorf("%s is not printed as %s:\n%s", text, want.shown, printed)
		}
		if policy := c.PolicyOf(config.Rollup{}); (policy == "tailflux_rollups") != (want.kept != 0) {
			t.Errorf("%s: a rollup goes to %q", text, policy)
		}
		if policy := c.PolicyOf(config.Rollup{RetentionPolicy: "year"}); policy != "year" {
			t.Errorf("%s: a rollup with a policy of its own goes to %q", text, policy)
		}
	}
}

func TestRetentionThatIsNone(t *testing.T) {
	const accepted = `how long, such as 36h, 7d, 12w or 2y, from 1h to 100y; forever or 0; or ""`
	for text, want := range map[string]string{
		"59m":       `got "59m", want at least 1h (m is minutes; write months as days, such as 30d)`,
		"6m":        `got "6m", want at least 1h (m is minutes; write months as days, such as 30d)`,
		"30":        "got 30, want a unit behind it: h, d, w or y, such as 30d",
		"6mo":       `got "6mo", want days, since months have no one length, such as 30d`,
		"3 months":  `got "3 months", want days, since months have no one length, such as 30d`,
		"3M":        `got "3M", want days, since months have no one length, such as 30d`,
		"7 days":    `got "7 days", want 7d`,
		"2years":    `got "2years", want 2y`,
		"3599s":     `got "3599s", want ` + accepted,
		"101y":      `got "101y", want ` + accepted,
		"99999999y": `got "99999999y", want ` + accepted,
		"-7d":       `got "-7d", want ` + accepted,
		"1.5d":      `got "1.5d", want ` + accepted,
		"week":      `got "week", want ` + accepted,
		"true":      "got true, want " + accepted,
		"[7d]":      "got a list, want " + accepted,
	} {
		if _, got := (layers{file: one + "retention:\n  raw: " + text + "\n"}).load(t); got != "t.yaml:3:8: retention.raw: "+want {
			t.Errorf("%s:\n got %s\nwant t.yaml:3:8: retention.raw: %s", text, got, want)
		}
	}
	for file, want := range map[string]string{
		"retention: 7d\n":        "t.yaml:2:12: retention: got \"7d\", want a mapping with the keys raw, rollups",
		"retention: {all: 7d}\n": "t.yaml:2:13: retention.all: unknown key, want one of raw, rollups",
		"influxdb: {retention_policy: tailflux_rollups}\nretention: {rollups: 2y}\n": `t.yaml:2:30: influxdb.retention_policy: got "tailflux_rollups", which is that of rollups (retention.rollups), want another name`,
	} {
		if _, got := (layers{file: one + file}).load(t); got != want {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}
