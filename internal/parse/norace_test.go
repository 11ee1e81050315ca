//go:build !race

package parse_test

import (
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

// Whatever a line is rejected for, it allocates nothing.
func TestNothingIsAllocatedPerRejectedLine(t *testing.T) {
	logformat.Nearest(nil) // compiles the known formats
	for _, format := range []string{"timed", "auto"} {
		for flood := range floods {
			lines := 2000
			if flood == "too long" {
				lines = 40
			}
			each, lines := repeated(t, newShaped(t, format), half(t, flood, lines))
			skipped := 0
			if n := testing.AllocsPerRun(10, func() { skipped = each() }); n > 60 || skipped != lines/2 && (format != "auto" || flood != "other format") {
				t.Errorf("%s, %s: %v allocations in %d lines, of which %d were skipped", format, flood, n, lines, skipped)
			}
		}
	}
}
