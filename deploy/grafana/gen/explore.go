package main

// Helpers that wait for their panels.
var _ = []any{is, linesPerSecond, dateTime}
