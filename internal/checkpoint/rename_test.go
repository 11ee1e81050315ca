package checkpoint_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Names change all at once: two logs may change theirs, and one may have the name that
// another one gives up. What is known of a log whose name another one takes is kept.
func TestRenameAll(t *testing.T) {
	for _, tt := range []struct {
		name  string
		to    map[string]string
		paths map[string]string // afterwards
	}{
		{"one", map[string]string{"a": "x"}, map[string]string{"x": "/a", "b": "/b", "c": "/c"}},
		{"two change theirs", map[string]string{"a": "b", "b": "a"}, map[string]string{"a": "/b", "b": "/a", "c": "/c"}},
		{"in a row", map[string]string{"a": "b", "b": "x"}, map[string]string{"b": "/a", "x": "/b", "c": "/c"}},
		{"to one that is taken", map[string]string{"a": "c"}, map[string]string{"c": "/a", "b": "/b", "c, earlier at /c": "/c"}},
		{"in a row to one that is taken", map[string]string{"a": "b", "b": "c"}, map[string]string{"b": "/a", "c": "/b", "c, earlier at /c": "/c"}},
		{"one that is not known", map[string]string{"z": "x"}, map[string]string{"a": "/a", "b": "/b", "c": "/c"}},
		{"none", nil, map[string]string{"a": "/a", "b": "/b", "c": "/c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := checkpoint.InMemory(map[string]*checkpoint.Source{"a": {Path: "/a"}, "b": {Path: "/b"}, "c": {Path: "/c"}})
			c.RenameAll(tt.to)
			if got := c.Paths(); !maps.Equal(got, tt.paths) {
				t.Errorf("after RenameAll(%v) the paths are %v, want %v", tt.to, got, tt.paths)
			}
		})
	}
}

// However often the same path gives up the same name, nothing is forgotten.
func TestSetAsideTwice(t *testing.T) {
	c := checkpoint.InMemory(map[string]*checkpoint.Source{"a": {Path: "/a"}})
	c.SetAside("a")
	c.Ledger("a").Follow("/a")
	c.SetAside("a")
	c.SetAside("nobody's")
	want := map[string]string{"a, earlier at /a": "/a", "a, earlier at /a (2)": "/a"}
	if got := c.Paths(); !maps.Equal(got, want) {
		t.Errorf("the paths are %v, want %v", got, want)
	}
}

// The points of two logs with one name are told apart by the numbers of their lines alone:
// whoever has a name later begins beyond all that it had, for good.
func TestNumbersOfANameAreNobodyElses(t *testing.T) {
	o := open(t, t.TempDir())
	read := func(name, path string, id, first, lines int64) {
		t.Helper()
		s := &flow.Source{Name: name, Path: path}
		o.Source(name, path)
		g := generation(s, id)
		g.FirstLine = first
		o.Begin(flow.Position{Generation: g, Line: first}, logfile.Sum{}, logfile.File{})
		o.Acknowledge(flow.Position{Generation: g, Offset: lines * 10, Line: first + lines}, nil)
	}
	least := func(name string) int64 { c := o.Ledger(name).Copy(); return c.FirstLine }
	line := func(name string) int64 { c := o.Ledger(name).Copy(); return c.Open[0].Line }
	again := func() { o.Secure(); o = o.crash() }
	const gap = 500_000

	read("web", "/a", 1, 1, 100)
	if raised := o.RenameAll(map[string]string{"web": "old"}); raised["old"] != 0 || line("old") != 101 {
		t.Errorf("old goes on at line %d, %d more than before; nobody had that name", line("old"), raised["old"])
	}
	again()
	if got := least("web"); got != 101+gap {
		t.Errorf("the next one called web may begin at line %d, want %d", got, 101+gap)
	}
	if got := least("old"); got != 0 {
		t.Errorf("one called old may begin at line %d, want any", got)
	}

	read("web", "/b", 1, 101+gap, 10)
	raised := o.RenameAll(map[string]string{"web": "old", "old": "web"})
	again()
	if got, want := line("web"), 101+least("web")-1; got != want || raised["web"] != want-101 || least("web") != 111+2*gap {
		t.Errorf("web goes on at line %d, %d more than before, want %d, beyond %d", got, raised["web"], want, 111+2*gap)
	}
	if got := line("old"); got != 111+gap || raised["old"] != 0 || least("old") != 101+gap {
		t.Errorf("old goes on at line %d, %d more than before, want %d: that is beyond %d", got, raised["old"], 111+gap, least("old"))
	}
}

// All that has the number of a line is moved together.
func TestNumbersAreRaisedTogether(t *testing.T) {
	const gap, more = 500_000, 700_099 // from 1 to what is beyond the lines of b
	at := func(offset, line int64) checkpoint.Reached { return checkpoint.Reached{Offset: offset, Line: line} }
	state := func(more int64) *checkpoint.Source {
		return &checkpoint.Source{
			Path: "/a",
			Finished: []checkpoint.Generation{{
				ID: 1, State: checkpoint.Lost, FirstLine: 1 + more, Line: 51 + more, Offset: 500,
				Ahead: []checkpoint.Ahead{{Destination: "r", Reached: at(600, 61+more)}},
				Spans: []checkpoint.Span{{Destination: checkpoint.Raw, From: 1 + more, To: 51 + more}},
			}},
			Open: []checkpoint.Generation{{
				ID: 2, State: checkpoint.Left, FirstLine: 51 + gap + more, Line: 61 + gap + more, Left: at(200, 71+gap+more),
				Spans: []checkpoint.Span{{Destination: "r", From: 55 + gap + more}},
			}},
			Imports: []checkpoint.Generation{
				{ID: -1, FirstLine: 51 + more, Line: 56 + more}, // the rest of the first one
				{ID: -2, FirstLine: 1000, Line: 1010},
			},
		}
	}
	b := &checkpoint.Source{Path: "/b", Open: []checkpoint.Generation{{ID: 1, FirstLine: 1, Line: 101, File: logfile.File{Size: 700_000 - 1}}}}
	c := checkpoint.InMemory(map[string]*checkpoint.Source{"a": state(0), "b": b})
	if raised := c.RenameAll(map[string]string{"a": "b", "b": "c"}); raised["b"] != more {
		t.Fatalf("the numbers of b are greater by %d, want %d", raised["b"], more)
	}
	want := *state(more)
	want.FirstLine = 1 + more
	if diff := cmp.Diff(want, c.Ledger("b").Copy(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("b is not as wanted (-want +got):\n%s", diff)
	}
}

// What was imported under a name before it is a followed log's stays known.
func TestImportsStayUnderTheirName(t *testing.T) {
	c := checkpoint.InMemory(map[string]*checkpoint.Source{
		"web": {Path: "/a", Imports: []checkpoint.Generation{{ID: -1, FirstLine: 7}}},
		"old": {Imports: []checkpoint.Generation{{ID: -1, FirstLine: 9}}},
	})
	c.RenameAll(map[string]string{"web": "old"})
	got := c.Ledger("old").Copy()
	if len(got.Imports) != 2 || got.Imports[0].FirstLine != 7 || got.Imports[1].FirstLine != 9 || got.Imports[1].ID != -2 || got.Path != "/a" {
		t.Errorf("old is %+v", got)
	}
}
