package checkpoint

import "time"

// Secure saves what must be saved before it is used. It is called before each
// chunk, and has nothing to do but look most of the time. When the disk does not
// take it, the trouble is told, and the caller goes on all the same.
func (c *Checkpoint) Secure() {
	c.mu.Lock()
	unsaved := c.needed > c.secured
	c.mu.Unlock()
	if unsaved {
		_ = c.Save() // which has told
	}
}

// Save makes everything durable that has changed since the last save. It blocks
// for the disk, and for another's save. The error was logged when it began, once
// more when a new file came to be concerned, and is shown on /monitor.
func (c *Checkpoint) Save() error {
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
	data, err := encode(c.sources)
	c.mu.Unlock()
	if err == nil {
		err = c.disk.save(data)
	}
	if err == nil && (unsaved || c.outage.newFile) {
		err = c.disk.save(data) // so that either file may be lost
	}
	c.mu.Lock()
	c.secured = needed
	if err != nil {
		// Not unsaved: what had to be saved first is used now, saved or not, and
		// who reads must not wait for the disk with every chunk.
		c.changed = true
	}
	c.mu.Unlock()
	c.report(err, unsaved)
	return err
}

// An outage is the time in which nothing can be saved.
type outage struct {
	on      bool
	newFile bool // something is not saved that should be before it is used
}

// report tells of an outage when it begins, gets worse and ends.
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
		c.log.Error("checkpoint cannot be saved; delivery goes on, and a crash now may double or lose lines of a file that is new",
			"err", err, "new_file", c.outage.newFile)
	}
	c.stats.CheckpointTrouble(err.Error())
}
