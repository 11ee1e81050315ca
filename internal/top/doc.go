// Package top draws in a terminal what goes on now: the requests of the last minutes, and
// the pipeline. Or it prints that once.
//
//	ask ──Picture──► view ──draw──► canvas ──► terminal
//
//	picture.go   what GET /live answers; slots.go rates of it, units.go figures
//	top.go       asks once a second, draws, hears keys
//	view.go      what the keys change
//	words.go     in one sentence whether all is well
//	draw.go      where things are on the screen; rates.go, pipeline.go and lists.go are its parts
//	canvas.go    cells of a screen; text.go what of a text may be in them
//	terminal.go  the only file that knows the library
//	print.go     one picture as plain text
//
// What a log line had may be anything. It comes to a terminal as text that changes nothing
// there: [plain] sees to that, and nothing is put on a canvas without it.
package top
