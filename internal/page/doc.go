// Package page is the live page: GET /, and what it asks for.
//
//	GET /                    the page; it asks nothing of anybody but the daemon
//	GET /assets/HASH/NAME    its scripts and style, which never change under one hash
//	GET /live                what it shows, as JSON
//	GET /live/stream         the same each second, as server-sent events
//	GET /live/tail           requests as they are read, as server-sent events
//	GET /history             what InfluxDB has of earlier, which package history answers
//
// It only shows. A frame of the stream is made once for all who watch, and compressed
// once. Whoever reads too slowly gets the next frame he can take, and is dropped when he
// takes none: a client costs the daemon a goroutine and what a socket holds.
//
// What a log line has is text everywhere: the scripts in web put it into the page as text
// content, never as HTML, and the Content-Security-Policy lets nothing else run.
//
// Elements of the page have names that tests and other scripts may rely on: docs/live.md.
package page
