package main

import (
	"os"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/tail"
)

// mode is what lines the pipeline gets, and when it ends.
type mode int

const (
	following    mode = iota // those of the logs, until a signal
	readingOnce              // those of the logs, up to their last newline
	importing                // those of files, to their end, as logs of the only source
	redelivering             // those of the reject files; no log is read
)

// logMode is how the logs are read.
func logMode(once bool) mode {
	if once {
		return readingOnce
	}
	return following
}

// readsOnce reports whether logs are read only up to their end.
func (m mode) readsOnce() bool { return m == readingOnce || m == importing }

// leavesLogs reports whether nothing changes in how far the logs are followed: the daemon goes
// on with them as before.
func (m mode) leavesLogs() bool { return m == importing || m == redelivering }

// again says who reads lines again that were not delivered.
func (m mode) again() string {
	if m.leavesLogs() {
		return "the same command reads them again"
	}
	return "they are read again at the next start"
}

// job is what to do with the pipeline. The zero value follows the logs, for ever.
type job struct {
	mode       mode
	scenes     string                         // directory for what is seen of the logs, or ""
	files      []string                       // when importing
	progress   func(tail.Progress)            // when importing
	loadConfig func() (*config.Config, error) // reads the configuration again, for a reload; nil: there is none
	hangups    chan os.Signal                 // gets SIGHUP since before the configuration was read; nil: nobody does
}
