package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/tailflux/tailflux/internal/config"
)

// shaping is what a point depends on beside its line, the line's number and the
// tag values. Were it to change while lines are still to be read again, after a
// crash, these would become other points beside the ones that are there.
type shaping struct {
	path  string
	clean bool // it was before this run
	kept  struct {
		Clean bool                       `json:"clean"` // all that was read was delivered when tailflux stopped
		Keys  map[string]json.RawMessage `json:"keys"`  // of the configuration
	}
}

// openShaping warns when the configuration was changed and the last stop was not
// clean, and takes note of what it is now.
func openShaping(c *config.Config, host string, log *slog.Logger) (*shaping, error) {
	s := &shaping{path: filepath.Join(c.StateDir, "shaping.json")}
	data, err := os.ReadFile(s.path)
	known := err == nil
	if known {
		err = json.Unmarshal(data, &s.kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, config.UsageError{Err: fmt.Errorf("%s, how lines became points: %w (remove it; after a crash, and if the configuration was changed, lines may become second points)", s.path, err)}
	}
	keys, err := shapingKeys(c, host)
	if err != nil {
		return nil, err
	}
	if changed := changedKeys(s.kept.Keys, keys); known && len(changed) > 0 && !s.kept.Clean {
		log.Warn("the configuration was changed, and tailflux was not stopped cleanly before: lines that are read again, those of about the last second, may become second points; stop tailflux before it is changed",
			"changed", changed)
	}
	s.clean = s.kept.Clean || !known
	s.kept.Clean = false
	if s.kept.Keys == nil {
		s.kept.Keys = keys
	}
	maps.Copy(s.kept.Keys, keys) // an import knows one source of several
	err = s.save()
	return s, err
}

// delivered takes note that all that was read is delivered. An import leaves alone
// what a run before it left.
func (s *shaping) delivered(do job) error {
	s.kept.Clean = s.clean || do.files == nil
	return s.save()
}

func (s *shaping) save() error {
	data, err := json.Marshal(s.kept)
	if err != nil {
		return fmt.Errorf("save %s: %w", s.path, err)
	}
	return saveDurably(s.path, append(data, '\n'))
}

func shapingKeys(c *config.Config, host string) (map[string]json.RawMessage, error) {
	values := map[string]any{
		"host": host, "measurement": c.Measurement, "tags": c.Tags, "fields": c.Fields, "tag_limit": c.TagLimit,
		"fold": c.Fold, "fold_static": c.FoldStatic, "paths": c.Paths, "timezone": c.Timezone,
		"drop": c.Drop, "mask": c.Mask, "query": c.Query, "trusted_proxies": c.TrustedProxies,
		"max_line": c.MaxLineBytes,
		"database": c.InfluxDB.Database, "retention_policy": c.InfluxDB.RetentionPolicy,
	}
	for _, s := range c.Sources {
		values["format of "+s.Name] = s.Format + s.Regexp
	}
	keys := map[string]json.RawMessage{}
	for key, value := range values {
		data, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("shaping: %w", err)
		}
		keys[key] = data
	}
	return keys, nil
}

// changedKeys are those that differ.
func changedKeys(before, after map[string]json.RawMessage) (changed []string) {
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if was, ok := before[key]; ok && string(was) != string(after[key]) {
			changed = append(changed, key)
		}
	}
	return changed
}
