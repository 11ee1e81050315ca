package influx_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
)

// What is wrong with address, user, database or retention policy is known without a point,
// and the answer names the key.
func TestProbe(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Username: "admin", Password: "right"})
	for name, tt := range map[string]struct {
		change func(*influx.Config)
		says   string // "" is that all is well
	}{
		"all is well":      {func(*influx.Config) {}, ""},
		"no user":          {func(c *influx.Config) { c.Username, c.Password = "", "" }, "wants a user: unable to parse authentication credentials (influxdb.username, influxdb.password_file)"},
		"wrong user":       {func(c *influx.Config) { c.Username = "adnim" }, `refuses user "adnim": authorization failed (influxdb.username, influxdb.password_file)`},
		"wrong password":   {func(c *influx.Config) { c.Password = "wrong" }, `refuses user "admin": authorization failed (influxdb.username, influxdb.password_file)`},
		"name of a path":   {func(c *influx.Config) { c.Database = "a/b" }, `database not found: "a/b" (influxdb.database)`},
		"name of dots":     {func(c *influx.Config) { c.Database = ".." }, `database not found: ".." (influxdb.database)`},
		"no such policy":   {func(c *influx.Config) { c.RetentionPolicy = "week" }, "retention policy not found: week (influxdb.retention_policy)"},
		"URL of /write":    {func(c *influx.Config) { c.URL += "/write" }, "influxdb.url must not end in /write"},
		"nobody":           {func(c *influx.Config) { c.URL = "http://127.0.0.1:1" }, "no InfluxDB at http://127.0.0.1:1 (influxdb.url): connection refused"},
		"database is made": {func(c *influx.Config) { c.Database = "made" }, `database not found: "made"`},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, db.URL(), func(c *influx.Config) {
				c.Username, c.Password, c.Database = "admin", "right", "nginx"
				tt.change(c)
			})
			if name == "all is well" || name == "no such policy" {
				if err := c.CreateDatabase(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			err := c.Probe(t.Context())
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Probe = %v, want %q", err, tt.says)
			}
			if err != nil && influx.VerdictOf(err) != influx.Retry {
				t.Errorf("the verdict on %v is %v", err, influx.VerdictOf(err))
			}
			if name == "database is made" {
				if err := c.Probe(t.Context()); err != nil {
					t.Errorf("the second Probe = %v", err)
				}
			}
		})
	}
}

// An answer that is only about there being no points says that points could be written.
func TestProbeOfOtherServers(t *testing.T) {
	for status, up := range map[int]bool{
		200: true, 204: true, 400: true, 411: true, 422: true, 301: false, 401: false, 403: false, 404: false, 429: false, 500: false, 503: false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); len(body) > 0 || r.Method != http.MethodPost {
				t.Errorf("%s of %q", r.Method, body)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"code":"invalid","message":"writing requires points"}`)
		}))
		err := newClient(t, server.URL, nil).Probe(t.Context())
		var answer *influx.AnswerError
		if (err == nil) != up || err != nil && !errors.As(err, &answer) {
			t.Errorf("Probe answered with %d = %v, want up %t", status, err, up)
		}
		server.Close()
	}
}
