package checkpoint

import (
	"math"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Record is a run of lines of a log that were delivered.
type Record struct {
	Generation          int64
	FirstLine, NextLine int64 // numbers of the first line and of the line after the last one
	Before              int64 // lines before them in the log

	Offset   int64 // in bytes, after the last of them
	Finished bool  // later lines will not be read

	spans []Span
	rest  int64 // number of the first line that should have been read and never will be; 0: there is none
}

// Records returns the lines of a log that were followed as some generation of the
// source, or imported. It includes lines that should have been read and never will
// be. It compares contents and reads much of the log.
func (s *Source) Records(l *logfile.Log) (all []Record, err error) {
	followed, sure := s.Followed(l)
	if sure >= logfile.Copy {
		all = append(all, followed)
	}
	for _, g := range s.Imports {
		if l.Compare(g.File, g.Offset, g.Before) >= logfile.Copy {
			all = append(all, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.Line, Offset: g.Offset, spans: g.Spans})
		}
	}
	for i := range all {
		if all[i].Before, err = all[i].before(l); err != nil {
			return nil, err
		}
	}
	if followed.Finished && !l.IsAt(s.Path) {
		read := all[0].NextLine - all[0].FirstLine
		all = append(all, Record{
			Generation: followed.Generation, FirstLine: followed.NextLine, NextLine: math.MaxInt64,
			Before: all[0].Before + read, spans: followed.spans, rest: followed.NextLine,
		})
	}
	return all, nil
}

// Followed returns the followed generation that a log belongs to, and how certain
// that is.
func (s *Source) Followed(l *logfile.Log) (found Record, sure logfile.Identity) {
	for _, g := range s.Finished {
		if is := l.Compare(g.File, g.Offset, g.Before); is > logfile.Different && is >= sure {
			sure, found = is, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.Line, Offset: g.Offset, Finished: true, spans: g.Spans}
		}
	}
	for _, g := range s.Open {
		if is := l.Compare(g.File, g.Offset, g.Before); is > logfile.Different && is >= sure {
			sure, found = is, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.Line, Offset: g.Offset, spans: g.Spans}
		}
	}
	return found, sure
}

// FollowedAs returns the source, other than the one of that name, as a log of which a
// file was followed, or is. It may lack what came later.
func (c *Checkpoint) FollowedAs(l *logfile.Log, but string) (name string, ok bool) {
	for name, s := range c.all() {
		if name == but {
			continue
		}
		if _, sure := s.Followed(l); sure >= logfile.Copy || s.hasDamaged(l) {
			return name, true
		}
	}
	return "", false
}

// all is a copy of what is known of the sources.
func (c *Checkpoint) all() map[string]Source {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]Source{}
	for name, s := range c.sources {
		all[name] = s.clone()
	}
	return all
}

// before returns how many lines were in the log at the very first start and were not
// read because of start: end. These are the lines before the record's offset that
// have no number.
func (r *Record) before(l *logfile.Log) (lines int64, err error) {
	lines, err = l.Lines(r.Offset)
	// A copy has fewer lines than were read if the log was written to before it was truncated.
	return max(0, lines-(r.NextLine-r.FirstLine)), err
}

// Earlier returns the offset of the first line of the record. It is 0 for all
// generations but the first: the lines before were read as another generation, before
// the file was truncated.
func (r *Record) Earlier(l *logfile.Log) (offset int64, err error) {
	if r.Generation > 1 {
		return 0, nil
	}
	lines, err := r.before(l)
	if err != nil || lines == 0 {
		return 0, err
	}
	return l.SkipLines(lines)
}
