// A small language for scenes: what one look has seen, and what contents say.

package scene_test

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/scene"
)

const logPath = "access.log"

// look is a scene in the making, at minute 100 unless it says otherwise, and the evidence.
type look struct {
	scene.Scene
	says []said // of each file of Beside
}

// said is what the contents of a file say.
type said struct {
	size     int64
	trouble  error
	imported bool
	is       map[int64]logfile.Identity // which generations, and how surely
	upTo     int64                      // and is another one than was read beyond it; 0: it is not
	holdsAll map[int64]bool
	copies   map[int64]bool
	part     map[int64]bool
	within   map[string]bool
	copiesOf map[string]bool // files that are about to be opened

	anonymised int64           // of which generation
	agrees     map[int64]int64 // with which open ones, and from where on it has more
	born       time.Time       // nobody knows if it is zero
}

type (
	part    func(*look)             // of a scene
	trait   func(*look, *said, int) // of a file of it
	heldAs  func(*scene.Held)       // of an open file
	recalls func(*checkpoint.Generation)
)

func minute(n int) time.Time { return time.Unix(int64(n)*60, 0) }

// seen is a scene of a source that is followed, of which nothing is open.
func seen(parts ...part) *look {
	l := &look{Scene: scene.Scene{Now: minute(100), RotateWait: time.Minute, Started: true, Path: scene.There{File: -1}}}
	for _, p := range parts {
		p(l)
	}
	l.Evidence = l
	return l
}

// atStart is the first scene of a source, and how often the same was seen already.
func atStart(agreed int) part {
	return func(l *look) { l.Started, l.Agreed = false, agreed }
}

// missing says that nothing is at the path; it was looked for at a minute, -1 for never.
// aDayLater is a day after files have grown last.
func aDayLater(l *look) { l.Now = minute(10 + 24*60) }

func missing(last int) part {
	return func(l *look) {
		l.Path.Missing, l.Path.Trouble = true, fs.ErrNotExist
		if last >= 0 {
			l.Missed = minute(last)
		}
	}
}

// bare says that the directory of the log is empty.
func bare(l *look) { l.Bare = true }

// ledgerSearchSince says that a file not older than a minute could not be opened before the start.
func ledgerSearchSince(at int) part {
	return func(l *look) { l.Ledger.SearchSince = minute(at).UnixNano() }
}

// awaits says that the file of a place beside the log could not be opened yet: that it was there
// at minute 10, with 30 bytes, and had 10 at the very first start, where reading begins.
func awaits(place int, details ...func(*checkpoint.Awaited)) part {
	return func(l *look) {
		inode := logfile.Inode{Device: 1, Number: uint64(1000 + place), Birth: minute(5).UnixNano()}
		l.Ledger.Awaited = &checkpoint.Awaited{Inode: inode, From: 10, Size: 30, Modified: minute(10).UnixNano()}
		for _, set := range details {
			set(l.Ledger.Awaited)
		}
	}
}

func isShortened(a *checkpoint.Awaited) { a.Shortened = true }
func isEmpty(a *checkpoint.Awaited)     { a.Size, a.From = 0, 0 }
func isUnknown(a *checkpoint.Awaited)   { a.Inode, a.Size, a.From = logfile.Inode{}, 0, 0 }

// isAwaited says that what is at the path is that file.
func isAwaited(l *look) { l.Path.Awaited = true }

// sawTheSame says how often this look saw the same already.
func sawTheSame(agreed int) part { return func(l *look) { l.Agreed = agreed } }

// wasMissing says that something is at the path again.
func wasMissing(l *look) { l.Missed = minute(99) }

// searchSince says that files not older than a minute are still to be looked for.
func searchSince(since int) part {
	return func(l *look) { l.SearchSince = minute(since) }
}

func once(l *look)  { l.Once = true }
func dated(l *look) { l.Dated = true }

// lastSeen is when the newest file was last seen at the path.
func lastSeen(at int) part { return func(l *look) { l.AtPath = minute(at) } }

// restarted says that files that were rotated before the start are still to be looked for.
func restarted(l *look) { l.Restarted = true }

// regrown says that a file has grown since it was left.
func regrown(id int64) part {
	return func(l *look) { l.Regrown = append(l.Regrown, id) }
}

// emptied says that such a file was emptied before.
func emptied(id int64) part {
	return func(l *look) { l.Emptied = append(l.Emptied, id) }
}

// open is an open file, read to offset 10 and written last at minute 10.
func open(id int64, states ...heldAs) part {
	return func(l *look) {
		f := scene.Held{Generation: generation(id), Holds: true, Known: 10, Grown: minute(10), AsOf: minute(10)}
		for _, set := range states {
			set(&f)
		}
		l.Open = append(l.Open, f)
	}
}

func generation(id int64) checkpoint.Generation {
	g := checkpoint.Generation{ID: id, Offset: 10}
	g.Inode, g.Head, g.Size = logfile.Inode{Device: 1, Number: uint64(id)}, logfile.Sum{Length: 8}, 10
	g.Modified = minute(10).UnixNano()
	return g
}

func superseded(f *scene.Held) { f.Superseded = true }
func unsure(f *scene.Held)     { f.Unsure = true }
func unsearched(f *scene.Held) { f.Unsearched = true }
func neverFilled(f *scene.Held) {
	f.Empty, f.Head, f.Size, f.Offset, f.Known = true, logfile.Sum{}, 0, 0, 0
}
func idle(f *scene.Held)       { f.Idle = true }
func packed(f *scene.Held)     { f.Packed = true }
func compressed(f *scene.Held) { f.Compressed = true }
func deleted(f *scene.Held)    { f.Deleted = true }
func noted(f *scene.Held)      { f.Noted = true }
func told(f *scene.Held)       { f.Told = true }
func grown(at int) heldAs      { return func(f *scene.Held) { f.Grown = minute(at) } }
func madeAt(at int) heldAs     { return func(f *scene.Held) { f.Inode.Birth = minute(at).UnixNano() } }
func asOf(at int) heldAs       { return func(f *scene.Held) { f.AsOf = minute(at) } }

// late is how many minutes after it was superseded a file was seen to be longer.
func late(minutes int) heldAs {
	return func(f *scene.Held) { f.Late = time.Duration(minutes) * time.Minute }
}

// known is the largest size that an open file is known to have had.
func known(size int64) heldAs { return func(f *scene.Held) { f.Known = size } }

// changed says that a file holds something else, and how much of what was read it kept.
func changed(kept int64) heldAs {
	return func(f *scene.Held) { f.Holds, f.Kept = false, kept }
}

// remembered is a generation of the ledger that is not finished, finished one that is.
func remembered(id int64, details ...recalls) part {
	return func(l *look) { l.Ledger.Open = append(l.Ledger.Open, recalled(id, details)) }
}

func finished(id int64, details ...recalls) part {
	return func(l *look) { l.Ledger.Finished = append(l.Ledger.Finished, recalled(id, details)) }
}

func recalled(id int64, details []recalls) checkpoint.Generation {
	g := generation(id)
	for _, set := range details {
		set(&g)
	}
	return g
}

func size(n int64) recalls { return func(g *checkpoint.Generation) { g.Size = n } }
func upTo(n int64) recalls { return func(g *checkpoint.Generation) { g.Offset, g.Size = n, n } }
func neverRead(g *checkpoint.Generation) {
	g.Head, g.Size, g.Offset = logfile.Sum{}, 0, 0
}

// headless is of a file of which something was read, and no whole line of its head.
func headless(g *checkpoint.Generation) { g.Head = logfile.Sum{} }

// isBeside says that a generation's file is the one with a place beside the log.
func isBeside(i int) recalls {
	return func(g *checkpoint.Generation) { g.Inode.Number = uint64(1000 + i) }
}

func bornAtMinute(at int) recalls {
	return func(g *checkpoint.Generation) { g.Inode.Birth = minute(at).UnixNano() }
}

func writtenAt(at int) recalls {
	return func(g *checkpoint.Generation) { g.Modified = minute(at).UnixNano() }
}

// ahead says that a destination got more than others.
func ahead(destination string, offset int64) recalls {
	return func(g *checkpoint.Generation) {
		g.Ahead = append(g.Ahead, checkpoint.Ahead{Destination: destination, Reached: checkpoint.Reached{Offset: offset}})
	}
}

func lost(g *checkpoint.Generation) { g.State, g.Before = checkpoint.Lost, logfile.Sum{Length: 10} }

func left(g *checkpoint.Generation) {
	g.State, g.Left = checkpoint.Left, checkpoint.Reached{Offset: 20, Line: 3}
}

// beside is a file beside the log, or access.log at the path, written last at a minute. Its
// contents are like those of no other one.
func beside(name string, at int, traits ...trait) part {
	return func(l *look) {
		i := len(l.Beside)
		l.Beside = append(l.Beside, scene.Beside{
			Path: name, Modified: minute(at), Inode: logfile.Inode{Device: 1, Number: uint64(1000 + i)}, Rotated: name != logPath, AtPath: name == logPath,
		})
		if name == logPath {
			l.Path.File = i
		}
		l.says = append(l.says, said{
			size: 10, is: map[int64]logfile.Identity{}, holdsAll: map[int64]bool{}, copies: map[int64]bool{}, part: map[int64]bool{}, within: map[string]bool{},
			copiesOf: map[string]bool{}, agrees: map[int64]int64{},
		})
		for _, set := range traits {
			set(l, &l.says[i], i)
		}
	}
}

// openAs says that a file is an open one.
func openAs(id int64) trait {
	return func(l *look, _ *said, i int) {
		l.Beside[i].Held = id
		if l.Beside[i].AtPath {
			l.Path.Held = id
		}
	}
}

func is(id int64, how logfile.Identity) trait {
	return func(l *look, s *said, i int) {
		if s.is[id] = how; how == logfile.Same {
			l.Beside[i].Inode.Number = uint64(id)
		}
	}
}

// shortened says that a file is not any more what was read of it beyond an offset.
func shortened(to int64) trait { return func(_ *look, s *said, _ int) { s.upTo = to } }

func hasInodeOf(id int64) trait {
	return func(l *look, _ *said, i int) { l.Beside[i].Inode.Number = uint64(id) }
}

func holdsAll(id int64) trait { return func(_ *look, s *said, _ int) { s.holdsAll[id] = true } }

func copyOf(id int64) trait { return func(_ *look, s *said, _ int) { s.copies[id] = true } }

func partOf(id int64) trait { return func(_ *look, s *said, _ int) { s.part[id] = true } }

// agrees says that a file has all that was read of an open one, and where it has more.
func agrees(id, from int64) trait { return func(_ *look, s *said, _ int) { s.agrees[id] = from } }

// anonymised says that a file is one that was read, without addresses.
func anonymised(id int64) trait { return func(_ *look, s *said, _ int) { s.anonymised = id } }

func copyOfFile(other string) trait {
	return func(_ *look, s *said, _ int) { s.copiesOf[other] = true }
}
func bornAt(at int) trait { return func(_ *look, s *said, _ int) { s.born = minute(at) } }

// oddlyNamed says that a file is not called as rotated ones are, and is perhaps one.
func oddlyNamed(l *look, _ *said, i int) { l.Beside[i].Rotated, l.Beside[i].Maybe = false, true }

// nameless says that a file that was left has no name any more.
func nameless(l *look, _ *said, i int) { l.Beside[i].Rotated, l.Beside[i].Nameless = false, true }

// anothers says that a file is none of this log's, by its name.
func anothers(l *look, _ *said, i int) { l.Beside[i].Rotated = false }

func within(other string) trait        { return func(_ *look, s *said, _ int) { s.within[other] = true } }
func ofSize(n int64) trait             { return func(_ *look, s *said, _ int) { s.size = n } }
func imported(_ *look, s *said, _ int) { s.imported = true }
func refused(_ *look, s *said, _ int)  { s.trouble = fs.ErrPermission }

// forAWhile says that a file is called as by renamecopy.
func forAWhile(l *look, _ *said, i int) {
	l.Beside[i].Rotated, l.Beside[i].Maybe, l.Beside[i].Renamed = false, true, true
}

// xz says that a file is compressed in a way that nobody can read here.
func xz(_ *look, s *said, _ int) { s.trouble = logfile.PackedError{} }

// noText says that nobody ever can read a file.
func noText(_ *look, s *said, _ int) { s.trouble = logfile.PackedError{NoText: true} }

func (l *look) Trouble(i int) error { return l.says[i].trouble }
func (l *look) Size(i int) int64    { return l.says[i].size }
func (l *look) Is(i int, g *checkpoint.Generation) logfile.Identity {
	if to := l.says[i].upTo; to > 0 && g.Offset > to {
		return logfile.Different
	}
	return l.says[i].is[g.ID]
}
func (l *look) HoldsAll(i int, g *checkpoint.Generation) bool { return l.says[i].holdsAll[g.ID] }
func (l *look) CopyOf(i, j int) bool                          { return l.says[i].copiesOf[l.Beside[j].Path] }
func (l *look) Copies(i int, id int64) bool                   { return l.says[i].copies[id] }
func (l *look) IsPart(i int, id int64) bool                   { return l.says[i].part[id] }
func (l *look) Within(i, j int) bool                          { return i == j || l.says[i].within[l.Beside[j].Path] }
func (l *look) Imported(i int) bool                           { return l.says[i].imported }

func (l *look) Anonymised(i int) int64 { return l.says[i].anonymised }

func (l *look) Agrees(i int, id int64) (from int64, ok bool) {
	from, ok = l.says[i].agrees[id]
	return from, ok
}

func (l *look) Born(i int) logfile.Inode {
	inode := l.Beside[i].Inode
	if born := l.says[i].born; !born.IsZero() {
		inode.Birth = born.UnixNano()
	}
	return inode
}

// written is how actions are written in the table: "supersede 1, begin access.log".
func (l *look) written(actions []scene.Action) string {
	var all []string
	for _, a := range actions {
		text := []string{a.Do.String()}
		switch a.Do {
		case scene.Begin, scene.Resume, scene.NoteCopy, scene.Anonymised:
			if a.Prior.ID > 0 {
				text = append(text, fmt.Sprint(a.Prior.ID, " at ", a.Prior.Offset, ","))
			}
			for _, ahead := range a.Prior.Ahead {
				text = append(text, fmt.Sprint(ahead.Destination, " at ", ahead.Offset, ","))
			}
			text = append(text, l.name(a.File))
			if a.Offset > 0 {
				text = append(text, fmt.Sprint("from ", a.Offset))
			}
		case scene.Unreadable:
			text = append(text, l.name(a.File))
		case scene.Truncated:
			text = append(text, fmt.Sprint(a.ID))
			if a.File >= 0 {
				text = append(text, "goes on in", l.name(a.File))
			}
		case scene.Search, scene.CannotOpen:
			text = append(text, fmt.Sprint("since ", a.Since.Unix()/60))
		case scene.Supersede, scene.Back, scene.Lose, scene.Forget, scene.Sure, scene.Leave, scene.Late, scene.Unwatch:
			text = append(text, fmt.Sprint(a.ID))
		}
		if a.Do == scene.Lose && a.Why == "" {
			text = append(text, "silently")
		}
		if a.Bytes > 0 {
			text = append(text, fmt.Sprint(a.Bytes, " bytes"))
		}
		if a.Behind {
			text = append(text, "behind")
		}
		if a.First {
			text = append(text, "first")
		}
		all = append(all, strings.Join(text, " "))
	}
	return strings.Join(all, "; ")
}

func (l *look) name(file int) string {
	if file < 0 {
		return "what is there"
	}
	return l.Beside[file].Path
}
