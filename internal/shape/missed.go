package shape

import (
	"bytes"
	"errors"
	"slices"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
)

// detected returns the choice for a source that has none, by lines that were read: the
// zero one while no format is known.
func (s *Shaper) detected(at flow.Position, read []byte) (choice, error) {
	source := at.Generation.Source
	configured := s.o.Config.Sources[source.Config]
	name, path := source.Name, source.Path
	log := logOf(configured, path)
	format := ""
	if log != path {
		format = s.choices.ofDays(isLog(configured, path)).Format
	}
	if e := s.found[path]; format == "" && e.Err == nil {
		format = e.Format
	}
	if format != "" {
		return s.chooseAt(name, choice{Path: log, Format: format}, s.found[path].String()), nil
	}
	sample := slices.Concat(s.samples[name], sampleOf(read))
	sample = sample[max(0, len(sample)-sampleLines):]
	_, waiting := s.choices.knows(isLog(configured, path))
	format, err := s.judgeEnd(sample, true)
	if err == nil {
		c := choice{Path: log, Format: format}
		if waiting || s.samples[name] != nil {
			c.From = at.Line // those before it were rejected
		}
		delete(s.samples, name)
		return s.chooseAt(name, c, Evidence{Fits: len(sample), Lines: len(sample), End: true}.String()), nil
	}
	if errors.Is(err, logformat.ErrNoLines) {
		return choice{}, nil
	}
	known := s.someFit(configured, sample)
	if other := otherOf(sample); other != "" && !known {
		err = errors.New("this is " + other + ", not an access log")
		if configured.IsGlob() {
			s.leave(name, path, err.Error())
			return choice{}, nil
		}
	}
	switch {
	case s.o.Once:
		return choice{}, s.unknown(name, path, err)
	case configured.IsGlob() && !known && len(sample) == sampleLines:
		s.leave(name, path, err.Error())
		return choice{}, nil
	case !waiting:
		s.reject(name, path, err)
		s.choices.choose(name, choice{Path: log})
	}
	s.samples[name] = sample
	return choice{}, nil
}

func (s *Shaper) chooseAt(name string, c choice, evidence string) choice {
	s.choose(name, c, evidence)
	return c
}

// sampleOf are some of the lines that were read, without empty ones.
func sampleOf(read []byte) (lines [][]byte) {
	for line := range bytes.Lines(read) {
		if len(lines) == sampleLines {
			break
		}
		lines = append(lines, bytes.Clone(flow.TrimCR(bytes.TrimSuffix(line, []byte{'\n'}))))
	}
	return notBlank(lines)
}

// A Miss is a line that became no point: it is of none of the formats of its source.
type Miss struct {
	At     flow.Position // of the line
	Read   []byte        // the line, and those that were read behind it
	Row    int           // so many lines in a row were missed, with this one
	Newest bool          // no later line was read before
	Fitted bool          // some line of the source was of its format
}

// Missed returns how the lines of a source are read from a line on that is of none of its
// formats, if that is another way: nil if not. With auto it is, if the line is of another
// known format, which is then chosen, and durable after the next [Shaper.Sync]. A file of
// a glob whose first line is of some other log is left out.
//
// The line alone decides: so it does again if it is read again.
func (s *Shaper) Missed(m Miss) (*Lines, error) {
	source := m.At.Generation.Source
	configured := s.o.Config.Sources[source.Config]
	line, _, _ := bytes.Cut(m.Read, []byte{'\n'})
	line = flow.TrimCR(line)
	if !isAuto(configured) {
		if _, ok := logformat.Other(line); ok && !m.Fitted && s.isOther(source, configured, m.Read) {
			return &Lines{Leave: true}, nil
		}
		return nil, nil
	}
	if !m.Newest && !isImported(m.At) {
		return nil, nil
	}
	chosen := s.choices.of(source.Name, logOf(configured, source.Path))
	formats := slices.Concat(s.imported[source.Name], chosen.all())
	if len(formats) == 0 {
		return nil, nil
	}
	format, err := s.another(configured, line, m, formats)
	if err != nil {
		if m.Row == missedRow {
			s.o.Log.Error("lines are no longer of the format that was detected, and of no other: they are rejected; set format to the log_format in nginx.conf",
				"source", source.Name, "file", source.Path, "format", formats[0], "line", m.At.Line, "err", err)
		}
		return nil, nil
	}
	return s.change(m.At, configured, chosen, format)
}

// missedRow is how many lines in a row are rejected before that is said.
const missedRow = 5

// another returns the format of a line which is none of these.
func (s *Shaper) another(configured config.Source, line []byte, m Miss, formats []string) (format string, err error) {
	if _, known := logformat.Nearest(line); known {
		format, err = s.judge([][]byte{line})
	} else if m.Row == missedRow {
		_, err = s.judgeEnd(sampleOf(m.Read), false) // to say it
	} else {
		err = errUnknown
	}
	switch {
	case err != nil:
		return "", err
	case slices.Contains(formats, format):
		return "", errUnknown
	}
	if probe, err := s.probe(withFormat(configured, format)); err != nil || probe.fitting([][]byte{line}) == 0 {
		return "", errUnknown
	}
	return format, nil
}

var errUnknown = errors.New("no known format matches")

// isOther reports whether lines of a glob's file are of some other log, and leaves that
// out then.
func (s *Shaper) isOther(source *flow.Source, configured config.Source, read []byte) bool {
	if !configured.IsGlob() {
		return false
	}
	sample := sampleOf(read)
	other := otherOf(sample)
	if other == "" || s.someFit(configured, sample) {
		return false
	}
	s.leave(source.Name, source.Path, "this is "+other+", not an access log")
	return true
}

// change chooses another format for a source, from a position on.
func (s *Shaper) change(at flow.Position, configured config.Source, was choice, format string) (*Lines, error) {
	source := at.Generation.Source
	name := source.Name
	log := s.o.Log.With("source", name, "file", source.Path)
	if isImported(at) {
		s.imported[name] = append([]string{format}, s.imported[name]...)
		log.Warn("lines of the imported file are of another format than the source: they are read in it", "was", was.Format, "format", format, "line", at.Line)
		return s.chain(configured, name, slices.Concat(s.imported[name], was.all()))
	}
	if at.Line <= was.From {
		return nil, nil
	}
	now := choice{Path: was.Path, Format: format, From: at.Line, Before: append(slices.Clone(was.Before), former{was.Format, was.From})}
	s.choices.choose(name, now)
	log.Warn("log format has changed: from this line on lines are read in the new one, or in the former one if they fit that; set format to one of the two to have no other",
		"was", was.Format, "format", format, "line", at.Line)
	return s.chain(configured, name, now.all())
}
