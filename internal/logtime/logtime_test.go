package logtime_test

import (
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
		{"20/Nov/2026:10:00:00. +0000", 0, 0},
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
