package shape

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/statedir"
)

// choices are the formats that were detected, kept in formats.json: a line that
// is read again must be read in the same way. They are made by the parse stage,
// which must not wait for the disk, and are on the disk before the first batch
// that depends on them is sent.
type choices struct {
	dir  *statedir.Dir
	lost bool // the file could not be used

	mu      sync.Mutex        // guards what follows; never held over I/O
	made    map[string]choice // by the name of the source
	changes int               // so many since the start
	saved   int               // of which the file has so many

	saving chan struct{} // holds one token while the file is written
}

// A choice is the format of a source, and those before it: a line that is read again is
// read as it was. A line is read in the latest format that it fits, of those that were
// chosen at it or before it.
type choice struct {
	Path   string   `json:"path"`
	Format string   `json:"format"`           // as in config.Source; empty while lines are rejected because no format fits them
	From   int64    `json:"from,omitempty"`   // number of the first line that it was chosen for
	Before []former `json:"before,omitempty"` // the oldest first
	Unsure string   `json:"unsure,omitempty"` // one of them, if lines of it may be of its twin: see logformat.Twin
}

type former struct {
	Format string `json:"format"`
	From   int64  `json:"from,omitempty"`
}

// at returns the formats of a line, the latest first, and the number of the line from
// which on there are more.
func (c choice) at(line int64) (formats []string, until int64) {
	until = math.MaxInt64
	for _, f := range slices.Backward(append(c.Before[:len(c.Before):len(c.Before)], former{c.Format, c.From})) {
		switch {
		case f.Format == "":
		case f.From > line:
			until = f.From
		case !slices.Contains(formats, f.Format):
			formats = append(formats, f.Format)
		}
	}
	return formats, until
}

// all returns all formats, the latest first.
func (c choice) all() []string {
	formats, _ := c.at(math.MaxInt64)
	return formats
}

func openChoices(c *config.Config, dir *statedir.Dir) (*choices, error) {
	ch := &choices{dir: dir, made: map[string]choice{}, saving: make(chan struct{}, 1)}
	if dir == nil {
		return ch, nil
	}
	had := dir.Has(statedir.Formats)
	found, err := load(dir, statedir.Formats, ch.parser(c))
	ch.lost = had && !found
	return ch, err
}

// parser returns what reads the file.
func (ch *choices) parser(c *config.Config) func(data []byte) error {
	return func(data []byte) error {
		var raw map[string]json.RawMessage
		if err := json.Unmarshal(data, &raw); err != nil {
			return err
		}
		if err := checkVersion(raw["version"]); err != nil {
			return err
		}
		made := map[string]choice{}
		for name, text := range raw {
			var one choice
			if err := json.Unmarshal(text, &one); err != nil {
				return err
			}
			for _, format := range one.all() {
				if _, err := compile(c, config.Source{Format: format}); err != nil {
					return fmt.Errorf("source %s: %w", name, err)
				}
			}
			made[name] = one
		}
		ch.made = made
		return nil
	}
}

// of returns the choice for a source, the zero one if there is none for the log at path.
func (ch *choices) of(name, path string) choice {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if made := ch.made[name]; made.Path == path {
		return made
	}
	return choice{}
}

// ofDays returns the format of the log whose days have these paths, if each was a source
// of its own once: that of the latest.
func (ch *choices) ofDays(is func(path string) bool) (latest choice) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, made := range ch.made {
		if made.Format != "" && made.Path > latest.Path && is(made.Path) {
			latest = made
		}
	}
	return latest
}

// knows reports whether the log was followed before that has such a path: with a format,
// or waiting for one.
func (ch *choices) knows(is func(path string) bool) (followed, waiting bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, made := range ch.made {
		if is(made.Path) {
			followed, waiting = true, waiting || made.Format == ""
		}
	}
	return followed, waiting
}

// named returns the choice for the log that has such a path, and its source's name.
func (ch *choices) named(is func(path string) bool) (name string, c choice) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for n, made := range ch.made {
		if made.Format != "" && is(made.Path) && (made.Path > c.Path || made.Path == c.Path && n > name) {
			name, c = n, made
		}
	}
	return name, c
}

// choose keeps a choice for a source; one without a format is that none fits.
func (ch *choices) choose(name string, c choice) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.made[name] = c
	ch.changes++
}

// forgetLines makes every choice hold from the first line on.
func (ch *choices) forgetLines() {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for name, c := range ch.made {
		if c.From > 0 || c.Before != nil {
			ch.made[name] = choice{Path: c.Path, Format: c.Format}
			ch.changes++
		}
	}
}

// sync returns nil when every choice made before the call is on the disk.
func (ch *choices) sync(ctx context.Context) error {
	if ch.dir == nil || !ch.dirty() {
		return nil
	}
	select {
	case ch.saving <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-ch.saving }()
	ch.mu.Lock()
	made, changes, saved := maps.Clone(ch.made), ch.changes, ch.saved
	ch.mu.Unlock()
	if changes == saved {
		return nil
	}
	data, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		return err
	}
	if err := ch.dir.Replace(statedir.Formats, append(data, '\n')); err != nil {
		return err
	}
	ch.mu.Lock()
	ch.saved = changes
	ch.mu.Unlock()
	return nil
}

func (ch *choices) dirty() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.changes != ch.saved
}
