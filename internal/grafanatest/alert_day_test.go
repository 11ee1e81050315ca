package grafanatest

import (
	"math"
	"testing"
	"time"
)

// A day of what tailflux itself has written, at 12 requests/s: queries of alerts take no
// second, and those of traffic have the share that plain sums have.
func TestAlertsOfADay(t *testing.T) {
	w := filled(t)
	s, now := w.day(t)
	values := map[string][]alertSeries{}
	for _, r := range readAlerts(t) {
		query := inDefaultPolicy(r).step("").expand(now)
		var took time.Duration
		for range 5 { // others may use this machine
			began := time.Now()
			answer, err := w.db.Query(t.Context(), s.database, query)
			took = time.Since(began)
			if err != nil {
				t.Fatalf("%s: %v", r.UID, err)
			}
			if values[r.UID], err = asSeries(answer); err != nil {
				t.Errorf("%s: %v", r.UID, err)
			}
			if took < slowest {
				break
			}
		}
		if took >= slowest {
			t.Errorf("%s takes %.2f s", r.UID, took.Seconds())
		}
	}
	during := `time >= ` + now.Add(-5*time.Minute).Format(`'`+time.RFC3339+`'`) + ` AND time <= ` + now.Format(`'`+time.RFC3339+`'`)
	all := w.numbers(t, s.database, `SELECT sum(requests) FROM nginx_site WHERE `+during)
	bad := w.numbers(t, s.database, `SELECT sum(requests) FROM nginx_site WHERE "status" =~ /^5/ AND `+during)
	if len(all) != 1 || all[0] < 3000 || len(bad) != 1 {
		t.Fatalf("%v of %v requests failed", bad, all)
	}
	want := 100 * bad[0] / all[0]
	if got := values["tailflux-5xx"]; len(got) != 1 || len(got[0].values) != 1 || math.Abs(got[0].values[0]-want) > rounding {
		t.Errorf("tailflux-5xx is %v, want %g", got, want)
	}
	if got := values["tailflux-p95"]; len(got) != 1 || len(got[0].values) != 1 || got[0].values[0] <= 0 || got[0].values[0] > 60 {
		t.Errorf("tailflux-p95 is %v", got)
	}
}
