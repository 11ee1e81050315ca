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
// A file is known by its device and inode while it is open, and by nothing
// before and afterwards. So these are beyond it:
//
//   - a file that was at the path for less than a tick is not seen;
//   - a file that is truncated to less than was sent of it is read from its first
//     byte, also what is left of it; what had not been read is lost;
//   - a file that is truncated and, before the next tick, grows beyond where it
//     was read to, is not seen to be truncated: what is behind that is read;
//   - what is written to a superseded file after it was left is not read;
//   - a file that comes back to the path after it was left is read again.
package tail
