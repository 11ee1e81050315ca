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
		"no user":          {func(c *influx.Config) { c.Username, c.Password = "", "" }, "wants a user: unable to parse authentication credentials (influxdb.username and influxdb.password_file, or influxdb.token_file)"},
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

// Only what acknowledges points, or is InfluxDB's word that there are none, says that points
// could be written.
func TestProbeOfOtherServers(t *testing.T) {
	const none, page, proxy = `{"code":"invalid","message":"writing requires points"}`, "<html>Bad Request</html>", "Client sent an HTTP request to an HTTPS server.\n"
	for _, tt := range []struct {
		status        int
		body, version string
		up            bool
	}{
		{204, "", "", true},
		{400, none, "", true},
		{422, none, "", true},
		{400, `{"error":"no lines"}` + "\n", "", true},
		{400, "no lines", "1.9.0", true},
		{400, `{"error":"partial write: dropped=0"}`, "", true},
		{206, `{"code":"invalid","message":"partial write has occurred"}`, "", true},
		{400, "unable to parse '': missing measurement", "", true},
		{200, none, "", false},
		{200, "hi", "", false},
		{200, "hi", "1.8.10", false},
		{201, none, "", true}, // of InfluxDB 2 that is a refusal
		{201, "", "", false},
		{202, "", "", false},
		{301, "", "", false},
		{400, page, "", false},
		{400, proxy, "", false},
		{400, "", "", false},
		{400, "{hi}", "", false},
		{422, "no", "", false},
		{401, none, "", false},
		{403, none, "", false},
		{404, none, "", false},
		{405, none, "", false},
		{408, none, "", false},
		{411, none, "", false},
		{413, none, "", false},
		{415, none, "", false},
		{429, none, "", false},
		{500, none, "", false},
		{503, none, "", false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); len(body) > 0 || r.Method != http.MethodPost {
				t.Errorf("%s of %q", r.Method, body)
			}
			if tt.version != "" {
				w.Header().Set("X-Influxdb-Version", tt.version)
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		}))
		err := newClient(t, server.URL, nil).Probe(t.Context())
		var answer *influx.AnswerError
		if (err == nil) != tt.up || err != nil && !errors.As(err, &answer) {
			t.Errorf("Probe answered with %d %q = %v, want up %t", tt.status, tt.body, err, tt.up)
		}
		// What it says of a store does not differ from what a write to it does.
		if verdict := influx.VerdictOf(err); err != nil && (verdict == influx.Refused || verdict == influx.OutOfTime) {
			t.Errorf("Probe answered with %d %q = %v, whose verdict is %v", tt.status, tt.body, err, verdict)
		}
		server.Close()
	}
}
