package nginxlog

import (
	"errors"
	"fmt"
	"time"

	"github.com/tailflux/tailflux/mock/dice"
	"github.com/tailflux/tailflux/mock/traffic"
)

// Options say what the log is like. The zero value is a clean log in the
// default format, with a burst of 5xx now and then.
type Options struct {
	// Format is the name of a preset (see Names) or an nginx log_format string,
	// which may begin with escape=default, escape=json or escape=none as in
	// nginx's directive. Empty means timed.
	Format string

	// Traffic chooses the requests, and its Seed all other chance too.
	Traffic traffic.Options

	// Garbage and Torn are shares of all lines, from 0 to 1.
	Garbage float64
	Torn    float64
}

// Generator makes lines. It is not safe for concurrent use.
type Generator struct {
	garbage, torn float64
	template      template
	absent        string // what an absent variable is logged as

	dice    *dice.Dice // decides kinds of lines, and where they tear
	traffic *traffic.Traffic
	stamp   stamp
	req     *traffic.Request
	kind    Kind
	quotes  []int // reused by tear
}

// New checks the options. It does not look at the clock.
func New(o Options) (*Generator, error) {
	if !(o.Garbage >= 0 && o.Garbage <= 1) { // NaN neither
		return nil, fmt.Errorf("garbage %v: want a share from 0 to 1", o.Garbage)
	}
	if !(o.Torn >= 0 && o.Torn <= 1) {
		return nil, fmt.Errorf("torn %v: want a share from 0 to 1", o.Torn)
	}
	if o.Garbage+o.Torn > 1 {
		return nil, errors.New("garbage and torn together are more than all lines")
	}
	if o.Format == "" {
		o.Format = presets[0].name
	}
	format, err := compile(o.Format)
	if err != nil {
		return nil, err
	}
	t, err := traffic.New(o.Traffic)
	if err != nil {
		return nil, err
	}
	g := &Generator{garbage: o.Garbage, torn: o.Torn, template: format, dice: dice.New(o.Traffic.Seed, 2), traffic: t}
	if format.escape == escapeDefault {
		g.absent = "-"
	}
	return g, nil
}

// Append appends one line, newline included, to buf and returns it like the
// built-in append. The time is written in its own location. Times should not
// go back: nginx's do not.
func (g *Generator) Append(buf []byte, at time.Time) []byte {
	g.stamp.set(at)
	switch x := g.dice.Share(); {
	case x < g.torn:
		g.kind = Torn
		buf = g.appendTorn(buf)
	case x < g.torn+g.garbage:
		g.kind = Garbage
		g.req = g.traffic.Scan()
		buf = g.appendLine(buf)
	default:
		g.kind = Request
		g.req = g.traffic.Next()
		buf = g.appendLine(buf)
	}
	return append(buf, '\n')
}
