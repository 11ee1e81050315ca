package checkpoint_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Sources become one: all that is known of them is known of it, under numbers of its own,
// and durable before it is used.
func TestUnite(t *testing.T) {
	o := open(t, t.TempDir())
	var days []*flow.Source
	for _, day := range []string{"25", "26", "27"} {
		s := &flow.Source{Name: "web:" + day, Path: "/logs/" + day + ".log"}
		days = append(days, s)
		o.Source(s.Name, s.Path)
		g := generation(s, 1)
		o.Begin(at(g, 0), logfile.Sum{}, file(1))
		if day != "27" { // which is not delivered
			o.Acknowledge(at(g, file(1).Size/10*10+10), nil)
		}
		o.RotatedTo(s.Name, "/old")
		if day != "25" { // beside which a file could not be read
			o.Ledger(s.Name).SearchSince(time.Unix(0, int64(len(days))))
			o.Ledger(s.Name).Await(&checkpoint.Awaited{Size: int64(len(days))})
		}
		o.BeginImport(at(generation(s, -1), 0), logfile.Sum{}, file(1))
	}
	o.Unite("web", []string{"web:25", "web:26", "web:27"}, func(source string) bool { return source != "web:26" })
	o.Secure()
	o = o.crash()
	got, known := o.Source("web", "/logs/27.log")
	type is struct {
		id   int64
		path string
	}
	all := func(of []checkpoint.Generation) (all []is) {
		for _, g := range of {
			all = append(all, is{g.ID, g.Path})
		}
		return all
	}
	if want := []is{{1, "/logs/25.log"}}; !known || !slices.Equal(all(got.Finished), want) {
		t.Errorf("finished are %v, want %v", all(got.Finished), want)
	}
	if want := []is{{2, "/logs/26.log"}, {3, "/logs/27.log"}}; !slices.Equal(all(got.Open), want) {
		t.Errorf("open are %v, want %v", all(got.Open), want)
	}
	if want := []is{{-1, "/logs/25.log"}, {-2, "/logs/26.log"}, {-3, "/logs/27.log"}}; !slices.Equal(all(got.Imports), want) {
		t.Errorf("imports are %v, want %v", all(got.Imports), want)
	}
	for i, g := range got.Open {
		if before := append(slices.Clone(got.Finished), got.Open...)[i]; g.FirstLine < before.Line+500_000 || g.Line-g.FirstLine != g.Offset/10 {
			t.Errorf("generation %d is numbered from %d, and goes on at %d; the one before at %d", g.ID, g.FirstLine, g.Line, before.Line)
		}
	}
	if got.SearchSince != 2 {
		t.Errorf("search since %d, want 2", got.SearchSince)
	}
	if a := got.Awaited; a == nil || a.Size != 2 || a.Path != "/logs/26.log" {
		t.Errorf("awaited is %+v", a)
	}
	if !slices.Equal(got.Directories, []string{"/old"}) {
		t.Errorf("directories are %q", got.Directories)
	}
	for _, s := range days {
		if _, there := o.Paths()[s.Name]; there {
			t.Errorf("%s is a source still", s.Name)
		}
	}
}

// What is known already stays as it is, and what was known of the other comes behind it.
func TestUniteWithWhatIsKnown(t *testing.T) {
	o, g := begun(t)
	other := &flow.Source{Name: "web:27", Path: "/logs/27.log"}
	o.Source(other.Name, other.Path)
	o.Begin(at(generation(other, 1), 0), logfile.Sum{}, file(1))
	o.Unite("web", []string{"web:27", "web", "never known"}, func(string) bool { return true })
	there := reading(1, 0, "")
	there.ID, there.Path = g.ID+1, other.Path
	there.FirstLine += file(1).Size // each byte of what is known already may be a line
	there.Line = there.FirstLine
	o.want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(g.ID, 0, ""), there}})
}
