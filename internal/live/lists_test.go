package live_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// keyed are the lists with what a line is by.
var keyed = map[string]struct {
	of   func(line) string
	rows func(*live.Top) []live.Row
}{
	"paths":     {func(l line) string { return folded[l.path] }, func(t *live.Top) []live.Row { return t.Paths }},
	"clients":   {func(line) string { return "192.0.2.0" }, func(t *live.Top) []live.Row { return t.Clients }},
	"agents":    {func(l line) string { return l.agent }, func(t *live.Top) []live.Row { return t.Agents }},
	"methods":   {func(l line) string { return l.method }, func(t *live.Top) []live.Row { return t.Methods }},
	"statuses":  {func(l line) string { return l.status }, func(t *live.Top) []live.Row { return t.Statuses }},
	"hosts":     {func(l line) string { return l.host }, func(t *live.Top) []live.Row { return t.Hosts }},
	"referrers": {func(l line) string { return strings.TrimSuffix(l.referrer, "?y=z") }, func(t *live.Top) []live.Row { return t.Referrers }},
	"sources":   {func(l line) string { return l.by }, func(t *live.Top) []live.Row { return t.Sources }},
	"bots": {func(l line) string {
		if l.agent == "Mozilla/5.0" {
			return ""
		}
		return l.agent
	}, func(t *live.Top) []live.Row { return t.Bots }},
	"failing": {func(l line) string { return folded[l.path] }, func(t *live.Top) []live.Row { return t.Failing }}, // each does at some time
	"refused": {func(l line) string { return folded[l.path] }, func(t *live.Top) []live.Row { return t.ClientErrors }},
}

// folded are the paths of random lines as they are shown.
var folded = map[string]string{"/": "/", "/a": "/a", "/users/17": "/users/:id", "/users/4": "/users/:id", "/b?q=1": "/b"}

// Each row of each list has exactly the requests, errors, bytes and times of its value, and
// the rows come in their order.
func TestListsAreCountedExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 18))
		f := newFeeder(t, live.Config{})
		want := map[string]map[string]*live.Row{}
		sums := map[string]map[string][2]float64{}
		for list := range keyed {
			want[list], sums[list] = map[string]*live.Row{}, map[string][2]float64{}
		}
		for range 5000 {
			l := random(r, time.Now().Add(-time.Duration(r.Int64N(int64(14*time.Minute)))))
			f.add(t, l)
			for list, by := range keyed {
				name := by.of(l)
				if name == "" {
					continue
				}
				row := want[list][name]
				if row == nil {
					row = &live.Row{Name: name}
					want[list][name] = row
				}
				row.Requests++
				switch {
				case strings.HasPrefix(l.status, "4"):
					row.ClientErrors++
				case strings.HasPrefix(l.status, "5"):
					row.ServerErrors++
				}
				var n int64
				fmt.Sscan(l.bytes, &n)
				row.Bytes += n
				if l.time != "" && l.status != "101" {
					var seconds float64
					fmt.Sscan(l.time, &seconds)
					s := sums[list][name]
					sums[list][name] = [2]float64{s[0] + seconds, s[1] + 1}
				}
			}
		}
		f.Publish(time.Now())
		top := &f.Snapshot().Top
		if top.Sampled != 1 || len(top.Full) > 0 {
			t.Errorf("sampled %d, full %v, want 1 and none", top.Sampled, top.Full)
		}
		for list, by := range keyed {
			rows := by.rows(top)
			if len(rows) != len(want[list]) {
				t.Errorf("%s: %d rows, want %d: %+v", list, len(rows), len(want[list]), rows)
			}
			for i, row := range rows {
				is := want[list][row.Name]
				if is == nil {
					t.Errorf("%s: nothing is called %q", list, row.Name)
					continue
				}
				sum := sums[list][row.Name]
				if mean := sum[0] / sum[1]; math.Abs(mean-float64(row.Mean)) > 1e-9 {
					t.Errorf("%s %s: mean %v, want %v", list, row.Name, row.Mean, mean)
				}
				row.Mean, row.P95 = 0, 0
				if row != *is {
					t.Errorf("%s: %+v, want %+v", list, row, *is)
				}
				rank := func(r live.Row) int64 {
					switch list {
					case "failing":
						return r.ServerErrors
					case "refused":
						return r.ClientErrors
					}
					return r.Requests
				}
				if i > 0 && rank(rows[i-1]) < rank(row) {
					t.Errorf("%s: row %d has more than the one before", list, i)
				}
			}
		}
		if !slices.IsSortedFunc(top.Slowest, func(a, b live.Row) int { return cmp.Compare(b.P95, a.P95) }) {
			t.Errorf("the slowest paths are not in order: %+v", top.Slowest)
		}
	})
}

// Lists slide: what is older than the window counts no more, also when nothing comes.
func TestListsSlide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		early := at(time.Now())
		early.path = "/early"
		f.add(t, early, early, early)
		for minute := 1; minute <= 20; minute++ {
			time.Sleep(time.Minute)
			late := at(time.Now())
			late.path = "/late"
			f.add(t, late)
			f.Observed(time.Now())
			f.Publish(time.Now())
			want := map[string]int64{"/early": 3, "/late": int64(minute)}
			if minute > 15 {
				want = map[string]int64{"/late": 16}
			}
			got := map[string]int64{}
			for _, row := range f.Snapshot().Top.Paths {
				got[row.Name] = row.Requests
			}
			if !maps.Equal(got, want) {
				t.Errorf("after %d minutes: %v, want %v", minute, got, want)
			}
		}
		time.Sleep(17 * time.Minute)
		f.Observed(time.Now())
		f.Publish(time.Now())
		if top := f.Snapshot().Top; len(top.Paths) > 0 {
			t.Errorf("17 quiet minutes later: %+v", top.Paths)
		}
	})
}

// However many clients there are, memory is bounded, those with many requests are never lost,
// and it is said that the list is not all.
func TestManyClientsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{EveryLine: true, FullAddresses: true})
		one := func(client string) {
			l := at(time.Now())
			l.client = client
			f.add(t, l)
		}
		address := func(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }
		for n := range 2000 {
			one(address(n))
		}
		used := memory()
		const clients = 1_000_000
		for n := range clients {
			one(address(n))
			if n%100 == 0 { // more than one in 500 requests, however the rest comes
				one("192.0.2.1")
			}
			if n%400 == 0 {
				one("192.0.2.2")
			}
		}
		if more := memory() - used; more > 4<<20 {
			t.Errorf("a million clients take %d KB more", more>>10)
		}
		f.Publish(time.Now())
		top := f.Snapshot().Top
		for i, often := range []int64{100, 400} {
			row, want := top.Clients[i], clients/often
			if row.Name != fmt.Sprintf("192.0.2.%d", i+1) || row.Requests > want || row.Requests < want*99/100 {
				t.Errorf("client %d is %+v, want 192.0.2.%d with at most %d requests, and hardly fewer", i, row, i+1, want)
			}
		}
		if !slices.Equal(top.Full, []string{"clients"}) {
			t.Errorf("full: %v, want clients", top.Full)
		}
		if s := f.Snapshot(); s.Total.Requests != 2000+clients+clients/100+clients/400 {
			t.Errorf("%d requests", s.Total.Requests)
		}
	})
}

func memory() int64 {
	runtime.GC()
	var is runtime.MemStats
	runtime.ReadMemStats(&is)
	return int64(is.HeapAlloc)
}

// Of very many lines at once some are looked at: what is shown is about right, and it is said.
func TestVeryManyLinesAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		const lines = 400_000
		for n := range lines {
			l := at(time.Now())
			l.path = []string{"/half", "/fourth", "/half", "/last"}[n%4] // the log repeats itself
			f.add(t, l)
			if n%100_000 == 0 {
				time.Sleep(time.Second)
				f.Publish(time.Now())
			}
		}
		f.Publish(time.Now())
		s := f.Snapshot()
		if s.Total.Requests != lines {
			t.Errorf("%d requests, want %d: slots are exact", s.Total.Requests, lines)
		}
		if s.Top.Sampled < 2 {
			t.Errorf("sampled %d, want more than 1", s.Top.Sampled)
		}
		for i, want := range []float64{lines / 2, lines / 4, lines / 4} {
			if got := float64(s.Top.Paths[i].Requests); math.Abs(got/want-1) > 0.1 {
				t.Errorf("%s has %.0f requests, want %.0f or so", s.Top.Paths[i].Name, got, want)
			}
		}
	})
}

// Up to 50,000 lines/s each line is looked at, whether they come evenly or in bursts.
func TestManyLinesAreNotSampled(t *testing.T) {
	for _, pause := range []time.Duration{time.Millisecond, 100 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeeder(t, live.Config{})
			const perSecond = 49_000
			published := time.Now()
			for range 3 * time.Second / pause {
				for range perSecond * pause / time.Second {
					f.add(t, at(time.Now()))
				}
				time.Sleep(pause)
				if time.Since(published) >= time.Second {
					published = time.Now()
					f.Publish(published)
				}
			}
			f.Publish(time.Now())
			if top := f.Snapshot().Top; top.Sampled != 1 || top.Paths[0].Requests != 3*perSecond {
				t.Errorf("every %v: sampled %d, %d requests, want 1 and %d", pause, top.Sampled, top.Paths[0].Requests, 3*perSecond)
			}
		})
	}
}

// Only the networks of clients are kept, until addresses may be shown; and again.
func TestAddressesAreKeptBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		name := func() string {
			l := at(time.Now())
			l.client = "192.0.2.77"
			f.add(t, l)
			f.Publish(time.Now())
			rows := f.Snapshot().Top.Clients
			if len(rows) != 1 {
				t.Fatalf("clients: %+v, want one", rows)
			}
			return rows[0].Name
		}
		for _, whole := range []bool{false, true, true, false} {
			f.ShowAddresses(whole)
			want := "192.0.2.0"
			if whole {
				want = "192.0.2.77"
			}
			if got := name(); got != want {
				t.Errorf("addresses shown: %t: client %s, want %s", whole, got, want)
			}
		}
	})
}

// Of sources all are there, of paths those with most requests.
func TestAllSourcesAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		for n := range 30 {
			l := at(time.Now())
			l.by, l.path = fmt.Sprintf("site-%d", n), fmt.Sprintf("/%c", 'a'+n)
			f.add(t, l, l)
		}
		f.Publish(time.Now())
		top := f.Snapshot().Top
		if len(top.Paths) != 20 || len(top.Sources) != 30 {
			t.Errorf("%d paths and %d sources, want 20 and 30", len(top.Paths), len(top.Sources))
		}
		for _, row := range top.Sources {
			if row.Requests != 2 {
				t.Errorf("%+v, want 2 requests", row)
			}
		}
	})
}

// A path with few requests is not the slowest one, if there is one with enough.
func TestSlowestPathsHaveEnoughRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		slow, usual := at(time.Now()), at(time.Now())
		slow.path, slow.time = "/once", "30.000"
		usual.path, usual.time = "/often", "0.200"
		f.add(t, slow)
		for range 20 {
			f.add(t, usual)
		}
		f.Publish(time.Now())
		if rows := f.Snapshot().Top.Slowest; len(rows) != 2 || rows[0].Name != "/often" || rows[1].Name != "/once" {
			t.Errorf("the slowest paths are %+v, want /often and /once", rows)
		}
	})
}

// Bots are agents that say so.
func TestBots(t *testing.T) {
	for agent, want := range map[string]bool{
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": true,
		"Mozilla/5.0 (compatible; bingbot/2.0)":                                    true,
		"Mozilla/5.0 (compatible; Yahoo! Slurp)":                                   true,
		"Baiduspider/2.0":                                                          true, "curl/8.5.0": true, "Wget/1.21": true, "python-requests/2.31": true, "Go-http-client/1.1": true,
		"kube-probe/1.29": true, "Pingdom.com_bot_version_1.4": true, "GPTBot/1.0": true,
		"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0":    false,
		"Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) Chrome/124.0 Mobile Safari": false,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1":       false,
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeeder(t, live.Config{})
			l := at(time.Now())
			l.agent = agent
			f.add(t, l)
			f.Publish(time.Now())
			if top := f.Snapshot().Top; len(top.Bots) == 1 != want || len(top.Agents) != 1 {
				t.Errorf("%s is a bot: %t, want %t", agent, len(top.Bots) == 1, want)
			}
		})
	}
}
