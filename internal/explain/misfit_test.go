package explain_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/explain"
	"github.com/tailflux/tailflux/internal/flow"
)

// The place is the one that tailflux explain shows; without one, the beginning of the line is shown.
func TestMisfits(t *testing.T) {
	c := config.Default()
	m := explain.NewMisfits(&c, func(name, _ string) (config.Source, bool) {
		return config.Source{Name: name, Format: map[string]string{"web": "combined", "times": "timed"}[name]}, name != "unknown"
	})
	const good = `192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-"`
	for _, tt := range []struct {
		name, source, line string
		reason             flow.Reason
		under              int // -1: no place; else what stands there
		at, why            string
	}{
		{"cut", "web", good[:20], flow.NoMatch, 20, "", "expected"},
		{"other format", "times", good, flow.NoMatch, 0, `"GET`, "expected"},
		{"binary", "web", "\x16\x03\x01", flow.NoMatch, 0, "", "expected"},
		{"bad time", "web", strings.Replace(good, "20/Nov", "31/Feb", 1), flow.BadTime, 0, "31/Feb", "time"},
		{"empty", "web", "", flow.Empty, -1, "", ""},
		{"too long", "web", good, flow.TooLong, -1, "", ""},
		{"refused by InfluxDB", "web", good, flow.Refused("field type conflict"), -1, "", ""},
		{"expired", "web", good, flow.Expired, -1, "", ""},
		{"of no format that is known", "unknown", "x", flow.NoMatch, -1, "", ""},
		{"of its format by now", "web", good, flow.NoMatch, -1, "", ""},
		{"markup", "web", "<script>\u202e\x1b[31m", flow.NoMatch, 0, "", "expected"},
	} {
		shown, under, why := m.Explain(tt.source, "/log", tt.line, tt.reason)
		if (under < 0) != (tt.under < 0) || !strings.Contains(why, tt.why) || tt.why == "" && why != "" {
			t.Errorf("%s: %q, %d, %q", tt.name, shown, under, why)
			continue
		}
		if runes := []rune(shown); under > len(runes) || under >= 0 && !strings.HasPrefix(string(runes[under:]), tt.at) {
			t.Errorf("%s: the place is %d of %q, want it before %q", tt.name, under, shown, tt.at)
		}
		if strings.ContainsAny(shown+why, "\x1b\u202e\x16") {
			t.Errorf("%s: what is shown is not printable: %q %q", tt.name, shown, why)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { m.Explain("web", "/log", good[:30], flow.NoMatch) })
	}
	all.Wait()
}
