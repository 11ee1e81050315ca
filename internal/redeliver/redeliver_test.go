package redeliver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/redeliver"
	"github.com/tailflux/tailflux/internal/rejects"
)

// Each reason has its count. InfluxDB's answers quote what they refuse: a million lines are
// not a million reasons.
func TestReasonsAreCounted(t *testing.T) {
	r := redeliver.New(redeliver.Config{})
	for _, why := range []flow.Reason{flow.TooLong, flow.NoMatch, flow.Refused(`bad "a"`), flow.NoMatch, flow.Refused(`bad "b"`), flow.Expired} {
		if _, err := r.Append([]rejects.Entry{{Source: "web", Reason: why}}); err != nil {
			t.Fatal(err)
		}
	}
	want := map[flow.Reason]int{flow.TooLong: 1, flow.NoMatch: 2, flow.Refused(`bad "a"`): 2, flow.Expired: 1}
	if got := r.Outcome.Rejected; !cmp.Equal(got, want) {
		t.Errorf("rejected again: %s", cmp.Diff(want, got))
	}
}
