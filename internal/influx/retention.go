package influx

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Window is which points a retention policy takes: how long before now, and how long
// after. 0 is without a limit.
type Window struct{ Past, Future time.Duration }

// Retention returns the window of the retention policy that we write to. The error is
// [ErrRefused] when it may not be asked for, or when there is no such policy. It
// blocks until ctx ends, and for at most five seconds. VictoriaMetrics, which has no
// policies, drops what is outside its window without a word, and tells it or not.
func (c *Client) Retention(ctx context.Context) (Window, error) {
	return c.Policy(c.config.RetentionPolicy).Retention(ctx)
}

// Retention is as that of the client.
func (c Policy) Retention(ctx context.Context) (Window, error) {
	if is := c.server.Load(); is != nil && is.IsVictoria() {
		return is.Flags.Window, nil
	}
	all, err := c.policies(ctx)
	if err != nil {
		return Window{}, err
	}
	p := find(all, c.name)
	if p == nil {
		return Window{}, fmt.Errorf("%s: %w: no retention policy %q", c.showPolicies(), ErrRefused, c.name)
	}
	return p.window()
}

// policy is a retention policy that is there.
type policy struct {
	name     string
	standard bool // what names no policy goes there
	limits   map[string]any
}

func (c *Client) showPolicies() string {
	return "SHOW RETENTION POLICIES ON " + Quote(c.config.Database)
}

// policies asks for all of the database. The error is a noDatabaseError or another
// [ErrRefused], or that nobody answered.
func (c *Client) policies(ctx context.Context) (all []policy, err error) {
	resp, err := c.say(ctx, c.showPolicies())
	if err != nil {
		return nil, err
	}
	for _, result := range resp.Results {
		for _, table := range result.Series {
			for _, row := range table.Values {
				p := policy{limits: map[string]any{}}
				for i, column := range table.Columns[:min(len(table.Columns), len(row))] {
					p.limits[column] = row[i]
				}
				p.name, _ = p.limits["name"].(string)
				p.standard, _ = p.limits["default"].(bool)
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// find is the policy of a name, nil if there is none; "" is the default one.
func find(all []policy, name string) *policy {
	at := slices.IndexFunc(all, func(p policy) bool { return p.name == name || name == "" && p.standard })
	if at < 0 {
		return nil
	}
	return &all[at]
}

// limit reads one of its durations; 0 is none.
func (p *policy) limit(column string) (time.Duration, error) {
	value, ok := p.limits[column]
	if !ok {
		return 0, nil
	}
	text, _ := value.(string)
	span, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("read the retention policy's %s: %w", column, err)
	}
	return span, nil
}

// kept is how long it keeps points; [Forever] if that cannot be read.
func (p *policy) kept() time.Duration {
	if d, err := p.limit("duration"); err == nil && d > 0 {
		return d
	}
	return Forever
}

// Forever is how long points are kept that never are too old.
const Forever time.Duration = math.MaxInt64

// window is what it takes. The limits of writing are there from 1.12 on.
func (p *policy) window() (Window, error) {
	var spans [3]time.Duration
	for i, column := range []string{"duration", "pastWriteLimit", "futureWriteLimit"} {
		var err error
		if spans[i], err = p.limit(column); err != nil {
			return Window{}, err
		}
	}
	w := Window{Past: spans[0], Future: spans[2]}
	if limit := spans[1]; limit > 0 && (w.Past == 0 || limit < w.Past) {
		w.Past = limit
	}
	return w, nil
}
