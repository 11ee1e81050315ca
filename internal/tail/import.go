package tail

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
)

// Progress is how far an import is.
type Progress struct {
	Done, Total int64 // bytes on the disk
	Lines       int64
	File        string // that is being read
	Failed      int    // files that could not be read to their end
	Complete    bool   // this is the end
}

// imports reads the files of config.Import, the oldest one first, each to its
// end. A file that cannot be read is no reason not to read the others.
func (r *Reader) imports(ctx context.Context, out chan<- flow.Chunk) (err error) {
	r.patience = time.NewTimer(activeTick)
	defer r.patience.Stop()
	files, progress, err := oldestFirst(r.config.Import)
	if err != nil {
		return err
	}
	saved := r.checkpoint.Import(r.sources[0].Name)
	for _, file := range files {
		progress.File = file.path
		lines, err := r.importFile(ctx, file, &saved, out, progress)
		if ctx.Err() != nil {
			r.log.Warn("import was interrupted, the same command goes on from here", "file", file.path)
			return nil
		}
		if err != nil {
			r.log.Error("file was not imported to its end", "file", file.path, "err", err)
			progress.Failed++
		}
		progress.Done, progress.Lines = progress.Done+file.info.Size(), progress.Lines+lines
	}
	progress.Complete = true
	r.config.Progress(progress)
	return nil
}

func oldestFirst(paths []string) (files []sibling, p Progress, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, p, fmt.Errorf("import: %w", err)
		}
		if !slices.ContainsFunc(files, func(f sibling) bool { return os.SameFile(f.info, info) }) {
			files = append(files, sibling{path: path, info: info})
			p.Total += info.Size()
		}
	}
	slices.SortStableFunc(files, func(a, b sibling) int { return a.info.ModTime().Compare(b.info.ModTime()) })
	return files, p, nil
}

// importFile sends the lines of a file that were neither followed nor imported,
// and returns how many they were. What was is saved, and kept up to date.
func (r *Reader) importFile(ctx context.Context, is sibling, saved *checkpoint.Source, out chan<- flow.Chunk, progress Progress) (lines int64, err error) {
	s, path := r.sources[0], is.path
	l, err := OpenLog(path)
	if err != nil {
		return 0, err
	}
	until := int64(0)
	if os.SameFile(l.o.info, is.info) {
		until, err = l.importUntil(saved)
	} else {
		err = errors.New("it was renamed meanwhile, and this is another one: the same command imports what is missing")
	}
	if err == nil && until == 0 {
		r.log.Info("nothing is missing of the file", "source", s.Name, "file", path)
	}
	if err != nil || until == 0 {
		l.Close()
		return 0, err
	}
	start, begun := r.importFrom(l.o, saved)
	f := s.add(l.o, start, true, time.Now())
	f.until = until
	if !begun {
		r.checkpoint.BeginImport(start, f.before(), f.describe())
	}
	for more, seen := true, int64(-1); err == nil && (more || f.seen > seen); { // once more at the end: what follows may be damage
		seen = f.seen
		more, err = f.read(ctx, out)
		r.config.Progress(progress.within(f, f.at.Line-start.Line))
		r.looked = time.Now()
	}
	live, atPath := os.Stat(s.Path)
	if err == nil && (atPath != nil || !os.SameFile(live, f.info)) { // nobody completes its last line
		err = f.sendRest(ctx, out)
	}
	f.describeChange()
	r.checkpoint.Leave(f.at)
	if f.at.Offset > start.Offset { // acknowledged or not: a copy of it may be next
		saved.Imports = append(saved.Imports, checkpoint.Generation{
			File: f.describe(), ID: start.Generation.ID, FirstLine: start.Generation.FirstLine, Offset: f.at.Offset, Line: f.at.Line, Before: f.before(),
		})
	}
	f.close() // without a word of its directory: what else is there is not this source's
	s.files = nil
	lines = f.at.Line - start.Line
	switch {
	case err != nil:
	case lines == 0 && start.Offset > 0:
		r.log.Info("file was imported before", "source", s.Name, "file", path)
	default:
		r.log.Info("file is read", "source", s.Name, "file", path, "lines", lines)
	}
	return lines, err
}

// within is the progress when so many lines of a file were read.
func (p Progress) within(f *file, lines int64) Progress {
	at := f.at.Offset
	if f.packed != nil {
		at, _ = f.f.Seek(0, io.SeekCurrent)
	}
	p.Done += at
	p.Lines += lines
	return p
}

// importUntil is the offset up to which a file is to be imported: 0 if it is not,
// negative if it is all of it. Of a file that was followed from its end on, it is
// what had been there before.
func (l *Log) importUntil(saved *checkpoint.Source) (int64, error) {
	if len(l.o.head) == 0 {
		return 0, nil
	}
	switch record, sure := l.findFollowed(saved); sure {
	case another:
		return -1, nil
	case shorterCopy:
		return 0, nil
	default:
		return l.earlier(record)
	}
}

// importFrom is where reading begins or, if it has begun, goes on.
func (r *Reader) importFrom(o *opened, saved *checkpoint.Source) (start flow.Position, begun bool) {
	source := r.sources[0].Source.Source
	least := int64(0)
	if g, ok := o.importedTo(saved.Imports); ok {
		return flow.Position{
			Generation: &flow.Generation{Source: source, ID: g.ID, FirstLine: g.FirstLine}, Offset: g.Offset, Line: g.Line,
		}, true
	}
	for _, g := range saved.Imports {
		least = min(least, g.ID)
	}
	first := importedLine(o.head)
	return flow.Position{Generation: &flow.Generation{Source: source, ID: least - 1, FirstLine: first}, Line: first}, false
}

// importedTo is the one of the imports whose file it is; if there are several,
// the one that was read furthest.
func (o *opened) importedTo(imports []checkpoint.Generation) (found checkpoint.Generation, ok bool) {
	for _, g := range imports {
		if (!ok || g.Offset > found.Offset) && o.holds(g.File, g.Offset, g.Before) >= copyOf {
			found, ok = g, true
		}
	}
	return found, ok
}

// importedLine is the number of the first line of an imported file. It depends on
// what is in the file, so that importing it again gives the same points, whatever
// has become of the state directory meanwhile.
func importedLine(h head) int64 {
	sum := h.sum()
	if sum.Length == 0 {
		sum = checkpoint.SumOf(h)
	}
	hash, err := hex.DecodeString(sum.Hash)
	if err != nil || len(hash) < 8 {
		return 1 // of no line
	}
	return int64(1 + binary.BigEndian.Uint64(hash)%1e9)
}
