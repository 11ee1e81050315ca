package shape

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Finding is how a log goes with the format of its source, in a sentence.
type Finding struct {
	Source string // its name
	Text   string
	Unfit  bool // its lines would be rejected
	// Warnings are those of the format, if it was detected.
	Warnings []string
}

// Findings says of each log that has lines now, or had, which format it is read in, and why. It
// only looks.
func Findings(c *config.Config) (all []Finding, err error) {
	var kept choices
	if _, err := look(c.StateDir, statedir.Formats, kept.parser(c)); err != nil {
		return nil, err
	}
	for _, source := range c.Sources {
		some := findings(c, source, pathsOf(c, source), &kept)
		if source.IsGlob() && slices.ContainsFunc(some, func(f Finding) bool { return !f.Unfit }) {
			for i := range some {
				some[i].Unfit = false // others are not stopped
			}
		}
		all = append(all, some...)
	}
	return all, nil
}

func findings(c *config.Config, source config.Source, paths []string, kept *choices) (all []Finding) {
	for _, path := range paths {
		_, chosen := kept.named(isLog(source, path))
		x := examiner{config: c, probes: map[string]*Lines{}, followed: func(string) bool { return chosen.Format != "" }}
		e := x.examine(source, path)
		about := fmt.Sprintf("source %s: %s: ", source.Name, path)
		switch {
		case errors.Is(e.Err, logformat.ErrNoLines) && chosen.Format == "":
			continue
		case errors.Is(e.Err, logformat.ErrNoLines):
			about += "format " + chosen.Format + ", as it was detected before; there are no lines now"
		case e.Other != "" && source.IsGlob():
			about += "left out: " + e.Err.Error()
		case e.Err != nil:
			about += e.Err.Error()
		case chosen.Format != "" && isAuto(source) && chosen.Format != e.Format:
			about += fmt.Sprintf("format %s was detected before; now %s: %s", chosen.Format, e, e.Format)
		default:
			about += fmt.Sprintf("format %s: %s", cmp.Or(e.Format, "regexp"), e)
		}
		found := Finding{Source: source.Name, Text: about, Unfit: e.Err != nil && !errors.Is(e.Err, logformat.ErrNoLines)}
		if probe, err := x.probe(withFormat(source, e.Format)); err == nil && e.Err == nil && isAuto(source) {
			found.Warnings = append(probe.Warnings(c), probe.unmetOf(c, path)...)
		}
		if probe, err := x.probe(withFormat(source, e.Format)); err == nil && e.Err == nil {
			if lines, err := logfile.FirstLines(path, sampleLines); err == nil {
				if unread := probe.Unread(lines); unread != "" {
					found.Text += "; " + unread
				}
			}
		}
		all = append(all, found)
	}
	return all
}
