package live_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// received are the requests that wait.
func received(from <-chan live.Request) (all []live.Request) {
	for {
		select {
		case r := <-from:
			all = append(all, r)
		default:
			return all
		}
	}
}

// A watcher gets requests as the log has them, but for the client and the query.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		l := line{
			at: time.Now().Add(-1500 * time.Millisecond).Truncate(time.Millisecond), client: "192.0.2.77", method: "GET", path: "/users/17?token=x", status: "404", bytes: "17",
			time: "0.250", referrer: "https://example.com", agent: `a \x22b\x22`, host: "a.example", by: "web",
		}
		f.add(t, l) // nobody sees it
		requests, stop := f.Watch(live.Filter{})
		f.add(t, l)
		want := live.Request{
			Time: l.at.UTC(), Source: "web", Client: "192.0.2.0", Method: "GET", Path: "/users/17", Host: "a.example", Status: "404", Bytes: 17, Seconds: 0.25,
			Agent: `a "b"`,
		}
		if got := received(requests); len(got) != 1 || got[0] != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		l.bytes, l.time, l.agent, l.host, l.status = "", "", "", "", ""
		f.add(t, l)
		text, err := json.Marshal(received(requests)[0])
		if want := `{"time":"1999-12-31T23:59:58.5Z","source":"web","client":"192.0.2.0","method":"GET","path":"/users/17","bytes":null,"seconds":null}`; err != nil || string(text) != want {
			t.Errorf("JSON %s, want %s", text, want)
		}
		stop()
		stop()
		f.add(t, l)
		if got := received(requests); len(got) > 0 {
			t.Errorf("after stop came %+v", got)
		}
	})
}

// Each part of a filter holds, and all of them together.
func TestFilter(t *testing.T) {
	l := line{client: "192.0.2.77", method: "GET", path: "/Users/17?token=x", status: "404", agent: "Googlebot", host: "a.example", by: "web"}
	for filter, want := range map[live.Filter]bool{
		{}:                                       true,
		{Text: "users/17"}:                       true,
		{Text: "GOOGLE"}:                         true,
		{Text: "get"}:                            true,
		{Text: "a.exam"}:                         true,
		{Text: "192.0.2.0"}:                      true,
		{Text: "192.0.2.77"}:                     false, // else it could be found out by trying
		{Text: "token"}:                          false,
		{Text: "nothing"}:                        false,
		{Class: "4xx"}:                           true,
		{Class: "2xx"}:                           false,
		{Class: "other"}:                         false,
		{Source: "web"}:                          true,
		{Source: "we"}:                           false,
		{Text: "bot", Class: "4xx"}:              true,
		{Text: "bot", Class: "5xx"}:              false,
		{Text: "no", Class: "4xx"}:               false,
		{Class: "4xx", Source: "api"}:            false,
		{Text: "b", Class: "4xx", Source: "web"}: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeeder(t, live.Config{})
			requests, stop := f.Watch(filter)
			defer stop()
			l := l
			l.at = time.Now()
			f.add(t, l)
			if got := len(received(requests)) == 1; got != want {
				t.Errorf("%+v shows the line: %t, want %t", filter, got, want)
			}
		})
	}
}

// Of many requests a watcher gets 50 a second, each watcher its own, and one that does not
// receive gets no more than fit into its buffer.
func TestWatchersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeeder(t, live.Config{})
		all, stopAll := f.Watch(live.Filter{})
		defer stopAll()
		few, stopFew := f.Watch(live.Filter{Text: "/7"})
		defer stopFew()
		asleep, stopAsleep := f.Watch(live.Filter{})
		defer stopAsleep()
		for second := range 5 {
			for n := range 1000 {
				l := at(time.Now())
				l.path = fmt.Sprintf("/%d", n)
				f.add(t, l)
			}
			if got := len(received(all)); got != 50 {
				t.Errorf("second %d: %d requests, want 50", second, got)
			}
			if got := len(received(few)); got != 50 {
				t.Errorf("second %d: %d of 111 requests of a filter, want 50", second, got)
			}
			time.Sleep(time.Second)
		}
		if got := len(received(asleep)); got != 64 {
			t.Errorf("%d requests waited, want 64", got)
		}
	})
}

// Whoever asks, and however often, gets whole snapshots, while lines are added.
func TestManyAskAtOnce(t *testing.T) {
	f := newFeeder(t, live.Config{})
	done := make(chan struct{})
	var askers sync.WaitGroup
	for n := range 8 {
		askers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				s := f.Snapshot()
				total := int64(0)
				for _, of := range s.Slots.Classes {
					for _, n := range of {
						total += n
					}
				}
				rows := int64(0)
				for _, row := range s.Top.Methods {
					rows += row.Requests
				}
				if total != s.Total.Requests || rows != s.Total.Requests {
					t.Errorf("%d requests in slots, %d in lists, %d in total", total, rows, s.Total.Requests)
					return
				}
				requests, stop := f.Watch(live.Filter{Class: []string{"", "2xx"}[n%2]})
				received(requests)
				stop()
			}
		})
	}
	r := rand.New(rand.NewPCG(5, 18))
	for n := range 3000 {
		f.add(t, random(r, time.Now()))
		if n%50 == 0 {
			f.Publish(time.Now())
		}
	}
	close(done)
	askers.Wait()
}
