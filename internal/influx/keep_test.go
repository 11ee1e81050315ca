package influx_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
)

const day = 24 * time.Hour

// keeping is a client of a database with retention.
func keeping(t *testing.T, at, database, policy string, raw, rollups time.Duration, log *bytes.Buffer) *influx.Client {
	return newClient(t, at, func(c *influx.Config) {
		c.Database, c.RetentionPolicy, c.Keep = database, policy, influx.Keep{Raw: raw, Rollups: rollups}
		if rollups != 0 {
			c.Keep.RollupsPolicy = "tailflux_rollups"
		}
		c.Log = slog.New(slog.NewTextHandler(log, nil))
	})
}

// policies is what is there, as "name duration shards", the default one with a star.
func policies(t *testing.T, db *influxdtest.Server, database string) (all []string) {
	t.Helper()
	series, err := db.Query(t.Context(), "", fmt.Sprintf("SHOW RETENTION POLICIES ON %q", database))
	if err != nil {
		return []string{err.Error()}
	}
	for _, s := range series {
		for _, row := range s.Values {
			text := fmt.Sprintf("%v %v %v", row[0], row[1], row[2])
			if row[4] == true {
				text += " *"
			}
			all = append(all, strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(text))
		}
	}
	return all
}

func TestRetentionPolicies(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	var log bytes.Buffer
	t.Run("in a new database", func(t *testing.T) {
		for name, tt := range map[string]struct {
			policy       string
			raw, rollups time.Duration
			want         []string
		}{
			"both":               {"", 7 * day, 730 * day, []string{"tailflux_raw 168h 24h *", "tailflux_rollups 17520h 168h"}},
			"raw alone":          {"", 36 * time.Hour, 0, []string{"tailflux_raw 36h 1h *"}},
			"rollups alone":      {"", 0, 30 * day, []string{"tailflux_raw 0s 168h *", "tailflux_rollups 720h 24h"}},
			"for ever":           {"", influx.Forever, influx.Forever, []string{"tailflux_raw 0s 168h *", "tailflux_rollups 0s 168h"}},
			"named":              {"two weeks", 14 * day, 730 * day, []string{"tailflux_made 336h 24h", "tailflux_rollups 17520h 168h", "two weeks 336h 24h *"}},
			"named, raw alone":   {`a "b"`, 90 * time.Minute, 0, []string{"tailflux_made 1h30m 1h", `a "b" 1h30m 1h *`}},
			"named by its name":  {"tailflux_raw", 7 * day, 0, []string{"tailflux_raw 168h 24h *"}},
			"nothing configured": {"", 0, 0, []string{"autogen 0s 168h *"}},
		} {
			log.Reset()
			c := keeping(t, db.URL(), name, tt.policy, tt.raw, tt.rollups, &log)
			for range 2 { // the second time there is nothing to do
				if err := prepare(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, policies(t, db, name)); diff != "" {
				t.Errorf("%s: policies (-want +got):\n%s", name, diff)
			}
			if all, err := c.Differences(t.Context()); err != nil || len(all) > 0 || strings.Contains(log.String(), "level=WARN") {
				t.Errorf("%s: differences %v, %v\n%s", name, all, err, &log)
			}
		}
	})

	t.Run("in a database of somebody else", func(t *testing.T) {
		for name, tt := range map[string]struct {
			make    []string
			policy  string
			reasons []string
		}{
			"plain": {[]string{`CREATE DATABASE "plain"`}, "", []string{
				`retention.raw is 7d, and retention policy "autogen" of database "plain", where points of lines go, keeps points for ever`,
				`retention.rollups is 2y, and database "plain" has no retention policy "tailflux_rollups": rollups go to "autogen", which keeps points for ever`,
			}},
			"shorter": {[]string{`CREATE DATABASE "shorter" WITH DURATION 1d NAME "day"`}, "", []string{
				`retention.raw is 7d, and retention policy "day" of database "shorter", where points of lines go, keeps points for 1d`,
				`retention.rollups is 2y, and database "shorter" has no retention policy "tailflux_rollups": rollups go to "day", which keeps points for 1d`,
			}},
			"alike": {[]string{`CREATE DATABASE "alike" WITH DURATION 7d NAME "week"`}, "week", []string{
				`retention.rollups is 2y, and database "alike" has no retention policy "tailflux_rollups": rollups go to "week", which keeps points for 7d`,
			}},
			"no such policy": {[]string{`CREATE DATABASE "no such policy"`}, "week", []string{
				`retention.raw is 7d, and database "no such policy" has no retention policy "week", where points of lines should go`,
				`retention.rollups is 2y, and database "no such policy" has no retention policy "tailflux_rollups"`,
			}},
			"of that name": {[]string{`CREATE DATABASE "of that name" WITH DURATION 7d`, `CREATE RETENTION POLICY tailflux_rollups ON "of that name" DURATION 30d REPLICATION 1`}, "", []string{
				`retention.rollups is 2y, and retention policy "tailflux_rollups" of database "of that name", where rollups go, keeps points for 30d`,
			}},
			"altered": {[]string{`CREATE DATABASE "altered" WITH DURATION 7d NAME tailflux_raw`, `CREATE RETENTION POLICY tailflux_rollups ON "altered" DURATION 730d REPLICATION 1`, `ALTER RETENTION POLICY tailflux_raw ON "altered" DURATION 1h SHARD DURATION 1h`}, "", []string{
				`retention.raw is 7d, and retention policy "tailflux_raw" of database "altered", where points of lines go, keeps points for 1h`,
			}},
		} {
			for _, q := range tt.make {
				mustQuery(t, db, "", q)
			}
			log.Reset()
			before := policies(t, db, name)
			c := keeping(t, db.URL(), name, tt.policy, 7*day, 730*day, &log)
			if err := prepare(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			_ = c.Probe(t.Context())
			_ = c.Write(t.Context(), [][]byte{[]byte("m v=1i\n")})
			if diff := cmp.Diff(before, policies(t, db, name)); diff != "" {
				t.Errorf("%s: policies changed (-before +after):\n%s", name, diff)
			}
			all, err := c.Differences(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var reasons []string
			for _, is := range all {
				reasons = append(reasons, is.Reason)
				if !strings.Contains(log.String(), is.Remedy[:20]) {
					t.Errorf("%s: not in the log:\n%s", name, &log)
				}
			}
			if diff := cmp.Diff(tt.reasons, reasons); diff != "" {
				t.Errorf("%s: differences (-want +got):\n%s", name, diff)
			}
			if n := strings.Count(log.String(), "points are not kept as retention says"); n != len(reasons) {
				t.Errorf("%s: said %d times, want %d\n%s", name, n, len(reasons), &log)
			}
			// The remedies are one.
			for _, is := range all {
				statement, _, _ := strings.Cut(strings.ReplaceAll(is.Remedy, ",", ";"), ";")
				mustQuery(t, db, "", statement)
			}
			if all, err := c.Differences(t.Context()); err != nil || len(all) > 0 {
				t.Errorf("%s: differences after the remedies: %v, %v", name, all, err)
			}
		}
	})

	t.Run("rollups go where they can", func(t *testing.T) {
		at := time.Now().UnixNano()
		mustQuery(t, db, "", `CREATE DATABASE theirs`)
		for name, want := range map[string]string{"theirs": "autogen", "ours": "tailflux_rollups"} {
			c := keeping(t, db.URL(), name, "", 7*day, 730*day, &log)
			if err := prepare(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if err := c.Policy("tailflux_rollups").Write(t.Context(), [][]byte{fmt.Appendf(nil, "site,source=web requests=1i %d\n", at)}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if n, err := db.Query(t.Context(), name, "SELECT * FROM "+want+".site"); err != nil || len(n) != 1 {
				t.Errorf("%s: nothing in %s: %v, %v", name, want, n, err)
			}
			// Whoever only reads finds them there.
			reader := keeping(t, db.URL(), name, "", 7*day, 730*day, &log)
			deltas, err := reader.Deltas(t.Context(), influx.Rollup{Measurement: "site", RetentionPolicy: "tailflux_rollups", Fields: []string{"requests"}, Source: "web"}, at-100, at+100)
			if err != nil || len(deltas) != 1 || deltas[0].Fields[0] != 1 {
				t.Errorf("%s: Deltas = %v, %v", name, deltas, err)
			}
		}
	})

	t.Run("dropped while it runs", func(t *testing.T) {
		c := keeping(t, db.URL(), "gone", "", 7*day, 730*day, &log)
		if err := prepare(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for _, drop := range []string{"DROP DATABASE gone", "DROP RETENTION POLICY tailflux_rollups ON gone"} {
			mustQuery(t, db, "", drop)
			rollups := [][]byte{[]byte("site requests=1i\n")}
			if err := c.Policy("tailflux_rollups").Write(t.Context(), rollups); err == nil {
				t.Errorf("after %s: Write = nil", drop)
			}
			if err := c.Policy("tailflux_rollups").Write(t.Context(), rollups); err != nil {
				t.Errorf("after %s: the second Write = %v", drop, err)
			}
			if diff := cmp.Diff([]string{"tailflux_raw 168h 24h *", "tailflux_rollups 17520h 168h"}, policies(t, db, "gone")); diff != "" {
				t.Errorf("after %s: policies (-want +got):\n%s", drop, diff)
			}
		}
		mustQuery(t, db, "", "DROP DATABASE gone")
		if err := c.Probe(t.Context()); err == nil || len(policies(t, db, "gone")) != 2 {
			t.Errorf("Probe = %v, policies %v", err, policies(t, db, "gone"))
		}
		// One that somebody else makes in its place is theirs.
		mustQuery(t, db, "", "DROP DATABASE gone")
		mustQuery(t, db, "", "CREATE DATABASE gone")
		if err := c.Policy("tailflux_rollups").Write(t.Context(), [][]byte{[]byte("site requests=1i\n")}); err == nil {
			t.Error("Write to a policy that is gone = nil")
		}
		if err := c.Policy("tailflux_rollups").Write(t.Context(), [][]byte{[]byte("site requests=1i\n")}); err != nil {
			t.Errorf("Write then = %v", err)
		}
		if diff := cmp.Diff([]string{"autogen 0s 168h *"}, policies(t, db, "gone")); diff != "" {
			t.Errorf("policies (-want +got):\n%s", diff)
		}
	})
}

// Killed before or after any statement, whoever it is, the next start has the policies, and
// without a change of what is there.
func TestRetentionAfterAKill(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{})
	var log bytes.Buffer
	for policy, want := range map[string][]string{
		"":     {"tailflux_raw 168h 24h *", "tailflux_rollups 17520h 168h"},
		"week": {"tailflux_made 168h 24h", "tailflux_rollups 17520h 168h", "week 168h 24h *"},
	} {
		for passed := range len(want) + 1 {
			for _, how := range []string{"before the statement", "after the statement", "with influxd"} {
				name := fmt.Sprintf("killed %s %s %d", policy, how, passed)
				ctx, kill := context.WithCancel(t.Context())
				creates, gone := 0, make(chan struct{})
				at := onQuery(t, db.URL(), func(statement string, forward func()) {
					if !strings.HasPrefix(statement, "CREATE") {
						forward()
						return
					}
					last := creates == passed
					if creates++; !last {
						forward()
						return
					}
					if how != "before the statement" {
						forward()
					}
					kill() // the client never learns what became of it
					if how == "with influxd" {
						db.Kill()
						close(gone)
					}
				})
				_ = prepare(ctx, keeping(t, at, name, policy, 7*day, 730*day, &log))
				kill()
				if creates != min(passed+1, len(want)) {
					t.Errorf("%s: %d statements were sent", name, creates)
				}
				if how == "with influxd" && creates > passed {
					<-gone
					if err := db.Restart(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				c := keeping(t, db.URL(), name, policy, 7*day, 730*day, &log)
				if err := prepare(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, policies(t, db, name)); diff != "" {
					t.Errorf("%s: policies (-want +got):\n%s", name, diff)
				}
			}
		}
	}
}

// A user who may not create, or not even ask, and stores that have no policies: it is said, and
// rollups go where they can.
func TestRetentionWithoutTheRight(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Username: "admin", Password: password})
	for _, q := range []string{
		"CREATE DATABASE having", "CREATE RETENTION POLICY tailflux_rollups ON having DURATION 730d REPLICATION 1", "CREATE DATABASE without",
		fmt.Sprintf("CREATE USER writer WITH PASSWORD '%s'", password), "GRANT WRITE ON having TO writer", "GRANT WRITE ON without TO writer",
		fmt.Sprintf("CREATE USER both WITH PASSWORD '%s'", password), "GRANT ALL ON having TO both", "GRANT ALL ON without TO both",
	} {
		mustQuery(t, db, "", q)
	}
	for _, user := range []string{"writer", "both"} {
		for name, want := range map[string]string{"having": "tailflux_rollups", "without": "autogen", "none": ""} {
			var log bytes.Buffer
			c := newClient(t, db.URL(), func(c *influx.Config) {
				c.Database, c.Username, c.Password = name, user, password
				c.Keep = influx.Keep{Raw: 7 * day, Rollups: 730 * day, RollupsPolicy: "tailflux_rollups"}
				c.Log = slog.New(slog.NewTextHandler(&log, nil))
			})
			if err := prepare(t.Context(), c); err != nil {
				t.Errorf("%s in %s: Prepare = %v", user, name, err)
			}
			err := c.Policy("tailflux_rollups").Write(t.Context(), [][]byte{[]byte("site,user=" + user + " requests=1i\n")})
			if (err == nil) != (want != "") {
				t.Errorf("%s in %s: Write = %v", user, name, err)
			}
			if all, err := db.Query(t.Context(), name, fmt.Sprintf("SELECT * FROM %s.site WHERE \"user\" = '%s'", want, user)); want != "" && (err != nil || len(all) != 1) {
				t.Errorf("%s in %s: nothing is in %s: %v, %v", user, name, want, all, err)
			}
			for text, says := range map[string]bool{
				"cannot compare retention": user == "writer" || name == "none", "points are not kept as retention says": user == "both" && name != "none",
			} {
				if strings.Contains(log.String(), text) != says {
					t.Errorf("%s in %s: said %q: %v\n%s", user, name, text, !says, &log)
				}
			}
		}
	}
}

func TestRetentionOfOtherStores(t *testing.T) {
	for name, tt := range map[string]struct{ version, answer string }{
		"VictoriaMetrics": {"", `{"results":[{"name":"databases","columns":["name"],"values":[["_internal"]]}]}`},
		"InfluxDB 2":      {"v2.7.1", `{"results":[{"statement_id":0,"error":"not implemented: CREATE DATABASE"}]}`},
		"InfluxDB 3":      {"3.1.0", `{"error":"not found"}`},
		"a gateway":       {"", `{"results":[{"statement_id":0}]}`},
	} {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if tt.version != "" {
				w.Header().Set("X-Influxdb-Version", tt.version)
			}
			switch {
			case r.URL.Path == "/query":
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.answer)
			case r.URL.Query().Get("rp") != "":
				w.WriteHeader(http.StatusNotFound)
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		})
		var log bytes.Buffer
		c := keeping(t, s.URL, "db", "", 7*day, 730*day, &log)
		for range 2 {
			if err := prepare(t.Context(), c); err != nil {
				t.Errorf("%s: Prepare = %v", name, err)
			}
			if err := c.Policy("tailflux_rollups").Write(t.Context(), pieces(7)); err != nil {
				t.Errorf("%s: Write = %v", name, err)
			}
		}
		if !strings.Contains(log.String(), "retention is not used") {
			t.Errorf("%s: nothing is said of retention:\n%s", name, &log)
		}
		if n := strings.Count(log.String(), "rollups go where points of lines do"); n > 1 || (n == 1) != (name != "VictoriaMetrics") {
			t.Errorf("%s: it is said %d times where rollups go:\n%s", name, n, &log)
		}
		for _, asked := range s.asked() {
			if strings.Contains(asked, "RETENTION") || strings.Contains(asked, "WITH") {
				t.Errorf("%s was asked %s", name, asked)
			}
		}
	}
}

// A proxy that has no way to the server for a moment, and a database that is gone for one, do
// not take the policy away, whichever question is the first that gets through.
func TestRollupsStayInTheirPolicy(t *testing.T) {
	for _, version := range []string{"", "1.8.10", "v2.7.1"} {
		for _, answer := range []string{"404 page not found\n", `{"error":"database not found: \"db\""}`, `{"code":"not found","message":"no dbrp mapping found"}`} {
			for away := range 12 {
				left := 0
				s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Influxdb-Version", version)
					switch left--; {
					case left >= 0:
						w.WriteHeader(http.StatusNotFound)
						_, _ = io.WriteString(w, answer)
					case r.URL.Path == "/query":
						w.Header().Set("Content-Type", "application/json")
						w.WriteHeader(http.StatusForbidden)
						_, _ = io.WriteString(w, `{"error":"it may write and nothing else"}`)
					default:
						w.WriteHeader(http.StatusNoContent)
					}
				})
				var log bytes.Buffer
				c := keeping(t, s.URL, "db", "", 7*day, 730*day, &log)
				if err := prepare(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				left = away
				if err := c.Policy("tailflux_rollups").Write(t.Context(), pieces(7)); (err != nil) != (away > 0) {
					t.Errorf("%s, away for %d requests: Write = %v", answer, away, err)
				}
				left = 0
				if err := c.Policy("tailflux_rollups").Write(t.Context(), pieces(7)); err != nil || !strings.Contains(s.last().uri, "rp=tailflux_rollups") {
					t.Errorf("%s, away for %d requests: then Write = %v, to %s", answer, away, err, s.last().uri)
				}
				if strings.Contains(log.String(), "rollups go where points of lines do") {
					t.Errorf("%s, away for %d requests: said %s", answer, away, &log)
				}
			}
		}
	}
}

// onQuery stands in front of a server, and has each statement handled.
func onQuery(t *testing.T, target string, handle func(statement string, forward func())) string {
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := newServer(t, func(http.ResponseWriter, *http.Request) {})
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/query" {
			proxy.ServeHTTP(w, r)
			return
		}
		// It goes on when the client is gone, as a server does.
		handle(r.URL.Query().Get("q"), func() { proxy.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context()))) })
	})
	return s.URL
}
