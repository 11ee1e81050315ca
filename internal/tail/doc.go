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
// Bytes are read with pread at the position, so nothing is carried from one read
// to the next: what follows the last newline is simply read again. A tick is the
// truth about what happened to the files; package watch of hpcloud/tail only
// wakes the reader earlier when a quiet file grows.
//
//	reader.go    the loop: look, read, wait
//	source.go    what is at a path, and which files are open for it
//	file.go      an open generation: read, send, leave
//	check.go     whether it still holds what was read of it
//	truncate.go  a file that holds something else now, and the copy of it
//	restore.go   where the checkpoint's generations are
//	unseen.go    files that came to the path and were rotated away, never seen
//	neighbours.go where to search for these
//	packed.go    files that are compressed, and are not to be
//	glob.go      many paths
//	import.go    logs that are read once, from their beginning
//	report.go    what is logged of trouble and loss
//	watcher.go   wake-ups
//
// What a file on disk is, by which it is recognised, is package logfile's.
//
// docs/following.md says what can happen to a log, and what is not promised.
package tail
