package checkpoint

import "time"

// Secure saves changes that must be saved before they are used. It is called before
// each chunk, and is cheap when there are none. If the save fails, the error is
// logged and the caller continues.
func (c *Checkpoint) Secure() {
	c.mu.Lock()
	unsaved := c.needed > c.secured
	c.mu.Unlock()
	if unsaved {
		_ = c.save() // which logs
	}
}

// Save makes durable whatever has changed since the last save, and what was acknowledged before
// the call. It blocks for the disks, of the logs too ([Checkpoint.SyncLogs]), and for another
// save. Save logs an error itself: when the outage begins, and once more when a new file is
// affected. /monitor shows it too.
func (c *Checkpoint) Save() error {
	c.countSynced()
	return c.save()
}

// save is Save, without what waits for the logs' disks.
func (c *Checkpoint) save() error {
	if c.disk.dir == nil {
		return nil
	}
	c.disk.saving <- struct{}{}
	defer func() { <-c.disk.saving }()
	c.mu.Lock()
	needed := c.needed
	unsaved := needed > c.secured
	if !unsaved && !c.changed {
		c.mu.Unlock()
		return nil
	}
	c.changed = false
	data, err := encode(content{c.sources, c.destinations, c.first})
	snapshot := c.snapshot()
	c.mu.Unlock()
	times := 1
	if unsaved || c.outage.newFile {
		times = 2 // so that either file may be lost
	}
	saves := 0
	for err == nil && saves < times {
		if err = c.disk.save(data); err == nil {
			saves++
		}
	}
	c.mu.Lock()
	for range saves {
		c.saved(snapshot)
	}
	c.secured = needed
	if err != nil {
		// secured is set all the same: the changes are used now, saved or not, and
		// the reader must not wait for the disk with every chunk.
		c.changed = true
	}
	c.mu.Unlock()
	c.report(err, unsaved)
	return err
}

// SyncLogs makes an acknowledgement count once sync has returned, which each Save calls: it is
// to wait until what was read of the logs is on the disk. Otherwise a log could be shorter after
// a power cut than what the checkpoint knows as delivered of it. SyncLogs reports whether anything
// is saved at all. Call it before the first acknowledgement.
func (c *Checkpoint) SyncLogs(sync func()) bool {
	c.syncing.Lock()
	defer c.syncing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.disk.dir != nil {
		c.syncLogs = sync
	}
	return c.syncLogs != nil
}

// countSynced syncs the logs, and makes what was acknowledged before count.
func (c *Checkpoint) countSynced() {
	c.syncing.Lock() // whoever comes second must not wait for less
	defer c.syncing.Unlock()
	c.mu.Lock()
	sync, waiting := c.syncLogs, c.waiting
	c.waiting = nil
	c.mu.Unlock()
	if sync == nil {
		return
	}
	sync()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range waiting {
		c.reached(a)
	}
}

// SaveTwice is Save, so that either file may be lost, whatever was saved before.
func (c *Checkpoint) SaveTwice() error {
	c.countSynced() // first, so that nobody else saves what is needed without it
	c.mu.Lock()
	c.needed++
	c.mu.Unlock()
	return c.save()
}

// An outage is the time in which saving fails.
type outage struct {
	on      bool
	newFile bool // a change was used before it was saved
}

// report logs an outage when it begins, gets worse and ends.
func (c *Checkpoint) report(err error, newFile bool) {
	before := c.outage
	if err == nil {
		c.outage = outage{}
		if before.on {
			c.stats.CheckpointTrouble("")
			c.log.Info("checkpoint can be saved again")
		}
		c.stats.CheckpointSaved(time.Now())
		return
	}
	c.outage = outage{on: true, newFile: before.newFile || newFile}
	if c.outage != before {
		c.log.Error("checkpoint cannot be saved; delivery continues, but a crash while new_file is true may lose lines or store them twice",
			"err", err, "new_file", c.outage.newFile)
	}
	c.stats.CheckpointTrouble(err.Error())
}
