package write

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tailflux/tailflux/internal/influx"
)

// verdict is what an answer means for the points that were sent.
type verdict int

const (
	acknowledged verdict = iota // stored
	again                       // nothing is known of the points: the same once more, later
	slow                        // likewise, and there may have been too many for the time there was
	large                       // fewer at once
	refused                     // at least one of them is not wanted; the others may be stored or not
	old                         // at least one is older than what is kept; all others are stored
)

// judge is the table of docs/delivery.md: whatever is not known to be about the
// points is not held against them.
func judge(err error) verdict {
	if err == nil {
		return acknowledged
	}
	answer, answered := errors.AsType[*influx.AnswerError](err)
	if !answered {
		var late interface{ Timeout() bool }
		if errors.As(err, &late) && late.Timeout() {
			return slow
		}
		return again
	}
	switch answer.Status {
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return slow
	case http.StatusRequestEntityTooLarge:
		return large
	case http.StatusBadRequest:
		return judgeRefusal(answer.Message)
	}
	return again
}

// judgeRefusal tells what InfluxDB says of points, which begins with one of three
// phrases, from what it, or anybody on the way, says of a request: a database that
// is not named, a body that was cut, a page in HTML. How many points it has
// dropped, as it says, is not true.
func judgeRefusal(message string) verdict {
	partial := strings.HasPrefix(message, "partial write")
	switch {
	case partial && strings.Contains(message, "pending deletion"): // of a shard, which is made anew
		return again
	case partial && strings.Contains(message, "points beyond retention policy"):
		return old
	case partial, strings.HasPrefix(message, "field type conflict"), strings.HasPrefix(message, "unable to parse"):
		return refused
	}
	return again
}

// Reasons for lines that are in their format and yet rejected.
const (
	expired    = "expired"   // older than what InfluxDB keeps
	refusedFor = "refused: " // and what InfluxDB says
)

// brief is a reason without what differs from line to line, of which there are
// few.
func brief(reason string) string {
	text, isRefusal := strings.CutPrefix(reason, refusedFor)
	if !isRefusal {
		return reason
	}
	if strings.Contains(text, "413") {
		return refusedFor + "too large"
	}
	for _, known := range []string{
		"field type conflict", "max-values-per-tag limit exceeded", "max-series-per-database limit exceeded", "unable to parse",
	} {
		if strings.Contains(text, known) {
			return refusedFor + known
		}
	}
	return refusedFor + "other"
}
