package shape

import (
	"bytes"
	"cmp"
	"errors"
	"math"
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
	name, path, file := source.Name, source.Path, at.Generation.File()
	log := logOf(configured, path)
	format := ""
	if log != path {
		format = s.choices.ofDays(isLog(configured, path)).Format
	}
	found := s.found[inGlob{configured.Path, path}]
	if format == "" && found.Err == nil {
		format = found.Format
	}
	if format != "" {
		return s.chooseAt(name, log, choice{Path: log, Format: format, Unsure: found.Unsure}, found.String()), nil
	}
	sample := slices.Concat(s.samples[name], sampleOf(read))
	sample = sample[max(0, len(sample)-sampleLines):]
	_, waiting := s.choices.knows(isLog(configured, path))
	format, err := s.judgeEnd(sample, true)
	if err == nil {
		c := choice{Path: log, Format: format, Unsure: unsure(format, sample)}
		if waiting || s.samples[name] != nil {
			c.From = at.Line // those before it were rejected
		}
		delete(s.samples, name)
		return s.chooseAt(name, file, c, Evidence{Fits: len(sample), Lines: len(sample), End: true}.String()), nil
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
		return choice{}, s.unknown(name, file, err)
	case configured.IsGlob() && !known && len(sample) == sampleLines:
		s.leave(name, path, err.Error())
		return choice{}, nil
	case !waiting:
		s.reject(name, file, err)
		s.choices.choose(name, choice{Path: log})
	}
	s.samples[name] = sample
	return choice{}, nil
}

func (s *Shaper) chooseAt(name, file string, c choice, evidence string) choice {
	s.choose(name, file, c, evidence)
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

// A Miss is a line that became no point: it does not match any format of its source.
type Miss struct {
	At     flow.Position // of the line
	Read   []byte        // the line, and those that were read behind it
	Row    int           // so many lines in a row were missed, with this one
	Newest bool          // no later line was read before
	Fitted bool          // some line of the source was of its format
}

// Missed returns how the lines of a source are read from a line on that does not match its
// formats, and up to which line number; nil if nothing changes. With auto it changes if the
// line is of another known format, which is then chosen, and durable after the next
// [Shaper.Sync]. A file of a glob whose first line is of some other log is left out.
//
// The line alone decides: so it does again if it is read again.
func (s *Shaper) Missed(m Miss) (l *Lines, until int64, err error) {
	source := m.At.Generation.Source
	configured := s.o.Config.Sources[source.Config]
	line, _, _ := bytes.Cut(m.Read, []byte{'\n'})
	line = flow.TrimCR(line)
	if !isAuto(configured) {
		if m.Fitted || !configured.IsGlob() {
			return nil, 0, nil
		}
		if _, ok := logformat.Other(line); ok && s.isOther(source, configured, m.Read) {
			return &Lines{Leave: true}, math.MaxInt64, nil
		}
		return nil, 0, nil
	}
	if !m.Newest && !isImported(m.At) || m.Row > 1000 && m.Row%10 > 0 { // a flood of them is not to cost much
		return nil, 0, nil
	}
	if _, known := logformat.Nearest(line); !known && (m.Row < missedRow || s.unlike[source.Name]) {
		return nil, 0, nil // which takes less than an error that says why
	}
	chosen := s.choices.of(source.Name, logOf(configured, source.Path))
	formats := slices.Concat(s.imported[source.Name], chosen.all())
	if len(formats) == 0 {
		return nil, 0, nil
	}
	format, err := s.another(configured, line, formats)
	if err != nil {
		if m.Row >= missedRow && !s.unlike[source.Name] {
			s.unlike[source.Name] = true
			s.o.Log.Error("lines are no longer of the format that was detected, and of no other: they are rejected; set format to the log_format in nginx.conf",
				"source", source.Name, "file", m.At.Generation.File(), "format", formats[0], "line", m.At.Line, "err", err)
		}
		return nil, 0, nil
	}
	now := choice{Format: format, Unsure: unsure(format, [][]byte{line})}
	if until = math.MaxInt64; now.Unsure != "" || chosen.Unsure != "" {
		until = m.At.Line + 1 // the lines behind it may prove what that is
	}
	l, err = s.change(m.At, configured, chosen, now)
	return l, until, err
}

// missedRow is how many lines in a row are rejected before that is said.
const missedRow = 5

// another returns the format of a line, if it is not one of these formats.
func (x *examiner) another(configured config.Source, line []byte, formats []string) (format string, err error) {
	if _, known := logformat.Nearest(line); !known { // which takes less than an error that says why
		return "", errUnknown
	}
	format, err = x.judge([][]byte{line})
	switch {
	case err != nil:
		return "", err
	case slices.Contains(formats, format):
		return "", errUnknown
	}
	if probe, err := x.probe(withFormat(configured, format)); err != nil || probe.fitting([][]byte{line}) == 0 {
		return "", errUnknown
	}
	return format, nil
}

var errUnknown = errors.New("no known format matches")

// muchUnproved is how many lines are looked at for a proof.
const muchUnproved = 100_000

// proveTwin finds out whether the format of a source is its twin, while that is not sure, by
// the first of these lines that proves it.
func (s *Shaper) proveTwin(at flow.Position, is choice, read []byte) choice {
	source := at.Generation.Source
	if is.Unsure == "" || isImported(at) || at.Line < max(is.From, s.newest[source.Name]) {
		return is
	}
	twin, ok := logformat.FindTwin(is.Unsure)
	if !ok {
		return is
	}
	n := at.Line
	for line := range bytes.Lines(read) {
		proof := twin.Proof(flow.TrimCR(bytes.TrimSuffix(line, []byte{'\n'})))
		switch {
		case proof > logformat.Clocks:
			is.Unsure = ""
			s.choices.choose(source.Name, is)
			return is
		case proof < -logformat.Clocks:
			is.Unsure = ""
			return s.changeTo(flow.Position{Generation: at.Generation, Line: n}, is, choice{Format: twin.Name})
		}
		n++
	}
	s.newest[source.Name] = n
	if s.unproved[source.Name] += n - at.Line; s.unproved[source.Name] > muchUnproved {
		is.Unsure = "" // it is not worth the time
		s.choices.choose(source.Name, is)
	}
	return is
}

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
func (s *Shaper) change(at flow.Position, configured config.Source, was, now choice) (*Lines, error) {
	source := at.Generation.Source
	name := source.Name
	if isImported(at) {
		s.imported[name] = append([]string{now.Format}, s.imported[name]...)
		s.o.Log.Warn("lines of the imported file are of another format than the source: they are read in it",
			"source", name, "file", at.Generation.File(), "was", was.Format, "format", now.Format)
		return s.chain(configured, name, slices.Concat(s.imported[name], was.all()))
	}
	if at.Line <= was.From {
		return nil, nil
	}
	return s.chain(configured, name, s.changeTo(at, was, now).all())
}

// changeTo keeps that another format holds from a position on.
func (s *Shaper) changeTo(at flow.Position, was, now choice) choice {
	source := at.Generation.Source
	now.Unsure = cmp.Or(now.Unsure, was.Unsure)
	now.Path, now.From, now.Before = was.Path, at.Line, append(slices.Clone(was.Before), former{was.Format, was.From})
	s.choices.choose(source.Name, now)
	s.o.Log.Warn("log format has changed: from this line on lines are read in the new one, or in the former one if they fit that alone; set format to one of the two to have no other",
		"source", source.Name, "file", at.Generation.File(), "was", was.Format, "format", now.Format, "line", at.Line)
	return now
}
