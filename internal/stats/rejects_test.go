package stats_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/stats"
)

// The last 20 are kept, the newest first, and of each no more than 4 KiB.
func TestLastRejects(t *testing.T) {
	s := stats.New(began)
	web, shop := s.AddSource("web", "/web.log"), s.AddSource("shop", "/shop.log")
	if got := s.LastRejects(); len(got) != 0 {
		t.Errorf("there are %v", got)
	}
	line := []byte("first")
	for i := range int64(75) {
		s.KeepReject(stats.Reject{Source: web, LineNumber: i, Reason: "no match"}, line)
		if got := s.LastRejects(); int64(len(got)) != min(i+1, stats.KeptRejects) || got[0].LineNumber != i || got[len(got)-1].LineNumber != max(0, i+1-stats.KeptRejects) {
			t.Fatalf("after %d there are %d, from %d to %d", i+1, len(got), got[0].LineNumber, got[len(got)-1].LineNumber)
		}
	}
	copy(line, "other")
	s.KeepReject(stats.Reject{Source: shop, LineNumber: 1, Reason: "empty"}, []byte(strings.Repeat("x", 1<<20)))
	got := s.LastRejects()
	if got[1].Line != "first" || got[1].Name != "web" || got[1].Path != "/web.log" {
		t.Errorf("the one before is %+v", got[1])
	}
	if len(got[0].Line) != 4<<10 || got[0].Name != "shop" {
		t.Errorf("the last one has %d bytes, of %s", len(got[0].Line), got[0].Name)
	}
	seen := map[string]bool{}
	for _, r := range got {
		seen[fmt.Sprint(r.Number)] = true
	}
	if len(seen) != stats.KeptRejects {
		t.Errorf("their numbers are %v", seen)
	}
}
