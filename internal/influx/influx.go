// Package influx says to InfluxDB 1.x what tailflux has to say: POST of line
// protocol, and the statements around it.
//
// Writes go over an http.Client of our own. The official client's Write
// reports an HTML page with status 200 and a redirect as success, and neither
// status nor context; queries, which it does well, go through it.
package influx

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	client "github.com/influxdata/influxdb1-client/v2"
)

// Config says where to write.
type Config struct {
	URL                string // may carry a path prefix
	Database           string
	RetentionPolicy    string // "" is the database's default
	Username, Password string // no authentication when Username is ""
	Gzip               bool
	Timeout            time.Duration // of a whole request
	InFlight           int           // connections kept open
	Log                *slog.Logger
}

// Client writes and queries. It is safe for concurrent use.
type Client struct {
	config   Config
	writeURL string
	http     *http.Client
	query    client.Client
}

// queryTimeout bounds statements, which cannot be cancelled.
const queryTimeout = 5 * time.Second

// New returns a client. Nothing is sent yet.
func New(c Config) (*Client, error) {
	base := strings.TrimRight(c.URL, "/")
	u, err := url.Parse(base + "/write")
	if err != nil {
		return nil, fmt.Errorf("influxdb url %q: %w", c.URL, err)
	}
	q := url.Values{"db": {c.Database}, "precision": {"ns"}}
	if c.RetentionPolicy != "" {
		q.Set("rp", c.RetentionPolicy)
	}
	u.RawQuery = q.Encode()
	query, err := client.NewHTTPClient(client.HTTPConfig{
		Addr: base, Username: c.Username, Password: c.Password,
		UserAgent: "tailflux", Timeout: min(c.Timeout, queryTimeout),
	})
	if err != nil {
		return nil, fmt.Errorf("influxdb url %q: %w", c.URL, err)
	}
	return &Client{
		config:   c,
		writeURL: u.String(),
		query:    query,
		http: &http.Client{
			Timeout: c.Timeout,
			Transport: &http.Transport{
				MaxIdleConnsPerHost: c.InFlight,
				WriteBufferSize:     64 << 10,
				DisableCompression:  true,
				IdleConnTimeout:     90 * time.Second,
			},
			// A redirected POST arrives as a GET, or not at all.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close gives idle connections up.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.query.Close()
}

// AnswerError is any answer to a write but 204.
type AnswerError struct {
	Status     int
	Message    string        // InfluxDB's own words, or the beginning of the body
	RetryAfter time.Duration // as the server asked; zero when it did not
}

func (e *AnswerError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("influxdb answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("influxdb answered %d: %s", e.Status, e.Message)
}

// Pause is how long the server asked to wait.
func (e *AnswerError) Pause() time.Duration { return e.RetryAfter }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// Write sends line protocol, in pieces that together are the body, and returns
// nil only when InfluxDB answered 204: the points are in its log on disk. Any
// other answer is an [*AnswerError]. When the answer is 404 the database is
// created, so that the next try may succeed. The pieces are not used after
// Write returned.
func (c *Client) Write(ctx context.Context, pieces [][]byte) error {
	if c.config.Gzip {
		packed, err := pack(pieces)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		pieces = [][]byte{packed}
	}
	body := newBody(pieces)
	bodies := []*onceBody{body}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.writeURL, body)
	if err != nil {
		return fmt.Errorf("influxdb write: %w", err)
	}
	req.ContentLength = body.size
	req.GetBody = func() (io.ReadCloser, error) { // for a connection that was closed while it idled
		again := newBody(pieces)
		bodies = append(bodies, again)
		return again, nil
	}
	req.Header.Set("User-Agent", "tailflux")
	if c.config.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if c.config.Username != "" {
		req.SetBasicAuth(c.config.Username, c.config.Password)
	}
	resp, err := c.http.Do(req)
	// The transport may still read the body of a request that was answered or
	// given up early; the pieces are the caller's from here on.
	for _, b := range bodies {
		b.detach()
	}
	if err != nil {
		return fmt.Errorf("influxdb write: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if resp.StatusCode == http.StatusNotFound {
		// Refused or unreachable: the next try says so again.
		_ = c.CreateDatabase()
	}
	if err != nil {
		return fmt.Errorf("influxdb write: read the answer %d: %w", resp.StatusCode, err)
	}
	return &AnswerError{
		Status:     resp.StatusCode,
		Message:    message(answer),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
	}
}

// ErrRefused is a statement that was answered, but not carried out.
var ErrRefused = errors.New("refused")

// Prepare creates the database. That this is refused is no error, and only
// logged: the user may be one that may write and no more.
func (c *Client) Prepare() error {
	err := c.CreateDatabase()
	if errors.Is(err, ErrRefused) {
		c.config.Log.Warn("database not created; writing may work all the same", "err", err)
		return nil
	}
	return err
}

// CreateDatabase creates the database unless it exists. The error is
// [ErrRefused] when an answer came, but not success: writing may work all the
// same. It blocks for at most five seconds.
func (c *Client) CreateDatabase() error {
	statement := "CREATE DATABASE " + Quote(c.config.Database)
	resp, err := c.query.Query(client.NewQuery(statement, "", ""))
	var unreachable *url.Error
	if errors.As(err, &unreachable) {
		return fmt.Errorf("%s: %w", statement, err)
	}
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", statement, ErrRefused, err)
	}
	return nil
}

// Select runs a query in the database and returns the rows of all its series,
// each with the time first.
func (c *Client) Select(query string) ([][]any, error) {
	resp, err := c.query.Query(client.NewQuery(query, c.config.Database, "ns"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	if err := resp.Error(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", query, ErrRefused, err)
	}
	var rows [][]any
	for _, result := range resp.Results {
		for _, series := range result.Series {
			rows = append(rows, series.Values...)
		}
	}
	return rows, nil
}

// Quote writes an identifier for InfluxQL.
func Quote(identifier string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(identifier) + `"`
}

// message is the error in InfluxDB's JSON, or the beginning of what else came.
func message(answer []byte) string {
	var parsed struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &parsed) == nil && parsed.Error != "" {
		return parsed.Error
	}
	const most = 200
	if answer = bytes.TrimSpace(answer); len(answer) > most {
		answer = answer[:most]
	}
	return strings.ToValidUTF8(string(answer), "\uFFFD")
}

// retryAfter reads seconds; the other form, a date, is not what databases send.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func pack(pieces [][]byte) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	for _, piece := range pieces {
		if _, err := z.Write(piece); err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return packed.Bytes(), err
}
