package grafanatest

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Further databases, in which rollups are in the default policy.
const (
	monthDB = "month"
	fewDB   = "few"
	dayDB   = "day"
)

const day = 24 * time.Hour

// The only source of these is web of web1, in the format timed.

// month has a request every ten seconds or so, for thirty days; only rollups. In its second
// week everything takes ten times as long.
func (w *world) month(t *testing.T) *site {
	t.Helper()
	if s := w.sites[monthDB]; s != nil {
		return s
	}
	rng := rand.New(rand.NewPCG(30, 1))
	end := time.Now().UTC().Truncate(day)
	rec := &record{}
	for at := end.Add(-30 * day); at.Before(end); at = at.Add(time.Duration(1+rng.IntN(19)) * time.Second) {
		ms := 40 * math.Exp(rng.NormFloat64())
		if week := at.Sub(end.Add(-30 * day)); week >= 7*day && week < 14*day {
			ms *= 10
		}
		rec.requests = append(rec.requests, request{
			at: at, host: web1, source: "web", method: "GET", path: "/", target: "/", status: statuses[rng.IntN(len(statuses))],
			ms: int64(ms), sent: rng.Int64N(9000), body: -1, length: -1,
		})
	}
	return w.imported(t, monthDB, rec, "--raw=false")
}

// few has requests that fall into two buckets of all: of the others InfluxDB never hears.
func (w *world) few(t *testing.T) *site {
	t.Helper()
	if s := w.sites[fewDB]; s != nil {
		return s
	}
	rec := &record{}
	for n := range 200 {
		at := time.Now().UTC().Truncate(time.Hour).Add(-50 * time.Hour).Add(time.Duration(17*n) * time.Second)
		rec.requests = append(rec.requests, request{
			at: at, host: web1, source: "web", method: "GET", path: "/", target: "/", status: 200, ms: 5 + 25*int64(n%10/9), sent: 100, body: -1, length: -1,
		})
	}
	return w.imported(t, fewDB, rec)
}

// imported lets tailflux import the lines of a record.
func (w *world) imported(t *testing.T, database string, rec *record, args ...string) *site {
	t.Helper()
	first, last := rec.requests[0].at, rec.requests[len(rec.requests)-1].at
	rec.spans = []span{{web1, "web", first, last}}
	w.importFrom(t, database, func(out io.Writer) error {
		for i := range rec.requests {
			if _, err := fmt.Fprintln(out, timed(&rec.requests[i])); err != nil {
				return err
			}
		}
		return nil
	}, args...)
	s := &site{database, rec}
	if w.sites == nil {
		w.sites = map[string]*site{}
	}
	w.sites[database] = s
	return s
}

// importFrom pipes what write writes into an import.
func (w *world) importFrom(t *testing.T, database string, write func(out io.Writer) error, args ...string) {
	t.Helper()
	args = append([]string{
		"import", "--format", "timed", "--path", "/none/access.log", "--name", "web", "--host", web1, "--listen", "",
		"--influxdb-url", w.db.URL(), "--influxdb-database", database, "--state-dir", t.TempDir(),
	}, args...)
	cmd := exec.CommandContext(t.Context(), w.binary, append(args, "-")...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buffered := bufio.NewWriterSize(in, 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	_ = in.Close()
	if gone := cmd.Wait(); err != nil || gone != nil {
		t.Fatalf("import into %s: %v, %v\n%s", database, err, gone, &out)
	}
}

// day has twelve requests a second for a day, as the generator makes them, as points of
// lines and as rollups. Nobody keeps a record of it: it is there to be slow.
func (w *world) day(t *testing.T) (s *site, end time.Time) {
	t.Helper()
	end = time.Now().UTC().Truncate(time.Hour)
	if s := w.sites[dayDB]; s != nil {
		return s, end
	}
	mock := filepath.Join(w.dir, "mock")
	run(t, "go", "build", "-o", mock, "../../mock")
	began := time.Now()
	w.importFrom(t, dayDB, func(out io.Writer) error {
		cmd := exec.CommandContext(t.Context(), mock, "--format", "timed", "--rate", "0", "--start", end.Add(-day).Format(time.RFC3339),
			"--step", (time.Second / 12).String(), "--lines", "1036800")
		cmd.Stdout = out
		return cmd.Run()
	})
	t.Logf("a day of 12 requests/s: made and imported in %.1f s", time.Since(began).Seconds())
	s = &site{dayDB, &record{}}
	if w.sites == nil {
		w.sites = map[string]*site{}
	}
	w.sites[dayDB] = s
	return s, end
}

func TestImportsAreOfTheRecord(t *testing.T) {
	w := filled(t)
	for _, s := range []*site{w.month(t), w.few(t)} {
		var ms int64
		for _, r := range s.requests {
			if !r.tunnel() {
				ms += r.ms
			}
		}
		want := fmt.Sprint([]float64{float64(len(s.requests)), float64(ms)})
		if got := fmt.Sprint(w.numbers(t, s.database, `SELECT sum(requests), sum(request_time_ms) FROM nginx_site`)); got != want {
			t.Errorf("%s: rollups have %s, want %s", s.database, got, want)
		}
	}
}

func TestDayHasTwelveASecond(t *testing.T) {
	w := filled(t)
	s, _ := w.day(t)
	if got := w.numbers(t, s.database, `SELECT sum(requests) FROM nginx_site`); len(got) != 1 || got[0] != 12*day.Seconds() {
		t.Errorf("%v requests, want %v", got, 12*day.Seconds())
	}
}
