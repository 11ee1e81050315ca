package influx

import (
	"errors"
	"net/http"
	"strings"
)

// Verdict is what the answer to a write means for the points that were sent.
type Verdict int

// Verdicts.
const (
	Stored   Verdict = iota // all of them are stored
	Retry                   // nothing is known of them: send the same again, later
	Slow                    // the same, and there may have been too many for the timeout
	TooLarge                // send fewer at once
	Refused                 // at least one of them is refused; the others may be stored or not
	TooOld                  // at least one is older than InfluxDB keeps; all others are stored
)

// VerdictOf is the table of docs/delivery.md, for an error of [Client.Write].
// Whatever is not known to be about the points is not held against them.
func VerdictOf(err error) Verdict {
	if err == nil {
		return Stored
	}
	answer, answered := errors.AsType[*AnswerError](err)
	if !answered {
		var late interface{ Timeout() bool }
		if errors.As(err, &late) && late.Timeout() {
			return Slow
		}
		return Retry
	}
	switch answer.Status {
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return Slow
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	case http.StatusBadRequest:
		return refusalOf(answer.Message)
	}
	return Retry
}

// refusalOf separates what InfluxDB says about points, which begins with one of three
// phrases, from what it or a proxy says about the request: a missing database name,
// a truncated body, an HTML page. The number of dropped points that InfluxDB gives
// is not reliable.
func refusalOf(message string) Verdict {
	partial := strings.HasPrefix(message, "partial write")
	switch {
	case partial && strings.Contains(message, "pending deletion"): // of a shard, which is made anew
		return Retry
	case partial && strings.Contains(message, "points beyond retention policy"):
		return TooOld
	case partial, strings.HasPrefix(message, "field type conflict"), strings.HasPrefix(message, "unable to parse"):
		return Refused
	}
	return Retry
}

// Brief is an answer without what differs from line to line, of which there are few.
func Brief(answer string) string {
	if strings.Contains(answer, "413") {
		return "too large"
	}
	for _, known := range []string{
		"field type conflict", "max-values-per-tag limit exceeded", "max-series-per-database limit exceeded", "unable to parse",
	} {
		if strings.Contains(answer, known) {
			return known
		}
	}
	return "other"
}
