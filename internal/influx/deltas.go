package influx

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	client "github.com/influxdata/influxdb1-client/v2"
)

// Rollup are the points of one source in a rollup.
type Rollup struct {
	Measurement, RetentionPolicy string
	Fields                       []string // integers
	Source                       string   // the tag
	Host                         string   // the tag; "" is any
}

// Delta is one of its points.
type Delta struct {
	At     int64   // nanoseconds since 1970
	Fields []int64 // as they were asked for; 0: it has none
}

// Deltas returns the points from one time to another, both included, in no order. It
// blocks as [Client.Timestamps] does.
func (c *Client) Deltas(ctx context.Context, r Rollup, from, to int64) (all []Delta, err error) {
	fields := make([]string, len(r.Fields))
	for i, field := range r.Fields {
		fields[i] = Quote(field)
	}
	policy, err := c.PolicyOf(ctx, r.RetentionPolicy)
	if err != nil {
		return nil, fmt.Errorf("read a rollup: %w", err)
	}
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s AND time >= %d AND time <= %d",
		strings.Join(fields, ", "), inPolicy(policy, r.Measurement), isOf(r.Source, r.Host), from, to)
	resp, err := c.ask(ctx, client.NewQuery(query, c.config.Database, "ns"))
	if err != nil {
		return nil, fmt.Errorf("read a rollup: %w", err)
	}
	for _, result := range resp.Results {
		for _, series := range result.Series {
			for _, row := range series.Values {
				d, err := deltaOf(row)
				if err != nil {
					return nil, fmt.Errorf("read a rollup: %w", err)
				}
				all = append(all, d)
			}
		}
	}
	return all, nil
}

func deltaOf(row []any) (d Delta, err error) {
	numbers := make([]int64, len(row))
	for i, value := range row {
		if value == nil {
			continue
		}
		text, ok := value.(json.Number)
		if !ok {
			return d, fmt.Errorf("InfluxDB answered %v, want an integer", value)
		}
		if numbers[i], err = text.Int64(); err != nil {
			return d, fmt.Errorf("InfluxDB answered %v, want an integer", value)
		}
	}
	return Delta{numbers[0], numbers[1:]}, nil
}

// inPolicy names a measurement in a retention policy, "" is the default one.
func inPolicy(policy, measurement string) string {
	if policy == "" {
		return Quote(measurement)
	}
	return Quote(policy) + "." + Quote(measurement)
}

// isOf selects the points of a source, of any host if that is "".
func isOf(source, host string) string {
	where := "source = " + quoteString(source)
	if host != "" {
		where += " AND host = " + quoteString(host)
	}
	return where
}
