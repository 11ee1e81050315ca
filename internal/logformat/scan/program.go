package scan

import "slices"

// An op is what a step does. The ops that take a run differ in how its end is
// found; assembler.run chooses.
type op uint8

const (
	opSpan        op = iota // take bytes of the set; it is wide
	opExact                 // take exactly max bytes of the set
	opUntil                 // take bytes up to stop, the only byte not in the run's set, or to the end
	opNothing               // take nothing; for what every step does
	opOpen                  // a capture begins that ends with a later step
	opChoose                // go on at the first choice that the next bytes do not exclude
	opJump                  // go on at target
	opEnd                   // be at the end of the line
	opCount                 // take bytes of the set, at most max
	opShortest              // take as few bytes of the set, at most max, as what must follow allows
	opLongest               // take as many
	opList                  // take a run of the set, and more of them as long as one of texts stands between
	opIndex                 // take bytes up to the first stop, which is the text; all bytes are in the set
	opEscaped               // take bytes of the set and pairs of a backslash and a byte of pair
	opEscapedText           // the same up to the first occurrence of text
)

// A step is one instruction. All ops that take a run end alike: the run is at
// least min bytes long, text follows it, it is a capture, and skip bytes of the
// text are taken too. Unused fields are zero, except capture.
type step struct {
	op   op
	stop byte
	sure bool // if this step fails, the expression does not match the line

	capture int32 // the capture that ends with the run; -1: none
	since   bool  // it began with an earlier step, not with the run
	min     int32
	max     int32 // unlimited: no limit
	back    int32 // the run ends this many bytes before the first byte not in set
	skip    int32
	target  int32

	prefix // text: must follow the run
	set    *byteSet
	ranges // the set, if it is wide
	wide   bool
	texts  []prefix // opList: the separators
	pair   *byteSet
	first  *byteSet // opShortest, opLongest: one of these must follow; nil: text must
	atEnd  bool     // or the end of the line
	forced bool     // at most one choice is not excluded; see Program.Scan
	choice *choice
	chain  *chain // what may be tried instead of this step and some that follow
}

// A choice is what opChoose chooses from.
type choice struct {
	byNext  [256]uint8 // by the next byte: bit i is set if target i is not excluded
	atEnd   uint8      // the same at the end of the line
	targets []target
}

// maxTargets is what fits the bits.
const maxTargets = 8

type target struct {
	step  int
	texts []prefix // if any: one of them comes next
}

// A Program scans lines. It never changes, and may be used by many goroutines.
type Program struct {
	steps   []step // in the order in which they meet the line
	partial bool   // some captures may take no part
	lead    *lead  // nil: a match may begin anywhere, or at byte 0 only

	captures int
	layout   *layout // of all steps, or nil
	laidOut  bool    // some steps have a layout
	timed    bool    // a chain has a time
}

// WithoutMarks is the program without what looks for marks. It exists to be compared
// with the other.
func (p *Program) WithoutMarks() *Program {
	q := *p
	q.layout, q.laidOut, q.steps = nil, false, slices.Clone(p.steps)
	for i := range q.steps {
		if c := q.steps[i].chain; c != nil {
			q.steps[i].chain = &chain{links: c.links, first: c.first, captures: c.captures, next: c.next}
		}
	}
	return &q
}

// prove marks the steps whose failure proves that nothing matches: those after
// which nothing was decided that could have been decided otherwise. loops are
// the ranges of steps that may run again.
func (p *Program) prove(loops [][2]int) {
	forced := true
	for i := range p.steps {
		s := &p.steps[i]
		// A list is several choices, and fails after the last one of them.
		s.sure = forced && (s.op != opList || s.forced)
		forced = forced && s.forced
	}
	for _, l := range loops {
		body := p.steps[l[0]:l[1]]
		all := !slices.ContainsFunc(body, func(s step) bool { return !s.forced })
		for i := range body {
			body[i].sure = body[i].sure && all
		}
	}
}
