package explain

import (
	"strings"
	"sync"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Misfits says of rejected lines where they stop to be of the format of their source. It
// may be asked by several at once.
type Misfits struct {
	config *config.Config
	source func(name, path string) (config.Source, bool)

	mu    sync.Mutex // guards what follows
	known map[string]*explainer
}

// NewMisfits is about lines that are read as c says. source returns the source of a log
// with the format that it is read in, which is not auto; ok is false if that is not known.
func NewMisfits(c *config.Config, source func(name, path string) (s config.Source, ok bool)) *Misfits {
	return &Misfits{config: c, source: source, known: map[string]*explainer{}}
}

// Explain returns the part of a line around the place where it is not of its format,
// printable, how many characters of that are before the place, and what was expected
// there. Without such a place under is -1, and the beginning of the line is shown. It takes
// milliseconds.
func (m *Misfits) Explain(name, path, line string, reason flow.Reason) (shown string, under int, why string) {
	shown, _ = escape.Around([]byte(line), 1)
	if reason.IsOfPoint() || reason == flow.TooLong || reason == flow.Empty {
		return shown, -1, ""
	}
	source, ok := m.source(name, path)
	if !ok {
		return shown, -1, ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	x, err := m.explainer(source)
	if err != nil {
		return shown, -1, "" // it was compiled before
	}
	e, err := x.explain([]byte(line), false, 1, logfile.NewLineReader(strings.NewReader(""), x.max))
	if err != nil || e.Error == nil {
		return shown, -1, "" // it is of a format that its log was not read in then
	}
	shown, under = escape.Around([]byte(line), e.Error.Column)
	return shown, under, plainText("expected " + e.Error.Expected)
}

// explainer is that of a format, which is compiled once.
func (m *Misfits) explainer(source config.Source) (*explainer, error) {
	format := source.Format + "\n" + source.Regexp
	if m.known[format] == nil {
		x, err := newExplainer(m.config, source)
		if err != nil {
			return nil, err
		}
		m.known[format] = x
	}
	return m.known[format], nil
}
