// Package influx talks to InfluxDB 1.x: it posts line protocol, executes the
// statements around that, and knows what InfluxDB's answers mean ([VerdictOf]).
//
// Writes use an http.Client of our own, because the official client's Write accepts
// an HTML page with status 200 and a redirect as success, and hides the status.
// Queries, which it does well, go through the official client.
//
//	influx.go     the client, and statements
//	write.go      a request with points
//	body.go       its body, which can be taken away; conn.go sends it at once
//	verdict.go    what an answer means
//	message.go    what an answer says
//	reach.go      why there was none
//	probe.go      a request without points
//	server.go     which server answers; victoria.go what VictoriaMetrics is
//	access.go     addresses, users, TLS
//	keep.go       databases and policies that tailflux makes
//	retention.go  how long points are kept
//	select.go     questions; points.go and deltas.go read points back, ask.go limits
package influx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	client "github.com/influxdata/influxdb1-client/v2"
)

// Config says where to write.
type Config struct {
	URL                string // may carry a path prefix; or unix: and the path of a socket
	Database           string
	RetentionPolicy    string      // "" is the database's default
	Username, Password string      // no authentication when Username is ""
	Token              string      // in place of them, or ""
	TLS                *tls.Config // nil: the system's authorities
	Headers            http.Header // sent with each request, names in their canonical form
	Gzip               bool
	Timeout            time.Duration // of a whole request
	InFlight           int           // connections kept open
	MaxAnswer          int64         // bytes of an answer to [Client.Select]; 0: any
	Keep               Keep
	Raw                bool         // lines have points of their own
	Log                *slog.Logger // nil: nothing is said
}

// Client writes and queries. It is safe for concurrent use.
type Client struct {
	config       Config
	base         string // URL without a slash at its end
	writeURL     string
	http         *http.Client
	query        client.Client          // nil where it cannot go
	server       atomic.Pointer[Server] // nil before it was asked
	lacking      atomic.Bool            // there is no policy for rollups: they go where points of lines do
	lackingKnown atomic.Bool            // lacking is known
}

// queryTimeout bounds statements, which cannot be cancelled.
const queryTimeout = 5 * time.Second

const idleTimeout = 90 * time.Second

// New returns a client. Nothing is sent yet.
func New(c Config) (*Client, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	base := strings.TrimRight(c.URL, "/")
	socket := strings.HasPrefix(base, "unix:")
	if socket {
		base = socketHost
	}
	u, err := url.Parse(base + "/write")
	if err != nil {
		return nil, fmt.Errorf("influxdb url: %w", withoutURL(err))
	}
	u.RawQuery = writeQuery(c.Database, c.RetentionPolicy)
	made := &Client{
		config:   c,
		base:     base,
		writeURL: u.String(),
		http: &http.Client{
			Timeout:   c.Timeout,
			Transport: transport(c),
			// A redirected POST arrives as a GET, or not at all.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if socket || c.Token != "" || len(c.Headers) > 0 {
		return made, nil
	}
	made.query, err = client.NewHTTPClient(client.HTTPConfig{
		Addr: base, Username: c.Username, Password: c.Password, TLSConfig: c.TLS.Clone(),
		UserAgent: "tailflux", Timeout: min(c.Timeout, queryTimeout),
	})
	if err != nil {
		return nil, fmt.Errorf("influxdb url: %w", withoutURL(err))
	}
	return made, nil
}

func writeQuery(database, policy string) string {
	q := url.Values{"db": {database}, "precision": {"ns"}}
	if policy != "" {
		q.Set("rp", policy)
	}
	return q.Encode()
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
	if c.query != nil {
		c.query.Close()
	}
}

// ErrRefused means that InfluxDB answered a statement and did not carry it out.
var ErrRefused = errors.New("refused")

// noDatabaseError is the name of a database that does not exist.
type noDatabaseError string

func (e noDatabaseError) Error() string {
	return fmt.Sprintf("database %q does not exist (influxdb.database)", string(e))
}

// Prepare asks what the server is, says so, and creates the database and its policies; it
// returns its version, or what it is if it does not tell. What is not as [Keep] says is
// logged. A refusal is logged and is not an error: the user may be allowed to write and
// nothing else.
func (c *Client) Prepare(ctx context.Context) (version string, err error) {
	is, err := c.Server(ctx)
	if err != nil {
		return "", err
	}
	switch caveat, fits := is.Caveat(c.config.Raw); {
	case !fits:
		c.config.Log.Warn("this server is not InfluxDB 1.x", "server", is.String(), "reason", caveat)
	case caveat != "":
		c.config.Log.Info("server asked", "server", is.String(), "reason", caveat)
	default:
		c.config.Log.Info("server asked", "server", is.String())
	}
	if !is.IsVictoria() { // which has no databases
		err = c.CreateDatabase(ctx)
	}
	if errors.Is(err, ErrRefused) {
		c.config.Log.Warn("cannot create the database; this does not matter if it exists", "err", err)
		err = nil
	}
	if err == nil {
		err = c.checkPolicies(ctx, true)
	}
	return is.Short(), err
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
		var resp *client.Response
		var err error
		if c.query != nil {
			resp, err = c.query.Query(query)
		} else {
			resp, err = c.queryDirectly(ctx, query)
		}
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
		if a.err != nil && isDatabaseMissing(a.err.Error()) {
			return nil, fmt.Errorf("%w: %w", ErrRefused, noDatabaseError(c.config.Database))
		}
		if a.err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRefused, a.err)
		}
		return a.resp, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
