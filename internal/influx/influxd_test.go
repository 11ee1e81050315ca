package influx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/influxdata/influxdb1-client/models"

	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/lineproto"
)

func checkCount(t *testing.T, db *influxdtest.Server, database string, want int64) {
	t.Helper()
	n, err := db.Count(t.Context(), database, "m", "")
	if err != nil {
		t.Fatal(err)
	}
	if n != want {
		t.Errorf("%s has %d points, want %d", database, n, want)
	}
}

func mustQuery(t *testing.T, db *influxdtest.Server, database, query string) []influxdtest.Series {
	t.Helper()
	series, err := db.Query(t.Context(), database, query)
	if err != nil {
		t.Fatal(err)
	}
	return series
}

func TestInfluxDB(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Config: map[string]any{"http.max-body-size": 4 << 20}})
	t.Run("database", func(t *testing.T) { testDatabase(t, db) })
	t.Run("database names", func(t *testing.T) { testDatabaseNames(t, db) })
	t.Run("one second", func(t *testing.T) { testOneSecond(t, db) })
	t.Run("what is stored", func(t *testing.T) { testStored(t, db) })
	t.Run("refused", func(t *testing.T) { testRefused(t, db) })
	t.Run("timestamps", func(t *testing.T) { testTimestamps(t, db) })
	t.Run("retention", func(t *testing.T) { testRetention(t, db) })
}

// A database that is missing, at the start or later, is made.
func testDatabase(t *testing.T, db *influxdtest.Server) {
	c := newClient(t, db.URL(), nil)
	body := [][]byte{[]byte("m v=1i 1\n"), []byte("m v=2i 2\n")}
	write := func(want int) {
		t.Helper()
		err := c.Write(t.Context(), body)
		if want == 204 {
			if err != nil {
				t.Errorf("Write = %v, want nil", err)
			}
			return
		}
		if got := answerOf(t, err).Status; got != want {
			t.Errorf("Write = %v, want %d", err, want)
		}
	}
	write(404)
	write(204)
	mustQuery(t, db, "", `DROP DATABASE db`)
	write(404)
	write(204)
	checkCount(t, db, "db", 2)
	mustQuery(t, db, "", `DROP DATABASE db`)
	for range 2 { // it may be there
		if err := prepare(t.Context(), c); err != nil {
			t.Errorf("Prepare = %v", err)
		}
	}
	write(204)
	checkCount(t, db, "db", 2)
}

func testDatabaseNames(t *testing.T, db *influxdtest.Server) {
	for _, name := range []string{"a b", `a"b`, "ä&=?#%", "a;DROP DATABASE db", "a'b"} {
		c := newClient(t, db.URL(), func(c *influx.Config) { c.Database = name })
		if err := c.CreateDatabase(t.Context()); err != nil {
			t.Errorf("CreateDatabase of %q = %v", name, err)
			continue
		}
		if err := c.Write(t.Context(), [][]byte{[]byte("m v=1i 1\n")}); err != nil {
			t.Errorf("Write to %q = %v", name, err)
		}
		checkCount(t, db, name, 1)
	}
}

// 20,000 points of one series and one second are 20,000 points, since their
// stamps differ below the second; and written again, they are the same ones.
func testOneSecond(t *testing.T, db *influxdtest.Server) {
	const second, n = 1_795_168_800_000_000_000, 20_000
	var body []byte
	for i := range int64(n) {
		body = fmt.Appendf(body, "m,host=a,source=web v=%di %d\n", i, second+i)
	}
	for _, zip := range []bool{false, true} {
		c := newClient(t, db.URL(), func(c *influx.Config) { c.Database, c.Gzip = "second", zip })
		if err := prepare(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		half := len(body) / 2 // somewhere in a point
		if err := c.Write(t.Context(), [][]byte{body[:half], body[half:]}); err != nil {
			t.Fatal(err)
		}
		checkCount(t, db, "second", n)
	}
	sum := mustQuery(t, db, "second", "SELECT SUM(v), MIN(v), MAX(v) FROM m")[0].Values[0][1:]
	want := []any{json.Number("199990000"), json.Number("0"), json.Number("19999")}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("sum, min and max, -want +got:\n%s", diff)
	}
}

// What the official client's parser reads is what the server stores.
func testStored(t *testing.T, db *influxdtest.Server) {
	const stamp = 1_795_168_800_000_000_042
	tags := map[string]string{
		"host":   "web 1,a=b",
		"method": `G\E\T`,
		"path":   `/ä/€/ with space,comma=equals"quote`,
		"trail":  `back\slash at the end\`,
		"bytes":  "\xff\x00\n\x7f",
	}
	var p []byte
	p = lineproto.AppendMeasurement(p, "nginx access,x")
	for _, key := range []string{"bytes", "host", "method", "path", "trail"} {
		p = lineproto.AppendTag(p, lineproto.TagPrefix(key), []byte(tags[key]))
	}
	p = append(p, " big=9223372036854775807i,small=-9223372036854775808i,time_taken=0.013,agent="...)
	p = lineproto.AppendString(p, []byte("Mozilla \"5.0\" \\ , = \xff\n end\\"))
	p = lineproto.AppendEnd(p, stamp)

	parsed, err := models.ParsePointsWithPrecision(p, time.Time{}, "ns")
	if err != nil || len(parsed) != 1 {
		t.Fatalf("ParsePoints(%q) = %v, %v", p, parsed, err)
	}
	want := map[string]any{"time": json.Number(fmt.Sprint(parsed[0].UnixNano()))}
	for _, tag := range parsed[0].Tags() {
		want[string(tag.Key)] = string(tag.Value)
	}
	fields, err := parsed[0].Fields()
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range fields {
		if text, ok := value.(string); ok {
			want[key] = text
		} else {
			want[key] = json.Number(fmt.Sprint(value))
		}
	}
	if len(want) != 1+5+4 {
		t.Errorf("ParsePoints(%q) has %d columns, want 10", p, len(want))
	}

	c := newClient(t, db.URL(), func(c *influx.Config) { c.Database = "stored" })
	if err := prepare(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), [][]byte{p}); err != nil {
		t.Fatal(err)
	}
	series := mustQuery(t, db, "stored", `SELECT * FROM "nginx access,x"`)
	if len(series) != 1 || len(series[0].Values) != 1 {
		t.Fatalf("stored are %v", series)
	}
	got := map[string]any{}
	for i, column := range series[0].Columns {
		got[column] = series[0].Values[0][i]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parsed %q, -want +stored:\n%s", p, diff)
	}
}

// Refused requests are told apart, every time.
func testRefused(t *testing.T, db *influxdtest.Server) {
	c := newClient(t, db.URL(), func(c *influx.Config) { c.Database = "refused" })
	if err := prepare(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	otherPolicy := newClient(t, db.URL(), func(c *influx.Config) { c.Database, c.RetentionPolicy = "refused", "none" })
	large := bytes.Repeat([]byte("m v=1i\n"), 1<<20)
	for _, tt := range []struct {
		name   string
		client *influx.Client
		body   string
		status int
		text   string
	}{
		{"right", c, "m v=1i 1\n", 204, ""},
		{"other type", c, "m v=\"one\" 2\n", 400, `field type conflict`},
		{"not a point", c, "m v=1i 3\n<html>\n", 400, "unable to parse '<html>'"},
		{"NaN", c, "m v=NaN 4\n", 400, "invalid number"},
		{"no such policy", otherPolicy, "m v=1i 5\n", 500, "retention policy not found"},
		{"too large", c, string(large), 413, "Request Entity Too Large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 5 {
				body := [][]byte{[]byte(tt.body)}
				err := tt.client.Write(t.Context(), body)
				overwrite(body)
				if tt.status == 204 {
					if err != nil {
						t.Errorf("Write = %v, want nil", err)
					}
					continue
				}
				if answer := answerOf(t, err); answer.Status != tt.status || !strings.Contains(answer.Message, tt.text) {
					t.Errorf("Write = %v, want %d: … %s …", err, tt.status, tt.text)
				}
			}
		})
	}
}

// The points of a source are found whatever names and values look like.
func testTimestamps(t *testing.T, db *influxdtest.Server) {
	c := newClient(t, db.URL(), func(c *influx.Config) { c.Database = "select" })
	if err := prepare(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	const measurement, source = `a "b"\c`, `it's\s`
	lines := `a\ "b"\c,host=h,source=it's\s v=1i 7
a\ "b"\c,host=i,source=it's\s w=2i 8
a\ "b"\c,host=h,source=it's\s count=1i 9
a\ "b"\c,host=h,source=other v=1i 8
a\ "b"\c,host=h,source=it's\s v=1i 10
`
	if err := c.Write(t.Context(), [][]byte{[]byte(lines)}); err != nil {
		t.Fatal(err)
	}
	s := influx.Series{Measurement: measurement, Fields: []string{"v", "w"}, Source: source}
	for host, want := range map[string][]int64{"": {7, 8, 9}, "h": {7, 9}, "none": nil} {
		s.Host = host
		got, err := c.Timestamps(t.Context(), s, 7, 9)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Timestamps of host %q = %d, %v, want %d", host, got, err, want)
		}
	}
	none := newClient(t, db.URL(), func(c *influx.Config) { c.Database = "none" })
	if got, err := none.Timestamps(t.Context(), s, 7, 9); !errors.Is(err, influx.ErrRefused) || strings.Contains(err.Error(), "SELECT") {
		t.Errorf("Timestamps in no database = %d, %v", got, err)
	}
}

// How long points are kept is that of the policy that is written to.
func testRetention(t *testing.T, db *influxdtest.Server) {
	c := newClient(t, db.URL(), func(c *influx.Config) { c.Database = "kept" })
	if kept, err := c.Retention(t.Context()); !errors.Is(err, influx.ErrRefused) {
		t.Errorf("without the database Retention = %v, %v", kept, err)
	}
	check := func(policy string, want time.Duration) {
		t.Helper()
		c := newClient(t, db.URL(), func(c *influx.Config) { c.Database, c.RetentionPolicy = "kept", policy })
		if kept, err := c.Retention(t.Context()); err != nil || kept != (influx.Window{Past: want}) {
			t.Errorf("Retention of %q = %v, %v, want %s", policy, kept, err, want)
		}
	}
	mustQuery(t, db, "", `CREATE DATABASE kept`)
	check("", 0)
	mustQuery(t, db, "", `CREATE RETENTION POLICY "two weeks" ON kept DURATION 2w REPLICATION 1`)
	check("", 0)
	check("two weeks", 14*24*time.Hour)
	mustQuery(t, db, "", `ALTER RETENTION POLICY "two weeks" ON kept DURATION 90m SHARD DURATION 1h DEFAULT`)
	check("", 90*time.Minute)
	check("autogen", 0)
	other := newClient(t, db.URL(), func(c *influx.Config) { c.Database, c.RetentionPolicy = "kept", "none" })
	if kept, err := other.Retention(t.Context()); !errors.Is(err, influx.ErrRefused) {
		t.Errorf("Retention of a policy that is missing = %v, %v", kept, err)
	}
}

// A user that may write and no more is enough; others are refused.
func TestInfluxDBWithAuthentication(t *testing.T) {
	db := influxdtest.New(t, influxdtest.Options{Username: "admin", Password: password})
	mustQuery(t, db, "", `CREATE DATABASE db`)
	for _, user := range []string{"writer", "nobody"} {
		mustQuery(t, db, "", fmt.Sprintf(`CREATE USER %s WITH PASSWORD '%s'`, user, password))
	}
	mustQuery(t, db, "", `GRANT WRITE ON db TO writer`)
	var log bytes.Buffer
	for _, tt := range []struct {
		user, password string
		status         int
		warned         bool
	}{
		{"admin", password, 204, false},
		{"writer", password, 204, true},
		{"nobody", password, 403, true},
		{"writer", "wrong", 401, true},
		{"", "", 401, true},
	} {
		t.Run(tt.user+" "+fmt.Sprint(tt.status), func(t *testing.T) {
			log.Reset()
			c := newClient(t, db.URL(), func(c *influx.Config) {
				c.Username, c.Password, c.Log = tt.user, tt.password, slog.New(slog.NewTextHandler(&log, nil))
			})
			if err := prepare(context.Background(), c); err != nil {
				t.Errorf("Prepare = %v, want nil", err)
			}
			if warned := strings.Contains(log.String(), "level=WARN"); warned != tt.warned {
				t.Errorf("logged %q", log.String())
			}
			checkSecret(t, log.String())
			err := c.Write(t.Context(), [][]byte{[]byte("m v=1i 1\n")})
			if tt.status == 204 {
				if err != nil {
					t.Errorf("Write = %v, want nil", err)
				}
				return
			}
			if got := answerOf(t, err).Status; got != tt.status {
				t.Errorf("Write = %v, want %d", err, tt.status)
			}
			checkSecret(t, err.Error())
		})
	}
	checkCount(t, db, "db", 1)
}

// What stands for bytes that InfluxDB refuses is taken with validate-keys, too.
func TestSubstitutesPassValidateKeys(t *testing.T) {
	binary, err := influxdtest.Binary(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	db, err := influxdtest.Start(t.Context(), influxdtest.Options{
		Binary: binary, Dir: t.TempDir(), Config: map[string]any{"data.validate-keys": true},
	})
	if err != nil && strings.Contains(err.Error(), `no configuration key "data.validate-keys"`) {
		t.Skip(err) // 1.6
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	c := newClient(t, db.URL(), nil)
	if err := prepare(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	values := []string{"\xff", "a\x00b", "\n", `a\`, "\uFFFD", "ä\xc3", "\x1b[0m", "\x7f", "plain"}
	var body []byte
	for i, value := range values {
		body = lineproto.AppendMeasurement(body, "m")
		body = lineproto.AppendTag(body, lineproto.TagPrefix("path"), []byte(value))
		body = append(body, " v=1i"...)
		body = lineproto.AppendEnd(body, int64(i+1))
	}
	if err := c.Write(t.Context(), [][]byte{body}); err != nil {
		t.Errorf("Write of %q = %v", body, err)
	}
	checkCount(t, db, "db", int64(len(values)))
}
