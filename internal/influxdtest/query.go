package influxdtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Series is a part of an answer: rows of one measurement, or of one group of
// tags. Numbers are [json.Number]; so are times, in nanoseconds since 1970.
type Series struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

// Query runs one InfluxQL statement, which may change data. The whole answer is
// kept in memory.
func (s *Server) Query(ctx context.Context, db, q string) ([]Series, error) {
	form := url.Values{"db": {db}, "q": {q}, "epoch": {"ns"}}
	resp, err := s.do(ctx, http.MethodPost, "/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", q, err)
	}
	defer resp.Body.Close()
	var answer struct {
		Error   string
		Results []struct {
			Error  string
			Series []Series
		}
	}
	dec := json.NewDecoder(resp.Body)
	dec.UseNumber()
	if err := dec.Decode(&answer); err != nil {
		return nil, fmt.Errorf("query %s: %s: %w", q, resp.Status, err)
	}
	if answer.Error == "" && len(answer.Results) == 1 {
		answer.Error = answer.Results[0].Error
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("query %s: %s: %s", q, resp.Status, answer.Error)
	}
	if len(answer.Results) != 1 {
		return nil, fmt.Errorf("query %s: %s: %d results", q, resp.Status, len(answer.Results))
	}
	return answer.Results[0].Series, nil
}

// Count returns the number of points of a measurement; where is an InfluxQL
// condition or empty. InfluxDB counts the values of a field, not points, so a
// series has as many points as its most frequent field: exact as long as one
// field is on every point of the series.
func (s *Server) Count(ctx context.Context, db, measurement, where string) (int64, error) {
	q := "SELECT COUNT(*) FROM " + identifier(measurement)
	if where != "" {
		q += " WHERE " + where
	}
	all, err := s.Query(ctx, db, q+" GROUP BY *")
	if err != nil {
		return 0, err
	}
	var total int64
	for _, series := range all {
		var most int64
		for _, row := range series.Values {
			for _, value := range row[min(1, len(row)):] { // the first is the time
				n, ok := value.(json.Number)
				if !ok {
					continue
				}
				count, err := n.Int64()
				if err != nil {
					return 0, fmt.Errorf("query %s: %w", q, err)
				}
				most = max(most, count)
			}
		}
		total += most
	}
	return total, nil
}

// do sends a request as the administrator. The caller closes the body.
func (s *Server) do(ctx context.Context, method, path string, form io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, form)
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if s.opts.Username != "" {
		req.SetBasicAuth(s.opts.Username, s.opts.Password)
	}
	resp, err := s.client.Do(req)
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return nil, inner.Err // our callers name the query, not the URL
	}
	return resp, err
}

var (
	escapeIdentifier = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	escapeLiteral    = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`)
)

func identifier(name string) string { return `"` + escapeIdentifier.Replace(name) + `"` }

func literal(text string) string { return `'` + escapeLiteral.Replace(text) + `'` }
