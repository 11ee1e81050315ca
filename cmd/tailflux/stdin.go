package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/statedir"
)

// standardInput is the argument that stands for it.
const standardInput = "-"

// savedInput saves standard input to a file in the state directory, because import recognises
// a file by its contents and reads it more than once. It returns the files with that one in
// place of "-"; done removes it. Without a "-" it does nothing.
func savedInput(c *config.Config, files []string, in io.Reader, log *slog.Logger) (with []string, done func(), err error) {
	at := slices.Index(files, standardInput)
	if at < 0 {
		return files, func() {}, nil
	}
	dir, err := statedir.Open(c.StateDir, log) // another tailflux is noticed before hours of reading
	if err != nil {
		return nil, nil, config.UsageError{Err: err}
	}
	defer dir.Close()
	path := dir.Path(statedir.Input)
	_ = os.Remove(path) // what a run left that was killed
	done = func() { _ = os.Remove(path) }
	if err := saveInput(path, in); err != nil {
		done()
		return nil, nil, fmt.Errorf("import: save standard input in state_dir: %w", err)
	}
	with = slices.Clone(files)
	with[at] = path
	return slices.DeleteFunc(with, func(file string) bool { return file == standardInput }), done, nil
}

func saveInput(path string, in io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, in); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
