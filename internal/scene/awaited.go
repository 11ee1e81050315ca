package scene

import "slices"

// A file that was at the path before anything of the log was read, and that could not be opened,
// may have been rotated by the time that it can. Nothing is known of it but its inode, so what
// came to the path after it is found by its time.

// awaited ends the wait for that file. all says that each of the files could be opened. When
// another one is at the path, it is begun by then, or is not to be read. Otherwise, a file that is
// begun may be a copy of it. If there is none, it is lost. awaited returns false if it might still
// turn up.
func (d *decision) awaited(all bool) bool {
	a := d.Ledger.Awaited
	if a == nil || d.Path.Awaited {
		return true
	}
	isHere := d.any(d.isAwaited)
	isCopied := !isHere && slices.ContainsFunc(d.actions, func(a Action) bool { return a.Do == Begin })
	if !isCopied && (!all || d.Path.Trouble != nil) {
		return true
	}
	lost := Action{Do: Lose, Bytes: max(0, a.Size-a.From)}
	isMissed := lost.Bytes > 0 || !a.Shortened // of one that was truncated nothing else may be there
	if a.Inode.Number != 0 && !isHere && !isCopied && isMissed {
		if d.Agreed < agreed {
			d.actions = []Action{{Do: LookAgain}}
			return false
		}
		lost.Why = "it could not be opened while it was there, and no file beside the log is it"
	}
	d.add(lost)
	return true
}

// isAwaited reports whether a file is the one that the ledger awaits.
func (d *decision) isAwaited(file int) bool {
	a := d.Ledger.Awaited
	return a != nil && !a.Shortened && d.Beside[file].Inode.Is(a.Inode) && (d.Trouble(file) != nil || d.Born(file).Is(a.Inode))
}

// isBeforeAwaited reports whether a file was made before the one that the ledger awaits: it had
// been rotated when the log was first seen, however late somebody still wrote to it.
func (d *decision) isBeforeAwaited(file int) bool {
	a := d.Ledger.Awaited
	if a == nil || a.Inode.Birth == 0 || d.Beside[file].Inode.Device != a.Inode.Device || d.Trouble(file) != nil {
		return false
	}
	born := d.Born(file).Birth
	return born > 0 && born < a.Inode.Birth
}
