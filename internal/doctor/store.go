package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

// bytesPerPoint is what a point takes in InfluxDB 1.8: 44 MB for a million requests of
// timed with the default tags and fields (docs/install.md).
const bytesPerPoint = 44

// bytesPerValue is what a field of a point of a rollup takes there: 13.9 MB for the 4.8
// million values of a day of 12 requests/s, with InfluxDB's indexes.
const bytesPerValue = 3

// store asks InfluxDB what the daemon will ask of it, and changes nothing there.
func (d *doctor) store(ctx context.Context) {
	url := d.Config.InfluxDB.URL
	if d.Store == nil {
		return
	}
	d.asking("asking %s", url)
	server, err := d.Store.Server(ctx)
	if err != nil {
		d.say(Error, "server", err.Error(), "curl -i "+url+"/ping answers 204 where InfluxDB is")
		return // nothing else would be answered
	}
	switch caveat, fits := server.Caveat(d.Config.Raw); {
	case !fits:
		d.say(Warning, "server", url+" is "+server.String()+": "+caveat, "")
	case caveat != "":
		d.ok("server", "%s answers at %s: %s", server, url, caveat)
	default:
		d.ok("server", "%s answers at %s", server, url)
	}
	d.clock(ctx)
	before := len(d.found)
	if d.write(ctx, server) {
		d.retention(ctx)
		d.keeps(ctx, server)
		d.policies(ctx)
	}
	if Worst(d.found[before:]) < Error { // else nothing is known of it
		d.series(ctx)
		d.volume()
	}
}

// clock compares the two clocks.
func (d *doctor) clock(ctx context.Context) {
	ahead, ok, err := d.Store.Ahead(ctx)
	const apart = 5 * time.Second
	switch {
	case err != nil || !ok:
		return // a proxy need not tell the time
	case ahead > apart:
		d.say(Warning, "clock", "InfluxDB's clock is "+span(ahead)+" ahead of this machine's",
			"timedatectl on both; points of now look old to InfluxDB, and Grafana shows them late")
	case ahead < -apart:
		d.say(Warning, "clock", "InfluxDB's clock is "+span(-ahead)+" behind this machine's",
			"timedatectl on both; points of now are of the future to InfluxDB, and Grafana does not show them yet")
	default:
		d.ok("clock", "InfluxDB's clock and this one are together, to %s", span(apart))
	}
}

// write asks whether points would be taken, by sending none; and reports whether there is
// the database.
func (d *doctor) write(ctx context.Context, server influx.Server) (exists bool) {
	db := d.Config.InfluxDB
	who := "without a user"
	switch {
	case db.TokenFile != "":
		who = "with the token"
	case db.Username != "":
		who = "as " + db.Username
	}
	err := d.Store.Try(ctx)
	answer, answered := errors.AsType[*influx.AnswerError](err)
	switch {
	case err == nil:
		d.ok("write", "database %q takes points %s", db.Database, who)
		return true
	case !answered:
		d.say(Error, "write", err.Error(), "")
	case answer.Status == http.StatusUnauthorized:
		d.say(Error, "credentials", answer.Error(),
			"look at influxdb.username and influxdb.password_file, or influxdb.token_file: curl -s -u "+orName(db.Username)+" -G "+db.URL+"/query --data-urlencode 'q=SHOW DATABASES'")
	case answer.Status == http.StatusForbidden:
		d.say(Error, "write", answer.Error(), fmt.Sprintf("as an admin: GRANT ALL ON %s TO %s",
			influx.Quote(db.Database), influx.Quote(orName(db.Username))))
		return true
	case answer.Status == http.StatusNotFound && strings.HasPrefix(answer.Message, "database not found"):
		d.missingDatabase(ctx, server)
	case strings.HasPrefix(answer.Message, "retention policy not found"):
		d.say(Error, "retention", fmt.Sprintf("database %q has no retention policy %q", db.Database, db.RetentionPolicy),
			d.createPolicy(db.RetentionPolicy, d.Config.Retention.Raw)+", or leave influxdb.retention_policy empty for the database's default one")
	case answer.Status < http.StatusInternalServerError && answer.Hint == "":
		d.say(Error, "write", answer.Error(), "influxdb.url must lead to InfluxDB, whose answer to a write is 204")
	default:
		d.say(Error, "write", answer.Error(), "")
	}
	return false
}

func orName(user string) string {
	if user == "" {
		return "NAME"
	}
	return user
}

// missingDatabase says whether the daemon may create it.
func (d *doctor) missingDatabase(ctx context.Context, server influx.Server) {
	name := d.Config.InfluxDB.Database
	may, err := d.Store.Administrator(ctx)
	switch {
	case err != nil:
		d.say(Error, "database", err.Error(), "")
	case may && d.Config.InfluxDB.RetentionPolicy != "" && d.Config.Retention.Raw == 0:
		d.say(Error, "database", fmt.Sprintf("there is no database %q: it is created at the start, without the retention policy %q",
			name, d.Config.InfluxDB.RetentionPolicy),
			"retention.raw: how long it keeps points, then it is created, too; or leave influxdb.retention_policy empty")
	case may:
		d.ok("database", "there is no database %q: it is created at the start%s", name, d.with(server))
	default:
		d.say(Error, "database",
			fmt.Sprintf("there is no database %q, and this user may not create it at %s", name, server),
			"as an admin: CREATE DATABASE "+influx.Quote(name))
	}
}

// briefly is what InfluxDB said, without the statement.
func briefly(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, influx.ErrRefused.Error()+": "); ok {
		return after
	}
	return text
}

// series compares how many series and values there will be with what InfluxDB takes.
func (d *doctor) series(ctx context.Context) {
	if d.sample.points == 0 {
		return
	}
	limits, err := d.Store.Limits(ctx)
	known := err == nil
	if !known {
		limits = influx.Limits{SeriesPerDatabase: 1_000_000, ValuesPerTag: 100_000} // as it is shipped
	}
	now, err := d.Store.Series(ctx)
	if err != nil {
		now = 0 // it may not exist, or not be read
	}
	as := "InfluxDB's limit"
	if !known {
		as = "InfluxDB's usual limit"
	}
	all := max(d.sample.estimate(d.Config.TagLimit), float64(now))
	const near = 0.9
	fine := true
	if limit := float64(limits.SeriesPerDatabase); limit > 0 && all > near*limit {
		fine = false
		d.say(Warning, "series", fmt.Sprintf("there may be %s series (%s now), and %s is %s (max-series-per-database): points beyond are refused",
			about(all), thousands(now), as, thousands(limits.SeriesPerDatabase)),
			"a lower tag_limit, paths or fold for what grows ("+strings.Join(d.sample.growing(), ", ")+"), or a higher limit")
	}
	for _, tag := range d.sample.growing() {
		if limit := limits.ValuesPerTag; limit > 0 && int64(d.Config.TagLimit) >= limit {
			fine = false
			d.say(Warning, "series", fmt.Sprintf("tag %s has ever new values, tag_limit lets %s through, and %s is %s (max-values-per-tag): lines with later ones are refused",
				tag, thousands(int64(d.Config.TagLimit)), as, thousands(limit)),
				fmt.Sprintf("tag_limit: %d", max(1, limit-1)))
		}
	}
	limit := as + " is " + thousands(limits.SeriesPerDatabase)
	if limits.SeriesPerDatabase == 0 {
		limit = "InfluxDB has no limit"
	}
	if fine {
		d.ok("series", "about %s series, %s now; %s", about(all), thousands(now), limit)
	}
}

// about rounds a number to two digits.
func about(n float64) string {
	step := 1.0
	for n/step >= 100 {
		step *= 10
	}
	return thousands(int64(n/step+0.5) * int64(step))
}

// volume says what a day takes.
func (d *doctor) volume() {
	s := &d.sample
	if s.linesPerDay == 0 {
		return
	}
	var parts []string
	if d.Config.Raw {
		parts = append(parts, "about "+size(int64(s.linesPerDay*bytesPerPoint))+" in InfluxDB for their points")
	}
	if len(d.Rollups) > 0 {
		parts = append(parts, "about "+size(int64(s.valuesPerDay*bytesPerValue))+" for rollups")
	}
	d.ok("volume", "at the rate of the newest lines %s a day: %s of log, %s",
		about(s.linesPerDay)+" lines", size(int64(s.bytesPerDay)), strings.Join(parts, ", "))
}
