package flow

import "strings"

// Reason is why a line was rejected. The words are part of the contract: they stand
// in rejects.jsonl and on /monitor.
type Reason string

// Reasons.
const (
	NoMatch Reason = "no match" // it does not match the format
	Empty   Reason = "empty"
	TooLong Reason = "too long" // longer than max_line, or its point than a block
	BadTime Reason = "bad time" // its time cannot be read
	Expired Reason = "expired"  // older than InfluxDB keeps points
	Future  Reason = "future"   // further in the future than InfluxDB takes points
)

const refused = "refused: "

// Refused is the reason of a line whose point InfluxDB refuses, with its answer.
func Refused(answer string) Reason { return Reason(refused + answer) }

// Answer is InfluxDB's answer, if that is the reason.
func (r Reason) Answer() (answer string, ok bool) { return strings.CutPrefix(string(r), refused) }

// IsOfPoint reports whether the point of the line was refused, or too old: the line itself
// was read as it should, and added up.
func (r Reason) IsOfPoint() bool {
	_, answered := r.Answer()
	return answered || r == Expired || r == Future
}
