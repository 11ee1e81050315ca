package write_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/write"
)

// A 403 is mostly about rights, which somebody mends: nothing is rejected for it, although
// other points are taken meanwhile.
func TestRightsAreMended(t *testing.T) {
	const minutes = 10 * time.Minute
	for name, tt := range map[string]struct {
		batch     int
		forbidden func(since time.Duration, points []int, dice *rand.Rand) bool
	}{
		"to every other point": {100, func(since time.Duration, points []int, _ *rand.Rand) bool {
			odd := func() bool {
				for _, p := range points {
					if p%2 == 1 {
						return true
					}
				}
				return false
			}
			return since > time.Minute && since < minutes && odd()
		}},
		"to new series": {100, func(since time.Duration, points []int, _ *rand.Rand) bool {
			return since < minutes && points[len(points)-1] > 100
		}},
		"on one of two servers behind a balancer": {20, func(since time.Duration, _ []int, dice *rand.Rand) bool {
			return since > 30*time.Second && since < minutes && dice.IntN(2) == 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				dice := rand.New(rand.NewPCG(1, 1))
				began := time.Now()
				s.answers = func(points []int, _ string) error {
					if tt.forbidden(time.Since(began), points, dice) {
						return answer(403, "<html>forbidden</html>")
					}
					for _, p := range points {
						s.stored[p] = true
					}
					return nil
				}
				b := start(t, write.Config{BatchPoints: tt.batch}, sink{write: s.write}, &rejectFile{})
				for range 100 {
					b.send(points(20))
					time.Sleep(5 * time.Second)
				}
				b.finish()
				s.check(b)
			})
		})
	}
}

// What is forbidden is not rejected because what is refused is older than what is stored.
func TestOlderPointsAreForbidden(t *testing.T) {
	for name, answer := range map[string]error{
		"by rights":  answer(403, `{"error":"write not authorized for measurement"}`),
		"by a guard": answer(406, "Not Acceptable"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 200
				s := newServer(t)
				began := time.Now()
				refusing(s, func(point int) bool { return point <= 150 && time.Since(began) < 10*time.Minute }, func([]int) error { return answer })
				b := start(t, write.Config{BatchPoints: n}, sink{write: s.write}, &rejectFile{})
				b.stamp = func(n int) int64 { return minutes(n).UnixNano() }
				b.send(points(n))
				b.finish()
				s.check(b)
			})
		})
	}
}
