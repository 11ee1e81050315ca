package growing

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// hole is a run of NULs that is known to follow what was sent of a file. None of them
// belongs to a line, see package logfile. It is remembered instead of passed: the
// position stays before it until the line behind it is sent, because what is at the end
// of a file may yet be something else, and what is acknowledged always ends with a line.
type hole struct {
	behind flow.Position // what was sent ends there; when that is elsewhere, this is no more
	length int64
}

// beginning identifies a generation whose file begins with more NULs than a head is long, as
// other files may too.
type beginning struct {
	of  *flow.Generation
	sum logfile.Sum
}

// knownBeginning is what the ledger has.
func (f *File) knownBeginning() beginning {
	if logfile.LeadingNULs(f.Head) == logfile.HeadBytes {
		known := f.ledger.Copy()
		for _, g := range slices.Concat(known.Open, known.Imports) {
			if g.ID == f.At.Generation.ID && g.Head.Length > logfile.HeadBytes {
				return beginning{f.At.Generation, g.Head}
			}
		}
	}
	return beginning{}
}

// nuls is how many NULs are known to follow what was sent.
func (f *File) nuls() int64 {
	if f.hole.behind != f.At {
		return 0
	}
	return f.hole.length
}

// Next is the offset at which the next line begins, as far as is known.
func (f *File) Next() int64 { return f.At.Offset + f.nuls() }

// skip notes n more NULs before the next line. When they filled a block, the rest of
// the hole is skipped without reading it.
func (f *File) skip(n int, block bool) {
	end := f.Next() + int64(n)
	if block {
		behind := f.EndOfHole(end)
		if f.Limit > 0 {
			behind = min(behind, f.Limit)
		}
		end = max(end, behind)
	}
	f.hole = hole{f.At, end - f.At.Offset}
	f.Size = max(f.Size, end)
	if end > f.Seen {
		f.Seen, f.Grown, f.Leaving, f.Noted = end, time.Now(), false, false
	}
}

// holeStands reports whether there are still NULs where there were, at both ends: the
// file may have been cut within them and have grown again.
func (f *File) holeStands() (bool, error) {
	if f.nuls() == 0 {
		return true, nil
	}
	for _, at := range []int64{f.At.Offset, f.Next() - 1} {
		var is [1]byte
		n, err := f.File.ReadAt(is[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if logfile.LeadingNULs(is[:n]) == 0 {
			return false, nil
		}
	}
	return true, nil
}

// beforeNUL is the text before its first NUL.
func beforeNUL(text []byte) []byte {
	before, _, _ := bytes.Cut(text, []byte{0})
	return before
}
