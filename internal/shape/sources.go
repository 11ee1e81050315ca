package shape

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Configured returns the configured source of that name, or the glob that it is a
// file of, whose name it then has before the colon, or alone if its files differ in their
// dates only.
func Configured(c *config.Config, name string) (config.Source, bool) {
	for _, s := range c.Sources {
		if s.Name == name || s.IsGlob() && strings.HasPrefix(name, s.Name+":") {
			return s, true
		}
	}
	return config.Source{}, false
}

// Names lists the names of the sources, for a message: those of a glob's files as
// far as they were followed.
func Names(c *config.Config, followed []string) string {
	var all []string
	for _, s := range c.Sources {
		if !s.IsGlob() {
			all = append(all, s.Name)
			continue
		}
		n := len(all)
		for _, name := range slices.Sorted(slices.Values(followed)) {
			if name == s.Name || strings.HasPrefix(name, s.Name+":") {
				all = append(all, name)
			}
		}
		if len(all) == n {
			all = append(all, s.Name+":... (once they were followed)")
		}
	}
	return strings.Join(all, ", ")
}

// Kept returns the lines of a source as the daemon reads them: of one whose format
// is auto, with the format that was detected. name is the source's, or that of a
// file of a glob. The points have the tag host "any", and tags may have any value:
// that is enough to know their times. It only looks.
func Kept(c *config.Config, source config.Source, name string) (*Lines, error) {
	if isAuto(source) {
		var ch choices
		if _, err := look(c.StateDir, statedir.Formats, ch.parser(c)); err != nil {
			return nil, err
		}
		formats := ch.made[name].all()
		if len(formats) == 0 {
			return nil, config.UsageError{Err: fmt.Errorf("source %s has the format auto, and none was detected yet: use --format", name)}
		}
		source.Name = name
		return newChain(c, source, formats, "any", nil)
	}
	source.Name = name
	return New(c, source, "any", nil)
}
