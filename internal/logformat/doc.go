// Package logformat turns an nginx log_format, or a regular expression, into a
// matcher that cuts a log line into the values of its variables.
//
//	log_format ──┐                       ┌── scanner: about 100 ns a line
//	             ├──► regular expression ┤
//	regexp ──────┘     (the meaning)     └── stdlib regexp: microseconds a line
//
// The regular expression is the only definition of what a format matches and
// what its captures are. Where it is a chain of literals and simple classes,
// as every log_format is, a scanner is derived from it. The scanner decides
// only what it can prove (package scan has the proof) and hands every other
// line to the standard library, so the two never disagree; fuzz tests hold
// them against each other.
//
// The preset json is of another kind: an object's keys come in any order, which
// no regular expression can say. Those lines go through a JSON parser, unless they have
// the same keys in the same order as one that did.
//
// For the operator there is also Detect, which finds the format of a log by its
// lines; Diagnose, which returns the column where a line stops matching; and
// Warnings, about formats that can match and give wrong values.
//
// The package checks the shape of a line, not its values: whether 99/Foo/2018
// is a date, whether a format has a time at all, is for others to decide. It
// decodes only JSON objects: captures are the bytes of the line, and Escape says how
// they must be decoded.
package logformat
