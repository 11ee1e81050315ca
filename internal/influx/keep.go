package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Keep is how long points are to be kept; 0 leaves it to the database.
//
// A database that tailflux creates gets policies for that. Whether a database is such a one
// is told by the name of its first policy: it is made by the statement that makes the
// database, so there is no moment in which that is not known, whoever is killed, and each
// tailflux that writes there knows it. Other databases are left as they are, and so is
// each policy once it is there.
type Keep struct {
	Raw           time.Duration // those of lines, in the default policy or in Config.RetentionPolicy
	Rollups       time.Duration // those of rollups, in RollupsPolicy
	RollupsPolicy string
}

// Names of the policy that comes with a database that tailflux creates.
const (
	rawPolicy  = "tailflux_raw"  // the default one, for the points of lines
	madePolicy = "tailflux_made" // that has no points, where Config.RetentionPolicy names another
)

// Difference is something that is not kept as it should be, and stays so.
type Difference struct {
	Reason string
	Remedy string // a statement
}

// Differences compares how long points are kept with how long they should be. The errors
// are those of [Client.Retention]. Nothing is changed.
func (c *Client) Differences(ctx context.Context) ([]Difference, error) {
	if c.config.Keep == (Keep{}) {
		return nil, nil
	}
	have, err := c.policies(ctx)
	if err != nil {
		return nil, err
	}
	return c.differences(have), nil
}

func (c *Client) differences(have []policy) (all []Difference) {
	k, db := c.config.Keep, Quote(c.config.Database)
	then := "; then reload tailflux"
	if made(have) {
		then = ", which tailflux does at its start if it may"
	}
	raw := find(have, c.config.RetentionPolicy)
	differ := func(key, of string, p *policy, want time.Duration) {
		if is := p.kept(); is != want {
			all = append(all, Difference{
				fmt.Sprintf("%s is %s, and retention policy %q of database %q, where %s go, keeps points for %s",
					key, spanText(want), p.name, c.config.Database, of, spanText(is)),
				fmt.Sprintf("ALTER RETENTION POLICY %s ON %s DURATION %s SHARD DURATION %s",
					Quote(p.name), db, Duration(want), Duration(shard(want))),
			})
		}
	}
	switch {
	case k.Raw == 0:
	case raw != nil:
		differ("retention.raw", "points of lines", raw, k.Raw)
	default:
		name := cmp.Or(c.config.RetentionPolicy, rawPolicy)
		all = append(all, Difference{
			fmt.Sprintf("retention.raw is %s, and database %q has no retention policy %q, where points of lines should go",
				spanText(k.Raw), c.config.Database, name),
			createPolicy(name, db, k.Raw) + then,
		})
	}
	switch rollups := find(have, k.RollupsPolicy); {
	case k.Rollups == 0:
	case rollups != nil:
		differ("retention.rollups", "rollups", rollups, k.Rollups)
	default:
		instead := ""
		if raw != nil {
			instead = fmt.Sprintf(": rollups go to %q, which keeps points for %s", raw.name, spanText(raw.kept()))
		}
		all = append(all, Difference{
			fmt.Sprintf("retention.rollups is %s, and database %q has no retention policy %q%s",
				spanText(k.Rollups), c.config.Database, k.RollupsPolicy, instead),
			createPolicy(k.RollupsPolicy, db, k.Rollups) + then,
		})
	}
	return all
}

// lacks are the statements that the daemon says at its start to have the policies that it
// should: all of them where there is no database, and those that are missing in a database
// that tailflux made.
func (c *Client) lacks(have []policy, exists bool) (statements []string) {
	k, db := c.config.Keep, Quote(c.config.Database)
	named := k.Raw != 0 && c.config.RetentionPolicy != "" && c.config.RetentionPolicy != rawPolicy
	if !exists {
		first := rawPolicy
		if named {
			first = madePolicy
		}
		statements = append(statements, fmt.Sprintf("CREATE DATABASE %s WITH DURATION %s REPLICATION 1 NAME %s",
			db, Duration(cmp.Or(k.Raw, Forever)), Quote(first)))
		have = []policy{{name: first, standard: true}}
	}
	if !made(have) {
		return nil
	}
	if k.Rollups != 0 && find(have, k.RollupsPolicy) == nil {
		statements = append(statements, createPolicy(k.RollupsPolicy, db, k.Rollups))
	}
	if named && find(have, c.config.RetentionPolicy) == nil {
		create := createPolicy(c.config.RetentionPolicy, db, k.Raw)
		if p := find(have, ""); p != nil && p.name == madePolicy {
			create += " DEFAULT"
		}
		statements = append(statements, create)
	}
	return statements
}

// made reports whether tailflux made the database that has these policies.
func made(have []policy) bool { return find(have, rawPolicy) != nil || find(have, madePolicy) != nil }

func createPolicy(name, db string, kept time.Duration) string {
	return fmt.Sprintf("CREATE RETENTION POLICY %s ON %s DURATION %s REPLICATION 1", Quote(name), db, Duration(kept))
}

// CreateDatabase creates the database unless it exists, and in one that tailflux made the
// policies that are missing. The error is [ErrRefused] when an answer came, but not
// success: writing may work all the same. It blocks until ctx ends, and for at most five
// seconds a statement.
func (c *Client) CreateDatabase(ctx context.Context) error {
	if c.config.Keep != (Keep{}) && c.server.Load() == nil {
		if _, err := c.Server(ctx); err != nil {
			return err
		}
	}
	if c.config.Keep == (Keep{}) || !c.keeps() {
		_, err := c.say(ctx, "CREATE DATABASE "+Quote(c.config.Database))
		return err
	}
	have, err := c.policies(ctx)
	_, missing := errors.AsType[noDatabaseError](err)
	switch {
	case err != nil && !errors.Is(err, ErrRefused):
		return err
	case err != nil && !missing: // it may exist
		_, err = c.say(ctx, "CREATE DATABASE "+Quote(c.config.Database))
		return err
	}
	for _, statement := range c.lacks(have, !missing) {
		if _, err := c.say(ctx, statement); err != nil {
			return err
		}
		c.config.Log.Info("retention is set as configured", "statement", statement)
	}
	return nil
}

// Keeps reports whether it has retention policies as InfluxDB 1.x does.
func (s Server) Keeps() bool { return first().MatchString(s.Version) }

// keeps is that of a server that was asked.
func (c *Client) keeps() bool {
	is := c.server.Load()
	return is != nil && is.Keeps()
}

// checkPolicies finds out whether rollups can go to their policy, and says once what is not as
// it is configured, if that is wanted.
func (c *Client) checkPolicies(ctx context.Context, say bool) error {
	if c.config.Keep == (Keep{}) {
		return nil
	}
	if !c.keeps() {
		if say {
			c.config.Log.Warn("retention is not used: this server is not InfluxDB 1.x; how long it keeps points is set there",
				"server", c.server.Load().String())
		}
		return c.tryRollups(ctx)
	}
	have, err := c.policies(ctx)
	if errors.Is(err, ErrRefused) {
		if say {
			c.config.Log.Warn("cannot compare retention with how long points are kept", "err", err)
		}
		return c.tryRollups(ctx)
	}
	if err != nil {
		return err
	}
	c.lack(find(have, c.config.Keep.RollupsPolicy) == nil, say) // as one of the differences
	for _, difference := range c.differences(have) {
		if say {
			c.config.Log.Warn("points are not kept as retention says, and tailflux leaves that as it is",
				"reason", difference.Reason, "remedy", difference.Remedy)
		}
	}
	return nil
}

// tryRollups finds out without asking for policies.
func (c *Client) tryRollups(ctx context.Context) error {
	if c.config.Keep.Rollups == 0 {
		return nil
	}
	if is := c.server.Load(); is != nil && is.Name == victoriaMetrics {
		c.lack(true, true)
		return nil
	}
	rollups := c.policy(c.config.Keep.RollupsPolicy)
	err := rollups.Try(ctx)
	answer, answered := errors.AsType[*AnswerError](err)
	switch {
	case err != nil && !answered:
		return err
	case answered && isPolicyMissing(answer.Message):
		c.lack(true, false)
	case answered && answer.Status == http.StatusNotFound:
		// A database may be missing, or a proxy have no way to the server just now. It is about
		// the policy if writes without it are taken, before and after it is refused.
		if c.Try(ctx) == nil && isNotFound(rollups.Try(ctx)) && c.Try(ctx) == nil {
			c.lack(true, false)
		}
	case answered: // it says nothing of policies
		if !c.lackingKnown.Load() {
			c.lack(false, false)
		}
	default:
		c.lack(false, false)
	}
	return nil // writing says so, too
}

func isNotFound(err error) bool {
	answer, answered := errors.AsType[*AnswerError](err)
	return answered && answer.Status == http.StatusNotFound
}

// lack notes whether rollups go where points of lines do, and says so once when that begins,
// unless it is said otherwise.
func (c *Client) lack(lacking, said bool) {
	if was := c.lacking.Swap(lacking); lacking && !was && !said {
		c.config.Log.Warn("rollups go where points of lines do: their retention policy is missing",
			"reason", fmt.Sprintf("no retention policy %q", c.config.Keep.RollupsPolicy))
	}
	c.lackingKnown.Store(true)
}

// PolicyOf is the policy in which points are whose rollup names one, or none; it may ask the
// server. "" is the default one of the database. The error is that nobody answered.
func (c *Client) PolicyOf(ctx context.Context, name string) (string, error) {
	if name == "" {
		return c.config.RetentionPolicy, nil
	}
	if name == c.config.Keep.RollupsPolicy && !c.lackingKnown.Load() {
		if _, err := c.Server(ctx); err != nil {
			return "", err
		}
		if err := c.checkPolicies(ctx, false); err != nil {
			return "", err
		}
	}
	return c.Policy(name).name, nil
}

func isDatabaseMissing(message string) bool { return strings.HasPrefix(message, "database not found") }

func isPolicyMissing(message string) bool {
	return strings.HasPrefix(message, "retention policy not found")
}

// missing does what can be done about an answer that a database or a policy is missing.
// What is refused, or does not answer, is known by the next try.
func (c *Client) missing(ctx context.Context) {
	if err := c.CreateDatabase(ctx); err == nil || errors.Is(err, ErrRefused) {
		_ = c.checkPolicies(ctx, false)
	}
}

const (
	day  = 24 * time.Hour
	week = 7 * day
	year = 365 * day
)

// shard is how long a shard group is that InfluxDB chooses for a policy.
func shard(kept time.Duration) time.Duration {
	switch {
	case kept < 2*day:
		return time.Hour
	case kept < 180*day:
		return day
	}
	return week
}

// Duration is one of InfluxQL, which has no years.
func Duration(d time.Duration) string {
	if d == Forever {
		return "INF"
	}
	return inUnits(d, "d", day)
}

// spanText is a duration as people write it.
func spanText(d time.Duration) string {
	switch {
	case d == Forever:
		return "ever"
	case d%year == 0:
		return inUnits(d, "y", year)
	}
	return inUnits(d, "d", day)
}

func inUnits(d time.Duration, name string, of time.Duration) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{name, of}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d%unit.of == 0 {
			return fmt.Sprintf("%d%s", d/unit.of, unit.name)
		}
	}
	return d.String()
}
