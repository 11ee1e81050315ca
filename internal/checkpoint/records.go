package checkpoint

import (
	"math"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Record is a run of lines of a log that were delivered.
type Record struct {
	Generation          int64
	FirstLine, NextLine int64 // their numbers: from, and up to
	Before              int64 // lines that stand before them in the log

	Offset   int64 // the bytes up to the last of them
	Finished bool  // none that follow will be read
}

// Records returns which lines of a log were followed as some generation of the
// source, or imported. Those that should have been, and never will be, are among
// them. It compares what is in the log, and reads much of it.
func (s *Source) Records(l *logfile.Log) (all []Record, err error) {
	followed, sure := s.Followed(l)
	if sure >= logfile.Copy {
		all = append(all, followed)
	}
	for _, g := range s.Imports {
		if l.Compare(g.File, g.Offset, g.Before) >= logfile.Copy {
			all = append(all, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.Line, Offset: g.Offset})
		}
	}
	for i := range all {
		if all[i].Before, err = all[i].before(l); err != nil {
			return nil, err
		}
	}
	if followed.Finished && !l.IsAt(s.Path) {
		read := all[0].NextLine - all[0].FirstLine
		all = append(all, Record{Generation: followed.Generation, FirstLine: followed.NextLine, NextLine: math.MaxInt64, Before: all[0].Before + read})
	}
	return all, nil
}

// Followed finds the generation that a log is of among those that were not
// imported, and how sure that is.
func (s *Source) Followed(l *logfile.Log) (found Record, sure logfile.Identity) {
	for _, g := range s.Finished {
		if is := l.Compare(g.File, g.Offset, g.Before); is > logfile.Different && is >= sure {
			sure, found = is, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.LastLine, Offset: g.Offset, Finished: true}
		}
	}
	for _, g := range s.Open {
		if is := l.Compare(g.File, g.Offset, g.Before); is > logfile.Different && is >= sure {
			sure, found = is, Record{Generation: g.ID, FirstLine: g.FirstLine, NextLine: g.Line, Offset: g.Offset}
		}
	}
	return found, sure
}

// before is the number of lines that were there at the very first start, and were
// not read because start was the end: those before the record's offset that have
// no number.
func (r *Record) before(l *logfile.Log) (lines int64, err error) {
	lines, err = l.Lines(r.Offset)
	// Fewer were copied than read if the log was written to before it was truncated.
	return max(0, lines-(r.NextLine-r.FirstLine)), err
}

// Earlier is the offset of the first line of the record. What stands before a
// generation that is not the first one was read as another, before the file was cut.
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
