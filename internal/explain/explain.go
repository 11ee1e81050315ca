// Package explain shows what lines become: their variables, tags, fields and
// point; or the column where a line stops matching its format, and what was
// expected there. It needs neither a state directory nor InfluxDB.
//
// Its JSON is documented in docs/explain.md, and relied on.
package explain

import (
	"errors"
	"fmt"
	"io"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/rollup"
)

// Options say what to explain.
type Options struct {
	Config *config.Config
	Source config.Source // whose lines they are
	Detect bool          // detect the format from the lines; otherwise it is the source's
	// Rollups are those of the configuration, in the same order.
	Rollups []rollup.Definition
	Out     io.Writer // gets the explanations
	Notes   io.Writer // with JSON, gets the format and its warnings
	JSON    bool      // one object a line
	Colour  bool      // for a terminal
}

// sampleLines is how many lines the format is judged by.
const sampleLines = 100

// Run explains the lines of in. It returns how many there are, and how many of
// them would be rejected.
func Run(o Options, in io.Reader) (all, rejected int, err error) {
	lines := logfile.NewLineReader(in, int(o.Config.MaxLineBytes))
	var x *explainer
	if o.Detect {
		x, err = detectExplainer(o.Config, o.Source, lines)
	} else {
		x, err = newExplainer(o.Config, o.Source)
	}
	if err != nil || x == nil {
		return 0, 0, err
	}
	sample, err := lines.Peek(sampleLines)
	if err != nil {
		return 0, 0, fmt.Errorf("read lines: %w", err)
	}
	x.unmet = x.Unmet(o.Config, sample)
	if advice, _ := x.Format.NoTime(sample); x.note != "" && advice != "" {
		x.unmet = nil // the note says it
	}
	x.unread, x.rollups = x.Unread(sample), o.Rollups
	out := output{w: o.Out, json: o.JSON, colour: o.Colour}
	head := o.Out
	if o.JSON {
		head = o.Notes
	}
	if _, err := io.WriteString(head, out.head(x)); err != nil {
		return 0, 0, err
	}
	for {
		line, long, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return all, rejected, nil
		}
		if err != nil {
			return all, rejected, fmt.Errorf("read lines: %w", err)
		}
		all++
		e, err := x.explain(line, long, int64(all), lines)
		if err != nil {
			return all, rejected, err
		}
		for ; int64(all) < e.number; all++ {
			if err := out.print(x, e.piece(line, int64(all))); err != nil {
				return all, rejected, err
			}
			if line, _, err = lines.Next(); err != nil {
				return all, rejected, fmt.Errorf("read lines: %w", err)
			}
			e.line = line
		}
		if !e.Matched {
			rejected++
		}
		if err := out.print(x, e); err != nil {
			return all, rejected, err
		}
	}
}
