package checkpoint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// lost is a checkpoint of a log that was lost when it was delivered up to offset 500, and the
// rollup was cut at 200 and had sent a cut that ended at 500.
func lost(t *testing.T) (*opened, *flow.Generation) {
	t.Helper()
	o, g := begun(t)
	o.Deliver(three)
	o.Acknowledge(at(g, 500), []byte("lines"))
	o.cut("site#1", g, 200)
	o.save()
	o.Lose("web", 1)
	if err := o.SaveTwice(); err != nil {
		t.Fatal(err)
	}
	return o, g
}

// comesBack begins the generation where the least of its destinations was.
func (o *opened) comesBack(g *flow.Generation) {
	o.Begin(at(g, 200), logfile.SumOf([]byte("site#1")), file(1))
}

// A lost log turns up: each destination goes on where it was, also after a start.
func TestLostGenerationGoesOnWhereEachDestinationWas(t *testing.T) {
	for _, again := range []bool{false, true} {
		o, g := lost(t)
		if again {
			o = o.crash()
		}
		o.wantFroms(g, 50, 50, 20)
		o.comesBack(g)
		o.wantFroms(g, 50, 50, 20)
		o.Acknowledge(at(g, 300), nil) // it is read again
		o.wantFroms(g, 50, 50, 20)
		o.cut("site#1", g, 500)
		o.want(web, checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(1, 500, "lines")}})
	}
}

// As long as a lost log is known, both saves have passed no more of it than was acknowledged:
// its intents stay.
func TestLostIsNotPassed(t *testing.T) {
	o, g := lost(t)
	check := func(what string, line int64, want bool) {
		t.Helper()
		if got := o.Passed("web", 1, "site#1", line); got != want {
			t.Errorf("%s: Passed(%d) = %t, want %t", what, line, got, want)
		}
	}
	check("lost", at(g, 200).Line, true)
	check("lost", at(g, 500).Line, false)
	o = o.crash()
	check("lost, after a start", at(g, 500).Line, false)
	for id := int64(2); id <= 65; id++ {
		next := generation(web, id)
		o.Begin(at(next, 0), logfile.Sum{}, file(id))
		o.Leave(at(next, 100))
		o.Acknowledge(at(next, 100), nil)
		o.cut("site#1", next, 100)
	}
	if err := o.SaveTwice(); err != nil {
		t.Fatal(err)
	}
	check("64 logs later", at(g, 500).Line, true)
}

// A lost log is imported: it stays lost until all of it is delivered, whatever is killed.
func TestLostGenerationIsImported(t *testing.T) {
	o, g := lost(t)
	o.Acknowledge(at(g, 700), []byte("more"))
	o.cut("site#1", g, 500)
	o.save()
	o = o.crash()
	o.wantFroms(g, 70, 70, 50)
	if !o.Undelivered("site#1", "web", 1, at(g, 500).Line) || o.Undelivered("", "web", 1, at(g, 500).Line) {
		t.Error("Undelivered is not as far as the destinations got it")
	}
	if s := o.source(web); len(s.Open) != 0 || len(s.Finished) != 1 || s.Finished[0].State != checkpoint.Lost {
		t.Errorf("%+v, want it to be lost still", s)
	}
	o.Leave(at(g, 700))
	o.cut("site#1", g, 600)
	if is := o.source(web).Finished[0]; is.State != checkpoint.Lost {
		t.Errorf("%+v is finished before the rollup has all of it", is)
	}
	o.cut("site#1", g, 700)
	want := delivered(1, 700, "more")
	want.Spans = []checkpoint.Span{{checkpoint.Raw, 1, 71}, {"site#1", 1, 71}}
	o.want(web, checkpoint.Source{Path: web.Path, Finished: []checkpoint.Generation{want}})
}

// Which lines a destination got is known of a log that went on after it was finished or lost.
func TestSpansOfALogThatGoesOn(t *testing.T) {
	none := func(*opened) {}
	for _, tt := range []struct {
		name      string
		meanwhile func(o *opened)
		want      []checkpoint.Span
	}{
		{"as before", none, []checkpoint.Span{{checkpoint.Raw, 1, 91}, {"site#1", 1, 91}}},
		{
			"another rollup", func(o *opened) { o.Deliver([]string{checkpoint.Lines, checkpoint.Raw, "paths#1"}) },
			[]checkpoint.Span{{"site#1", 1, 21}, {checkpoint.Raw, 1, 91}, {"paths#1", 21, 91}},
		},
		{
			"no points", func(o *opened) { o.Deliver([]string{checkpoint.Lines, "site#1"}) },
			[]checkpoint.Span{{checkpoint.Raw, 1, 51}, {"site#1", 1, 91}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, g := lost(t)
			tt.meanwhile(o)
			o.comesBack(g)
			o.Leave(at(g, 900))
			o.Acknowledge(at(g, 900), nil)
			o.cut("site#1", g, 900)
			o.cut("paths#1", g, 900)
			s := o.source(web)
			if len(s.Finished) != 1 {
				t.Fatalf("it is not finished: %+v", s)
			}
			if diff := cmp.Diff(tt.want, s.Finished[0].Spans); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
	o, g := begun(t)
	o.Acknowledge(at(g, 300), nil)
	o.Deliver(three)
	for _, end := range []int64{500, 700} { // it is finished, and grows
		o.Leave(at(g, end))
		o.Acknowledge(at(g, end), []byte("end"))
		o.cut("site#1", g, end)
		o.Begin(at(g, end), logfile.SumOf([]byte("end")), file(1))
	}
	o.Leave(at(g, 700))
	if diff := cmp.Diff([]checkpoint.Span{{checkpoint.Raw, 1, 71}, {"site#1", 31, 71}}, o.source(web).Finished[0].Spans); diff != "" {
		t.Errorf("spans of one that was finished (-want +got):\n%s", diff)
	}
}
