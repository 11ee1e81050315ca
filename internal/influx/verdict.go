package influx

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Verdict is what the answer to a write means for the points that were sent.
type Verdict int

// Verdicts.
const (
	Stored    Verdict = iota // all of them are stored
	Retry                    // nothing is known of them: send the same again, later
	Slow                     // the same, and there may have been too many for the timeout
	TooLarge                 // send fewer at once
	Refused                  // at least one of them is refused; the others may be stored or not
	OutOfTime                // the same, and the reason is its time: too old, or too far in the future
	Unclear                  // refused are points, or the request whatever is in it: only other points tell
)

// VerdictOf is the table of docs/delivery.md, for an error of [Client.Write].
// Whatever is not known to be about the points is not held against them.
//
// An answer quotes what clients sent. So it is judged by its status and by how it
// begins, which is the server's own.
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
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return refusal(answer, Unclear)
	case http.StatusCreated, http.StatusPartialContent:
		return refusal(answer, Retry) // without such words it is from something else
	}
	return Retry
}

// IsForbidden reports whether an answer is Retry because the user may not write, or because what
// guards the server forbids what a client has written: only other points tell.
func IsForbidden(err error) bool {
	answer, answered := errors.AsType[*AnswerError](err)
	return answered && (answer.Status == http.StatusForbidden || answer.Status == http.StatusNotAcceptable)
}

// IsPage reports whether an answer is a page of HTML: of a proxy, or of something else.
func IsPage(err error) bool {
	answer, answered := errors.AsType[*AnswerError](err)
	return answered && strings.HasPrefix(answer.Message, "<")
}

// refusal separates what a server says about points from what it or a proxy says
// about the request: a missing database name, a truncated body, an HTML page. The
// number of dropped points that InfluxDB gives is not reliable, and 1.12 and later say
// of points from the future that they are too old.
func refusal(answer *AnswerError, other Verdict) Verdict {
	switch words := ownWords(answer.Message); {
	case pendingDeletion().MatchString(words): // of a shard, which is made anew
		return Unclear
	case outOfTime().MatchString(words):
		return OutOfTime
	case aboutPoints().MatchString(answer.Message), aboutPoints().MatchString(words):
		return Refused
	case answer.Code != "" && answer.Status != http.StatusBadRequest:
		return Refused // the status says it
	}
	return other
}

// These are how InfluxDB's texts begin.
var (
	// 1.x, 2.x, and 3.
	wrappers    = lazyregexp.New(`^(failure writing points to database: )?(partial write: )?`)
	aboutPoints = lazyregexp.New(`^(partial write|field type conflict|unable to parse|parsing failed for write_lp endpoint)`)
	// 1.8; the same and more in 1.12.2; 1.12.4 and later and 2.x, of a retention policy
	// and of a write window.
	outOfTime = lazyregexp.New(`^(points beyond retention policy|dropped \d+ points outside )`)

	pendingDeletion = lazyregexp.New(`^shard \d+ is pending deletion`)
)

// ownWords is a text without what InfluxDB may put before its reason.
func ownWords(message string) string { return message[len(wrappers().FindString(message)):] }

// Words is how an answer begins, up to where it may be about one line: the same for
// all lines that are refused for one reason. "" if there was none.
func Words(err error) string {
	answer, ok := errors.AsType[*AnswerError](err)
	if !ok {
		return ""
	}
	text := answer.Message
	if at := strings.IndexAny(text, "'\"`0123456789=[{(<\\\n"); at >= 0 {
		text = text[:at]
	}
	return strconv.Itoa(answer.Status) + " " + text
}

// briefly has, of the refusals that are common, how InfluxDB begins and what they are
// called.
var briefly = []struct{ begins, name string }{
	{"field type conflict", "field type conflict"},
	{"max-values-per-tag limit exceeded", "max-values-per-tag limit exceeded"},
	{"max-series-per-database", "max-series-per-database limit exceeded"},
	{"unable to parse", "unable to parse"},
	{"input field ", "field too long"},
	{"key contains invalid unicode", "invalid unicode"},
}

const unknown = "other"

// Brief is the text of an [*AnswerError] without what differs from line to line, of
// which there are few.
func Brief(answer string) string {
	if _, after, ok := strings.Cut(answer, answered); ok { // the first one is ours
		answer = after
	}
	status, message, _ := strings.Cut(answer, ": ")
	if number, _, _ := strings.Cut(status, " "); number == strconv.Itoa(http.StatusRequestEntityTooLarge) {
		return "too large"
	}
	words := ownWords(message)
	for _, known := range briefly {
		if strings.HasPrefix(words, known.begins) {
			return known.name
		}
	}
	return unknown
}

// Briefs are all that Brief may return.
func Briefs() []string {
	all := []string{"too large", unknown}
	for _, known := range briefly {
		all = append(all, known.name)
	}
	return all
}

// KnownReason reports whether the answer says, in words that are known, what is wrong
// with a point. It is not its time.
func KnownReason(err error) bool { return err != nil && Brief(err.Error()) != unknown }
