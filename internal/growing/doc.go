// Package growing reads one log file that grows: its whole lines go out as chunks, and
// nothing of them is lost or doubled whatever becomes of the file meanwhile.
//
// Bytes are read with pread at the position, so nothing is carried from one read to the
// next: what follows the last newline is simply read again. After each read the file must
// still begin as it did and be the same before the position; or else the bytes are dropped,
// and the read returns [ErrChanged]. What that means, and when a file is opened, left or
// taken for another generation, is for its follower to say, package tail.
//
//	file.go    read, send, leave
//	name.go    where it is now
//	hole.go    NULs in it that nobody wrote
//	check.go   whether it still holds what was read of it
//	feed.go    where the chunks go
//	unsynced.go   what was read and may not be on the disk yet
//
// A File belongs to one goroutine.
package growing
