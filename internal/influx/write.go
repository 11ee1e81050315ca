package influx

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"
)

// AnswerError is any answer to a write but 204.
type AnswerError struct {
	Status     int
	Code       string        // of InfluxDB 2 and 3: what kind of error it is
	Message    string        // InfluxDB's own words, or the beginning of the body
	Hint       string        // what is wrong with influxdb.url, if the answer shows that
	RetryAfter time.Duration // as the server asked; zero when it did not
}

// answered is before the status in each text.
const answered = "influxdb answered "

func (e *AnswerError) Error() string {
	switch {
	case e.Hint != "":
		return fmt.Sprintf(answered+"%d %s: %s", e.Status, http.StatusText(e.Status), e.Hint)
	case e.Message == "":
		return fmt.Sprintf(answered+"%d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf(answered+"%d: %s", e.Status, e.Message)
}

// Pause is how long the server asked to wait.
func (e *AnswerError) Pause() time.Duration { return e.RetryAfter }

// maxAnswer is the most bytes that are read of an answer.
const maxAnswer = 64 << 10

// Write sends line protocol, in pieces that together are the body, and returns nil only when
// InfluxDB answered 204: the points are in its log on disk. Any other answer is an [*AnswerError].
// When the answer is 404, or that there is no such policy, they are created if that may be, so that
// the next try may succeed. The pieces are not used after Write returned.
func (c *Client) Write(ctx context.Context, pieces [][]byte) error {
	return c.Policy(c.config.RetentionPolicy).Write(ctx, pieces)
}

// Policy is the client for another retention policy than that of its configuration; "" is
// the default one of the database. The policy of rollups is that of its configuration
// where there is none for rollups.
func (c *Client) Policy(name string) Policy {
	if name != "" && name == c.config.Keep.RollupsPolicy && c.lacking.Load() {
		name = c.config.RetentionPolicy
	}
	return c.policy(name)
}

func (c *Client) policy(name string) Policy {
	before, _, _ := strings.Cut(c.writeURL, "?")
	return Policy{c, name, before + "?" + writeQuery(c.config.Database, name)}
}

// Policy is a client for one retention policy.
type Policy struct {
	*Client
	name, writeURL string
}

// Write is as that of the client.
func (c Policy) Write(ctx context.Context, pieces [][]byte) error {
	if c.config.Gzip {
		packed, err := pack(pieces)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		pieces = [][]byte{packed}
	}
	err := c.post(ctx, pieces)
	for range c.config.InFlight {
		if !errors.Is(err, errStale) {
			break
		}
		err = c.post(ctx, pieces)
	}
	return c.anew(err)
}

// anew makes the next request open a new connection when one is to be tried again: the server's
// name may lead elsewhere by now, or the connection nowhere, and it would never end while it is used.
func (c *Client) anew(err error) error {
	if means := VerdictOf(err); means == Retry || means == Slow {
		c.http.CloseIdleConnections()
	}
	return err
}

// errStale is an error on a connection that was used before. The server, or
// something on the way, may just have closed it for idling too long. The
// transport does not send a POST again in that case.
var errStale = errors.New("on an idle connection")

var errEarly = errors.New("influxdb write: answered 204 before all points were sent")

func (c Policy) post(ctx context.Context, pieces [][]byte) error {
	// The transport may still read the body of a request that was answered or
	// given up early. When we return the pieces are the caller's again.
	body := newBody(pieces)
	defer body.detach()
	reused := false
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(conn httptrace.GotConnInfo) { reused = conn.Reused },
	})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, c.writeURL, body)
	if err != nil {
		return fmt.Errorf("influxdb write: %w", err)
	}
	req.ContentLength = body.size
	c.authorize(req)
	if c.config.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var late net.Error
		timedOut := errors.As(err, &late) && late.Timeout()
		if reused && !timedOut && ctx.Err() == nil {
			return fmt.Errorf("%w: %w", errStale, c.unreachable(err))
		}
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	// Cut short, it is still an answer: the status says what to do.
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch resp.StatusCode {
	case http.StatusNoContent:
		if !body.detach() {
			return errEarly
		}
		return nil
	case http.StatusNotFound:
		// Refused or unreachable: the next try says so again.
		c.missing(ctx)
	}
	code, text := message(answer)
	if isPolicyMissing(text) { // 500
		c.missing(ctx)
	}
	return &AnswerError{
		Status:     resp.StatusCode,
		Code:       code,
		Message:    text,
		Hint:       c.hint(resp.StatusCode, resp.Header, answer),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
	}
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
