package influx

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Server is what answers at influxdb.url.
type Server struct {
	Name    string // InfluxDB, VictoriaMetrics, or "" when it does not tell
	Version string // as it tells; "" when it does not
	Flags   Flags  // of VictoriaMetrics
}

func (s Server) String() string {
	switch {
	case s.Version != "":
		return s.Name + " " + s.Version
	case s.Name != "":
		return s.Name
	}
	return unknownServer
}

const (
	unknownServer = "unknown"
	influxDB      = "InfluxDB"
)

// versionHeader is in each answer of InfluxDB.
const versionHeader = "X-Influxdb-Version"

// Short is its version, or what it is when it does not tell.
func (s Server) Short() string { return cmp.Or(s.Version, s.Name, unknownServer) }

var (
	second = lazyregexp.New(`^v?2\.`)
	third  = lazyregexp.New(`^v?3\.`)
	first  = lazyregexp.New(`^v?1\.`)
)

// Caveat is what does not hold at a server as it does at InfluxDB 1.x, or "". raw is set if
// lines have points of their own; fits, if nothing is to be done about it.
func (s Server) Caveat(raw bool) (text string, fits bool) {
	if s.IsVictoria() {
		return s.Flags.caveat(raw)
	}
	text = s.caveat()
	return text, text == ""
}

func (s Server) caveat() string {
	switch {
	case second().MatchString(s.Version):
		return "InfluxDB 2 takes points at /write only for a bucket that influxdb.database is mapped to (influx v1 dbrp create)"
	case third().MatchString(s.Version):
		return "InfluxDB 3 is written to as InfluxDB 1 is; what its answers mean is known, its reports and limits are not"
	case !first().MatchString(s.Version):
		return "it does not say that it is InfluxDB 1.x, so what is promised may not hold (influxdb.url)"
	}
	return ""
}

// NoInfluxQL is why points cannot be read back, and lines cannot be delivered again
// without harm, or "".
func (s Server) NoInfluxQL() string {
	if !s.IsVictoria() {
		return ""
	}
	return "VictoriaMetrics answers at influxdb.url: it has no InfluxQL, so points cannot be compared with lines; and it overwrites nothing, " +
		"so lines that were delivered before would count twice"
}

// Server asks what it is. It blocks until ctx ends, and for at most five seconds a question.
// The error is that nobody answered, or what stands before the server, of which it would not be
// known for what it is. What answers so for ever, and passes writes on, is unknown.
func (c *Client) Server(ctx context.Context) (Server, error) {
	const sure = 2 // the server may be back between a question and a write
	for range sure {
		is, refused, err := c.identify(ctx)
		switch {
		case err != nil:
			return Server{}, err
		case refused == nil:
			c.server.Store(&is)
			return is, nil
		case !c.passesWrites(ctx):
			return Server{}, refused
		}
	}
	c.server.Store(&Server{})
	return Server{}, nil
}

// identify asks once. What answers neither question as a server does is refused; err is that
// nobody answered, or that the server itself does not now.
func (c *Client) identify(ctx context.Context) (is Server, refused *AnswerError, err error) {
	header, body, status, err := c.get(ctx, "/ping", nil)
	if err != nil {
		return is, nil, err
	}
	if is.Version = header.Get(versionHeader); is.Version != "" {
		is.Name = influxDB
		return is, nil, nil
	}
	pinged := status == http.StatusNoContent
	if !pinged {
		refused = c.refusal(status, header, body)
	}
	header, body, status, err = c.get(ctx, "/query", url.Values{"q": {"TAILFLUX ASKS WHO THIS IS"}})
	switch victoria, known := takesNonsense(status, body); {
	case err != nil:
		return is, nil, err
	case victoria: // whatever version it says here
		return Server{Name: victoriaMetrics, Flags: c.flags(ctx)}, nil, nil
	case known:
		if is.Version = header.Get(versionHeader); is.Version != "" {
			is.Name = influxDB
		}
		return is, nil, nil
	case pinged && isInFront(status):
		return is, nil, c.refusal(status, header, body)
	case pinged:
		refused = c.refusal(status, header, body)
	}
	return is, refused, nil
}

func (c *Client) refusal(status int, header http.Header, body []byte) *AnswerError {
	code, text := message(body)
	return &AnswerError{Status: status, Code: code, Message: text, Hint: c.hint(status, header, body)}
}

// passesWrites reports whether writes get to a server: they are taken, or something is
// missing that a server alone knows of.
func (c *Client) passesWrites(ctx context.Context) bool {
	err := c.Try(ctx)
	answer, answered := errors.AsType[*AnswerError](err)
	return err == nil || answered && (isDatabaseMissing(answer.Message) || isPolicyMissing(answer.Message))
}

// isInFront reports whether an answer is that of a proxy whose server does not answer now.
func isInFront(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Known is what it said that it is when it was last asked; zero before.
func (c *Client) Known() Server {
	if is := c.server.Load(); is != nil {
		return *is
	}
	return Server{}
}

// takesNonsense reports whether what is no statement got the fixed list of databases
// that VictoriaMetrics answers to everything: its /ping has nothing to know it by. It is
// known to be another server if it looked at the statement.
func takesNonsense(status int, body []byte) (victoria, known bool) {
	type table struct {
		Name    string
		Columns []string
		Values  [][]any
	}
	var answer struct {
		Results []struct {
			table  // as VictoriaMetrics has it
			Series []table
		}
	}
	if status == http.StatusBadRequest {
		_, text := message(body)
		return false, strings.HasPrefix(text, "error parsing query")
	}
	if status != http.StatusOK || json.Unmarshal(body, &answer) != nil {
		return false, false
	}
	for _, result := range answer.Results {
		for _, series := range append(result.Series, result.table) {
			if series.Name == "databases" || slices.Equal(series.Columns, []string{"name"}) && len(series.Values) > 0 {
				return true, true
			}
		}
	}
	return false, len(answer.Results) > 0
}

// get asks for something by GET, as writes are sent.
func (c *Client) get(ctx context.Context, path string, q url.Values) (header http.Header, body []byte, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(min(c.config.Timeout, queryTimeout), queryTimeout))
	defer cancel()
	u := c.base + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, http.NoBody)
	if err != nil {
		return nil, nil, 0, withoutURL(err)
	}
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, 0, c.unreachable(err)
	}
	defer resp.Body.Close()
	body, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // cut short, the status still counts
	return resp.Header, body, resp.StatusCode, nil
}
