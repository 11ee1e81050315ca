package checkpoint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

var three = []string{checkpoint.Lines, checkpoint.Raw, "site#1"}

// cut acknowledges what a rollup got up to an offset.
func (o *opened) cut(rollup string, g *flow.Generation, offset int64) {
	o.AcknowledgeCut(&flow.Cut{Rollup: rollup, End: at(g, offset), Ending: []byte(rollup)})
}

// froms are the lines from which on destinations need a generation, counted from its first.
func (o *opened) froms(g *flow.Generation, of ...string) (lines []int64) {
	for _, d := range of {
		lines = append(lines, o.From(g, d)-g.FirstLine)
	}
	return lines
}

func (o *opened) wantFroms(g *flow.Generation, want ...int64) {
	o.t.Helper()
	if diff := cmp.Diff(want, o.froms(g, three...)); diff != "" {
		o.t.Errorf("From of %v (-want +got):\n%s", three, diff)
	}
}

// Each destination has its own position. What stands in the generation is the least of
// them: reading begins there.
func TestDestinationsHaveTheirOwnPositions(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	o.Acknowledge(at(g, 500), []byte("lines"))
	o.wantFroms(g, 50, 50, 0)
	o.want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{{
		File: file(1), ID: 1, FirstLine: 1, Line: 1,
		Ahead: []checkpoint.Ahead{{checkpoint.Lines, checkpoint.Reached{Offset: 500}}, {checkpoint.Raw, checkpoint.Reached{Offset: 500}}},
	}}})
	o.cut("site#1", g, 200)
	o.save()
	o = o.crash()
	o.wantFroms(g, 50, 50, 20)
	if got := o.source(web).Open[0]; got.Offset != 200 || got.Line != 21 || got.Before != logfile.SumOf([]byte("site#1")) {
		t.Errorf("the generation is at %d, line %d, behind %v, want the least of the destinations", got.Offset, got.Line, got.Before)
	}
	o.cut("site#1", g, 500)
	o.want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(1, 500, "lines")}})
	o.cut("site#1", g, 700) // now it is first
	o.wantFroms(g, 50, 50, 70)
	o.Acknowledge(at(g, 300), nil) // lines that are read again
	o.wantFroms(g, 50, 50, 70)
}

// Some destinations get a log again, from where the one is that got least.
func TestAgain(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	o.Acknowledge(at(g, 500), nil)
	kept := o.ledger(g).Copy().Open[0].Ahead[:1] // lines
	o.cut("site#1", g, 200)
	if again, rollups := o.ledger(g).DropAhead(g.ID, kept); !again || rollups != 0 {
		t.Errorf("Again reports %v, and %d rollups, want true and none", again, rollups)
	}
	o.wantFroms(g, 50, 20, 20)
	if again, _ := o.ledger(g).DropAhead(g.ID, kept); again {
		t.Error("nothing was ahead but what is kept, and something was done")
	}
	o.Secure()
	o = o.crash()
	o.wantFroms(g, 50, 20, 20)
	o.cut("site#1", g, 700)
	if again, rollups := o.ledger(g).DropAhead(g.ID, nil); !again || rollups != 1 {
		t.Errorf("Again reports %v, and %d rollups, want true and one", again, rollups)
	}
	o.wantFroms(g, 20, 20, 20)
}

// A copy of the state is not changed by what is acknowledged later.
func TestCopyStaysAsItIs(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	o.Acknowledge(at(g, 500), nil)
	copied := o.ledger(g).Copy()
	o.cut("site#1", g, 700)
	o.Acknowledge(at(g, 600), nil)
	if got := copied.Open[0].Ahead; len(got) != 2 || got[0].Offset != 500 {
		t.Errorf("the copy has become %+v", got)
	}
}

func TestGenerationIsFinishedWhenTheLastDestinationHasIt(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	o.Leave(at(g, 500))
	o.Acknowledge(at(g, 500), nil)
	if len(o.source(web).Open) != 1 {
		t.Error("it is finished, and a rollup has nothing of it")
	}
	o.cut("site#1", g, 400)
	if len(o.source(web).Open) != 1 {
		t.Error("it is finished, and a rollup has not all of it")
	}
	o.cut("site#1", g, 500)
	if s := o.source(web); len(s.Open) != 0 || len(s.Finished) != 1 || s.Finished[0].Ahead != nil {
		t.Errorf("it is not finished, and all have it: %+v", s)
	}
}

// A new destination gets what the last of the others did not get; of one that is gone, it
// is said what it did not get.
func TestDestinationsChange(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	o.Acknowledge(at(g, 500), nil)
	o.cut("site#1", g, 200)
	o.save()
	o = o.crash()
	gone := o.Deliver([]string{checkpoint.Lines, checkpoint.Raw, "site#2"})
	if diff := cmp.Diff([]checkpoint.Undone{{"web", "site#1", 21, 51}}, gone); diff != "" {
		t.Errorf("Deliver says of what is gone (-want +got):\n%s", diff)
	}
	if got := o.froms(g, checkpoint.Lines, "site#2"); !cmp.Equal(got, []int64{50, 20}) {
		t.Errorf("lines and the new rollup begin at %v, want 50 and 20", got)
	}
	if gone := o.Deliver([]string{checkpoint.Lines, checkpoint.Raw, "site#2"}); gone != nil {
		t.Errorf("Deliver of the same says %v", gone)
	}
	if gone := o.Deliver(three[:2]); len(gone) != 1 || gone[0].From != 21 {
		t.Errorf("Deliver without the rollup says %v", gone)
	}
	is := reading(1, 500, "")
	is.Spans = []checkpoint.Span{{"site#1", 1, 21}} // and the other one got nothing
	o.want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{is}})
}

func TestGenerationIsFinishedWhenTheLastDestinationIsGone(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	o.Leave(at(g, 500))
	o.Acknowledge(at(g, 500), nil)
	o.Deliver(three[:2])
	if s := o.source(web); len(s.Open) != 0 || len(s.Finished) != 1 {
		t.Errorf("it is not finished: %+v", s)
	}
}

// Either save may be the one that the next start reads.
func TestPassedIsOfBothSaves(t *testing.T) {
	o, g := begun(t)
	passed := func() bool { return o.Passed("web", 1, "site#1", 21) }
	check := func(what string, want bool) {
		t.Helper()
		if got := passed(); got != want {
			t.Errorf("%s: Passed = %t, want %t", what, got, want)
		}
	}
	o.Deliver(three)
	o.save()
	o.cut("site#1", g, 190)
	o.save()
	o.cut("site#1", g, 200)
	check("acknowledged", false)
	o.save()
	check("saved once", false)
	o.Acknowledge(at(g, 500), nil)
	o.save()
	check("saved twice", true)
	o = o.crash()
	check("after a start", true)
	o.Leave(at(g, 500))
	o.cut("site#1", g, 500)
	o.save()
	check("finished in one of them", true)
	o.cut("site#1", g, 510)
	if o.Passed("web", 2, "site#1", 1) || o.Passed("api", 1, "site#1", 1) {
		t.Error("Passed = true for what no save knows")
	}
}

func TestForgotten(t *testing.T) {
	o, _ := begun(t)
	o.Lose("web", 1)
	for _, tt := range []struct {
		source     string
		generation int64
		want       bool
	}{{"web", 1, false}, {"web", -1, true}, {"api", 1, true}} {
		if got := o.Forgotten(tt.source, tt.generation); got != tt.want {
			t.Errorf("Forgotten(%s, %d) = %t, want %t", tt.source, tt.generation, got, tt.want)
		}
	}
}

// Nothing is owed of what was acknowledged, even if the log was lost later, or is not known;
// nor to what is no destination.
func TestOwes(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	check := func(what, destination string, line int64, want bool) {
		t.Helper()
		if got := o.Owes("web", 1, destination, line); got != want {
			t.Errorf("%s: Owes(%s, %d) = %t, want %t", what, destination, line, got, want)
		}
	}
	o.cut("site#1", g, 200)
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"read", func() {}},
		{"saved", func() { o.save(); o = o.crash() }},
		{"lost", func() { o.Lose("web", 1) }},
		{"lost and saved", func() { o.save(); o = o.crash() }},
	} {
		step.do()
		check(step.what, "site#1", 21, false)
		check(step.what, "site#1", 22, true)
		check(step.what, checkpoint.Raw, 2, true)
		check(step.what, "gone#1", 2, false)
		if o.Owes("web", -1, "site#1", 2) || o.Owes("api", 1, "site#1", 2) {
			t.Errorf("%s: what is not known is owed", step.what)
		}
	}
	o, g = begun(t)
	o.Deliver(three)
	o.Leave(at(g, 500))
	o.Acknowledge(at(g, 500), nil)
	o.cut("site#1", g, 500)
	check("finished", "site#1", 51, false)
}

// Which lines a destination got is known later, whatever became of it meanwhile.
func TestSpans(t *testing.T) {
	record := func(t *testing.T, o *opened) *checkpoint.Generation {
		t.Helper()
		o.save()
		all, err := checkpoint.Read(o.dir)
		if err != nil || all["web"] == nil {
			t.Fatal(all, err)
		}
		s := all["web"]
		if len(s.Open) > 0 {
			return &s.Open[0]
		}
		return &s.Finished[0]
	}
	for _, tt := range []struct {
		name string
		do   func(o *opened, g *flow.Generation)
		want []checkpoint.Span
	}{
		{"points alone", func(o *opened, g *flow.Generation) { o.Acknowledge(at(g, 500), nil) }, []checkpoint.Span{{checkpoint.Raw, 1, 51}}},
		{"nothing yet", func(o *opened, g *flow.Generation) {
			o.Deliver(three)
			o.Acknowledge(at(g, 500), nil)
		}, []checkpoint.Span{{checkpoint.Raw, 1, 51}, {"site#1", 1, 1}}},
		{"a rollup that came later", func(o *opened, g *flow.Generation) {
			o.Acknowledge(at(g, 300), nil)
			o.Deliver(three)
			o.Acknowledge(at(g, 500), nil)
			o.cut("site#1", g, 400)
		}, []checkpoint.Span{{checkpoint.Raw, 1, 51}, {"site#1", 31, 41}}},
		{"one that is gone, and comes back", func(o *opened, g *flow.Generation) {
			o.Deliver(three)
			o.Acknowledge(at(g, 200), nil)
			o.cut("site#1", g, 200)
			o.Deliver(three[:2])
			o.Acknowledge(at(g, 300), nil)
			o.Deliver(three)
			o.Acknowledge(at(g, 500), nil)
			o.cut("site#1", g, 500)
		}, []checkpoint.Span{{"site#1", 1, 21}, {checkpoint.Raw, 1, 51}, {"site#1", 31, 51}}},
		{"no points any more", func(o *opened, g *flow.Generation) {
			o.Acknowledge(at(g, 300), nil)
			o.Deliver([]string{checkpoint.Lines, "site#1"})
			o.Acknowledge(at(g, 500), nil)
			o.cut("site#1", g, 500)
		}, []checkpoint.Span{{checkpoint.Raw, 1, 31}, {"site#1", 31, 51}}},
		{"finished", func(o *opened, g *flow.Generation) {
			o.Acknowledge(at(g, 300), nil)
			o.Deliver(three)
			o.Leave(at(g, 500))
			o.Acknowledge(at(g, 500), nil)
			o.cut("site#1", g, 500)
			o.Deliver(three[:2])
		}, []checkpoint.Span{{checkpoint.Raw, 1, 51}, {"site#1", 31, 51}}},
		{"finished before", func(o *opened, g *flow.Generation) {
			o.Leave(at(g, 500))
			o.Acknowledge(at(g, 500), nil)
			o.Deliver(three)
		}, []checkpoint.Span{{checkpoint.Raw, 1, 51}}},
		{"lost", func(o *opened, g *flow.Generation) {
			o.Deliver(three)
			o.Acknowledge(at(g, 500), nil)
			o.cut("site#1", g, 200)
			o.Lose("web", 1)
		}, []checkpoint.Span{{checkpoint.Raw, 1, 51}, {"site#1", 1, 21}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, g := begun(t)
			tt.do(o, g)
			for _, again := range []bool{false, true} {
				if again {
					o.save()
					o = o.crash()
				}
				if diff := cmp.Diff(tt.want, record(t, o).Spans); diff != "" {
					t.Errorf("after a crash: %t (-want +got):\n%s", again, diff)
				}
			}
		})
	}
}

// What a destination did not get of what was read is missing, until it has got it or the log is
// finished.
func TestMissing(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	missing := func(of *flow.Generation, destination string, offset int64, want int64) {
		t.Helper()
		if got := o.Missing(of, destination, at(g, offset).Line); got != want {
			t.Errorf("Missing(%d, %s, %d) = %d, want %d", of.ID, destination, offset, got, want)
		}
	}
	o.Acknowledge(at(g, 500), nil)
	o.cut("site#1", g, 200)
	missing(g, "site#1", 500, 30)
	missing(g, "site#1", 200, 0)
	missing(g, "site#1", 100, 0)
	missing(g, checkpoint.Raw, 500, 0)
	missing(&flow.Generation{Source: g.Source, ID: 77, FirstLine: 1}, "site#1", 500, 0)
	missing(&flow.Generation{Source: &flow.Source{Name: "other"}, ID: g.ID, FirstLine: 1}, "site#1", 500, 0)
	o.Ledger(g.Source.Name).Leave(at(g, 500), logfile.Sum{})
	missing(g, "site#1", 500, 30)
	o.cut("site#1", g, 500)
	missing(g, "site#1", 500, 0)
}

// A finished generation may go on, and who adds it up has begun with it already.
func TestFinishedGenerationGoesOnWhereItWas(t *testing.T) {
	o, g := begun(t)
	o.Deliver(three)
	o.Acknowledge(at(g, 500), nil)
	o.cut("site#1", g, 500)
	o.Leave(at(g, 500))
	if s := o.source(web); len(s.Finished) != 1 {
		t.Fatalf("it is not finished: %+v", s)
	}
	o.wantFroms(g, 50, 50, 50)
	o.Ledger(web.Name).Begin(at(g, 500), logfile.Sum{}, file(1))
	o.wantFroms(g, 50, 50, 50)
}
