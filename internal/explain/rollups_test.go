package explain_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/explain"
	"github.com/tailflux/tailflux/internal/rollup"
)

// What a line adds to each rollup is shown, also when it has no point.
func TestSharesOfRollups(t *testing.T) {
	c := config.Default()
	c.Host, c.Rollups = "web1", config.DefaultRollups()
	c.Drop = []config.DropRule{{{Variable: "path", Match: "/healthz"}}}
	var definitions []rollup.Definition
	for _, r := range c.Rollups {
		definitions = append(definitions, rollup.Definition{Measurement: r.Measurement, Interval: r.Interval, Tags: r.Tags})
	}
	const format = `$msec "$request" $status $bytes_sent $request_time`
	lines := strings.Join([]string{
		`1795168817.250 "GET /users/42 HTTP/1.1" 200 612 0.0124`,
		`1795168859.999 "POST /a,b HTTP/1.1" 503 - -`,
		`1795168860.000 "GET /ws HTTP/1.1" 101 9 3600.5`,
		`1795168817.250 "GET /healthz HTTP/1.1" 200 612 0.001`,
		`odd`,
	}, "\n") + "\n"
	for _, raw := range []bool{true, false} {
		c.Raw = raw
		explained := func(asJSON bool) string {
			var out bytes.Buffer
			if _, _, err := explain.Run(explain.Options{
				Config: &c, Source: config.Source{Name: "web", Format: format}, JSON: asJSON, Rollups: definitions, Out: &out, Notes: &bytes.Buffer{},
			}, strings.NewReader(lines)); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
		type share struct {
			Measurement string
			Window      time.Time
			Tags        map[string]string
			Fields      map[string]int64
		}
		var all [][]share
		for d := json.NewDecoder(strings.NewReader(explained(true))); d.More(); {
			var is struct {
				Matched bool
				Point   *string
				Rollups []share
			}
			if err := d.Decode(&is); err != nil {
				t.Fatal(err)
			}
			all = append(all, is.Rollups)
			if n := len(all); (is.Point != nil) != (raw && n <= 3) || is.Matched != (n <= 4) {
				t.Errorf("raw %t: line %d: matched %t, point %v", raw, n, is.Matched, is.Point)
			}
		}
		if len(all) != 5 || len(all[0]) != 3 || len(all[1]) != 3 || len(all[2]) != 3 || all[3] != nil || all[4] != nil {
			t.Fatalf("raw %t: shares of lines: %v", raw, all)
		}
		site, paths := all[0][0], all[0][1]
		if site.Measurement != "nginx_site" || !site.Window.Equal(time.Unix(1795168810, 0)) || site.Tags["method"] != "GET" || site.Tags["status"] != "200" ||
			site.Tags["host"] != "web1" || site.Tags["source"] != "web" || len(site.Tags) != 4 {
			t.Errorf("site: %+v", site)
		}
		want := map[string]int64{"requests": 1, "bytes_sent": 612, "request_time_ms": 12, "request_time_ms_max": 12, rollup.BucketField("request_time", rollup.Bucket(12)): 1}
		for field, n := range want {
			if site.Fields[field] != n || len(site.Fields) != len(want) {
				t.Errorf("site adds %v, want %v", site.Fields, want)
			}
		}
		if paths.Measurement != "nginx_paths" || !paths.Window.Equal(time.Unix(1795168800, 0)) || paths.Tags["path"] != "/users/:n" && paths.Tags["path"] != "/users/:id" || paths.Tags["status_class"] != "2xx" {
			t.Errorf("paths: %+v", paths)
		}
		if of := all[1][0]; of.Fields["requests"] != 1 || len(of.Fields) != 1 || !of.Window.Equal(time.Unix(1795168850, 0)) {
			t.Errorf("a line without numbers adds %+v", of)
		}
		if of := all[2][1]; len(of.Fields) != 2 || !of.Window.Equal(time.Unix(1795168860, 0)) {
			t.Errorf("a tunnel adds %+v", of)
		}
		text := explained(false)
		for _, want := range []string{
			"adds to rollup nginx_site\n    window  2026-11-20T10:00:10Z\n    tags    host=web1 source=web method=GET status=200\n    fields  requests=1 bytes_sent=612 request_time_ms=12 request_time_ms_max=12 request_time_b",
			"filtered by drop[0]", "rejected: no match",
		} {
			if !strings.Contains(text, want) || strings.Contains(text, "\n  point\n") != raw || strings.Count(text, "adds to rollup") != 9 {
				t.Errorf("raw %t: want %q in\n%s", raw, want, text)
			}
		}
	}
}
