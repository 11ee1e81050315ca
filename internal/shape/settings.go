package shape

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Settings are the configuration that the last lines were read with, kept in shaping.json.
// If what points depend on changes while lines are still to be read again, after a crash,
// these lines become other points beside the ones that are stored.
type Settings struct {
	dir   *statedir.Dir
	known bool // there were settings
	clean bool // no line will be read again that was read before this process
	kept  keptSettings
}

type keptSettings struct {
	Clean         bool                       `json:"clean"`                   // all that was read was delivered when tailflux stopped
	Keys          map[string]json.RawMessage `json:"keys"`                    // what points depend on
	Configuration string                     `json:"configuration,omitempty"` // of the daemon, without how InfluxDB is reached
}

// OpenSettings reads what is kept.
func OpenSettings(dir *statedir.Dir) (*Settings, error) {
	s := &Settings{dir: dir}
	var err error
	s.known, err = load(dir, statedir.Shaping, func(data []byte) error {
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
	s.clean = s.kept.Clean || !s.known
	return s, err
}

// Clean reports whether no line is going to be read again that was read before this
// process began.
func (s *Settings) Clean() bool { return s.clean }

// Changed are the keys that are others now, if lines will be read again. host is the tag. An
// import has a source of its own, which is not compared with those of the daemon.
func (s *Settings) Changed(c *config.Config, host string, imported bool) (keys []string, err error) {
	if s.clean {
		return nil, nil
	}
	now, err := settings(c, host, imported)
	if err != nil {
		return nil, err
	}
	return changedKeys(s.kept.Keys, now), nil
}

// InForce is the configuration that was in force before this process began, with the way
// to InfluxDB of c; nil if it is not known, or is good no more. host returns its tag.
func (s *Settings) InForce(c *config.Config, host func(*config.Config) (string, error)) *config.Config {
	if s.kept.Configuration == "" {
		return nil
	}
	was, err := config.Parse([]byte(s.kept.Configuration), Check)
	if err != nil {
		return nil
	}
	was.InfluxDB = connection(c.InfluxDB, was.InfluxDB)
	was.StateDir, was.Listen = c.StateDir, c.Listen
	tag, err := host(was)
	if err != nil {
		return nil
	}
	if changed, err := s.Changed(was, tag, false); err != nil || len(changed) > 0 {
		return nil // since then there was an import
	}
	return was
}

// connection is the way to InfluxDB of one configuration, with the place for points and the
// batches of another.
func connection(way, place config.InfluxDB) config.InfluxDB {
	way.Database, way.RetentionPolicy = place.Database, place.RetentionPolicy
	way.BatchPoints, way.FlushInterval, way.InFlight = place.BatchPoints, place.FlushInterval, place.InFlight
	return way
}

// Begin keeps the configuration with which lines are going to be read from now on. That of
// an import is not the daemon's: what the daemon has read and not delivered is read again, and
// it must know with what.
func (s *Settings) Begin(c *config.Config, host string, imported bool) error {
	keys, err := settings(c, host, imported)
	if err != nil {
		return err
	}
	next := keptSettings{Keys: map[string]json.RawMessage{}, Configuration: s.kept.Configuration}
	maps.Copy(next.Keys, s.kept.Keys)
	maps.Copy(next.Keys, keys) // an import knows one source of several
	if imported && !s.clean {
		maps.Copy(next.Keys, s.kept.Keys)
	}
	if !imported {
		if next.Configuration, err = text(c); err != nil {
			return err
		}
	}
	if err := s.save(next); err != nil {
		return err
	}
	s.kept = next
	return nil
}

// text is a configuration without what may be secret.
func text(c *config.Config) (string, error) {
	bare := *c
	bare.InfluxDB = connection(config.Default().InfluxDB, c.InfluxDB)
	var text strings.Builder
	if err := bare.Print(&text); err != nil {
		return "", fmt.Errorf("settings: %w", err)
	}
	return text.String(), nil
}

// Delivered notes that everything that was read is delivered. caughtUp is set if that is
// also what a process before had read.
func (s *Settings) Delivered(caughtUp bool) error {
	s.kept.Clean = s.clean || caughtUp
	return s.save(s.kept)
}

func (s *Settings) save(kept keptSettings) error {
	data, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return s.dir.Replace(statedir.Shaping, append(data, '\n'))
}

func settings(c *config.Config, host string, imported bool) (map[string]json.RawMessage, error) {
	values := map[string]any{
		"host": host, "measurement": c.Measurement, "tags": c.Tags, "fields": c.Fields, "tag_limit": c.TagLimit,
		"fold": c.Fold, "fold_static": c.FoldStatic, "paths": c.Paths, "timezone": c.Timezone,
		"drop": c.Drop, "mask": c.Mask, "query": c.Query, "trusted_proxies": c.TrustedProxies,
		"raw": c.Raw, "rollups": c.Rollups, "retention.rollups": c.RollupsPolicy(), "types": c.Types, "rename": c.Rename, "max_line": c.MaxLineBytes,
		"database": c.InfluxDB.Database, "retention_policy": c.InfluxDB.RetentionPolicy,
	}
	sources := [][2]string{} // which of them has a file, and so the tag of its lines
	for _, s := range c.Sources {
		values["format of "+s.Name] = s.Format + s.Regexp
		values["name of "+s.Path] = s.Name
		sources = append(sources, [2]string{s.Name, s.Path})
	}
	if !imported {
		values["sources"], values["exclude"] = sources, c.Exclude
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
		if was, ok := before[key]; ok && plain(was) != plain(after[key]) {
			changed = append(changed, key)
		}
	}
	return changed
}

// plain is a value without the difference between one that is empty and none.
func plain(value json.RawMessage) string {
	if text := string(value); text != "[]" && text != "{}" {
		return text
	}
	return "null"
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
