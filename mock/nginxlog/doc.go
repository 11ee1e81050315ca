// Package nginxlog makes up access logs as nginx writes them: lines in any
// log_format, from one imagined web site with a believable mix of requests.
//
// It promises:
//
//   - The same Options and the same times give the same bytes. The clock is
//     the caller's: it changes the timestamps in the lines and nothing else.
//     Without torn lines not even the format changes the requests.
//   - A line never contains a newline but the one at its end.
//   - Values are escaped as nginx escapes them (escape=default or json), and a
//     variable without a value is written as nginx writes it.
//   - Append allocates nothing.
//
// There are three kinds of lines:
//
//	Request   somebody used the site
//	Garbage   a scanner knocked: TLS hellos on port 80, empty requests, probes.
//	          nginx logs these in the format like all others, so they match it
//	Torn      no nginx meant to write this: a line cut short, a cut line glued
//	          to the next, an empty line, binary bytes. It matches no format
//
// A torn line breaks inside a quoted value, so that it has an odd number of
// quotes. Every pattern that allows no quote inside a value, which is what the
// escaping guarantees, must refuse it; one with "(.*?)" may be fooled, and so
// may one that is not anchored at the line's start. In formats without quotes,
// and with escape=none, torn lines are empty or binary only.
//
// It does not imitate the order of the log (its lines are in order of time),
// the daily rhythm of a site, or sessions.
package nginxlog
