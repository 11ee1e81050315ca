package shape

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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

// A choice is the format of a source.
type choice struct {
	Path   string `json:"path"`
	Format string `json:"format"` // as in config.Source; empty while lines are rejected because no format fits them
}

func openChoices(c *config.Config, dir *statedir.Dir) (*choices, error) {
	ch := &choices{dir: dir, made: map[string]choice{}, saving: make(chan struct{}, 1)}
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
			if one.Format != "" {
				if _, err := compile(c, config.Source{Format: one.Format}); err != nil {
					return fmt.Errorf("source %s: %w", name, err)
				}
			}
			made[name] = one
		}
		ch.made = made
		return nil
	}
}

// of returns the format of a source, "" if none was chosen for the log at path.
func (ch *choices) of(name, path string) string {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if made := ch.made[name]; made.Path == path {
		return made.Format
	}
	return ""
}

// ofDays returns the format of the log whose days have these paths, if each was a source
// of its own once: that of the latest.
func (ch *choices) ofDays(is func(path string) bool) (format string) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	latest := ""
	for _, made := range ch.made {
		if made.Format != "" && made.Path > latest && is(made.Path) {
			latest, format = made.Path, made.Format
		}
	}
	return format
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

// choose keeps a format for a source; "" is that none fits.
func (ch *choices) choose(name, path, format string) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.made[name] = choice{path, format}
	ch.changes++
}

// sync returns nil when every choice made before the call is on the disk.
func (ch *choices) sync(ctx context.Context) error {
	if !ch.dirty() {
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
