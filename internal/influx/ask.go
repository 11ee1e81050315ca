package influx

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// Limits are what a server takes at most; 0 is without a limit. They hold for its index
// inmem, which is the usual one.
type Limits struct{ SeriesPerDatabase, ValuesPerTag int64 }

// Limits asks for them. The error is [ErrRefused] unless we are an administrator, or
// there is no authentication. It blocks as [Client.Retention] does.
func (c *Client) Limits(ctx context.Context) (l Limits, err error) {
	err = c.row(ctx, "SHOW DIAGNOSTICS FOR 'config-data'", func(column string, value int64) {
		switch column {
		case "max-series-per-database":
			l.SeriesPerDatabase = value
		case "max-values-per-tag":
			l.ValuesPerTag = value
		}
	})
	return l, err
}

// Series is how many series the database has, about. The error is [ErrRefused] unless we
// may read it. It blocks as [Client.Retention] does.
func (c *Client) Series(ctx context.Context) (n int64, err error) {
	err = c.row(ctx, "SHOW SERIES CARDINALITY ON "+Quote(c.config.Database), func(_ string, value int64) { n = value })
	return n, err
}

// Administrator reports whether we may create databases. Nothing is created.
func (c *Client) Administrator(ctx context.Context) (bool, error) {
	_, err := c.say(ctx, "SHOW USERS")
	if errors.Is(err, ErrRefused) {
		return false, nil
	}
	return err == nil, err
}

// row hands out the numbers of the first row that answers a statement.
func (c *Client) row(ctx context.Context, statement string, number func(column string, value int64)) error {
	resp, err := c.say(ctx, statement)
	if err != nil {
		return err
	}
	for _, result := range resp.Results {
		for _, series := range result.Series {
			if len(series.Values) == 0 {
				continue
			}
			row := series.Values[0]
			for i, column := range series.Columns[:min(len(series.Columns), len(row))] {
				text, _ := row[i].(json.Number)
				if value, err := text.Int64(); err == nil {
					number(column, value)
				}
			}
		}
	}
	return nil
}

// Ahead is how far the server's clock is ahead of ours, to a second, as the answer to a
// ping tells; ok is false when it does not.
func (c *Client) Ahead(ctx context.Context) (ahead time.Duration, ok bool, err error) {
	sent := time.Now()
	header, _, _, err := c.get(ctx, "/ping", nil)
	if err != nil {
		return 0, false, err
	}
	at, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0, false, nil //nolint:nilerr // a proxy may leave it out
	}
	middle := sent.Add(time.Since(sent) / 2)
	const cutOff = time.Second / 2 // of what the header does not show, on average
	return at.Add(cutOff).Sub(middle).Round(time.Second), true, nil
}
