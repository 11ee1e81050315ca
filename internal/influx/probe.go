package influx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Probe is [Client.Try], and creates the database if there is none: it was dropped.
func (c *Client) Probe(ctx context.Context) error {
	err := c.Try(ctx)
	if answer, ok := errors.AsType[*AnswerError](err); ok && (answer.Status == http.StatusNotFound || isPolicyMissing(answer.Message)) {
		c.missing(ctx)
	}
	return err
}

// Try sends a write without points, and returns nil if one with points could be stored
// as far as address, user, database and retention policy go: the answer is that to a write
// that is stored, or InfluxDB's that there are no points. Else the error is as that of
// [Client.Write]. Nothing is changed.
func (c *Client) Try(ctx context.Context) error {
	return c.Policy(c.config.RetentionPolicy).Try(ctx)
}

// Try is as that of the client.
func (c Policy) Try(ctx context.Context) error { return c.anew(c.try(ctx)) }

func (c Policy) try(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.writeURL, http.NoBody)
	if err != nil {
		return fmt.Errorf("influxdb write: %w", err)
	}
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // cut short, the status still counts
	if resp.StatusCode == http.StatusNoContent {
		return nil
	}
	code, text := message(answer)
	refused := &AnswerError{
		Status: resp.StatusCode, Code: code, Message: text,
		Hint:       cmp.Or(c.hint(resp.StatusCode, resp.Header, answer), c.about(resp.StatusCode, answer, true)),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
	}
	if isAboutPoints(refused, resp.Header, answer) {
		return nil
	}
	return refused
}

// isAboutPoints reports whether an answer refuses points, of which there were none. InfluxDB
// 2 has words for that which are not known as being about points ("writing requires points"),
// and so may others: what is not known counts if it is said as InfluxDB says it. A proxy that
// speaks https, or a page, does not.
func isAboutPoints(refused *AnswerError, header http.Header, answer []byte) bool {
	switch VerdictOf(refused) {
	case Refused, OutOfTime:
		return true
	case Unclear:
		answer = bytes.TrimSpace(answer)
		return header.Get(versionHeader) != "" || bytes.HasPrefix(answer, []byte("{")) && json.Valid(answer)
	}
	return false
}

// about says which keys an answer is about that refuses whatever is sent, "" if none is; of a
// 403, unset ones too, if that is asked for: it may be about what was sent.
func (c *Client) about(status int, answer []byte, unset bool) string {
	_, text := message(answer)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		who, keys := fmt.Sprintf("refuses user %q", c.config.Username), "influxdb.username, influxdb.password_file"
		switch {
		case c.config.Token != "":
			who, keys = "refuses the token", "influxdb.token_file"
		case c.config.Username == "" && !unset && status != http.StatusUnauthorized:
			return ""
		case c.config.Username == "":
			who, keys = "wants a user", "influxdb.username and influxdb.password_file, or influxdb.token_file"
		}
		if text != "" {
			who += ": " + text
		}
		return fmt.Sprintf("%s %s (%s)", c.config.URL, who, keys)
	case isDatabaseMissing(text):
		return text + " (influxdb.database)"
	case isPolicyMissing(text) && strings.HasSuffix(text, ": "+c.config.RetentionPolicy):
		return text + " (influxdb.retention_policy)"
	case isPolicyMissing(text):
		return text + " (rollups[].retention_policy)"
	}
	return ""
}
