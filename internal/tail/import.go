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
	var troubles error
	for _, file := range files {
		progress.File = file.path
		lines, err := r.importFile(ctx, file.path, out, progress)
		if ctx.Err() != nil {
			return fmt.Errorf("import: interrupted within %s; the same command goes on from there", file.path)
		}
		if err != nil {
			r.log.Error("file was not imported to its end", "file", file.path, "err", err)
			troubles = errors.Join(troubles, fmt.Errorf("import %s: %w", file.path, err))
		}
		progress.Done, progress.Lines = progress.Done+file.info.Size(), progress.Lines+lines
	}
	return troubles
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
// and returns how many they were.
func (r *Reader) importFile(ctx context.Context, path string, out chan<- flow.Chunk, progress Progress) (lines int64, err error) {
	s := r.sources[0]
	l, err := OpenLog(path)
	if err != nil {
		return 0, err
	}
	saved := r.checkpoint.Import(s.Name)
	until, err := r.importUntil(l, &saved)
	if err != nil || until == 0 {
		l.Close()
		return 0, err
	}
	f := s.add(l.o, r.importFrom(l.o, &saved), true, time.Now())
	f.until = until
	start := f.at
	if start.Offset == 0 {
		r.checkpoint.BeginImport(start, f.before(), f.describe())
	}
	for more := true; more && err == nil; {
		more, err = f.read(ctx, out)
		progress.tell(r.config.Progress, f, f.at.Line-start.Line)
		r.looked = time.Now()
	}
	if err == nil {
		err = f.sendRest(ctx, out)
	}
	f.end()
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

func (p Progress) tell(to func(Progress), f *file, lines int64) {
	if to == nil {
		return
	}
	p.Lines += lines
	at := f.at.Offset
	if f.packed != nil {
		at, _ = f.f.Seek(0, io.SeekCurrent)
	}
	p.Done += at
	to(p)
}

// importUntil is the offset up to which a file is to be imported: 0 if it is not,
// negative if it is all of it. Of a file that was followed from its end on, it is
// what had been there before.
func (r *Reader) importUntil(l *Log, saved *checkpoint.Source) (int64, error) {
	s := r.sources[0]
	record, known := l.findFollowed(saved)
	if !known {
		if live, err := os.Stat(s.Path); err == nil && os.SameFile(live, l.o.info) {
			r.log.Warn("file is the log that tailflux follows: it is left to it", "source", s.Name, "file", s.Path)
			return 0, nil
		}
		return -1, nil
	}
	earlier, err := l.earlier(record)
	if err == nil && earlier == 0 {
		r.log.Info("file was followed and is not imported", "source", s.Name, "file", l.o.path, "generation", record.Generation)
	}
	return earlier, err
}

// importFrom is where reading begins or goes on.
func (r *Reader) importFrom(o *opened, saved *checkpoint.Source) flow.Position {
	source := r.sources[0].Source.Source
	least := int64(0)
	for _, g := range saved.Imports {
		least = min(least, g.ID)
		if o.holds(g.File, g.Offset, g.Before) >= copyOf {
			return flow.Position{
				Generation: &flow.Generation{Source: source, ID: g.ID, FirstLine: g.FirstLine}, Offset: g.Offset, Line: g.Line,
			}
		}
	}
	first := importedLine(o.head)
	return flow.Position{Generation: &flow.Generation{Source: source, ID: least - 1, FirstLine: first}, Line: first}
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
		return 1 // the file is empty
	}
	return int64(1 + binary.BigEndian.Uint64(hash)%1e9)
}
