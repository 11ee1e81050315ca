package main

// Helpers that wait for their panels.
var _ = []any{
	stat, table, states, tableQuery, textVariable, steps, from, fixed, byRegexp, inUnit, wide, (*panel).legend, (*panel).logarithmic, (*panel).transform,
	site5m, paths, own, grey, linesPerSecond, bytesUnit, bytesPerSecond, seconds, percent, count, dateTime, fromNow,
}
