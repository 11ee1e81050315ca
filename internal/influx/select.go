package influx

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
)

// Table is a part of an answer: rows of one group of tags. Numbers are [json.Number]; so
// is a time, in seconds since 1970. A value that is missing is nil.
type Table struct {
	Tags    map[string]string
	Columns []string
	Values  [][]any
}

// Select executes a statement that reads, of any length: the official client would put it
// into the URL, for which proxies have limits. It blocks until ctx ends, and for at most the
// timeout of a request; the whole answer is held in memory. The error is [ErrRefused] when
// an answer came, but not success, and [ErrTooMuch] if it is longer than Config.MaxAnswer.
func (c *Client) Select(ctx context.Context, statement string) ([]Table, error) {
	form := url.Values{"q": {statement}, "db": {c.config.Database}, "epoch": {"s"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, withoutURL(err)
	}
	c.authorize(req)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Error   string
		Results []struct {
			Error  string
			Series []Table
		}
	}
	body := &counted{Reader: resp.Body, left: cmp.Or(c.config.MaxAnswer, math.MaxInt64)}
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	if err := decoder.Decode(&answer); errors.Is(err, ErrTooMuch) {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooMuch, c.config.MaxAnswer)
	} else if err != nil {
		return nil, fmt.Errorf("%w: status %d from %s (influxdb.url), and no JSON: %w", ErrRefused, resp.StatusCode, c.config.URL, err)
	}
	var tables []Table
	why := answer.Error
	for _, result := range answer.Results {
		if why == "" {
			why = result.Error
		}
		tables = append(tables, result.Series...)
	}
	switch {
	case strings.HasPrefix(why, "database not found"):
		return nil, fmt.Errorf("%w: database %q does not exist (influxdb.database)", ErrRefused, c.config.Database)
	case why != "" || resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: status %d from %s (influxdb.url): %s", ErrRefused, resp.StatusCode, c.config.URL, why)
	}
	return tables, nil
}

// ErrTooMuch means that an answer to a statement is longer than it may be.
var ErrTooMuch = errors.New("the answer is too long")

// counted ends with [ErrTooMuch] after so many bytes.
type counted struct {
	io.Reader
	left int64
}

func (c *counted) Read(p []byte) (n int, err error) {
	if c.left <= 0 {
		return 0, ErrTooMuch
	}
	n, err = c.Reader.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}
