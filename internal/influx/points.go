package influx

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	client "github.com/influxdata/influxdb1-client/v2"
)

// Series are the points of one source.
type Series struct {
	Measurement string
	Fields      []string // each of the points has at least one of them, or count
	Source      string   // the tag
	Host        string   // the tag; "" is any
}

// Timestamps returns the times, in nanoseconds since 1970, of the points from one
// time to another, both included, in no order. It blocks until ctx ends, and for
// at most five seconds; the whole answer is held in memory, some hundred bytes a
// point. The error is [ErrRefused] when an answer came, but not success.
func (c *Client) Timestamps(ctx context.Context, s Series, from, to int64) (stamps []int64, err error) {
	resp, err := c.ask(ctx, client.NewQuery(c.pointsQuery(s, from, to), c.config.Database, "ns"))
	if err != nil {
		return nil, fmt.Errorf("read points: %w", err)
	}
	for _, result := range resp.Results {
		for _, series := range result.Series {
			for _, row := range series.Values {
				at, ok := row[0].(json.Number)
				if !ok {
					return nil, fmt.Errorf("read points: InfluxDB answered the time %v", row[0])
				}
				stamp, err := at.Int64()
				if err != nil {
					return nil, fmt.Errorf("read points: InfluxDB answered the time %v", at)
				}
				stamps = append(stamps, stamp)
			}
		}
	}
	return stamps, nil
}

func (c *Client) pointsQuery(s Series, from, to int64) string {
	// A point may lack any of the fields, but not all of them.
	fields := []string{Quote("count")}
	for _, field := range s.Fields {
		if field != "count" {
			fields = append(fields, Quote(field))
		}
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s AND time >= %d AND time <= %d",
		strings.Join(slices.Compact(fields), ", "), inPolicy(c.config.RetentionPolicy, s.Measurement), isOf(s.Source, s.Host), from, to)
}

// Quote writes an identifier for InfluxQL.
func Quote(identifier string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(identifier) + `"`
}

// quoteString writes a string for InfluxQL.
func quoteString(s string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + `'`
}
