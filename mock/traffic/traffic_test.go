package traffic_test

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/mock/traffic"
)

const many = 100_000

// tally counts facts about many requests of one stream.
func tally(t *testing.T, o traffic.Options, facts func(r *traffic.Request, is func(fact string, holds bool))) map[string]float64 {
	t.Helper()
	stream, err := traffic.New(o)
	if err != nil {
		t.Fatal(err)
	}
	share := map[string]float64{}
	is := func(fact string, holds bool) {
		if holds {
			share[fact] += 1.0 / many
		}
	}
	for range many {
		facts(stream.Next(), is)
	}
	return share
}

func TestMix(t *testing.T) {
	share := tally(t, traffic.Options{Seed: 3}, func(r *traffic.Request, is func(string, bool)) {
		is(r.Method, true)
		is(r.Protocol, true)
		is(r.Scheme, true)
		is("status "+string(rune('0'+r.Status/100))+"xx", true)
		is("404", r.Status == 404)
		is("304", r.Status == 304)
		is("499", r.Status == 499)
		addr, err := netip.ParseAddr(r.RemoteAddr)
		if err != nil {
			t.Fatal(err)
		}
		is("IPv6", addr.Is6())
		is("user", r.RemoteUser != "")
		is("no agent", r.Agent == "" || r.Agent == traffic.Blank)
		is("bot", strings.Contains(r.Agent, "bot") || strings.Contains(r.Agent, "curl"))
		is("referer", r.Referer != "")
		is("query", len(r.Query()) > 0)
		is("compressed", r.GzipPercent > 0)
		is("upstream", len(r.Tries()) > 0)
		is("retried", len(r.Tries()) > 1)
		is("redirected", len(r.Tries()) > 1 && r.Tries()[1].Redirected)
		is("odd bytes in URI", bytes.ContainsFunc(r.URI, odd))
		is("odd bytes in agent", strings.ContainsFunc(r.Agent, odd))
		is("up to 40 ms", r.RequestTime <= 40)
		is("over 1 s", r.RequestTime > 1000)
		is("over 9 s", r.RequestTime > 9000)
		is("under 10 kB", r.BytesSent < 10_000)
		is("over 1 MB", r.BytesSent > 1_000_000)
	})
	for _, want := range []struct {
		fact     string
		from, to float64
	}{
		{"GET", 0.82, 0.87},
		{"POST", 0.09, 0.12},
		{"HEAD", 0.01, 0.03},
		{"PUT", 0.01, 0.02},
		{"DELETE", 0.004, 0.01},
		{"HTTP/1.1", 0.4, 0.7},
		{"HTTP/2.0", 0.25, 0.6},
		{"HTTP/1.0", 0.005, 0.05},
		{"https", 0.7, 0.9},
		{"http", 0.1, 0.3},
		{"status 2xx", 0.7, 0.9},
		{"status 3xx", 0.05, 0.15},
		{"status 4xx", 0.02, 0.1},
		{"status 5xx", 0.005, 0.08},
		{"404", 0.015, 0.05},
		{"304", 0.03, 0.12},
		{"499", 0.002, 0.02},
		{"IPv6", 0.05, 0.3},
		{"user", 0.01, 0.02},
		{"no agent", 0.005, 0.05},
		{"bot", 0.03, 0.25},
		{"referer", 0.3, 0.7},
		{"query", 0.1, 0.4},
		{"compressed", 0.25, 0.6},
		{"upstream", 0.5, 0.8},
		{"retried", 0.003, 0.06},
		{"redirected", 0.0005, 0.005},
		{"odd bytes in URI", 0.001, 0.03},
		{"odd bytes in agent", 0.0005, 0.05},
		{"up to 40 ms", 0.35, 0.65},
		{"over 1 s", 0.005, 0.1},
		{"over 9 s", 0.0005, 0.02},
		{"under 10 kB", 0.4, 0.9},
		{"over 1 MB", 0.005, 0.1},
	} {
		if got := share[want.fact]; got < want.from || got > want.to {
			t.Errorf("share of %s = %.4f, want %v to %v", want.fact, got, want.from, want.to)
		}
	}
}

// odd bytes are those that nginx escapes.
func odd(c rune) bool { return c == '"' || c == '\\' || c < ' ' || c > '~' }

func TestPathsAreFewAndSkewed(t *testing.T) {
	stream, err := traffic.New(traffic.Options{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{} // ids folded
	exact := map[string]bool{}
	for range many {
		p := string(stream.Next().Path())
		exact[p] = true
		count[strings.Map(func(c rune) rune {
			if '0' <= c && c <= '9' {
				return -1
			}
			return c
		}, p)]++
	}
	if n := len(count); n < 150 || n > 250 {
		t.Errorf("%d paths apart from ids, want about 200", n)
	}
	if n := len(exact); n < 2000 {
		t.Errorf("%d paths with ids, want thousands", n)
	}
	var counts []int
	for _, n := range count {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	top := 0
	for _, n := range counts[:20] {
		top += n
	}
	if share := float64(top) / many; share < 0.35 || share > 0.75 {
		t.Errorf("the 20 busiest paths make %.2f of the requests, want about half", share)
	}
}

func TestOutagesAreBursts(t *testing.T) {
	stream, err := traffic.New(traffic.Options{Seed: 5, CalmRequests: 9_000, OutageRequests: 1_000})
	if err != nil {
		t.Fatal(err)
	}
	const window = 250
	var quiet, loud, outages int
	var was bool
	for range many / window {
		failed := 0
		for range window {
			r := stream.Next()
			if r.Status >= 500 {
				failed++
			}
			if r.Outage && !was {
				outages++
			}
			was = r.Outage
		}
		switch {
		case failed <= window/25:
			quiet++
		case failed >= window/6:
			loud++
		}
	}
	if outages < 3 || outages > 25 {
		t.Errorf("%d outages in %d requests, want about 10", outages, many)
	}
	if loud < 10 {
		t.Errorf("%d windows full of 5xx, want bursts", loud)
	}
	if between := many/window - quiet - loud; quiet < 250 || between > 60 {
		t.Errorf("%d windows without 5xx, %d with a few, %d with many: want calm and outage with little between", quiet, between, loud)
	}
}

func TestNoOutages(t *testing.T) {
	share := tally(t, traffic.Options{CalmRequests: 1000, OutageRequests: -1}, func(r *traffic.Request, is func(string, bool)) {
		is("outage", r.Outage)
		is("5xx", r.Status >= 500)
	})
	if share["outage"] != 0 || share["5xx"] > 0.01 {
		t.Errorf("without outages: shares %v, want no outage and hardly any 5xx", share)
	}
}

func TestRequestsAreConsistent(t *testing.T) {
	stream, err := traffic.New(traffic.Options{Seed: 9, CalmRequests: 2000, OutageRequests: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for range many {
		r := stream.Next()
		sum := int64(0)
		for _, y := range r.Tries() {
			sum += y.Response
			if y.Header > y.Response || y.Connect > y.Response {
				t.Fatalf("connect %d, header %d, response %d ms: want them in this order", y.Connect, y.Header, y.Response)
			}
		}
		if len(r.Tries()) > 0 && (r.RequestTime < sum || r.RequestTime > sum+5) {
			t.Fatalf("request time %d ms, want slightly more than the upstreams' %d", r.RequestTime, sum)
		}
		if n := len(r.Tries()); n > 0 && r.Status != 499 && r.Tries()[n-1].Status != r.Status {
			t.Fatalf("status %d, but the last upstream's %d", r.Status, r.Tries()[n-1].Status)
		}
		if r.BytesSent < r.BodyBytes || r.Status == 304 && r.BodyBytes != 0 || r.Method == "HEAD" && r.BodyBytes != 0 {
			t.Fatalf("%s %d: %d bytes sent, %d of them body", r.Method, r.Status, r.BytesSent, r.BodyBytes)
		}
		if len(r.URI) == 0 || r.URI[0] != '/' || bytes.ContainsAny(r.URI, " \r\n") {
			t.Fatalf("URI %q", r.URI)
		}
	}
}

func TestScan(t *testing.T) {
	stream, err := traffic.New(traffic.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 10_000 {
		r := stream.Scan()
		switch r.Status {
		case 400, 403, 404, 408, 444:
		default:
			t.Fatalf("status %d, want 400, 403, 404, 408 or 444", r.Status)
		}
		if r.BytesSent > 500 {
			t.Fatalf("%d bytes sent, want few", r.BytesSent)
		}
		if r.Broken != (r.Method == "") || r.Broken != (len(r.URI) == 0) || r.Broken != (r.Protocol == "") {
			t.Fatalf("broken %v with %q %q %q", r.Broken, r.Method, r.URI, r.Protocol)
		}
		if strings.ContainsAny(r.BrokenLine, "\r\n") {
			t.Fatalf("request line %q has a line break", r.BrokenLine)
		}
		switch {
		case !r.Broken:
			seen["probe"]++
		case r.BrokenLine == "":
			seen["nothing"]++
		case r.BrokenLine == traffic.Blank:
			seen["empty line"]++
		case strings.HasPrefix(r.BrokenLine, "\x16\x03\x01"):
			seen["TLS"]++
		default:
			seen["other"]++
		}
	}
	for _, sort := range []string{"probe", "nothing", "empty line", "TLS", "other"} {
		if seen[sort] < 500 {
			t.Errorf("%d times %s in 10,000, want at least 500", seen[sort], sort)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := traffic.New(traffic.Options{CalmRequests: -1}); err == nil {
		t.Error("New with negative CalmRequests: no error")
	}
}
