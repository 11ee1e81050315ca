package checkpoint

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Part is a part of a file that must be imported.
type Part struct {
	Start flow.Position // of a generation with the ID 0 unless it was begun earlier
	Until int64         // offset of its end; 0: that of the file
}

// ErrDamagedCopy is why nothing is imported of a file that cannot be unpacked to where its log was
// read.
var ErrDamagedCopy = errors.New("it is a damaged copy of a log that was followed or imported, and cannot be unpacked as far as that was read: complete it, or import the log itself")

// Missing returns the parts of a file that must be imported. Of one that was followed
// it is what had been there before, if it was followed from its end on; and what
// stands behind the place where it was left for good, under the numbers that it would
// have had, unless it is at the path again. One that was lost goes on itself: each
// destination got another part of it, and cuts of rollups may have been sent.
func (s *Source) Missing(l *logfile.Log, path string) (parts []Part, err error) {
	if len(l.Head) == 0 {
		return nil, nil
	}
	if s.hasDamaged(l) {
		return nil, ErrDamagedCopy
	}
	first := importedLine(l.Opened)
	followed, sure := s.Followed(l)
	switch sure {
	case logfile.Different:
		if isPartOfAny(l.Opened, s.Imports) {
			return nil, nil
		}
		return []Part{{Start: importFrom(l.Opened, s.Imports, 0, first)}}, nil
	case logfile.Prefix:
		return nil, nil
	}
	until, err := followed.Earlier(l)
	if err != nil {
		return nil, err
	}
	var before, behind []Generation
	for _, g := range s.Imports {
		if g.FirstLine == followed.NextLine {
			behind = append(behind, g)
		} else {
			before = append(before, g)
		}
	}
	if until > 0 {
		parts = append(parts, Part{importFrom(l.Opened, before, 0, first), until})
	}
	if followed.Finished && l.HasMore(followed.Offset) && !l.IsAt(path) {
		rest := Part{Start: importFrom(l.Opened, behind, followed.Offset, followed.NextLine)}
		if g := s.undelivered(followed.Generation); g != nil && rest.Start.Generation.ID == 0 {
			rest.Start = g.start()
		} else if rest.Start.Generation.ID == 0 {
			if rest.Start.Generation.Earlier, err = l.Lines(followed.Offset); err != nil {
				return nil, err
			}
		}
		parts = append(parts, rest)
	}
	return parts, nil
}

// hasDamaged reports whether the file is a damaged copy of one that was followed or imported.
func (s *Source) hasDamaged(l *logfile.Log) bool {
	is := func(g Generation) bool { return l.IsDamagedCopy(g.File, g.Offset, g.Before) }
	return slices.ContainsFunc(s.Finished, is) || slices.ContainsFunc(s.Open, is) || slices.ContainsFunc(s.Imports, is)
}

// isPartOfAny reports whether the file is a shorter copy of one of the imports.
func isPartOfAny(o *logfile.Opened, imports []Generation) bool {
	return slices.ContainsFunc(imports, func(g Generation) bool {
		return o.Compare(g.File, g.Offset, g.Before) == logfile.Prefix
	})
}

// importFrom is where reading begins or, if one of the imports has begun, goes on.
func importFrom(o *logfile.Opened, imports []Generation, offset, line int64) flow.Position {
	if g, ok := ImportedTo(o, imports); ok {
		return g.start()
	}
	return flow.Position{Generation: &flow.Generation{FirstLine: line}, Offset: offset, Line: line}
}

// start is where reading goes on.
func (g *Generation) start() flow.Position {
	return flow.Position{Generation: &flow.Generation{ID: g.ID, FirstLine: g.FirstLine, Earlier: g.Earlier}, Offset: g.Offset, Line: g.Line}
}

// ImportedTo is the one of the imports whose file it is; if there are several,
// the one that was read furthest.
func ImportedTo(o *logfile.Opened, imports []Generation) (found Generation, ok bool) {
	for _, g := range imports {
		if (!ok || g.Offset > found.Offset) && o.Compare(g.File, g.Offset, g.Before) >= logfile.Copy {
			found, ok = g, true
		}
	}
	return found, ok
}

// importedLine is the number of the first line of an imported file. It depends on
// what is in the file, so that importing it again gives the same points, whatever
// has become of the state directory meanwhile.
func importedLine(o *logfile.Opened) int64 {
	sum := o.Start()
	if sum.Length == 0 {
		sum = logfile.SumOf(o.Head)
	}
	hash, err := hex.DecodeString(sum.Hash)
	if err != nil || len(hash) < 8 {
		return 1 // of no line
	}
	return int64(1 + binary.BigEndian.Uint64(hash)%1e9)
}
