package main

import (
	"os"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
)

// A mountedLog is a log whose path is a mount of one file: its rotation cannot be
// seen, and the lines after it are missing without a word.
type mountedLog struct{ source, path string }

// mountedLogs finds them among what is configured and there.
func mountedLogs(c *config.Config) (all []mountedLog) {
	for _, s := range c.Sources {
		paths := []string{s.Path}
		if s.IsGlob() {
			paths = logfile.CompilePattern(s.Path, c.Exclude...).Paths(nil)
		}
		table, err := os.Open(logfile.MountTable)
		if err != nil {
			return nil // without /proc nobody can tell
		}
		mounted, err := logfile.FileMounts(table, paths)
		table.Close()
		if err != nil {
			return nil
		}
		for _, path := range mounted {
			all = append(all, mountedLog{s.Name, path})
		}
	}
	return all
}
