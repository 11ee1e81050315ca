package tail

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/growing"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Progress is how far an import is.
type Progress struct {
	Done, Total int64 // bytes on the disk
	Lines       int64
	File        string   // that is being read
	Failed      []string // files that could not be read to their end
	Unfit       []error  // why files were not read at all
	Complete    bool     // this is the end
}

// importer reads files once, each from its beginning to its end.
type importer struct {
	files    []string
	source   *flow.Source
	ledger   *checkpoint.Ledger
	saved    checkpoint.Source // as of the start, and what was imported since
	progress func(Progress)
	judge    func(*logfile.Log, []checkpoint.Part) error
	feed     *growing.Feed
	log      *slog.Logger

	checkpoint *checkpoint.Checkpoint
}

// imports reads the files of config.Import as logs of the only source.
func (r *Reader) imports(ctx context.Context, out chan<- flow.Chunk) error {
	never := func() time.Time { return time.Now().Add(time.Hour) } // nothing else is to be done meanwhile
	s := r.sources[0]
	i := &importer{
		files: r.config.Import, source: s.Source, ledger: s.ledger, saved: s.ledger.Copy(), progress: r.config.Progress, judge: r.config.Judge,
		feed: r.newFeed(out, never), log: r.log, checkpoint: r.checkpoint,
	}
	i.feed.Ends = r.config.Ends
	return i.run(ctx)
}

// run reads the files, the oldest one first. If one cannot be read, the others still are.
func (i *importer) run(ctx context.Context) error {
	files, progress := i.oldestFirst()
	for _, file := range files {
		progress.File = file.Path
		lines, err := i.read(ctx, file, progress)
		if ctx.Err() != nil {
			i.log.Warn("import was interrupted; run the same command to continue", "file", file.Path)
			return nil //nolint:nilerr // whoever ended it knows
		}
		if unfit, ok := errors.AsType[unfitError](err); ok {
			progress.Unfit = append(progress.Unfit, unfit.error)
		} else if err != nil {
			i.failed(file.Path, err)
			progress.Failed = append(progress.Failed, file.Path)
		}
		progress.Done, progress.Lines = progress.Done+file.Info.Size(), progress.Lines+lines
	}
	progress.Complete = true
	i.progress(progress)
	return nil
}

// An unfitError is why a file is not imported that could be read.
type unfitError struct{ error }

// failed logs why a file could not be imported, or not all of it.
func (i *importer) failed(path string, err error) {
	_, begun := errors.AsType[partError](err)
	_, packed := errors.AsType[logfile.PackedError](err)
	switch {
	case packed:
		i.log.Error("file cannot be imported as it is", "file", path, "err", err)
	case begun:
		i.log.Error("file could not be read to its end; what stands before that is imported, and if it is completed the same command goes on",
			"file", path, "err", err)
	default:
		i.log.Error("nothing of a file is imported", "file", path, "err", err)
	}
}

// A partError is why a file was not read to its end.
type partError struct{ error }

func (e partError) Unwrap() error { return e.error }

// oldestFirst are the files in the order in which they are read; those that are not there are
// noted, and logged.
func (i *importer) oldestFirst() (files []logfile.Sibling, p Progress) {
	for _, path := range i.files {
		info, err := os.Stat(path)
		if err != nil {
			i.failed(path, err)
			p.Failed = append(p.Failed, path)
			continue
		}
		if !slices.ContainsFunc(files, func(f logfile.Sibling) bool { return os.SameFile(f.Info, info) }) {
			files = append(files, logfile.Sibling{Path: path, Info: info})
			p.Total += info.Size()
		}
	}
	slices.SortStableFunc(files, func(a, b logfile.Sibling) int { return a.Info.ModTime().Compare(b.Info.ModTime()) })
	return files, p
}

// read sends the lines of a file that were neither followed nor imported,
// and returns how many they were. What was is saved, and kept up to date.
func (i *importer) read(ctx context.Context, is logfile.Sibling, progress Progress) (lines int64, err error) {
	l, err := logfile.OpenLog(is.Path)
	if err != nil {
		return 0, err
	}
	defer i.feed.Close(l.Opened)
	if !os.SameFile(l.Info, is.Info) {
		return 0, errors.New("it was renamed meanwhile, and this is another one: the same command imports what is missing")
	}
	parts, err := i.saved.Missing(l, i.source.Path)
	if err != nil {
		return 0, err
	}
	if len(parts) == 0 {
		i.log.Info("nothing to import: the file was imported before, is or was followed, or is empty", "source", i.source.Name, "file", is.Path)
		return 0, nil
	}
	if i.judge != nil {
		if err := i.judge(l, parts); err != nil {
			return 0, unfitError{err}
		}
	}
	for _, p := range parts {
		n, err := i.readPart(ctx, l.Opened, p, progress)
		lines, progress.Lines = lines+n, progress.Lines+n
		if err != nil {
			return lines, partError{err}
		}
	}
	if lines == 0 && parts[0].Start.Offset > 0 {
		i.log.Info("file was imported before", "source", i.source.Name, "file", is.Path)
	} else {
		i.log.Info("file was read to its end", "source", i.source.Name, "file", is.Path, "lines", lines)
	}
	return lines, nil
}

// readPart sends the lines of a part of a file.
func (i *importer) readPart(ctx context.Context, o *logfile.Opened, p checkpoint.Part, progress Progress) (lines int64, err error) {
	start, g := p.Start, p.Start.Generation
	g.Source, g.Path = i.source, o.Path
	f := growing.New(o, start, i.ledger, i.feed, time.Now())
	f.Superseded, f.Limit = true, p.Until
	if g.ID == 0 {
		for _, other := range i.saved.Imports {
			g.ID = min(g.ID, other.ID)
		}
		g.ID--
		i.checkpoint.BeginImport(start, f.Before(), f.Description())
	}
	for more, seen := true, int64(-1); err == nil && (more || f.Seen > seen); { // once more at the end: what follows may be damage
		seen = f.Seen
		more, err = f.Read(ctx)
		i.progress(progress.within(f, f.At.Line-start.Line))
	}
	if err == nil && (p.Until > 0 || !o.IsAt(i.source.Path)) { // nobody completes its last line
		err = f.SendRest(ctx)
	}
	if ctx.Err() == nil { // of a damaged file, too: what can be read of it may be all there will ever be
		err = errors.Join(err, f.SendLeft(ctx))
	}
	if g.ID > 0 { // it was followed, and lost
		if err == nil {
			i.ledger.Leave(f.At, f.Before())
		}
		i.found(f)
		return f.At.Line - start.Line, err
	}
	f.Describe()
	i.keepShorter(f)
	i.ledger.Leave(f.At, f.Before())
	if f.At.Offset > start.Offset { // acknowledged or not: a copy of it may be next
		i.saved.Imports = append(i.saved.Imports, f.Generation())
	}
	return f.At.Line - start.Line, err
}

// found notes that a lost generation was read, acknowledged or not: a copy of it may be next.
func (i *importer) found(f *growing.File) {
	for n, g := range i.saved.Finished {
		if g.ID == f.At.Generation.ID && g.State == checkpoint.Lost {
			i.saved.Finished[n] = f.Generation()
			i.saved.Finished[n].State = checkpoint.Finished
		}
	}
}

// keepShorter keeps what is known of an imported file when a longer copy of it goes on in
// its generation: else it would be known no more, if it is shorter than a head, or would be
// taken for a part of an import.
func (i *importer) keepShorter(longer *growing.File) {
	for _, was := range i.saved.Imports {
		if was.ID != longer.At.Generation.ID {
			continue
		}
		is := longer.Description()
		if was.Head.Length < is.Head.Length || !was.Inode.Is(is.Inode) && was.Size == was.Offset && was.Offset < longer.At.Offset {
			i.checkpoint.KeepImport(i.source.Name, was)
			i.saved.Imports = append(i.saved.Imports, was)
			return
		}
	}
}

// within is the progress when so many lines of a file were read.
func (p Progress) within(f *growing.File, lines int64) Progress {
	at := f.Next()
	if f.Packed != nil {
		at, _ = f.File.Seek(0, io.SeekCurrent)
	}
	p.Done += at
	p.Lines += lines
	return p
}
