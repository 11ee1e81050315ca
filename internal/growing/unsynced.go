package growing

import (
	"os"
	"sync"

	"github.com/tailflux/tailflux/internal/logfile"
)

// unsynced are the files of which something was read that may not be on the disk yet. Whoever
// writes a log leaves it to the kernel when its lines get there, up to half a minute later. A
// checkpoint that says they were delivered is on the disk at once, so after a power cut the
// log would be shorter than what was delivered of it, and what is written to it next would
// count as delivered. That is why a checkpoint waits for sync before it counts what was
// acknowledged.
//
// The reader calls read and leave, whoever saves calls sync. What cannot be synced counts all
// the same: only a power cut would tell.
type unsynced struct {
	kept bool // what was delivered is kept on a disk; otherwise nothing is synced

	syncing sync.Mutex // held while files are synced

	mu     sync.Mutex
	files  map[*os.File]uint64 // with their devices
	during map[*os.File]uint64 // are being synced
	left   []*logfile.Opened   // nobody needs these any more; they are to be closed once they are synced
}

// mostSynced is how many files are synced one by one. Of more, their file systems are.
const mostSynced = 64

// read notes that something of a file was read. It is called before that is sent, so it cannot
// be acknowledged earlier.
func (u *unsynced) read(o *logfile.Opened) {
	if !u.kept {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.files == nil {
		u.files = map[*os.File]uint64{}
	}
	u.files[o.File] = o.Inode.Device
}

// unsynced notes that something of the file is about to be used that may not be on the disk yet.
func (f *File) unsynced() {
	if f.Packed == nil && f.feed != nil {
		f.feed.unsynced.read(f.Opened)
	}
}

// leave has a file closed once it is synced, so that the reader, which has other files, need
// not wait. It reports false if there is nothing to sync: nothing was read of the file lately,
// or it was deleted.
func (u *unsynced) leave(o *logfile.Opened) bool {
	u.mu.Lock()
	_, waits := u.files[o.File]
	_, now := u.during[o.File]
	if info, err := o.File.Stat(); !waits && !now || err != nil || logfile.Names(info) == 0 {
		delete(u.files, o.File)
		u.mu.Unlock()
		return false
	}
	u.left = append(u.left, o)
	if len(u.left) == 1 { // more will go with it
		go u.sync()
	}
	u.mu.Unlock()
	return true
}

// sync waits until everything that was read is on the disk.
func (u *unsynced) sync() {
	u.syncing.Lock() // what another one syncs must be on the disk, too
	defer u.syncing.Unlock()
	u.mu.Lock()
	files, left := u.files, u.left
	u.files, u.during, u.left = nil, files, nil
	u.mu.Unlock()
	systems := map[uint64]bool{}
	for file, device := range files {
		if len(files) > mostSynced && !systems[device] {
			systems[device] = logfile.SyncFileSystem(file) == nil // not where it is not permitted
		}
		if !systems[device] {
			_ = file.Sync()
		}
	}
	for _, o := range left {
		o.Close()
	}
	u.mu.Lock()
	u.during = nil
	u.mu.Unlock()
}
