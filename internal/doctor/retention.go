package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
)

// retention compares what is still to be sent with how long InfluxDB keeps points.
func (d *doctor) retention(ctx context.Context) {
	d.asking("asking for the retention policy")
	window, err := d.Store.Retention(ctx)
	switch {
	case err != nil:
		d.say(Note, "retention", "how long points are kept cannot be asked ("+briefly(err)+")",
			"GRANT ALL instead of WRITE lets tailflux know which lines are too old")
	case window.Past == 0:
		d.ok("retention", "points are kept for ever")
	case !d.oldest.IsZero() && d.now.Sub(d.oldest) > window.Past:
		d.say(Warning, "retention", fmt.Sprintf("lines from %s ago are to be sent, and InfluxDB keeps points for %s: older ones are rejected as expired",
			span(d.now.Sub(d.oldest)), span(window.Past)),
			"ALTER RETENTION POLICY with a longer duration first, or let them go")
	default:
		d.ok("retention", "points are kept for %s", span(window.Past))
	}
}

// createPolicy is how to have a policy that is configured and not there.
func (d *doctor) createPolicy(name string, kept time.Duration) string {
	if kept == 0 {
		kept = influx.Forever
	}
	return fmt.Sprintf("CREATE RETENTION POLICY %s ON %s DURATION %s REPLICATION 1",
		influx.Quote(name), influx.Quote(d.Config.InfluxDB.Database), influx.Duration(kept))
}

// with is how long a new database will keep points, if that is configured.
func (d *doctor) with(server influx.Server) (text string) {
	if !server.Keeps() {
		return ""
	}
	for _, of := range []struct {
		what string
		kept time.Duration
	}{{"points of lines", d.Config.Retention.Raw}, {"rollups", d.Config.Retention.Rollups}} {
		switch of.kept {
		case 0:
		case config.Forever:
			text += "; " + of.what + " are kept for ever"
		default:
			text += "; " + of.what + " are kept for " + config.KeepText(of.kept)
		}
	}
	return text
}

// keeps compares how long points are kept with retention, which is for databases that
// tailflux makes.
func (d *doctor) keeps(ctx context.Context, server influx.Server) {
	if d.Config.Retention == (config.Retention{}) {
		return
	}
	if !server.Keeps() {
		d.say(Note, "retention", "retention is not used: "+server.String()+" is not InfluxDB 1.x",
			"set there how long points are kept, and leave retention out")
		return
	}
	all, err := d.Store.Differences(ctx)
	if err != nil {
		return // it was said that it cannot be asked
	}
	for _, difference := range all {
		d.say(Warning, "retention", difference.Reason, difference.Remedy)
	}
	if len(all) == 0 {
		d.ok("retention", "the retention policies are as retention says")
	}
}

// policies looks at those of rollups: one that is named must be there, and points that are
// sent when their window ends must not be too old by then.
func (d *doctor) policies(ctx context.Context) {
	missing := map[string]bool{}
	for i, r := range d.Config.Rollups {
		name := d.Config.PolicyOf(r)
		policy := d.Store.Policy(name)
		if r.RetentionPolicy != "" && !missing[name] {
			answer, ok := errors.AsType[*influx.AnswerError](policy.Try(ctx))
			missing[name] = ok && strings.HasPrefix(answer.Message, "retention policy not found")
			if missing[name] {
				d.say(Error, "retention",
					fmt.Sprintf("rollups[%d]: database %q has no retention policy %q", i, d.Config.InfluxDB.Database, name),
					d.createPolicy(name, 0))
			}
		}
		if window, err := policy.Retention(ctx); err == nil && window.Past != 0 && window.Past < 2*r.Interval {
			d.say(Error, "retention", fmt.Sprintf("rollups[%d]: its windows have %s, and InfluxDB keeps its points for %s: they are too old, or soon, when their window ends",
				i, span(r.Interval), span(window.Past)),
				"a shorter interval, or a retention policy that keeps points for longer (docs/rollups.md)")
		}
	}
}
