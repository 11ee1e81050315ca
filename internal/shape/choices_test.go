package shape

import "testing"

// Each day was a source once. The latest tells, and always the same one.
func TestLatestOfSources(t *testing.T) {
	ch := &choices{made: map[string]choice{
		"web:2026-11-01": {Path: "access-2026-11-01.log", Format: "combined"},
		"web:2026-11-02": {Path: "access-2026-11-02.log", Format: "timed"},
		"web:2026-11-03": {Path: "access-2026-11-03.log"}, // it has none
		"other":          {Path: "other.log", Format: "json"},
	}}
	for range 50 {
		name, c := ch.named(func(path string) bool { return path != "other.log" })
		if name != "web:2026-11-02" || c.Format != "timed" {
			t.Fatalf("named = %q, %q, want the latest with a format", name, c.Format)
		}
	}
}
