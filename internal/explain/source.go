package explain

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/shape"
)

// Source returns the source whose lines are explained: one of the configured ones
// or, without any, the one that is described, of which any part may be missing.
// input is the file that the lines are in, "-" or "". The error is a
// [config.UsageError].
func Source(configured []config.Source, described config.Source, input string) (config.Source, error) {
	if len(configured) > 0 {
		return choose(configured, described.Name, input)
	}
	if described.Regexp == "" {
		described.Format = cmp.Or(described.Format, shape.Auto)
	}
	switch {
	case described.Name != "":
	case described.Path != "":
		described.Name = filepath.Base(described.Path)
	case input != "" && input != "-":
		described.Name = filepath.Base(input)
	default:
		described.Name = "access.log"
	}
	return described, nil
}

// choose returns the source of that name; without one the only source, or the
// one that input is a file of, or any if they are all of one format.
func choose(all []config.Source, name, input string) (config.Source, error) {
	var names []string
	alike := true
	for _, s := range all {
		names = append(names, s.Name)
		alike = alike && s.Format == all[0].Format && s.Regexp == all[0].Regexp
	}
	if name != "" {
		if i := slices.Index(names, name); i >= 0 {
			return all[i], nil
		}
		return config.Source{}, config.UsageError{Err: fmt.Errorf("--name: got %q, want one of the sources %s", name, strings.Join(names, ", "))}
	}
	if absolute, err := filepath.Abs(input); err == nil && input != "" {
		for _, s := range all {
			path, err := filepath.Abs(s.Path)
			if ok, bad := filepath.Match(path, absolute); err == nil && bad == nil && (ok || path == absolute) {
				return s, nil
			}
		}
	}
	if alike {
		return all[0], nil
	}
	return config.Source{}, config.UsageError{Err: fmt.Errorf("the configured sources have several formats: use --name (one of %s) or --format",
		strings.Join(names, ", "))}
}

// Open opens a file whose lines are explained: a log, plain or compressed, or a pipe.
// The error names it.
func Open(file string) (io.ReadCloser, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return os.Open(file)
	}
	log, err := logfile.OpenLog(file)
	if err != nil {
		return nil, err
	}
	return opened{log}, nil
}

// opened is a log that is open, as an io.Closer.
type opened struct{ *logfile.Log }

func (o opened) Close() error {
	o.Log.Close()
	return nil
}
