package shape

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logformat"
)

// firstOfGlob judges the files of a glob at the start, each by itself. There is an
// error only if no format fits any of them.
func (s *Shaper) firstOfGlob(source config.Source) error {
	var unfit []Evidence
	before := s.globsBefore(source)
	paths := slices.DeleteFunc(Paths(s.o.Config, source), func(path string) bool {
		return slices.ContainsFunc(before, func(g globBefore) bool { return s.isTaken(g, path) })
	})
	if source.Anew {
		s.rejudgeGlob(source, paths)
	}
	for _, path := range paths {
		followed, waiting := s.choices.knows(isLog(source, path))
		if followed && !waiting || (waiting || s.interrupted(source.Name, path)) && !s.o.Once {
			continue // by the lines that come, which are numbered
		}
		e := s.examine(source, path)
		s.found[inGlob{source.Path, path}] = e
		if e.Err != nil && !errors.Is(e.Err, logformat.ErrNoLines) && !s.choices.lost {
			unfit = append(unfit, e)
		}
	}
	if len(unfit) == 0 || len(unfit) < len(paths) {
		return nil
	}
	worst := unfit[0]
	for _, e := range unfit {
		if worst.Other != "" && e.Other == "" {
			worst = e // a remedy that is worth more
		}
	}
	return s.unknown(source.Name, worst.Path, worst.Err)
}

// inGlob is a file that a glob matches.
type inGlob struct{ glob, path string }

// globBefore is a glob whose files are not those of a later one.
type globBefore struct {
	source  config.Source
	pattern logfile.Pattern
}

func (s *Shaper) globsBefore(source config.Source) (all []globBefore) {
	for _, before := range s.o.Config.Sources {
		if before.Name == source.Name {
			break
		}
		if before.IsGlob() {
			all = append(all, globBefore{before, logfile.CompilePattern(before.Path, s.o.Config.Exclude...)})
		}
	}
	return all
}

// isTaken reports whether a file is one of that glob, whose format it fits.
func (s *Shaper) isTaken(g globBefore, path string) bool {
	if !g.pattern.Matches(path) {
		return false
	}
	is := inGlob{g.source.Path, path}
	if _, ok := s.found[is]; !ok { // with a format of its own
		s.found[is] = s.examine(g.source, path)
	}
	return s.found[is].Err == nil
}

// rejudgeGlob is [Shaper.rejudge] for each log of a glob, by its latest day.
func (s *Shaper) rejudgeGlob(source config.Source, paths []string) {
	latest := map[string]string{}
	for _, path := range paths {
		latest[logOf(source, path)] = path
	}
	for log, path := range latest {
		name, chosen := s.choices.named(isLog(source, path))
		if chosen.Format == "" || chosen.Path != log {
			continue
		}
		source := source
		source.Name, source.Path = name, log
		s.rejudge(source, chosen, s.examine(source, path))
	}
}

// leastLines is how many lines of a file must be of no format for it to be left out.
const leastLines = 20

// LeaveOut returns why a file of a glob is not to be followed: it is some other log than
// one of requests, or no line of it is of the format; "" if it is to be. fatal is set
// if it may have requests, and the run is to fail for them. config is the place of the
// glob in the configuration.
func (s *Shaper) LeaveOut(config int, path string) (why string, fatal bool) {
	source := s.o.Config.Sources[config]
	if followed, waiting := s.choices.knows(isLog(source, path)); followed && !waiting {
		return "", false
	}
	e, ok := s.found[inGlob{source.Path, path}]
	if !ok {
		e = s.outside.examine(source, path)
	}
	switch {
	case e.Err == nil, errors.Is(e.Err, logformat.ErrNoLines):
		return "", false
	case e.Other != "":
		return e.Err.Error(), false
	case s.isFollowed(path), s.choices.lost, e.Known > 0 && isAuto(source):
		return "", false
	case s.o.Once && isAuto(source):
		return e.Err.Error(), true
	case !s.o.Once && e.Lines >= leastLines:
		return e.Err.Error() + "; or name the file in exclude", true
	}
	return "", false
}

// leave notes that the lines of a source are no requests.
func (s *Shaper) leave(name, path, why string) {
	s.left[name] = true
	s.o.Log.Warn("file of a glob is left out", "source", name, "file", path, "reason", why)
}

// isLeft reports whether the lines of a source are left out. They still are if no line that
// was read now is a request.
func (s *Shaper) isLeft(configured config.Source, name string, read []byte) bool {
	if !s.left[name] {
		return false
	}
	if !s.someFit(configured, sampleOf(read)) {
		return true
	}
	delete(s.left, name)
	s.o.Log.Warn("file of a glob was left out, and has requests now: it is read", "source", name)
	return false
}

// someFit reports whether any of the lines is of the format, or with auto of any format.
func (x *examiner) someFit(configured config.Source, lines [][]byte) bool {
	if !isAuto(configured) {
		probe, err := x.probe(configured)
		return err == nil && probe.fitting(lines) > 0
	}
	for _, line := range lines {
		if _, known := logformat.Nearest(line); known {
			return true
		}
	}
	return false
}

func (e Evidence) String() string {
	if e.Lines == 0 {
		return "as on the days before"
	}
	which := "first"
	if e.End {
		which = "last"
	}
	text := fmt.Sprintf("%d of its %s %d lines fit", e.Fits, which, e.Lines)
	if e.Head != "" {
		text += "; its first lines are of another format, " + e.Head
	}
	return text
}
