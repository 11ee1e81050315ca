package checkpoint_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

var (
	web = &flow.Source{Name: "web", Path: "/var/log/nginx/access.log"}
	api = &flow.Source{Index: 1, Name: "api", Path: "/srv/api/access.log"}
)

// opened is a checkpoint with its log and its stats.
type opened struct {
	*checkpoint.Checkpoint
	t     testing.TB
	dir   string
	state *statedir.Dir
	stats *stats.Stats
	log   *bytes.Buffer
}

// Close gives the directory up, as the end of the process does.
func (o *opened) Close() { o.state.Close() }

func open(t testing.TB, dir string) *opened {
	t.Helper()
	return openWith(t, dir, stats.New(time.Now()))
}

// openWith is for tests that open so often that creating stats would be slow.
func openWith(t testing.TB, dir string, st *stats.Stats) *opened {
	t.Helper()
	o := &opened{t: t, dir: dir, stats: st, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(o.log, nil))
	state, err := statedir.Open(dir, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(state.Close)
	if o.Checkpoint, err = checkpoint.Open(state, st, log); err != nil {
		t.Fatal(err)
	}
	o.state = state
	return o
}

func (o *opened) save() {
	o.t.Helper()
	if err := o.Save(); err != nil {
		o.t.Fatal(err)
	}
}

// crash is the end of the process, without a save, and another start.
func (o *opened) crash() *opened {
	o.t.Helper()
	o.Close()
	return open(o.t, o.dir)
}

// Source is a copy of the state of a source.
func (o *opened) Source(name, path string) (checkpoint.Source, bool) {
	l := o.Ledger(name)
	known := l.Follow(path)
	return l.Copy(), known
}

func (o *opened) ledger(g *flow.Generation) *checkpoint.Ledger { return o.Ledger(g.Source.Name) }

func (o *opened) Begin(at flow.Position, before logfile.Sum, f logfile.File) {
	o.ledger(at.Generation).Begin(at, before, f)
}

func (o *opened) Describe(g *flow.Generation, f logfile.File) { o.ledger(g).Describe(g, f) }
func (o *opened) Leave(end flow.Position)                     { o.ledger(end.Generation).Leave(end, logfile.Sum{}) }
func (o *opened) Stay(g *flow.Generation)                     { o.ledger(g).Stay(g) }
func (o *opened) Forget(g *flow.Generation)                   { o.ledger(g).Forget(g) }

func (o *opened) Lose(source string, id int64)                    { o.Ledger(source).Lose(id) }
func (o *opened) NoteCopy(source string, g checkpoint.Generation) { o.Ledger(source).NoteCopy(g) }
func (o *opened) RotatedTo(source, dir string)                    { o.Ledger(source).RotatedTo(dir) }

func (o *opened) source(s *flow.Source) checkpoint.Source {
	saved, _ := o.Source(s.Name, s.Path)
	return saved
}

// savedOnly ignores what is not saved.
var savedOnly = cmpopts.IgnoreFields(checkpoint.Reached{}, "Line", "Before")

// want compares the state of a source, as far as it is saved.
func (o *opened) want(s *flow.Source, want checkpoint.Source) {
	o.t.Helper()
	if diff := cmp.Diff(want, o.source(s), cmpopts.EquateEmpty(), savedOnly); diff != "" {
		o.t.Errorf("Source(%q) (-want +got):\n%s", s.Name, diff)
	}
}

// logged wants so many log records of these two levels, and no others.
func (o *opened) logged(errors, infos int) {
	o.t.Helper()
	text := o.log.String()
	if e, i, all := strings.Count(text, "level=ERROR"), strings.Count(text, "level=INFO"), strings.Count(text, "\n"); e != errors || i != infos || all != e+i {
		o.t.Errorf("logged %d errors and %d infos of %d records, want %d and %d and no others:\n%s", e, i, all, errors, infos, text)
	}
}

// changed reports whether do replaces the file of the latest save.
func (o *opened) changed(do func()) bool {
	o.t.Helper()
	path := filepath.Join(o.dir, statedir.Checkpoint)
	before, err := os.Stat(path)
	if err != nil {
		o.t.Fatal(err)
	}
	do()
	after, err := os.Stat(path)
	if err != nil {
		o.t.Fatal(err)
	}
	return !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime())
}

// begun opens a checkpoint that knows web and its first generation, and is saved.
func begun(t testing.TB) (*opened, *flow.Generation) {
	t.Helper()
	o := open(t, t.TempDir())
	o.source(web)
	g := generation(web, 1)
	o.Begin(at(g, 0), logfile.Sum{}, file(1))
	o.save()
	return o, g
}

func generation(s *flow.Source, id int64) *flow.Generation {
	return &flow.Generation{Source: s, ID: id, FirstLine: firstLine(id)}
}

func firstLine(id int64) int64 { return 1 + (id-1)*500_000 }

// at is a position; each line has ten bytes.
func at(g *flow.Generation, offset int64) flow.Position {
	return flow.Position{Generation: g, Offset: offset, Line: g.FirstLine + offset/10}
}

// file describes the file of a generation; no field is that of another's.
func file(id int64) logfile.File {
	return logfile.File{
		Inode: logfile.Inode{Device: 1<<63 + uint64(id), Number: 1<<62 + uint64(id), Birth: 1_790_000_000_123_456_789 + id},
		Head:  logfile.SumOf(fmt.Append(nil, "head of ", id)), Size: 1<<40 + id, Modified: 1_790_000_001_123_456_789 + id,
	}
}

// reading is a generation that was delivered up to an offset.
func reading(id, offset int64, before string) checkpoint.Generation {
	return checkpoint.Generation{
		File: file(id), ID: id, FirstLine: firstLine(id), Offset: offset, Line: firstLine(id) + offset/10,
		Before: logfile.SumOf([]byte(before)),
	}
}

// delivered is one that is finished.
func delivered(id, offset int64, before string) checkpoint.Generation {
	return checkpoint.Generation{
		File: file(id), State: checkpoint.Finished, ID: id, FirstLine: firstLine(id), Line: firstLine(id) + offset/10, Offset: offset,
		Before: logfile.SumOf([]byte(before)),
	}
}

// Generations of two sources, in every state there is.
func TestWhatIsSavedIsReadBack(t *testing.T) {
	o := open(t, t.TempDir())
	if !o.Fresh() {
		t.Error("Fresh = false in an empty directory")
	}
	o.source(web)
	o.source(api)
	if o.Fresh() {
		t.Error("Fresh = true with two sources")
	}
	o.RotatedTo("web", "/var/log/nginx/old dir")
	o.RotatedTo("web", "/var/log/\"<ü>\"\n\u2028")
	o.RotatedTo("web", "/var/log/nginx/old dir")
	for id := int64(1); id <= 5; id++ {
		o.Begin(at(generation(web, id), 10*id), logfile.SumOf([]byte("begin")), file(id))
	}
	o.Acknowledge(at(generation(web, 1), 100), []byte("one\n"))
	o.Leave(at(generation(web, 1), 100))
	o.Acknowledge(at(generation(web, 2), 200), []byte("two\n"))
	o.Leave(at(generation(web, 2), 300))
	o.Acknowledge(at(generation(web, 3), 300), []byte("three\n"))
	o.Lose("web", 3)
	o.Describe(generation(web, 4), file(40))
	o.NoteCopy("web", delivered(6, 600, "copy\n"))
	o.Begin(at(generation(api, 1), 0), logfile.Sum{}, logfile.File{})

	left, described, lost := reading(2, 200, "two\n"), reading(4, 40, "begin"), delivered(3, 300, "three\n")
	left.State, left.Left, described.File, lost.State = checkpoint.Left, checkpoint.Reached{Offset: 300}, file(40), checkpoint.Lost
	o.Ledger("web").SearchSince(time.Unix(7, 8))
	awaited := checkpoint.Awaited{Inode: file(9).Inode, Path: "/var/log/\xff.log", From: 1, Size: 2, Modified: 3, Shortened: true}
	o.Ledger("web").Await(&awaited)
	wantWeb := checkpoint.Source{
		SearchSince: 7_000_000_008,
		Awaited:     &awaited,
		Path:        web.Path,
		Directories: []string{"/var/log/nginx/old dir", "/var/log/\"<ü>\"\n\u2028"},
		Open:        []checkpoint.Generation{left, described, reading(5, 50, "begin")},
		Finished:    []checkpoint.Generation{delivered(1, 100, "one\n"), lost, delivered(6, 600, "copy\n")},
	}
	wantAPI := checkpoint.Source{
		Path: api.Path,
		Open: []checkpoint.Generation{{ID: 1, FirstLine: 1, Line: 1}},
	}
	o.want(web, wantWeb)
	o.want(api, wantAPI)
	o.save()
	for range 3 {
		o = o.crash()
		if o.Fresh() {
			t.Error("Fresh = true with two saved sources")
		}
		o.want(web, wantWeb)
		o.want(api, wantAPI)
		o.RotatedTo("api", "/srv/api") // each start saves something
		wantAPI.Directories = []string{"/srv/api"}
		o.save()
		o.logged(0, 0)
	}
}

func TestPositionMovesByAcknowledgeAlone(t *testing.T) {
	o, g := begun(t)
	o.Acknowledge(at(g, 100), []byte("here\n"))
	want := reading(1, 100, "here\n")
	check := func(after string) {
		t.Helper()
		if diff := cmp.Diff([]checkpoint.Generation{want}, o.source(web).Open, savedOnly); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after, diff)
		}
	}
	check("Acknowledge")
	want.File = file(9)
	o.Describe(g, file(9))
	check("Describe")
	want.State, want.Left = checkpoint.Left, checkpoint.Reached{Offset: 500}
	o.Leave(at(g, 500))
	check("Leave")
	want.State, want.Left = checkpoint.Reading, checkpoint.Reached{}
	o.Stay(g)
	check("Stay")
	o.RotatedTo("web", "/old")
	check("RotatedTo")
	o.NoteCopy("web", delivered(2, 500, "there\n"))
	check("NoteCopy")
	o.Begin(at(generation(web, 3), 500), logfile.Sum{}, file(3))
	o.Acknowledge(at(generation(web, 3), 700), []byte("elsewhere\n"))
	o.Lose("web", 3)
	check("what happened to another generation")
	o.Secure()
	check("Secure")
	o.save()
	check("Save")
	o = o.crash()
	check("a restart")
	want.Offset, want.Line, want.Before = 200, 21, logfile.SumOf([]byte("there\n"))
	o.Acknowledge(at(g, 200), []byte("there\n"))
	check("Acknowledge")
}

func TestAcknowledgeKeepsTheSumOfTheLast64Bytes(t *testing.T) {
	o, g := begun(t)
	text := []byte(strings.Repeat("0123456789abcdefghijklm", 100)) // has no period of 64
	for _, tt := range []struct{ given, kept int }{{0, 0}, {1, 1}, {63, 63}, {64, 64}, {65, 64}, {2000, 64}} {
		last := bytes.Clone(text[:tt.given])
		o.Acknowledge(at(g, int64(tt.given)), last)
		clear(last)
		want := logfile.SumOf(text[tt.given-tt.kept : tt.given])
		if got := o.source(web).Open[0].Before; got != want || got.Length != tt.kept {
			t.Errorf("after %d bytes: Before = %v, want %v", tt.given, got, want)
		}
	}
	o.Acknowledge(at(g, 3000), nil) // it is not known
	if got := o.source(web).Open[0].Before; got != (logfile.Sum{}) {
		t.Errorf("Before = %v, want none", got)
	}
}

// It is saved: one that changes is a checkpoint that fits no file.
func TestSumStaysTheSameForEver(t *testing.T) {
	for _, tt := range []struct {
		text string
		want logfile.Sum
	}{
		{"", logfile.Sum{}},
		{"abc", logfile.Sum{Length: 3, Hash: "ba7816bf8f01cfea"}},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", logfile.Sum{Length: 56, Hash: "248d6a61d20638b8"}},
	} {
		if got := logfile.SumOf([]byte(tt.text)); got != tt.want {
			t.Errorf("SumOf(%q) = %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestGenerationIsFinishedWhenAcknowledgedUpToWhereItWasLeft(t *testing.T) {
	const leave, restart = -1, -2 // any other step acknowledges up to there
	for _, tt := range []struct {
		name     string
		begin    int64
		steps    []int64
		finished bool
	}{
		{"left before", 0, []int64{100, leave, 200, 300}, true},
		{"left after", 0, []int64{100, 200, 300, leave}, true},
		{"left before a restart", 0, []int64{100, leave, restart, 200, 300}, true},
		{"left after a restart", 0, []int64{300, restart, leave}, true},
		{"left twice", 0, []int64{leave, leave, 300}, true},
		{"left where it began", 300, []int64{leave}, true},
		{"left, and not all is acknowledged", 0, []int64{leave, 100, 299}, false},
		{"not all is acknowledged, left", 0, []int64{100, 299, leave}, false},
		{"all is acknowledged, not left", 0, []int64{100, 300}, false},
		{"not left where it began", 300, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := open(t, t.TempDir())
			o.source(web)
			g, other := generation(web, 1), generation(web, 2)
			o.Begin(at(g, tt.begin), logfile.SumOf([]byte("x\n")), file(1))
			o.Begin(at(other, 300), logfile.SumOf([]byte("x\n")), file(2)) // to which nothing happens
			want := reading(1, tt.begin, "x\n")
			for _, step := range tt.steps {
				switch step {
				case leave:
					want.State, want.Left = checkpoint.Left, checkpoint.Reached{Offset: 300}
					o.Leave(at(g, 300))
				case restart:
					o.save()
					o = o.crash()
				default:
					want.Offset, want.Line = step, at(g, step).Line
					o.Acknowledge(at(g, step), []byte("x\n"))
				}
			}
			known := checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{want, reading(2, 300, "x\n")}}
			if tt.finished {
				known.Open = known.Open[1:]
				known.Finished = []checkpoint.Generation{delivered(1, 300, "x\n")}
			}
			compare := func() {
				t.Helper()
				if diff := cmp.Diff(known, o.source(web), cmpopts.EquateEmpty(), savedOnly); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			compare()
			o.save()
			o = o.crash()
			compare()
		})
	}
}

// Behind half a line nobody acknowledges bytes that are in the file.
func TestFinishedGenerationKeepsWhatWasBeforeItsEnd(t *testing.T) {
	o, g := begun(t)
	before := logfile.SumOf([]byte("one\ntw"))
	o.ledger(g).Leave(at(g, 300), before)
	o.Acknowledge(at(g, 300), nil)
	if got := o.source(web).Finished; len(got) != 1 || got[0].Before != before {
		t.Errorf("Finished = %v, want one with %v before its end", got, before)
	}
}

// A copy of a generation that was left comes to the path, and goes on as that generation.
func TestCopyThatGoesOnIsNoCopy(t *testing.T) {
	o, g := begun(t)
	o.Leave(at(g, 300))
	for n := range int64(2) {
		o.ledger(g).NoteCopy(checkpoint.Generation{File: file(8 + n), State: checkpoint.Finished, ID: g.ID, Offset: 300})
	}
	o.Begin(at(g, 300), logfile.Sum{}, file(8))
	if got := o.source(web); len(got.Open) != 1 || len(got.Finished) != 1 || got.Finished[0].File != file(9) {
		t.Errorf("the source is %+v, want one open, and the other copy", got)
	}
}

func TestStayTakesLeaveBack(t *testing.T) {
	o, g := begun(t)
	o.Leave(at(g, 300))
	o.save()
	o = o.crash()
	o.Stay(g)
	o.Acknowledge(at(g, 300), []byte("x\n"))
	o.want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(1, 300, "x\n")}})
	o.Leave(at(g, 400))
	o.Acknowledge(at(g, 400), []byte("y\n"))
	o.want(web, checkpoint.Source{Path: web.Path, Finished: []checkpoint.Generation{delivered(1, 400, "y\n")}})
}

func TestLostGenerationIsFinishedWhereItWasDeliveredTo(t *testing.T) {
	o, g := begun(t)
	o.Begin(at(generation(web, 2), 0), logfile.Sum{}, file(2))
	o.Begin(at(generation(web, 3), 0), logfile.Sum{}, file(3))
	o.Acknowledge(at(g, 100), []byte("x\n"))
	o.Acknowledge(at(generation(web, 2), 100), []byte("x\n"))
	o.Leave(at(generation(web, 2), 300))
	o.Lose("web", 2)
	o.Lose("web", 2)
	o.Lose("web", 4)
	lost := delivered(2, 100, "x\n")
	lost.State = checkpoint.Lost
	want := checkpoint.Source{
		Path: web.Path,
		Open: []checkpoint.Generation{reading(1, 100, "x\n"), reading(3, 0, "")}, Finished: []checkpoint.Generation{lost},
	}
	o.want(web, want)
	o.Acknowledge(at(generation(web, 2), 300), []byte("y\n")) // was on the way
	want.Finished[0] = delivered(2, 300, "y\n")
	want.Finished[0].State = checkpoint.Lost
	o.want(web, want)
	o.save()
	o.crash().want(web, want)
}

// The file of a finished generation was moved back to its path.
func TestFinishedGenerationCanBeginAgain(t *testing.T) {
	o, g := begun(t)
	o.Acknowledge(at(g, 100), []byte("x\n"))
	o.Leave(at(g, 100))
	o.Begin(at(generation(web, 2), 0), logfile.Sum{}, file(2))
	o.Begin(at(g, 100), logfile.SumOf([]byte("x\n")), file(1))
	o.save()
	o = o.crash()
	o.want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(2, 0, ""), reading(1, 100, "x\n")}})
	o.Acknowledge(at(g, 200), []byte("y\n"))
	o.Leave(at(g, 200))
	o.want(web, checkpoint.Source{
		Path: web.Path,
		Open: []checkpoint.Generation{reading(2, 0, "")}, Finished: []checkpoint.Generation{delivered(1, 200, "y\n")},
	})
}

// It was moved back before all of it was acknowledged.
func TestGenerationThatWasLeftCanBeginAgain(t *testing.T) {
	o, g := begun(t)
	o.Leave(at(g, 300))
	o.Begin(at(g, 300), logfile.Sum{}, file(1))
	o.Acknowledge(at(g, 300), []byte("x\n"))
	o.save()
	o.crash().want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(1, 300, "x\n")}})
}

func TestForgetTakesBeginBack(t *testing.T) {
	o, g := begun(t)
	done := generation(web, 2)
	o.Begin(at(done, 0), logfile.Sum{}, file(2))
	o.Leave(at(done, 0))
	for id := int64(3); id <= 5; id++ {
		o.Begin(at(generation(web, id), 0), logfile.Sum{}, file(id))
	}
	o.save()
	o.Forget(generation(web, 4))
	o.Forget(generation(web, 4))
	o.Forget(generation(api, 1)) // of a source that is not known
	o.Forget(done)               // too late
	o.Acknowledge(at(generation(web, 4), 100), nil)
	o.Leave(at(generation(web, 4), 100))
	want := checkpoint.Source{
		Path:     web.Path,
		Open:     []checkpoint.Generation{reading(1, 0, ""), reading(3, 0, ""), reading(5, 0, "")},
		Finished: []checkpoint.Generation{delivered(2, 0, "")},
	}
	o.want(web, want)
	o.save()
	o = o.crash()
	o.want(web, want)
	o.Forget(g)
	o.Begin(at(g, 0), logfile.Sum{}, file(1)) // its number is free
	want.Open = append(want.Open[1:], reading(1, 0, ""))
	o.want(web, want)
}

func TestWaitingReturnsThePathsOfSourcesWithOpenGenerations(t *testing.T) {
	o := open(t, t.TempDir())
	check := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, o.Waiting(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Waiting (-want +got):\n%s", diff)
		}
	}
	check()
	o.source(web)
	o.source(api)
	check() // nothing was read of them
	o.Begin(at(generation(web, 1), 0), logfile.Sum{}, file(1))
	o.Begin(at(generation(web, 2), 0), logfile.Sum{}, file(2))
	check(web.Path)
	o.Begin(at(generation(api, 1), 0), logfile.Sum{}, file(3))
	o.NoteCopy("api", delivered(2, 0, ""))
	check(api.Path, web.Path)
	o.save()
	o = o.crash()
	check(api.Path, web.Path)
	o.Leave(at(generation(web, 1), 0))
	check(api.Path, web.Path)
	o.Lose("web", 2)
	check(api.Path)
	o.Source("api", "/elsewhere")
	check("/elsewhere")
	o.Forget(generation(api, 1))
	check()
}

// Calls that arrive after a generation has ended change nothing.
func TestGenerationThatIsNotOpenIsLeftAlone(t *testing.T) {
	o, g := begun(t)
	o.Leave(at(g, 0))
	o.save()
	want := checkpoint.Source{Path: web.Path, Finished: []checkpoint.Generation{delivered(1, 0, "")}}
	unknown := &flow.Source{Name: "unknown", Path: web.Path}
	if o.changed(func() {
		for _, g := range []*flow.Generation{g, generation(web, 2), generation(unknown, 1)} {
			o.Acknowledge(at(g, 100), []byte("x\n"))
			o.Leave(at(g, 100))
			o.Stay(g)
			o.Describe(g, file(3))
		}
		o.Secure()
		o.save()
	}) {
		t.Error("it was saved")
	}
	o.want(web, want)
}

func TestLast64FinishedAreKept(t *testing.T) {
	o := open(t, t.TempDir())
	o.source(web)
	o.source(api)
	o.NoteCopy("api", delivered(1, 0, ""))
	var want []checkpoint.Generation
	check := func() {
		t.Helper()
		last := want[max(0, len(want)-64):]
		if diff := cmp.Diff(last, o.source(web).Finished); diff != "" {
			t.Errorf("of %d finished generations (-want +got):\n%s", len(want), diff)
		}
	}
	for id := int64(1); id <= 200; id++ {
		g, f := generation(web, id), delivered(id, 0, "")
		if id%3 > 0 {
			o.Begin(at(g, 0), logfile.Sum{}, file(id))
		}
		switch id % 3 {
		case 0:
			o.NoteCopy("web", f)
		case 1:
			o.Leave(at(g, 0))
		case 2:
			f.State = checkpoint.Lost
			o.Lose("web", id)
		}
		want = append(want, f)
		if id%16 < 4 { // each save is slow
			check()
		}
		if id == 64 || id == 65 || id == 130 {
			o.save()
			o = o.crash()
			check()
		}
	}
	o.save()
	o = o.crash()
	check()
	o.want(api, checkpoint.Source{Path: api.Path, Finished: []checkpoint.Generation{delivered(1, 0, "")}})
}

func TestNewSourceIsKnownTheSecondTimeOnly(t *testing.T) {
	o := open(t, t.TempDir())
	check := func(s *flow.Source, want bool) {
		t.Helper()
		saved, known := o.Source(s.Name, s.Path)
		if diff := cmp.Diff(checkpoint.Source{Path: s.Path}, saved); diff != "" || known != want {
			t.Errorf("Source(%q) is known: %v, want %v; (-want +got):\n%s", s.Name, known, want, diff)
		}
	}
	check(web, false)
	check(web, true)
	check(web, true)
	o = o.crash() // before it was saved
	if !o.Fresh() {
		t.Error("Fresh = false, and nothing was saved")
	}
	check(web, false)
	o.save()
	o = o.crash()
	check(web, true)
	check(api, false)
	o.Secure()
	o = o.crash()
	check(api, true)
	check(web, true)
}

// The path was changed in the configuration: rotated files may still be beside
// the earlier one.
func TestEarlierPathOfASourceIsKeptWithItsGenerations(t *testing.T) {
	o, _ := begun(t)
	moved := &flow.Source{Name: "web", Path: "/new/access.log"}
	there := reading(1, 0, "")
	there.Path = web.Path
	for range 2 {
		o.want(moved, checkpoint.Source{Path: moved.Path, Open: []checkpoint.Generation{there}})
	}
	if o.changed(o.Secure) || !o.changed(o.save) {
		t.Error("the new path is saved too early, or not at all")
	}
	o = o.crash()
	o.want(moved, checkpoint.Source{Path: moved.Path, Open: []checkpoint.Generation{there}})
	again := &flow.Source{Name: "web", Path: "/newer/access.log"}
	o.want(again, checkpoint.Source{Path: again.Path, Open: []checkpoint.Generation{there}})
}

func TestSourceReturnsACopy(t *testing.T) {
	o, g := begun(t)
	o.RotatedTo("web", "/old")
	o.NoteCopy("web", delivered(2, 0, ""))
	want := checkpoint.Source{
		Path: web.Path, Directories: []string{"/old"},
		Open: []checkpoint.Generation{reading(1, 0, "")}, Finished: []checkpoint.Generation{delivered(2, 0, "")},
	}
	saved := o.source(web)
	saved.Path, saved.Directories[0], saved.Open[0].Offset, saved.Finished[0].ID = "x", "x", 7, 7
	o.want(web, want)
	saved = o.source(web)
	o.Acknowledge(at(g, 100), nil)
	o.RotatedTo("web", "/older")
	o.Lose("web", 1)
	if diff := cmp.Diff(want, saved); diff != "" {
		t.Errorf("what was returned before has changed (-want +got):\n%s", diff)
	}
}

// What Secure leaves is saved by Save. Nothing is saved when nothing changed.
func TestSecureSavesWhatMustBeSavedFirst(t *testing.T) {
	headless := file(2)
	headless.Head = logfile.Sum{}
	grown := file(1)
	grown.Head, grown.Size = logfile.SumOf([]byte("a longer head of 1")), grown.Size+100
	first, second, third := generation(web, 1), generation(web, 2), generation(web, 3)
	for _, tt := range []struct {
		name          string
		do            func(o *opened)
		secure, saved bool
	}{
		{"nothing", func(*opened) {}, false, false},
		{"a new source", func(o *opened) { o.source(api) }, true, true},
		{"a known source", func(o *opened) { o.source(web) }, false, false},
		{"a new generation", func(o *opened) { o.Begin(at(third, 0), logfile.Sum{}, file(3)) }, true, true},
		{"a new generation, and more", func(o *opened) {
			o.Begin(at(third, 0), logfile.Sum{}, file(3))
			o.Acknowledge(at(first, 100), nil)
			o.Describe(first, grown)
		}, true, true},
		{"the first head", func(o *opened) { o.Describe(second, file(2)) }, true, true},
		{"the first head, and more", func(o *opened) {
			o.Describe(second, file(2))
			o.Describe(first, grown)
			o.Describe(second, file(22))
		}, true, true},
		{"no head yet", func(o *opened) {
			f := headless
			f.Size++
			o.Describe(second, f)
		}, false, true},
		{"a longer head", func(o *opened) { o.Describe(first, grown) }, false, true},
		{"the file has not changed", func(o *opened) { o.Describe(first, file(1)) }, false, false},
		{"an acknowledgement", func(o *opened) { o.Acknowledge(at(first, 100), nil) }, false, true},
		{"a file was left", func(o *opened) { o.Leave(at(first, 100)) }, false, true},
		{"a generation is finished", func(o *opened) { o.Leave(at(first, 0)) }, false, true},
		{"the reader goes on", func(o *opened) { o.Stay(first) }, false, true},
		{"a file is lost", func(o *opened) { o.Lose("web", 1) }, false, true},
		{"an unknown one is lost", func(o *opened) { o.Lose("web", 4) }, false, false},
		{"a generation is forgotten", func(o *opened) { o.Forget(first) }, false, true},
		{"a copy", func(o *opened) { o.NoteCopy("web", delivered(4, 0, "")) }, false, true},
		{"a directory", func(o *opened) { o.RotatedTo("web", "/new") }, false, true},
		{"a known directory", func(o *opened) { o.RotatedTo("web", "/old") }, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, _ := begun(t)
			o.Begin(at(second, 0), logfile.Sum{}, headless)
			o.RotatedTo("web", "/old")
			o.Secure()
			before := o.source(web)
			tt.do(o)
			known := o.source(web)
			if got := o.changed(o.Secure); got != tt.secure {
				t.Errorf("Secure saves: %v, want %v", got, tt.secure)
			}
			if o.changed(o.Secure) {
				t.Error("Secure saves once more")
			}
			if got, want := o.changed(o.save), tt.saved && !tt.secure; got != want {
				t.Errorf("Save saves: %v, want %v", got, want)
			}
			if o.changed(o.save) {
				t.Error("Save saves once more")
			}
			if diff := cmp.Diff(before, known); diff != "" && !tt.saved {
				t.Errorf("it was changed:\n%s", diff)
			}
			o = o.crash()
			if diff := cmp.Diff(known, o.source(web), cmpopts.EquateEmpty(), savedOnly); diff != "" {
				t.Errorf("after a restart (-want +got):\n%s", diff)
			}
		})
	}
}

// Reading continues at the position of the last save, never beyond it.
func TestLosingTheLatestSaveGivesTheEarlierPosition(t *testing.T) {
	o, g := begun(t)
	for saved := int64(0); saved < 100; saved += 20 {
		for range 2 {
			o.Acknowledge(at(g, saved+10), []byte("x\n"))
			o = o.crash()
			if got := o.source(web).Open[0]; got.Offset != saved || got.Line != at(g, saved).Line {
				t.Errorf("saved at %d, continues at %d, line %d", saved, got.Offset, got.Line)
			}
		}
		o.Acknowledge(at(g, saved+20), []byte("x\n"))
		o.save()
	}
	o.Leave(at(g, 1000))
	o.save()
	o.Acknowledge(at(g, 1000), []byte("x\n"))
	if got := o.source(web); len(got.Open) != 0 || len(got.Finished) != 1 {
		t.Errorf("Source = %+v, want it finished", got)
	}
	o = o.crash()
	if got := o.source(web); len(got.Open) != 1 || got.Open[0].Left.Offset != 1000 || len(got.Finished) != 0 {
		t.Errorf("Source = %+v, want it open, and left at 1000", got)
	}
}

func TestStatsHaveTheTimeOfTheLastSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, t.TempDir())
		check := func(want stats.Checkpoint) {
			t.Helper()
			if got := o.stats.Snapshot(time.Now()).Checkpoint; got != want {
				t.Errorf("stats are %+v, want %+v", got, want)
			}
		}
		check(stats.Checkpoint{})
		o.source(web)
		o.Secure()
		time.Sleep(3 * time.Second)
		check(stats.Checkpoint{Saves: true, Age: 3 * time.Second})
		o.Begin(at(generation(web, 1), 0), logfile.Sum{}, file(1))
		check(stats.Checkpoint{Saves: true, Age: 3 * time.Second})
		o.save()
		time.Sleep(time.Second)
		check(stats.Checkpoint{Saves: true, Age: time.Second})
	})
}

// One goroutine reads and one writes, as in the pipeline, for each of several
// sources. Whatever save a crash leaves, no position is beyond what was
// acknowledged or behind what was acknowledged before the save began.
func TestSeveralGoroutines(t *testing.T) {
	const sources, generations, steps = 4, 5, 20
	o := open(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range sources {
		s := &flow.Source{Index: i, Name: fmt.Sprint("s", i), Path: fmt.Sprint("/log/", i)}
		chunks := make(chan flow.Position, 5)
		wg.Go(func() {
			defer close(chunks)
			if _, known := o.Source(s.Name, s.Path); known {
				t.Errorf("%s is known", s.Name)
			}
			for id := int64(1); id <= generations; id++ {
				g := generation(s, id)
				o.Begin(at(g, 0), logfile.Sum{}, logfile.File{})
				for step := int64(1); step <= steps; step++ {
					o.Secure()
					chunks <- at(g, 10*step)
					o.Describe(g, file(step))
				}
				o.Leave(at(g, 10*steps))
				o.RotatedTo(s.Name, fmt.Sprint("/old/", id%3))
				o.Fresh()
				o.Waiting()
			}
		})
		wg.Go(func() {
			for end := range chunks {
				o.Acknowledge(end, []byte("x\n"))
				if end.Offset%70 == 0 {
					if err := o.Save(); err != nil {
						t.Error(err)
					}
				}
				for _, g := range o.source(s).Open {
					if g.ID == end.Generation.ID && (g.Offset != end.Offset || g.Line != end.Line) {
						t.Errorf("%s: acknowledged %v, got %+v", s.Name, end, g)
					}
				}
			}
		})
	}
	wg.Wait()
	o.save()
	o.logged(0, 0)
	o = o.crash()
	for i := range sources {
		s := &flow.Source{Name: fmt.Sprint("s", i), Path: fmt.Sprint("/log/", i)}
		want := checkpoint.Source{Path: s.Path, Directories: []string{"/old/1", "/old/2", "/old/0"}}
		for id := int64(1); id <= generations; id++ {
			f := delivered(id, 10*steps, "x\n")
			f.File = file(steps)
			want.Finished = append(want.Finished, f)
		}
		got := o.source(s)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.Name, diff)
		}
	}
}

// A log was followed once there is a generation of it: not if it was only waited for,
// and not if files of its source were only imported.
func TestFollowed(t *testing.T) {
	o := open(t, t.TempDir())
	want := func(want bool) {
		t.Helper()
		if got := o.Followed(web.Path); got != want || o.Followed("elsewhere") {
			t.Errorf("Followed = %v, want %v; of another log %v", got, want, o.Followed("elsewhere"))
		}
	}
	want(false)
	o.source(web)
	want(false)
	g := generation(web, 1)
	o.Begin(at(g, 0), logfile.Sum{}, file(1))
	o.Secure()
	want(true)
	o = o.crash()
	want(true)
	o.Lose(web.Name, 1)
	want(true)
}
