package parse_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// night is the log of a night in which clocks are set, a line a minute, in the
// order in which nginx's workers empty their buffers (buffer=32k), some of them
// minutes late. With its zone a line says which of two equal hours it means.
func night(t *testing.T, day string, zoned bool) (log []string, instants []time.Time) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	midnight, err := time.ParseInLocation(time.DateOnly, day, berlin)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for minute := range 6 * 60 {
		at := midnight.Add(time.Duration(minute) * time.Minute)
		layout := "02/Jan/2006:15:04:05 -0700"
		if !zoned {
			layout = "02/Jan/2006:15:04:05"
		}
		line := fmt.Sprintf("192.0.2.1 [%s] \"GET /%d HTTP/1.1\" 200\n", at.Format(layout), minute)
		place := len(log) - random.IntN(min(len(log), 20)+1)
		log, instants = slices.Insert(log, place, line), slices.Insert(instants, place, at)
	}
	return log, instants
}

// Points depend on the lines: not on the host's clock, be it set back an hour
// while they are read, and not on their order.
func TestPointsInTheNightsInWhichClocksAreSet(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []string{"2026-03-29", "2026-10-25"} {
		for _, zoned := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s zoned %v", day, zoned), func(t *testing.T) {
				log, instants := night(t, day, zoned)
				read := func(clock time.Duration) (all []string) {
					synctest.Test(t, func(t *testing.T) {
						time.Sleep(clock)
						format := `^(?P<remote_addr>\S+) \[(?P<time_local>[^\]]+)\] "(?P<request>[^"]*)" (?P<status>\d+)$`
						s, _ := openStage(t, format, t.TempDir(), 100, 100, 64<<10,
							func(c *accesslog.Schema) { c.Zone = berlin })
						all = points(t, s, log, 0, len(log))
					})
					return all
				}
				first := read(10_000 * time.Hour)
				if again := read(9_999 * time.Hour); !slices.Equal(first, again) {
					t.Error("an hour earlier the points are others")
				}
				for i, point := range first {
					want := instants[i]
					if _, offset := want.Zone(); !zoned && day == "2026-10-25" && offset == 3600 && want.Hour() == 2 {
						want = want.Add(-time.Hour) // it could be either: the first one is taken
					}
					stamp := fmt.Sprint(want.UnixNano() + int64(i) + 1)
					if !strings.HasSuffix(point, " "+stamp+"\n") {
						t.Fatalf("line %d, %sis the point\n%swant its time to be %s", i+1, log[i], point, stamp)
					}
				}
			})
		}
	}
}
