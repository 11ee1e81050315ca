package shape_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/shape"
)

// The configuration of before a crash is in force again, with the way to InfluxDB of now.
func TestInForce(t *testing.T) {
	for name, change := range map[string]func(c *config.Config){
		"measurement": func(c *config.Config) { c.Measurement = "other" },
		"tags":        func(c *config.Config) { c.Tags = []string{"path"} },
		"rules": func(c *config.Config) {
			c.Paths = []config.PathRule{{Match: "^/a$", As: "/b"}}
			c.Drop = []config.DropRule{{{Variable: "path", Match: "~x: 'y'"}}}
			c.Types, c.Rename = map[string]string{"cost": "integer"}, map[string]string{"a.b": "status"}
		},
		"a source's name": func(c *config.Config) { c.Sources[0].Name = "shop" },
		"a source's path": func(c *config.Config) { c.Sources[0].Path += "*" },
		"a source's path and name": func(c *config.Config) {
			c.Sources[0].Path, c.Sources[0].Name = c.Sources[0].Path+"*", "all"
		},
		"what is excluded": func(c *config.Config) { c.Exclude = []string{"/var/log/nginx/error.log"} },
		"database":         func(c *config.Config) { c.InfluxDB.Database = "other" },
	} {
		h := newHouse(t)
		h.config.InfluxDB.Headers = []string{"Authorization: secret"}
		h.config.Sources[0].Start = "end"
		if _, err := h.begin("h"); err != nil {
			t.Fatal(err)
		}
		was := h.config // as Load leaves it
		now := h.config
		now.Sources = append([]config.Source(nil), was.Sources...)
		change(&now)
		now.InfluxDB.Headers, now.InfluxDB.URL = []string{"Authorization: another"}, "http://db"
		s, err := shape.OpenSettings(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		if changed, err := s.Changed(&now, "h", false); err != nil || len(changed) == 0 {
			t.Errorf("%s: Changed = %q, %v", name, changed, err)
		}
		got := s.InForce(&now, func(*config.Config) (string, error) { return "h", nil })
		want := was
		want.InfluxDB.Headers, want.InfluxDB.URL = now.InfluxDB.Headers, now.InfluxDB.URL
		if got == nil || len(config.Changed(got, &want)) > 0 || !reflect.DeepEqual(got.Sources, want.Sources) {
			t.Fatalf("%s: InForce = %+v, want %+v", name, got, want)
		}
		if text, err := h.dir.Read("shaping.json"); err != nil || strings.Contains(string(text), "secret") {
			t.Errorf("%s: shaping.json is %s, %v", name, text, err)
		}
	}
}
