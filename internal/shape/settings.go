package shape

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Settings are the part of the configuration that points depend on, as it was at
// the last start; they are kept in shaping.json. If they change while lines are
// still to be read again, after a crash, these lines become other points beside
// the ones that are stored.
type Settings struct {
	dir   *statedir.Dir
	clean bool // the last run ended cleanly
	kept  keptSettings
}

type keptSettings struct {
	Clean bool                       `json:"clean"` // all that was read was delivered when tailflux stopped
	Keys  map[string]json.RawMessage `json:"keys"`  // of the configuration
}

// OpenSettings warns when the settings were changed after a stop that was not
// clean, and keeps what they are now. host is the tag.
func OpenSettings(c *config.Config, dir *statedir.Dir, host string, log *slog.Logger) (*Settings, error) {
	s := &Settings{dir: dir}
	known, err := load(dir, statedir.Shaping, func(data []byte) error {
		var format struct {
			Version json.RawMessage `json:"version"`
		}
		if err := json.Unmarshal(data, &format); err != nil {
			return err
		}
		if err := checkVersion(format.Version); err != nil {
			return err
		}
		var kept keptSettings
		err := json.Unmarshal(data, &kept)
		if err == nil {
			s.kept = kept
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	keys, err := settings(c, host)
	if err != nil {
		return nil, err
	}
	if changed := changedKeys(s.kept.Keys, keys); known && len(changed) > 0 && !s.kept.Clean {
		log.Warn("configuration changed after an unclean shutdown: about the last second of lines may be stored twice; stop tailflux before editing the configuration",
			"keys", changed)
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

// Delivered notes that everything that was read is delivered. An import leaves
// alone what a run before it left undelivered.
func (s *Settings) Delivered(imported bool) error {
	s.kept.Clean = s.clean || !imported
	return s.save()
}

func (s *Settings) save() error {
	data, err := json.Marshal(s.kept)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return s.dir.Replace(statedir.Shaping, append(data, '\n'))
}

func settings(c *config.Config, host string) (map[string]json.RawMessage, error) {
	values := map[string]any{
		"host": host, "measurement": c.Measurement, "tags": c.Tags, "fields": c.Fields, "tag_limit": c.TagLimit,
		"fold": c.Fold, "fold_static": c.FoldStatic, "paths": c.Paths, "timezone": c.Timezone,
		"drop": c.Drop, "mask": c.Mask, "query": c.Query, "trusted_proxies": c.TrustedProxies,
		"types": c.Types, "rename": c.Rename, "max_line": c.MaxLineBytes,
		"database": c.InfluxDB.Database, "retention_policy": c.InfluxDB.RetentionPolicy,
	}
	for _, s := range c.Sources {
		values["format of "+s.Name] = s.Format + s.Regexp
	}
	keys := map[string]json.RawMessage{}
	for key, value := range values {
		data, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("settings: %w", err)
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

// stoppedCleanly reports whether everything was delivered that was read before: no line
// will be read again.
func stoppedCleanly(dir *statedir.Dir) bool {
	var kept keptSettings
	data, err := dir.Read(statedir.Shaping)
	return err == nil && json.Unmarshal(data, &kept) == nil && kept.Clean
}

// crashedWithAuto reports whether the last run did not end cleanly, and detected the
// format of the configured source of that name.
func crashedWithAuto(dir *statedir.Dir, name string) bool {
	var kept keptSettings
	data, err := dir.Read(statedir.Shaping)
	if err != nil || json.Unmarshal(data, &kept) != nil { // which OpenSettings reports
		return false
	}
	var format string
	return !kept.Clean && json.Unmarshal(kept.Keys["format of "+name], &format) == nil && format == Auto
}
