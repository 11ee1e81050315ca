package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tail"
)

// sources are the configured sources as the stages want them, in one order.
type sources struct {
	tail  []tail.Source
	parse []parse.Source
}

// openSources compiles the formats and makes the state directory.
func openSources(c *config.Config, once bool, st *stats.Stats) (s sources, err error) {
	if err := os.MkdirAll(c.StateDir, 0o750); err != nil {
		return s, usageError{fmt.Errorf("state_dir: %w (choose another with --state-dir)", err)}
	}
	host, err := hostTag(c)
	if err != nil {
		return s, err
	}
	for _, source := range c.Sources {
		if info, err := os.Stat(source.Path); err == nil {
			if err := tail.RegularFile(source.Path, info.Mode()); err != nil {
				return s, usageError{err}
			}
		}
		format, err := compile(source)
		if err != nil {
			return s, fmt.Errorf("source %s: %w", source.Name, err) // checked by config.Load
		}
		index := st.AddSource(source.Name, source.Path, format.Kind())
		s.tail = append(s.tail, tail.Source{
			Source:  &flow.Source{Index: index, Name: source.Name, Path: source.Path},
			FromEnd: source.Start == "end" && !once,
		})
		s.parse = append(s.parse, parse.Source{Format: format, Schema: schema(c, host, source.Name)})
	}
	return s, nil
}

func schema(c *config.Config, host, source string) accesslog.Schema {
	return accesslog.Schema{Measurement: c.Measurement, Host: host, Source: source, Tags: c.Tags, Fields: c.Fields}
}

func compile(s config.Source) (*logformat.Format, error) {
	if s.Regexp != "" {
		return logformat.CompileRegexp(s.Regexp)
	}
	return logformat.CompileFormat(s.Format)
}

// checkSource tells what is wrong with a source's format.
func checkSource(s config.Source) error {
	format, err := compile(s)
	if err != nil {
		return err
	}
	_, err = accesslog.New(format.Names(), accesslog.Schema{Measurement: "m"})
	return err
}

// hostTag is the value of the tag "host". The machine's name is kept in the
// state directory once it was chosen: were it to change, a line that is read
// again would become another point.
func hostTag(c *config.Config) (string, error) {
	if c.Host != "" {
		return c.Host, nil
	}
	path := filepath.Join(c.StateDir, "host")
	kept, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(kept)) != "" {
		return strings.TrimSpace(string(kept)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("host: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("host: %w (set host in the configuration)", err)
	}
	return host, saveDurably(path, []byte(host+"\n"))
}

// saveDurably replaces a file so that, whatever happens, it is there whole, old
// or new.
func saveDurably(path string, data []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // gone already when all went well
	defer tmp.Close()
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Sync()
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return nil
}
