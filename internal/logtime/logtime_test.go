package logtime_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logtime"
)

const at = 1795168800_000000000 // 2026-11-20T10:00:00Z

// Fractions of any length, in every kind of time, and zones as others write them.
func TestTimesALittleDifferent(t *testing.T) {
	for _, tt := range []struct {
		text             string
		nano, resolution int64 // 0 is for a bad time
	}{
		{"20/Nov/2026:10:00:00 +0000", at, 1e9},
		{"20/Nov/2026:10:00:00.123 +0000", at + 123e6, 1e6},
		{"20/Nov/2026:10:00:00.12 +0000", at + 120e6, 1e7},
		{"20/Nov/2026:12:30:00.5 +0230", at + 500e6, 1e8},
		{"20/Nov/2026:10:00:00.123456 +0000", at + 123456e3, 1e3},
		{"20/Nov/2026:10:00:00,123 +0000", at + 123e6, 1e6},
		{"20/Nov/2026:10:00:00 +00:00", at, 1e9},
		{"20/Nov/2026:10:00:00,123+0000", at + 123e6, 1e6},
		{"20/Nov/2026:10:00:00Z", at, 1e9},
		{"20/Nov/2026:07:00:00 -03", at, 1e9},
		{"20/Nov/2026:12:00:00.5+02", at + 500e6, 1e8},
		{"20/Nov/2026:10:00:00. +0000", 0, 0},
		{"20/Nov/2026:10:00:00 03", 0, 0},
		{"20/Nov/2026:10:00:00 +3", 0, 0},
		{"20/Nov/2026:10:00:00 ", 0, 0},
		{"20/Nov/2026:10:00:00 UTC", 0, 0},
		{"20/Nov/2026:10:00:00.123", 0, 0}, // no zone
		{"30/Feb/2026:10:00:00 +0000", 0, 0},
		{"20/nov/2026:10:00:00 +0000", 0, 0},

		{"2026-11-20T10:00:00+00:00", at, 1e9},
		{"2026-11-20T10:00:00Z", at, 1e9},
		{"2026-11-20T10:00:00.123+00:00", at + 123e6, 1e6},
		{"2026-11-20T10:00:00.123Z", at + 123e6, 1e6},
		{"2026-11-20T10:00:00.1Z", at + 100e6, 1e8},
		{"2026-11-20T12:00:00.123456789+02:00", at + 123456789, 1},
		{"2026-11-20T10:00:00.1234567891234Z", at + 123456789, 1},
		{"2026-11-20T10:00:00,123Z", at + 123e6, 1e6},
		{"2026-11-20T10:00:00+0000", at, 1e9},
		{"2026-11-20T05:30:00.5-0430", at + 500e6, 1e8},
		{"2026-11-20 10:00:00.123+00:00", at + 123e6, 1e6},
		{"2026-11-20 10:00:00 +0000", at, 1e9},
		{"2026-11-20T10:00:00,123+0000", at + 123e6, 1e6},
		{"2026-11-20T07:00:00-03", at, 1e9},
		{"2026-11-20 15:00:00.25 +05", at + 250e6, 1e7},
		{"2026-11-20T10:00:00+24", 0, 0},
		{"2026-11-20T10:00:00-0", 0, 0},
		{"2026-11-20T10:00:00.Z", 0, 0},
		{"2026-11-20T10:00:00.123", 0, 0},
		{"2026-11-20T10:00:00z", 0, 0},
		{"2026-11-20T10:00:00*00:00", 0, 0},
		{"2026-11-20T10:00:00+24:00", 0, 0},
		{"2026-11-20T10:00:60Z", 0, 0},
		{"2026-11-20t10:00:00Z", 0, 0},
		{"2026-11-20", 0, 0},

		{"1795168800", at, 1e9},
		{"1795168800.123", at + 123e6, 1e6},
		{"1795168800.12", at + 120e6, 1e7},
		{"1795168800.1234567", at + 123456700, 100},
		{"1795168800.1234567891", at + 123456789, 1},
		{"1795168800123", at + 123e6, 1e6},
		{"1795168800123.456", at + 123456e3, 1e3},
		{"1795168800123456", at + 123456e3, 1e3},
		{"1795168800123456789", at + 123456789, 1},
		{"1.7951688e9", at, 1e9},
		{"1.7951688E9", at, 1e9},
		{"1.7951688e+09", at, 1e9},
		{"1.795168800123e9", at + 123e6, 1e6},
		{"1.795168800123456e+09", at + 123456e3, 1e3},
		{"17951688e2", at, 1e9},
		{"1795168800e0", at, 1e9},
		{"1795168800.5e0", at + 500e6, 1e8},
		{"0.17951688e10", at, 1e9},
		{"1.795168800123e12", at + 123e6, 1e6},
		{"1.795168800123456789e18", at + 123456789, 1},
		{"1.7e19", 0, 0},
		{"1.7e99999999999999999999", 0, 0},
		{"1.7e-9", 0, 0},
		{"1.7e", 0, 0},
		{"1.7e+", 0, 0},
		{"1.7e9e9", 0, 0},
		{"1.e9", 0, 0},
		{"1.7.7e9", 0, 0},
		{"e9", 0, 0},
		{"-1.7e9", 0, 0},
		{"1.79516880012345678901234567890123e9", 0, 0},
		{"9223372035", 9223372035_000000000, 1e9},
		{"9223372036", 0, 0},
		{"9999999999.999", 0, 0},
		{"9999999999999999999", 0, 0},
		{"99999999999999999999", 0, 0},
		{"1795168800.", 0, 0},
		{"1795168800,123", 0, 0},
		{"1795168800.12x", 0, 0},
		{"-1795168800", 0, 0},
		{"", 0, 0},
		{"-", 0, 0},
	} {
		got, ok := logtime.Parse([]byte(tt.text), nil)
		if want := (logtime.Time{Nano: tt.nano, Resolution: tt.resolution}); ok != (tt.resolution > 0) || ok && got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", tt.text, got, ok, want)
		}
	}
}

// Programs that have milliseconds, and write them as micro- or nanoseconds, must not
// leave the number of the line no room.
func TestZerosThatFillATimeUpAreNoResolution(t *testing.T) {
	for text, want := range map[string]int64{
		"2026-11-20T10:00:00.123000Z":         1e6,
		"2026-11-20T10:00:00.123000000Z":      1e6,
		"2026-11-20T10:00:00.123456000Z":      1e3,
		"2026-11-20T10:00:00.000000000Z":      1e6,
		"20/Nov/2026:10:00:00.120000 +0000":   1e6,
		"1795168800123000000":                 1e6,
		"1795168800123456000":                 1e3,
		"1795168800.123000":                   1e6,
		"1795168800.123":                      1e6,
		"1795168800.100":                      1e6, // as nginx writes it
		"2026-11-20T10:00:00.123456700+00:00": 1,
	} {
		if got, ok := logtime.Parse([]byte(text), nil); !ok || got.Resolution != want {
			t.Errorf("Parse(%q) = %+v, %v, want the resolution %d", text, got, ok, want)
		}
	}
}

func TestIsTime(t *testing.T) {
	for text, want := range map[string]bool{
		"20/Nov/2026:10:00:00 +0000":    true,
		"20/Nov/2026:10:00:00":          true, // in a zone that is configured
		"2026-11-20T10:00:00.123+00:00": true,
		"1795168800.123":                true,
		"1795168800":                    true,
		"1.7951688e9":                   true,
		"01/Jan/1970:00:00:10 +0000":    true, // of a clock that was never set
		"1970-01-01T00:00:00Z":          true,
		"1.7e2":                         false,
		"2026-13-20T10:00:00+00:00":     false,
		"0.004":                         false, // a duration
		"99999999":                      false,
		"200":                           false,
		"":                              false,
	} {
		if got := logtime.IsTime([]byte(text)); got != want {
			t.Errorf("IsTime(%q) = %v, want %v", text, got, want)
		}
	}
}

// The slow twin is package time.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"2026-11-20T10:00:00.123Z", "2028-02-29T23:59:59+05:45", "20/Nov/2026:10:00:00 +0000", "1795168800.123", "1795168800123"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := logtime.Parse([]byte(text), nil)
		if ok && (got.Nano < 0 || got.Resolution < 1 || got.Resolution > 1e9 || got.Nano+got.Resolution < 0) {
			t.Errorf("Parse(%q) = %+v", text, got)
		}
		if strings.Contains(text, ",") || strings.Contains(text, "  ") { // package time takes any number of blanks
			return
		}
		for _, layout := range []string{time.RFC3339Nano, "02/Jan/2006:15:04:05 -0700"} {
			want, err := time.Parse(layout, text)
			whole := strings.Contains(text, want.Format("2006-01-02T15:04:05")) || strings.Contains(text, want.Format("02/Jan/2006:15:04:05"))
			whole = whole && (strings.HasSuffix(text, want.Format("-0700")) || strings.HasSuffix(text, want.Format("Z07:00")))
			if err != nil || !whole || want.Unix() < 0 || want.Unix() > 9223372035 { // package time takes 9:00:00 and +0060 too
				continue
			}
			if !ok || got.Nano != want.UnixNano() {
				t.Errorf("Parse(%q) = %+v, %v, want %d", text, got, ok, want.UnixNano())
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"20/Nov/2026:10:00:00 +0000", "2026-11-20T10:00:00.123+00:00", "1795168800.123"} {
		b.Run(text, func(b *testing.B) {
			line := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := logtime.Parse(line, nil); !ok {
					b.Fatal("bad time")
				}
			}
		})
	}
}

func TestWants(t *testing.T) {
	for text, want := range map[string]string{
		"20/Nov/2026:10:00:00":          "the key timezone",
		"2026-11-20T10:00:00.123":       "the key timezone",
		"20/Nov/2026:10:00:00 UTC":      `a zone such as +0000, +00:00, +00 or Z in place of "UTC"`,
		"2026-11-20T10:00:00.5 CET":     `in place of "CET"`,
		"2026-11-20 10:00:00 +3":        `in place of "+3"`,
		"30/Feb/2026:10:00:00 +0000":    "an existing date",
		"2026-13-20T10:00:00Z":          "an existing date",
		"99999999999999999999":          "since 1970",
		"1.7e-9":                        "since 1970",
		"1795168800,123":                "since 1970",
		"yesterday":                     "an existing date",
		"":                              "an existing date",
		"2026-11-20T10:00:00.123 hello": `in place of "hello"`,
	} {
		if got := logtime.Wants([]byte(text), nil); !strings.Contains(got, want) {
			t.Errorf("Wants(%q) = %s, want %s in it", text, got, want)
		}
	}
	if got := logtime.Wants([]byte("30/Feb/2018:02:30:00"), time.FixedZone("", 0)); strings.Contains(got, "timezone") {
		t.Errorf("Wants says %s, but there is one", got)
	}
}

// What is wrong with a time may be neither its form nor its zone: no clock there showed it,
// or it is too early or too late for InfluxDB.
func TestWantsOfTimesThatAreWellFormed(t *testing.T) {
	const (
		skipped = "a time that clocks in %s show in place of %q, which they skip,"
		beyond  = "a time from 1970 to 2262 in place of %q"
	)
	for _, tt := range []struct{ zone, text, want string }{
		{"Europe/Berlin", "31/Mar/2024:02:30:00", skipped},
		{"Europe/Berlin", "2024-03-31T02:00:00.5", skipped},
		{"Europe/Berlin", "2024-03-31 02:59:59", skipped},
		{"America/New_York", "10/Mar/2024:02:30:00", skipped},
		{"Pacific/Apia", "30/Dec/2011:12:00:00", skipped},
		{"Europe/Berlin", "31/Apr/2024:02:30:00", "an existing date and time, with its zone,"},
		{"Europe/Berlin", "31/Mar/2024:24:30:00", "an existing date and time, with its zone,"},
		{"Europe/Berlin", "31/Mar/2024:02:30:00 CET", `a zone such as +0000, +00:00, +00 or Z in place of "CET"`},
		{"Europe/Berlin", "01/Jan/1970:00:30:00", beyond},
		{"Europe/Berlin", "01/Jan/1970:00:30:00 +0100", beyond},
		{"", "01/Jan/1970:00:30:00 +0100", beyond},
		{"", "1970-01-01T00:00:00+01:00", beyond},
		{"", "1969-12-31T23:59:59.9Z", beyond},
		{"", "11/Apr/2262:23:47:17 +0000", beyond},
		{"", "2300-01-01T00:00:00Z", beyond},
		{"", "01/Jan/1960:00:00:00", "a time with its zone, such as +0000, or the key timezone"},
		{"", "-1795168800", "seconds, milli-, micro- or nanoseconds since 1970, before 2262, such as 1520171392.123"},
	} {
		var zone *time.Location
		if tt.zone != "" {
			var err error
			if zone, err = time.LoadLocation(tt.zone); err != nil {
				t.Fatal(err)
			}
		}
		want := tt.want
		switch want {
		case skipped:
			want = fmt.Sprintf(skipped, tt.zone, tt.text)
		case beyond:
			want = fmt.Sprintf(beyond, tt.text)
		}
		if got := logtime.Wants([]byte(tt.text), zone); got != want {
			t.Errorf("Wants(%q) in %q = %s, want %s", tt.text, tt.zone, got, want)
		}
		if got, ok := logtime.Parse([]byte(tt.text), zone); ok {
			t.Errorf("Parse(%q) in %q = %+v, want none", tt.text, tt.zone, got)
		}
	}
}
