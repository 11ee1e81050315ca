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
	Source, Path string
	Text         string
	Unfit        bool // its lines would be rejected
	LeftOut      bool // they are of another kind of log, which a glob leaves out
	Beside       bool // others of the same glob are not unfit
	// Warnings are those of the format, if it was detected.
	Warnings []string
	// Lines is how its lines become points, with any value for a tag; nil if they do not.
	Lines *Lines
}

// Findings says of each log that has lines now, or had, which format it is read in, and why. Of
// several globs that match a file, the first has it whose format it fits. It only looks.
func Findings(c *config.Config) (all []Finding, err error) {
	var kept choices
	if _, err := look(c.StateDir, statedir.Formats, kept.parser(c)); err != nil {
		return nil, err
	}
	taken := map[string]bool{} // by the glob of a source before
	for _, source := range c.Sources {
		paths := Paths(c, source)
		if source.IsGlob() {
			paths = slices.DeleteFunc(paths, func(path string) bool { return taken[path] })
		}
		some := findings(c, source, paths, &kept)
		for _, f := range some {
			taken[f.Path] = taken[f.Path] || !f.Unfit
		}
		if source.IsGlob() && slices.ContainsFunc(some, func(f Finding) bool { return !f.Unfit }) {
			for i := range some {
				some[i].Beside = true
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
		about := ""
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
		found := Finding{
			Source: source.Name, Path: path, Text: about, Unfit: e.Err != nil && !errors.Is(e.Err, logformat.ErrNoLines),
			LeftOut: e.Other != "" && source.IsGlob(),
		}
		if e.Err == nil {
			found.Lines, _ = x.probe(withFormat(source, e.Format)) // whose mistakes config.Load has found
		}
		if found.Lines != nil && isAuto(source) {
			found.Warnings = append(found.Lines.Warnings(c), found.Lines.unmetOf(c, path)...)
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
