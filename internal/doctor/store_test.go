package doctor_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/doctor"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// What a real InfluxDB with users and small limits answers.
func TestInfluxDB(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{
		Username: "admin", Password: "secret",
		Config: map[string]any{"data.max-series-per-database": 400, "data.max-values-per-tag": 300, "data.index-version": "inmem"},
	})
	for _, q := range []string{
		"CREATE DATABASE nginx", "CREATE USER reader WITH PASSWORD 'secret'", "GRANT READ ON nginx TO reader", "CREATE USER writer WITH PASSWORD 'secret'", "GRANT WRITE ON nginx TO writer",
		"CREATE DATABASE made WITH DURATION 7d NAME tailflux_raw",
		"CREATE USER both WITH PASSWORD 'secret'", "GRANT ALL ON nginx TO both", "CREATE DATABASE short WITH DURATION 1h",
	} {
		if _, err := db.Query(t.Context(), "", q); err != nil {
			t.Fatal(err)
		}
	}
	as := func(user string) func(*clinic) {
		return func(c *clinic) {
			c.write(c.dir+"/password", "secret\n")
			c.must(os.Chmod(c.dir+"/password", 0o600))
			c.own(c.dir + "/password")
			c.opts.Config.InfluxDB.Username, c.opts.Config.InfluxDB.PasswordFile = user, c.dir+"/password"
		}
	}
	with := func(user string, more func(*clinic)) func(*clinic) {
		return func(c *clinic) {
			as(user)(c)
			more(c)
		}
	}
	many := func(c *clinic) { // each line has a path of its own
		var b strings.Builder
		for i, line := range strings.Split(strings.TrimSpace(lines(1000, time.Now(), time.Second)), "\n") {
			fmt.Fprintln(&b, strings.Replace(line, "/p/page", fmt.Sprintf("/x%c%c%c/page", 'a'+i%26, 'a'+i/26%26, 'a'+i/676), 1))
		}
		c.write(c.log, b.String())
	}
	for _, tt := range []struct {
		name  string
		harm  func(*clinic)
		wants []want
	}{
		{"well", with("both", func(c *clinic) { c.opts.Config.TagLimit = 100 }), nil},
		{"well, as admin", as("admin"), nil},
		{"no user", func(*clinic) {}, []want{{"error credentials", `wants a user: unable to parse authentication credentials (influxdb.username and influxdb.password_file, or influxdb.token_file)`, "influxdb.username"}}},
		{"an unknown user", as("somebody"), []want{{"error credentials", `refuses user "somebody": authorization failed`, "influxdb.password_file"}}},
		{"a wrong password", with("both", func(c *clinic) { c.write(c.dir+"/password", "wrong\n"); c.must(os.Chmod(c.dir+"/password", 0o600)) }), []want{{"error credentials", `refuses user "both"`, ""}}},
		{"may not write", as("reader"), []want{{"error write", `"reader" user is not authorized to write to database "nginx"`, `GRANT ALL ON "nginx" TO "reader"`}}},
		{"may not read", as("writer"), []want{{"note retention", "cannot be asked (error authorizing query: writer not authorized", "GRANT ALL"}}},
		{"no database, and it may not be created", with("both", func(c *clinic) { c.opts.Config.InfluxDB.Database = "none" }), []want{{"error database", `there is no database "none"`, `CREATE DATABASE "none"`}}},
		{"no database, and it may be created", with("admin", func(c *clinic) { c.opts.Config.InfluxDB.Database = "none" }), nil},
		{"no retention policy", with("admin", func(c *clinic) { c.opts.Config.InfluxDB.RetentionPolicy = "week" }), []want{{"error retention", `no retention policy "week"`, "leave influxdb.retention_policy empty"}}},
		{"no database, and no policy in the new one", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database, c.opts.Config.InfluxDB.RetentionPolicy = "none", "week"
		}), []want{{"error database", `created at the start, without the retention policy "week"`, "retention.raw: "}}},
		{"no retention policy of a rollup", with("writer", func(c *clinic) {
			c.opts.Config.Rollups = nil
			for _, policy := range []string{"", "autogen", "year"} {
				c.opts.Config.Rollups = append(c.opts.Config.Rollups, config.Rollup{Measurement: "m", RetentionPolicy: policy})
			}
		}), []want{{"note retention", "cannot be asked", ""}, {"error retention", `rollups[2]: database "nginx" has no retention policy "year"`, `CREATE RETENTION POLICY "year" ON "nginx" DURATION INF`}}},
		{"windows that are longer than their points are kept", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database = "short"
			c.opts.Config.Rollups = []config.Rollup{{Measurement: "a", Interval: 30 * time.Minute}, {Measurement: "b", Interval: time.Hour}, {Measurement: "c", Interval: 2 * time.Hour}, {Measurement: "d", Interval: day, RetentionPolicy: "autogen"}}
		}), []want{
			{"error retention", "rollups[1]: its windows have 60 minutes, and InfluxDB keeps its points for 60 minutes", "a shorter interval"},
			{"error retention", "rollups[2]: its windows have 2 hours", ""},
			{"error retention", "rollups[3]: its windows have 24 hours", ""},
		}},
		{"other retention than is configured", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database, c.opts.Config.Retention.Raw, c.opts.Config.Retention.Rollups = "short", 7*day, 730*day
		}), []want{
			{"warning retention", `retention.raw is 7d, and retention policy "autogen" of database "short", where points of lines go, keeps points for 1h`, `ALTER RETENTION POLICY "autogen" ON "short" DURATION 7d SHARD DURATION 1d`},
			{"warning retention", `retention.rollups is 2y, and database "short" has no retention policy "tailflux_rollups": rollups go to "autogen", which keeps points for 1h`, `CREATE RETENTION POLICY "tailflux_rollups" ON "short" DURATION 730d REPLICATION 1; then reload tailflux`},
		}},
		{"retention that is made at the start", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database, c.opts.Config.Retention.Raw, c.opts.Config.Retention.Rollups = "made", 7*day, 30*day
		}), []want{{"warning retention", `has no retention policy "tailflux_rollups"`, `CREATE RETENTION POLICY "tailflux_rollups" ON "made" DURATION 30d REPLICATION 1, which tailflux does at its start if it may`}}},
		{"retention as configured", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database, c.opts.Config.Retention.Raw = "made", 7*day
		}), nil},
		{"retention of a new database", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database, c.opts.Config.Retention.Raw, c.opts.Config.Retention.Rollups = "none", 7*day, config.Forever
		}), nil},
		{"retention that cannot be compared", with("writer", func(c *clinic) {
			c.opts.Config.Retention.Raw = 7 * day
		}), []want{{"note retention", "cannot be asked", "GRANT ALL"}}},
		{"retention of another version", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.URL = front(t, db.URL(), func(r *http.Response) { r.Header.Set("X-Influxdb-Version", "2.7.1") })
			c.opts.Config.Retention.Raw = 7 * day
		}), []want{{"warning server", "InfluxDB 2.7.1", ""}, {"note retention", "retention is not used: InfluxDB 2.7.1 is not InfluxDB 1.x", "set there"}}},
		{"older lines than are kept", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database, c.opts.Config.Sources[0].Start = "short", "beginning"
			c.write(c.log, lines(1000, time.Now(), 10*time.Second))
		}), []want{{"warning retention", "lines from 2 hours ago are to be sent, and InfluxDB keeps points for 60 minutes", "ALTER RETENTION POLICY"}}},
		{"older lines than are kept, and only new ones are sent", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.Database = "short"
			c.write(c.log, lines(1000, time.Now(), 10*time.Second))
		}), nil},
		{"more series than are allowed", with("admin", func(c *clinic) { many(c); c.opts.Config.TagLimit = 200 }), []want{{"warning series", "and InfluxDB's limit is 400 (max-series-per-database)", "(path)"}}},
		{"more values than are allowed", with("admin", func(c *clinic) { many(c) }), []want{{"warning series", "10,000 series", ""}, {"warning series", "tag path has ever new values, tag_limit lets 10,000 through, and InfluxDB's limit is 300 (max-values-per-tag)", "tag_limit: 299"}}},
		{"a clock behind", with("admin", func(c *clinic) { c.opts.Config.InfluxDB.URL = dated(t, db.URL(), -time.Hour) }), []want{{"warning clock", "60 minutes behind this machine's", "timedatectl"}}},
		{"a clock ahead", with("admin", func(c *clinic) { c.opts.Config.InfluxDB.URL = dated(t, db.URL(), 10*time.Second) }), []want{{"warning clock", "10 seconds ahead of this machine's", "timedatectl"}}},
		{"a clock nearly right", with("admin", func(c *clinic) { c.opts.Config.InfluxDB.URL = dated(t, db.URL(), 3*time.Second) }), nil},
		{"no clock", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.URL = front(t, db.URL(), func(r *http.Response) { r.Header["Date"] = nil })
		}), nil},
		{"another version", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.URL = front(t, db.URL(), func(r *http.Response) { r.Header.Set("X-Influxdb-Version", "2.7.1") })
		}), []want{{"warning server", "InfluxDB 2.7.1: InfluxDB 2 takes points at /write only for a bucket", ""}}},
		{"nobody there", func(c *clinic) { c.opts.Config.InfluxDB.URL = "http://127.0.0.1:9" }, []want{{"error server", "no InfluxDB at http://127.0.0.1:9 (influxdb.url): connection refused", "/ping"}}},
		{"a URL of /write", with("admin", func(c *clinic) { c.opts.Config.InfluxDB.URL = db.URL() + "/write" }), []want{{"error write", "must not end in /write", ""}}},
		{"out of order", with("admin", func(c *clinic) {
			c.opts.Config.InfluxDB.URL = front(t, db.URL(), func(r *http.Response) {
				if strings.HasSuffix(r.Request.URL.Path, "/write") {
					r.StatusCode, r.Body = 500, io.NopCloser(strings.NewReader(`{"error":"engine is closed"}`))
					r.ContentLength = -1
				}
			})
		}), []want{{"error write", "influxdb answered 500: engine is closed", ""}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t)
			c.opts.Config.InfluxDB.URL = db.URL()
			tt.harm(c)
			c.finds(tt.wants...)
		})
	}

	// Nothing was written, and nothing was created.
	all, err := db.Query(t.Context(), "", "SHOW DATABASES")
	if err != nil || len(all) != 1 || len(all[0].Values) != 3 {
		t.Errorf("databases: %v, %v", all, err)
	}
	for _, name := range []string{"nginx", "short"} {
		if all, err := db.Query(t.Context(), name, "SHOW MEASUREMENTS"); err != nil || len(all) > 0 {
			t.Errorf("measurements in %s: %v, %v", name, all, err)
		}
	}
}

const day = 24 * time.Hour

// What the daemon would send for ever does not pass as a store.
func TestNoStore(t *testing.T) {
	said := func(status int, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Del("X-Influxdb-Version")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	const remedy = "whose answer to a write is 204"
	for _, tt := range []struct {
		name   string
		writes func(http.ResponseWriter)
		wants  []want
	}{
		{"greets", said(200, "hi"), []want{{"error write", "influxdb answered 200: hi", remedy}}},
		{"a page", said(200, "<html>hi</html>"), []want{{"error write", "an HTML page", ""}}},
		{"takes it for later", said(202, ""), []want{{"error write", "influxdb answered 202 Accepted", remedy}}},
		{"moved", said(301, ""), []want{{"error write", "influxdb answered 301 Moved Permanently", remedy}}},
		{"speaks https", said(400, "Client sent an HTTP request to an HTTPS server.\n"), []want{{"error write", "influxdb answered 400: Client sent an HTTP request to an HTTPS server.", remedy}}},
		{"takes no POST", said(405, ""), []want{{"error write", "influxdb answered 405 Method Not Allowed", remedy}}},
		{"wants points", said(400, `{"code":"invalid","message":"writing requires points"}`), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t)
			c.writes = tt.writes
			c.finds(tt.wants...)
		})
	}
}

// dated is a server with another clock.
func dated(t *testing.T, url string, ahead time.Duration) string {
	return front(t, url, func(r *http.Response) { r.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat)) })
}

// One that does not answer costs a few seconds, once.
func TestInfluxDBHangs(t *testing.T) {
	c := newClinic(t)
	over := make(chan struct{})
	defer close(over)
	c.opts.Config.InfluxDB.URL = front(t, c.opts.Config.InfluxDB.URL, func(*http.Response) { <-over })
	var asked []string
	c.opts.Asking = func(what string) { asked = append(asked, what) }
	begun := time.Now()
	c.finds(want{"error server", "no answer from URL (influxdb.url) within 2s", ""})
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(asked) == 0 || !strings.Contains(asked[len(asked)-1], c.opts.Config.InfluxDB.URL) {
		t.Errorf("it did not say what it asked: %q", asked)
	}
}

// follow makes a checkpoint with the log delivered up to an offset, and further if it is
// given, but for a rollup.
func (c *clinic) follow(offset, settled int64) {
	c.t.Helper()
	text, err := os.ReadFile(c.log)
	c.must(err)
	log := slog.New(slog.DiscardHandler)
	dir, err := statedir.Open(c.state, log)
	c.must(err)
	defer dir.Close()
	cp, err := checkpoint.Open(dir, stats.New(time.Now()), log)
	c.must(err)
	cp.Ledger("web").Follow(c.log)
	g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
	cp.Ledger("web").Begin(flow.Position{Generation: g, Offset: offset, Line: 1}, logfile.Sum{}, logfile.File{Head: logfile.SumOf(text[:logfile.HeadBytes]), Size: int64(len(text))})
	if settled > offset {
		cp.Deliver([]string{checkpoint.Lines, checkpoint.Raw, "nginx_paths#0"})
		cp.Acknowledge(flow.Position{Generation: g, Offset: settled, Line: 2}, text[:settled])
	}
	c.must(cp.Save())
	for _, f := range statedir.Files {
		if _, err := os.Stat(dir.Path(f.Name)); err == nil {
			c.own(dir.Path(f.Name))
		}
	}
}

// What is not delivered yet is counted, in the log and in what it was rotated to.
func TestBacklog(t *testing.T) {
	hour := lines(1000, time.Now(), 4*time.Second)
	huge := strings.Repeat(hour, 900)
	for _, tt := range []struct {
		name, text, later string
		offset            int
		running           bool
		says              string
		wants             []want
		open              bool // what follows waits in open cells
	}{
		{"delivered", hour, "", len(hour), false, "LOG is delivered to its end", nil, false},
		{"half of it", hour, "", len(hour) / 2, false, "LOG: 42 kB, from 33 minutes ago, is not delivered yet", nil, false},
		{"half of it, while it runs", hour, "", len(hour) / 2, true, "", []want{{"warning backlog", "42 kB, from 33 minutes ago, of LOG is not delivered yet", "/monitor"}}, false},
		{"rotated meanwhile", hour, lines(100, time.Now(), time.Second), len(hour) / 2, true, "", []want{{"warning backlog", "50 kB, from 33 minutes ago, of LOG is", ""}}, false},
		{"the newest lines, while it runs", hour, "", len(hour) - 1000, true, "is not delivered yet", nil, false},
		{"much of it", huge, "", 0, false, "", []want{{"note backlog", "75 MB, from 66 minutes ago, of LOG is to be delivered at the next start", ""}}, false},
		{"half of it waits in open cells, while it runs", hour, "", len(hour) / 2, true, "LOG is delivered to its end", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t)
			c.write(c.log, tt.text)
			at := strings.LastIndexByte(tt.text[:tt.offset], '\n') + 1
			settled := 0
			if tt.open {
				settled = len(tt.text)
			}
			c.follow(int64(at), int64(settled))
			if tt.later != "" {
				c.must(os.Rename(c.log, c.log+".1"))
				c.write(c.log, tt.later)
			}
			c.opts.Config.Listen = ""
			if tt.running {
				lock(t, c)
			}
			c.finds(tt.wants...)
			if says := c.real(tt.says); !strings.Contains(text(c.run()), says) {
				t.Errorf("it says\n%swant %s", text(c.run()), says)
			}
		})
	}
}

// What a day takes is said for points of lines and for rollups, of which a line is in one
// point an hour.
func TestVolume(t *testing.T) {
	hourly := rollup.Definition{Measurement: "hourly", Interval: time.Hour, Tags: []string{"status"}} // with requests and body_bytes_sent
	for _, tt := range []struct {
		raw     bool
		rollups []rollup.Definition
		want    string
	}{
		{true, []rollup.Definition{hourly}, `about 1[01] kB in InfluxDB for their points, about 1[45]\d bytes for rollups\n`},
		{false, []rollup.Definition{hourly, hourly}, `of log, about (2[89]|3[01])\d bytes for rollups\n`},
		{true, nil, `about 1[01] kB in InfluxDB for their points\n`},
	} {
		c := newClinic(t)
		c.write(c.log, lines(240, time.Now(), 6*time.Minute))
		c.opts.Config.Listen, c.opts.Config.Raw, c.opts.Rollups = "", tt.raw, tt.rollups
		c.opts.Config.Rollups = nil
		for i, r := range tt.rollups {
			c.opts.Rollups[i].Measurement = fmt.Sprint(r.Measurement, i)
			c.opts.Config.Rollups = append(c.opts.Config.Rollups, config.Rollup{Measurement: c.opts.Rollups[i].Measurement, Interval: r.Interval, Tags: r.Tags})
		}
		if says := text(c.run()); !regexp.MustCompile(tt.want).MatchString(says) {
			t.Errorf("raw %t, %d rollups: want %s in\n%s", tt.raw, len(tt.rollups), tt.want, says)
		}
	}
}

// Whose rights count.
func TestWhose(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(dir+"/tailflux.service.d", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, flag, unit, dropIn string
		want                     string
		groups                   []int
	}{
		{"no unit", "", "", "", "root", nil},
		{"the unit's", "", "[Service]\nExecStart=/usr/bin/tailflux run\nUser=www-data\nSupplementaryGroups=adm\n", "", "www-data", []int{4}},
		{"the drop-in's", "", "[Service]\nUser=www-data\n", "[Service]\nUser=nobody\n", "nobody", nil},
		{"a flag", "nobody", "[Service]\nUser=www-data\n", "", "nobody", nil},
		{"a unit without a user", "", "[Service]\n", "", "root", nil},
		{"a dynamic one", "", "[Service]\nDynamicUser=yes\nSupplementaryGroups=adm\n", "", "tailflux", []int{4}},
		{"one that is not there", "", "[Service]\nUser=no-such-user\n", "", "root", nil},
	} {
		os.RemoveAll(dir + "/tailflux.service.d")
		os.Remove(dir + "/tailflux.service")
		if tt.unit != "" {
			write("tailflux.service", tt.unit)
			write("tailflux.service.d/user.conf", tt.dropIn)
		}
		u, err := doctor.Whose(tt.flag, doctor.FindUnit([]string{dir}))
		if err != nil || u.Name != tt.want {
			t.Errorf("%s: %+v, %v, want %s", tt.name, u, err, tt.want)
		}
		for _, group := range tt.groups {
			if !strings.Contains(fmt.Sprint(u.Groups), fmt.Sprint(group)) {
				t.Errorf("%s: groups %v, want %d among them", tt.name, u.Groups, group)
			}
		}
	}
}

// A password that systemd hands over is not there while the service does not run.
func TestCredentials(t *testing.T) {
	asRoot(t)
	c := newClinic(t)
	password := c.dir + "/password"
	c.write(password, "secret\n")
	c.must(os.Chmod(password, 0o600))
	c.write(c.dir+"/tailflux.service", "[Service]\nExecStart=/usr/bin/tailflux run --config "+c.conf+"\nUser=nobody\nLoadCredential=influxdb-password:"+password+"\n")
	c.opts.Unit = doctor.FindUnit([]string{c.dir})
	c.opts.Config.InfluxDB.Username, c.opts.Config.InfluxDB.PasswordFile = "u", "/run/credentials/tailflux.service/influxdb-password"
	handed := c.opts.Unit.HandOver(c.opts.Config)
	if handed.InfluxDB.PasswordFile != password || c.opts.Config.InfluxDB.PasswordFile == password {
		t.Fatalf("HandOver = %+v", handed.InfluxDB)
	}
	c.opts.Config = handed
	c.finds()
	c.opts.Config.InfluxDB.PasswordFile = "/run/credentials/tailflux.service/other"
	if handed := c.opts.Unit.HandOver(c.opts.Config); handed.InfluxDB.PasswordFile != "/run/credentials/tailflux.service/other" {
		t.Errorf("HandOver = %+v", handed.InfluxDB)
	}
}

func TestUnit(t *testing.T) {
	for _, tt := range []struct {
		name, unit string
		wants      []want
	}{
		{"fits", "User=USER\nProtectSystem=strict\nReadWritePaths=-/srv STATE\n", nil},
		{"a read-only state_dir", "User=USER\nProtectSystem=strict\nStateDirectory=tailflux\n", []want{{"error unit", "ProtectSystem=strict of DIR/tailflux.service makes state_dir STATE read-only", "ReadWritePaths=STATE"}}},
		{"no /tmp", "User=USER\nPrivateTmp=yes\n", []want{{"error unit", "PrivateTmp= of DIR/tailflux.service hides LOG", "PrivateTmp=no"}}},
		{"another configuration", "ExecStart=/usr/bin/tailflux run --config /etc/other.yaml\nPrivateTmp=yes\n", nil},
		{"no such user", "User=no-such-user\n", []want{{"error user", "there is no user no-such-user (User= of DIR/tailflux.service)", "useradd --system --user-group no-such-user"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t)
			if tt.name == "no such user" {
				c.opts.User = doctor.Self()
			}
			unit := tt.unit
			if !strings.Contains(unit, "ExecStart") {
				unit = "ExecStart=/usr/bin/tailflux run --config " + c.conf + "\n" + unit
			}
			c.write(c.dir+"/tailflux.service", "[Service]\n"+c.real(unit))
			c.opts.Unit = doctor.FindUnit([]string{c.dir})
			c.finds(tt.wants...)
		})
	}
}

// Who is not root looks with his own rights, and is told so.
func TestDaemonOfAnotherUser(t *testing.T) {
	const there = "TAILFLUX_TEST_AS_NOBODY"
	if secret := os.Getenv(there); secret != "" {
		c := newClinic(t)
		c.opts.Unit = doctor.Unit{File: "/x/tailflux.service", User: "root", Config: "/x.yaml"}
		c.must(os.Chmod(c.log, 0))
		c.rotate = "# none\n"
		c.finds(
			want{"note user", "the daemon runs as root (User= of /x/tailflux.service), and you are nobody", "sudo tailflux check looks as root"},
			want{"error file", "LOG: \"nobody\" may not read it (---------- nobody nogroup)", ""},
			want{"note logrotate", "", ""},
		)
		c.opts.Config.Sources[0].Path = secret
		if all := doctor.Logs(c.opts.Config); len(all) != 1 || !strings.Contains(all[0].Reason, "\"nobody\" may not read it (-rw-r----- root adm)") || !strings.Contains(all[0].Remedy, "usermod -aG adm nobody") {
			t.Errorf("Logs = %+v", all)
		}
		if _, err := doctor.Whose("root", doctor.Unit{}); err == nil || !strings.Contains(err.Error(), "sudo tailflux check --user root") {
			t.Errorf("Whose(root) = %v", err)
		}
		return
	}
	asRoot(t)
	c := newClinic(t)
	text, err := os.ReadFile(os.Args[0])
	c.must(err)
	program := c.dir + "/test"
	c.must(os.WriteFile(program, text, 0o755))
	c.must(os.Mkdir(c.dir+"/tmp", 0o755))
	c.own(c.dir + "/tmp")
	c.must(os.Chown(c.log, 0, 4))
	c.must(os.Chmod(c.log, 0o640))
	child := exec.Command(program, "-test.run=^TestDaemonOfAnotherUser$")
	child.Env = []string{there + "=" + c.log, "TMPDIR=" + c.dir + "/tmp"}
	child.Dir = c.dir
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(c.opts.User.UID), Gid: uint32(c.opts.User.GID)}}
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	provoked["note user"] = true
}

// To look as another user changes nothing for anybody else in this process.
func TestRightsAreTheThreadsOwn(t *testing.T) {
	asRoot(t)
	c := newClinic(t)
	secret := c.dir + "/secret"
	c.write(secret, "x")
	c.must(os.Chmod(secret, 0))
	for range 20 {
		c.run()
		done := make(chan error)
		for range 8 {
			go func() {
				_, err := os.ReadFile(secret)
				done <- err
			}()
		}
		for range 8 {
			if err := <-done; err != nil || os.Geteuid() != 0 {
				t.Fatalf("%v, user %d", err, os.Geteuid())
			}
		}
	}
}
