package influxdtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// config is what a server gets unless Options.Config says otherwise.
func config(dir string, port int) map[string]any {
	return map[string]any{
		"reporting-disabled":            true,
		"bind-address":                  loopback(port + 1), // backup and restore
		"meta.dir":                      filepath.Join(dir, "meta"),
		"data.dir":                      filepath.Join(dir, "data"),
		"data.wal-dir":                  filepath.Join(dir, "wal"),
		"data.series-id-set-cache-size": 100,
		"http.bind-address":             loopback(port),
		"http.log-enabled":              false,
		"data.query-log-enabled":        false,
		"monitor.store-enabled":         false,
		"logging.level":                 "warn",
	}
}

// toml renders "section.key" and "key" entries as a configuration file.
func toml(entries map[string]any) (string, error) {
	sections := map[string][]string{"": nil}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		section, key := splitKey(name)
		var text string
		switch v := entries[name].(type) {
		case string:
			text = strconv.Quote(v)
		case time.Duration:
			text = strconv.Quote(v.String())
		case bool, int, int64:
			text = fmt.Sprint(v)
		default:
			errs = append(errs, fmt.Errorf("%s: cannot write a %T", name, v))
		}
		sections[section] = append(sections[section], key+" = "+text+"\n")
	}
	var b strings.Builder
	for _, section := range slices.Sorted(maps.Keys(sections)) { // "" first
		if section != "" {
			fmt.Fprintf(&b, "[%s]\n", section)
		}
		for _, entry := range sections[section] {
			b.WriteString(entry)
		}
	}
	return b.String(), errors.Join(errs...)
}

// checkKeys reports the names that influxd does not know. It ignores such keys
// in its file, and a test of a limit that was never set would prove nothing.
func checkKeys(ctx context.Context, binary, file string, env []string, names []string) error {
	cmd := exec.CommandContext(ctx, binary, "config", "-config", file)
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, lastLines(exit.Stderr, 5))
		}
		return fmt.Errorf("influxd refuses its configuration: %w", err)
	}
	known := map[string]bool{}
	section := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[]") + "."
		} else if key, _, ok := strings.Cut(line, " = "); ok {
			known[section+key] = true
		}
	}
	var errs []error
	for _, name := range names {
		if !known[name] {
			errs = append(errs, fmt.Errorf("influxd has no configuration key %q", name))
		}
	}
	return errors.Join(errs...)
}

// writeConfig writes the configuration of a server and checks what the caller
// of Start put into it.
func writeConfig(ctx context.Context, file string, port int, opts Options, env []string) error {
	entries := config(opts.Dir, port)
	if opts.Username != "" {
		entries["http.auth-enabled"] = true
	}
	maps.Copy(entries, opts.Config)
	text, err := toml(entries)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	if len(opts.Config) == 0 {
		return nil
	}
	return checkKeys(ctx, opts.Binary, file, env, slices.Sorted(maps.Keys(opts.Config)))
}

func splitKey(name string) (section, key string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}

func loopback(port int) string {
	return "127.0.0.1:" + strconv.Itoa(port)
}
