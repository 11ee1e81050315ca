// Package tail is the first stage: it follows log files and sends what was
// appended to them as chunks of whole lines, without losing or doubling one.
//
// The words:
//
//   - A source is a path that is followed.
//   - A generation is one file that has lived there. When another file appears
//     at the path it is read at once, while the superseded one is drained beside
//     it: nginx writes to it until it is told to reopen its logs.
//   - A position is a generation, a byte offset and a line number.
//
// Each look at a source has three steps, with no way back: observe collects the
// facts of a scene, package scene decides what follows from them, and act does it
// through the source's ledger, unless the files have moved meanwhile. Then the
// next scene is looked at, until nothing follows.
//
// Bytes are read by package growing, one open file at a time; when they are others than
// before, it drops them, and the next look finds out why. A tick is the truth about what
// happened to the files; package watch of hpcloud/tail only wakes the reader earlier when
// a quiet file grows.
//
//	reader.go    the loop: look, read, wait
//	turn.go      each source reads a block
//	look.go      a look at all sources, and when it is due
//	source.go    at one of them, and its first step: observe
//	found.go     the files beside a log, and what they hold: the evidence
//	act.go       the last step: what was decided is done
//	awaited.go   a log that could not be opened yet
//	copies.go    a log that was truncated, and its copies
//	numbers.go   which numbers the lines of a file have
//	glob.go      many paths
//	links.go     those that are other names of one file
//	dated.go     those that differ in a date, and are one source
//	import.go    logs that are read once, from their beginning
//	report.go    what is logged of trouble and loss
//	watched.go   files that were closed and may grow again
//	anonymised.go   and may lose their addresses
//	reconfigure.go, rename.go   what a reload changes
//
// What a file on disk is, by which it is recognised, is package logfile's.
//
// docs/following.md says what can happen to a log, and what is not promised.
package tail
