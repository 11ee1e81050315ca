package shape

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logformat"
)

// A Detector says how the lines of files become points that nobody follows: in the format
// of a source, or with [Auto] in those of all known formats that the lines of a file are
// in. It keeps nothing, and is for one goroutine.
type Detector struct {
	examiner
	source config.Source
	lines  map[string]*Lines // by formats

	formats []string // of the file that is read, the latest first
}

// NewDetector returns one for files of a source.
func NewDetector(c *config.Config, source config.Source) *Detector {
	return &Detector{
		examiner: examiner{config: c, once: true, probes: map[string]*Lines{}},
		source:   source, lines: map[string]*Lines{},
	}
}

// Begin returns how the lines of a file are read, by the first ones of it. If they are in
// no known format, the error says why.
func (d *Detector) Begin(sample [][]byte) (*Lines, error) {
	if !isAuto(d.source) {
		d.formats = []string{cmp.Or(d.source.Regexp, d.source.Format)}
		return d.chain()
	}
	d.formats = nil
	format, err := d.judgeEnd(notBlank(sample), false)
	if err != nil {
		return nil, err
	}
	d.formats = []string{format}
	return d.chain()
}

// Missed returns how the lines of the file are read from one on that does not match its
// formats; nil if nothing changes. row is how many lines in a row were missed.
func (d *Detector) Missed(line []byte, row int) (*Lines, error) {
	if !isAuto(d.source) || !d.IsKnown(line, row) {
		return nil, nil
	}
	format, err := d.another(d.source, line, d.formats)
	if err != nil {
		return nil, nil //nolint:nilerr // it is in no format
	}
	d.formats = append([]string{format}, d.formats...)
	return d.chain()
}

// IsKnown reports whether a line that was missed is of some known format. In a row of many
// only some are looked at: a flood of them is not to cost much.
func (d *Detector) IsKnown(line []byte, row int) bool {
	if row > 1000 && row%10 > 0 {
		return false
	}
	_, known := logformat.Nearest(line)
	return known
}

// chain returns the lines of the formats, the same each time: they remember much.
func (d *Detector) chain() (l *Lines, err error) {
	key := strings.Join(d.formats, "\n")
	if d.lines[key] == nil {
		if isAuto(d.source) {
			d.lines[key], err = newChain(d.config, d.source, slices.Clone(d.formats), "any", nil)
		} else {
			d.lines[key], err = New(d.config, d.source, "any", nil)
		}
	}
	return d.lines[key], err
}

// Formats are those of the file, the latest first.
func (d *Detector) Formats() []string { return slices.Clone(d.formats) }

// Other says what lines are of if it is no access log; "" if nobody knows.
func Other(lines [][]byte) string { return otherOf(lines) }
