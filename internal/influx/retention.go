package influx

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Window is which points a retention policy takes: how long before now, and how long
// after. 0 is without a limit.
type Window struct{ Past, Future time.Duration }

// Retention returns the window of the retention policy that we write to. The error is
// [ErrRefused] when it may not be asked for, or when there is no such policy. It
// blocks until ctx ends, and for at most five seconds. A server that is known to have
// no policies takes everything.
func (c *Client) Retention(ctx context.Context) (Window, error) {
	return c.Policy(c.config.RetentionPolicy).Retention(ctx)
}

// Retention is as that of the client.
func (c Policy) Retention(ctx context.Context) (Window, error) {
	if is := c.server.Load(); is != nil && is.Name == victoriaMetrics {
		return Window{}, nil // Prepare has said what becomes of old points
	}
	statement := "SHOW RETENTION POLICIES ON " + Quote(c.config.Database)
	resp, err := c.say(ctx, statement)
	if err != nil {
		return Window{}, err
	}
	for _, result := range resp.Results {
		for _, policies := range result.Series {
			name, standard := slices.Index(policies.Columns, "name"), slices.Index(policies.Columns, "default")
			if name < 0 || standard < 0 {
				continue
			}
			for _, policy := range policies.Values {
				if policy[name] == c.name || c.name == "" && policy[standard] == true {
					return window(policies.Columns, policy)
				}
			}
		}
	}
	return Window{}, fmt.Errorf("%s: %w: no retention policy %q", statement, ErrRefused, c.name)
}

// window reads a row. The limits of writing are there from 1.12 on.
func window(columns []string, policy []any) (Window, error) {
	var spans [3]time.Duration
	for i, column := range []string{"duration", "pastWriteLimit", "futureWriteLimit"} {
		at := slices.Index(columns, column)
		if at < 0 {
			continue
		}
		text, _ := policy[at].(string)
		span, err := time.ParseDuration(text)
		if err != nil {
			return Window{}, fmt.Errorf("read the retention policy's %s: %w", column, err)
		}
		spans[i] = span
	}
	w := Window{Past: spans[0], Future: spans[2]}
	if limit := spans[1]; limit > 0 && (w.Past == 0 || limit < w.Past) {
		w.Past = limit
	}
	return w, nil
}
