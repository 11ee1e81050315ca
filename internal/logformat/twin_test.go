package logformat_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

// Two formats with two times in each other's place are twins, and a line may prove which
// of them it is.
func TestTwin(t *testing.T) {
	const most = math.MaxInt64
	whole, part := combinedFormat+` $request_time $upstream_response_time`, combinedFormat+` $upstream_response_time $request_time`
	for _, name := range []string{"combined", "json", combinedFormat + ` $request_time`, combinedFormat + labelled, "ingress", "unknown"} {
		if twin, ok := logformat.FindTwin(name); ok {
			t.Errorf("%s has the twin %s", name, twin.Name)
		}
	}
	for _, tt := range []struct {
		name, twin, line string
		want             int64
	}{
		{whole, part, combinedLine + " 0.030 0.010", 20},
		{part, whole, combinedLine + " 0.030 0.010", -20},
		{whole, part, combinedLine + " 0.010 0.010", 0},
		{whole, part, combinedLine + " 1.000 0.999", 1},
		{whole, part, combinedLine + " 12.000 11.999", 1},
		{whole, part, combinedLine + " 0.010 -", most},
		{part, whole, combinedLine + " 0.010 -", 0},
		{whole, part, combinedLine + " 0.030 0.010, 0.020", most},
		{whole, part, combinedLine, 0},
		{whole, part, "", 0},
		{"timed", timedFormat[:len(timedFormat)-len(" $upstream_response_time $request_time")] + " $request_time $upstream_response_time", timedLine, 849},
	} {
		if twin, ok := logformat.FindTwin("docker " + tt.name); !ok || twin.Name != "docker "+tt.twin {
			t.Errorf("FindTwin of %s in Docker's lines = %+v, %v", tt.name, twin, ok)
		} else if got := twin.Proof([]byte(fmt.Sprintf(`{"log":%q,"stream":"stdout","time":"2026-11-20T10:00:00.1Z"}`, tt.line+"\n"))); got != tt.want {
			t.Errorf("%s in Docker's lines: Proof(%q) = %d, want %d", tt.name, tt.line, got, tt.want)
		}
		twin, ok := logformat.FindTwin(tt.name)
		if !ok || twin.Name != tt.twin || twin.First != (tt.name == whole) {
			t.Fatalf("FindTwin(%q) = %+v, %v, want %s", tt.name, twin, ok, tt.twin)
		}
		if got := twin.Proof([]byte(tt.line)); got != tt.want {
			t.Errorf("%s: Proof(%q) = %d, want %d", tt.name, tt.line, got, tt.want)
		}
	}
}
