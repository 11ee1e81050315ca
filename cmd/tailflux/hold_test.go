package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// With few lines most of a request are deltas. When all points of lines are refused, and no
// delta, more than half of the lines' points are: they are held.
func TestHoldWithRollups(t *testing.T) {
	t.Parallel()
	over := time.Now().Add(2 * time.Second) // then somebody has mended the database
	s := &otherStore{
		version: "1.8.10",
		refuses: func(line string, _ time.Time) bool {
			return strings.HasPrefix(line, "nginx_access,") && time.Now().Before(over)
		},
		answer: func(w http.ResponseWriter, _ int) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"partial write: field type conflict: input field \"status\" on measurement \"nginx_access\" is type integer, already exists as type string dropped=5"}`))
		},
	}
	code, out, rejected := s.delivery(t, []string{"run", "--once", "--rollups=default"}, requests(5, 0, 5), "--on-reject", "hold")
	if lines := countPrefix(s.stored, "nginx_access,"); code != 0 || lines != 5 || len(rejected) != 0 || len(s.stored) <= 2*lines {
		t.Errorf("exit code %d, %d points of lines among %d are stored, %d rejected\n%s", code, lines, len(s.stored), len(rejected), out)
	}
}

func countPrefix(lines map[string]bool, prefix string) (n int) {
	for line := range lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}
