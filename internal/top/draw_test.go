package top

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/live"
)

var update = flag.Bool("update", false, "write the golden screens anew")

var noon = time.Date(2026, 11, 29, 12, 0, 3, 0, time.UTC)

// busy is a picture of a quarter of an hour: quiet at first, not observed for a minute, then
// more and more; one slot is not over.
func busy() *Picture {
	const slots = 180
	s := &live.Snapshot{At: noon, Top: live.Top{Sampled: 1}}
	s.Slots = live.Slots{Step: 5, Classes: map[string][]int64{}}
	for i := range slots {
		n := live.Number(0)
		switch {
		case i >= 40 && i < 52:
			n = live.None()
		case i >= 52:
			n = live.Number(i * 10 % 700 * 2)
		case i >= 20:
			n = live.Number(i)
		}
		of := &s.Slots
		of.Time = append(of.Time, noon.Unix()-3-5*int64(slots-1-i))
		of.Requests = append(of.Requests, n)
		of.Bytes = append(of.Bytes, n*5321)
		count := int64(0)
		if n > 0 {
			count = int64(n)
			s.Total.Requests += count
			of.P50, of.P95, of.P99 = append(of.P50, 0.012), append(of.P95, 0.1+n/9000), append(of.P99, 0.4+n/1000)
		} else {
			of.P50, of.P95, of.P99 = append(of.P50, live.None()), append(of.P95, live.None()), append(of.P99, live.None())
		}
		for name, part := range map[string]int64{"2xx": 90, "3xx": 6, "4xx": 3, "5xx": 1} {
			of.Classes[name] = append(of.Classes[name], count*part/100)
		}
	}
	s.Total.ServerErrors, s.Total.ClientErrors, s.Total.Bytes = s.Total.Requests/100, s.Total.Requests*3/100, s.Total.Requests*5321
	s.Total.P50, s.Total.P95, s.Total.P99 = 0.012, 0.181, 1.42
	rows := func(name string, n int) (all []live.Row) {
		for i := range n {
			r := live.Row{Name: fmt.Sprintf(name, i+1), Requests: 43210 / int64(i+1), ClientErrors: int64(i % 3), ServerErrors: int64(7 * (i % 2)), Bytes: 98765432 / int64(i+1), Mean: live.Number(0.003 * float64(i+1)), P95: live.Number(0.02 * float64(i*i+1))}
			if i == 2 {
				r.Mean, r.P95 = live.None(), live.None()
			}
			all = append(all, r)
		}
		return all
	}
	s.Top.Paths, s.Top.Failing, s.Top.Slowest = rows("/api/v1/items/:id/%d", 40), rows("/checkout/%d", 3), rows("/reports/yearly/%d", 12)
	s.Top.Clients, s.Top.Agents = rows("192.0.2.%d/24", 9), rows("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d", 15)

	p := &Pipeline{}
	p.Lines.Read, p.Lines.Written, p.Lines.Rejected, p.Lines.Filtered, p.Lines.InFlight = 1234567, 1233000, 7, 60, 1500
	p.Undelivered = 0.4
	p.Throughput.Lines.Over1s = 271
	p.Channels.Read, p.Channels.Write = Channel{Length: 1, Capacity: 64}, Channel{Length: 33, Capacity: 64}
	p.Sources = []Source{{Name: "web", Open: true}}
	p.InfluxDB.Up, p.InfluxDB.Version = true, "1.8.10"
	return &Picture{Live: s, Pipeline: p, Rejects: []Reject{
		{Time: noon.Add(-time.Minute), Source: "web", Number: 41, Reason: "no match", Line: "GET / HTTP/1.1", Caret: -1, Why: "want [ in column 1"},
		{Time: noon, Source: "web", Number: 42, Reason: "bad time", Line: `1.2.3.4 - - [99/Nov/2026:12:00:00 +0000] "GET /`, Caret: 14, Why: "no such day"},
	}}
}

func looking(at *Picture) *view {
	v := &view{name: "127.0.0.1:9193"}
	v.came(at, nil, noon)
	return v
}

var sizes = []struct{ w, h int }{{60, 15}, {80, 24}, {200, 50}}

func TestScreens(t *testing.T) {
	outage := busy()
	outage.Pipeline.InfluxDB.Up, outage.Pipeline.InfluxDB.LastError, outage.Pipeline.InfluxDB.Outage = false, "connection refused", 190
	outage.Pipeline.Lines.InFlight, outage.Pipeline.Undelivered = 12340, 191
	nothing := busy()
	nothing.Live = &live.Snapshot{At: noon, Total: live.Total{P50: live.None(), P95: live.None(), P99: live.None()}}
	nothing.Rejects = nil
	lost := looking(busy())
	lost.came(nil, errors.New("127.0.0.1:9193: connection refused"), noon.Add(time.Second))
	lost.now = noon.Add(90 * time.Second)
	file := looking(busy())
	file.name, file.alone = "/var/log/nginx/access.log", true
	filtered := looking(busy())
	for _, k := range "/:ID/1\n" {
		filtered.press(map[bool]key{true: keyEnter, false: key(k)}[k == '\n'])
	}
	rejects := looking(busy())
	rejects.press(keyBackTab)
	help := looking(busy())
	help.press('?')
	for name, v := range map[string]*view{
		"busy": looking(busy()), "outage": looking(outage), "nothing": looking(nothing), "unreachable": lost,
		"file": file, "filtered": filtered, "rejects": rejects, "help": help,
	} {
		for _, size := range sizes {
			of := fmt.Sprintf("%s-%dx%d", name, size.w, size.h)
			t.Run(of, func(t *testing.T) {
				golden(t, of, v.draw(size.w, size.h).String())
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is another screen now (-update writes it):\n%s", file, diff)
	}
}
