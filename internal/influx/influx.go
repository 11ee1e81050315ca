// Package influx talks to InfluxDB 1.x: it posts line protocol, executes the
// statements around that, and knows what InfluxDB's answers mean ([VerdictOf]).
//
// Writes use an http.Client of our own, because the official client's Write accepts
// an HTML page with status 200 and a redirect as success, and hides the status.
// Queries, which it does well, go through the official client.
package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
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
	base     string // URL without a slash at its end
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
		return nil, fmt.Errorf("influxdb url: %w", withoutURL(err))
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
		return nil, fmt.Errorf("influxdb url: %w", withoutURL(err))
	}
	return &Client{
		config:   c,
		base:     base,
		writeURL: u.String(),
		query:    query,
		http: &http.Client{
			Timeout: c.Timeout,
			Transport: &http.Transport{
				MaxIdleConnsPerHost: c.InFlight,
				DisableCompression:  true,
				IdleConnTimeout:     90 * time.Second,
			},
			// A redirected POST arrives as a GET, or not at all.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// withoutURL removes the URL from an error: there may be a password in it.
func withoutURL(err error) error {
	if about, ok := errors.AsType[*url.Error](err); ok {
		return about.Err
	}
	return err
}

// Close closes idle connections.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.query.Close()
}

// ErrRefused means that InfluxDB answered a statement and did not carry it out.
var ErrRefused = errors.New("refused")

// Prepare creates the database. A refusal is logged and is not an error: the user
// may be allowed to write and nothing else.
func (c *Client) Prepare(ctx context.Context) error {
	err := c.CreateDatabase(ctx)
	if errors.Is(err, ErrRefused) {
		c.config.Log.Warn("cannot create the database; this does not matter if it exists", "err", err)
		return nil
	}
	return err
}

// CreateDatabase creates the database unless it exists. The error is
// [ErrRefused] when an answer came, but not success: writing may work all the
// same. It blocks until ctx ends, and for at most five seconds.
func (c *Client) CreateDatabase(ctx context.Context) error {
	_, err := c.say(ctx, "CREATE DATABASE "+Quote(c.config.Database))
	return err
}

// say executes a statement. The error is [ErrRefused] when an answer came, but
// not success. It blocks until ctx ends, and for at most queryTimeout.
func (c *Client) say(ctx context.Context, statement string) (*client.Response, error) {
	resp, err := c.ask(ctx, client.NewQuery(statement, "", ""))
	if errors.Is(err, ErrRefused) {
		err = fmt.Errorf("%s: %w", statement, err)
	}
	return resp, err
}

// ask executes a query, as say does.
func (c *Client) ask(ctx context.Context, query client.Query) (*client.Response, error) {
	type answer struct {
		resp *client.Response
		err  error
	}
	answered := make(chan answer, 1)
	// The official client cannot cancel a statement. When ctx ends nobody waits
	// for it any longer: it ends by itself, within queryTimeout.
	go func() {
		resp, err := c.query.Query(query)
		answered <- answer{resp, err}
	}()
	select {
	case a := <-answered:
		if _, unreachable := errors.AsType[*url.Error](a.err); unreachable {
			return nil, c.unreachable(a.err)
		}
		if a.err == nil {
			a.err = a.resp.Error()
		}
		if a.err != nil && strings.HasPrefix(a.err.Error(), "database not found") {
			return nil, fmt.Errorf("%w: database %q does not exist (influxdb.database)", ErrRefused, c.config.Database)
		}
		if a.err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRefused, a.err)
		}
		return a.resp, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
