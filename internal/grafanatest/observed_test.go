package grafanatest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// minutes are the seconds of a span in each minute of the clock, by the last of them.
func minutes(s span) map[time.Time]float64 {
	all, n := map[time.Time]float64{}, 0.0
	for at := s.from; at.Before(s.to); at = at.Add(time.Second) {
		n++
		if next := at.Add(time.Second); next.Second() == 0 || !next.Before(s.to) {
			all[at], n = n, 0
		}
	}
	return all
}

// A backlog of hours with a gap in it, which two runs have read to its ends: each bucket of
// whole minutes has the seconds of it that were observed, and no other. In shorter ones a
// minute stands in one of them.
func TestObservedOfABacklog(t *testing.T) {
	w := filled(t)
	for _, s := range []*site{{knownDB, &w.known.record}, w.few(t), w.month(t)} {
		for _, length := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour} {
			bySource := map[string]map[time.Time]float64{}
			for _, span := range s.spans {
				if bySource[span.source] == nil {
					bySource[span.source] = map[time.Time]float64{}
				}
				for at := span.from; at.Before(span.to); at = at.Add(time.Second) {
					bySource[span.source][at.Truncate(max(length, time.Minute))]++
				}
			}
			for source, want := range bySource {
				w.compareObserved(t, s, source, length, want)
			}
		}
	}
}

func (w *world) compareObserved(t *testing.T, s *site, source string, length time.Duration, want map[time.Time]float64) {
	t.Helper()
	policy := ""
	if s.database == knownDB {
		policy = "tailflux_rollups"
	}
	from, to := s.spans[0].from.Add(-day), s.spans[len(s.spans)-1].to.Add(day)
	series, err := w.db.Query(t.Context(), s.database, fmt.Sprintf(`SELECT sum("observed_seconds") FROM %q."tailflux" WHERE "source" = '%s' AND time >= %d AND time < %d GROUP BY time(%ds) fill(none)`,
		policy, source, from.UnixNano(), to.UnixNano(), int(length.Seconds())))
	if err != nil || len(series) != 1 {
		t.Fatalf("%s %s: %d series, %v", s.database, source, len(series), err)
	}
	got := map[time.Time]float64{}
	for _, v := range series[0].Values {
		ns, err := v[0].(json.Number).Int64()
		n, err2 := v[1].(json.Number).Float64()
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		got[time.Unix(0, ns).UTC().Truncate(max(length, time.Minute))] += n
	}
	wrong := 0
	for at, seconds := range want {
		if got[at] != seconds {
			if wrong++; wrong < 4 {
				t.Errorf("%s %s: in the %s from %s on, %v s were observed, want %v", s.database, source, length, at.Format(timeFormat), got[at], seconds)
			}
		}
	}
	if wrong > 0 || len(got) != len(want) {
		t.Errorf("%s %s: %d of %d buckets of %s are wrong, and there are %d", s.database, source, wrong, len(want), length, len(got))
	}
}
