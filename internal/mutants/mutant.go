package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxChanged is the most lines that a patch may add and remove. More than that is
// no slip that somebody makes.
const maxChanged = 12

// mutant is one mistake.
type mutant struct {
	file    string   // the patch; paths are relative to the repository, with slashes
	dir     string   // of the package whose tests must find it
	sources []string // the files that it changes

	mistake string
	run     string
	args    []string
	tags    string
	finds   string
	always  bool
}

// readAll returns the mutants of the repository at root, by path.
func readAll(root string) (all []*mutant, err error) {
	for _, below := range []string{"cmd", "internal"} {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(root, below), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".patch" || filepath.Base(filepath.Dir(path)) != "mutants" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			m, err := parse(filepath.ToSlash(name), string(text))
			all = append(all, m)
			return err
		}))
	}
	if err == nil && len(all) == 0 {
		err = errors.New("there are no patches here: run it at the root of the repository")
	}
	return all, err
}

// parse reads a patch.
func parse(file, text string) (*mutant, error) {
	dir := strings.TrimSuffix(strings.TrimSuffix(filepath.ToSlash(filepath.Dir(file)), "/mutants"), "/testdata")
	m := &mutant{file: file, dir: dir}
	fail := func(format string, args ...any) (*mutant, error) {
		return m, fmt.Errorf("%s: %s", file, fmt.Sprintf(format, args...))
	}
	header, _, found := strings.Cut(text, "\n--- ")
	if !found {
		return fail("there is no line that begins with ---, so this is no patch")
	}
	for line := range strings.Lines(header) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Mistake":
			m.mistake = value
		case "Run":
			m.run = value
		case "Args":
			m.args = strings.Fields(value)
		case "Tags":
			m.tags = value
		case "Finds":
			m.finds = value
		case "CI":
			if value != "always" {
				return fail("CI: %q, want always, or no such line", value)
			}
			m.always = true
		default:
			return fail("header %q, want Mistake, Run, Args, Tags, Finds or CI", line)
		}
	}
	if m.mistake == "" || m.run == "" {
		return fail("its header needs a Mistake and what to Run")
	}
	changed := 0
	for line := range strings.Lines(text[len(header)+1:]) {
		switch name, isFile := strings.CutPrefix(line, "--- a/"); {
		case isFile:
			m.sources = append(m.sources, strings.TrimSpace(name))
		case strings.HasPrefix(line, "+++ b/"), strings.HasPrefix(line, "--- "):
		case line[0] == '+', line[0] == '-':
			changed++
		}
	}
	if changed == 0 || changed > maxChanged || len(m.sources) == 0 {
		return fail("it changes %d lines of %d files, want at most %d lines of a file", changed, len(m.sources), maxChanged)
	}
	return m, nil
}

// weeks is how long it takes until each mutant had its turn in CI, whose time it bounds.
const weeks = 20

// choose returns the mutants of a run in the week of that number.
func choose(all []*mutant, which string, week int) (chosen []*mutant, err error) {
	switch which {
	case "all":
		return all, nil
	case "ci":
		rotating := 0
		for _, m := range all {
			if !m.always {
				rotating++
			}
			if m.always || rotating%weeks == week%weeks {
				chosen = append(chosen, m)
			}
		}
		return chosen, nil
	}
	expr, err := regexp.Compile(which)
	if err != nil {
		return nil, fmt.Errorf("which: %w", err)
	}
	chosen = slices.DeleteFunc(slices.Clone(all), func(m *mutant) bool { return !expr.MatchString(m.file) })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("which: no patch matches %q", which)
	}
	return chosen, nil
}

// apply patches a copy of the files, below dir, and returns the path of the overlay
// that lays the copy over them.
func (m *mutant) apply(ctx context.Context, root, dir string) (overlay string, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, name := range m.sources {
		from, to := filepath.Join(root, name), filepath.Join(dir, name)
		text, err := os.ReadFile(from)
		if err != nil {
			return "", fmt.Errorf("%s does not apply any more: %w", m.file, err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, 0o644)); err != nil {
			return "", err
		}
		replace[from] = to
	}
	// With all of its context: with less, the mistake may be put elsewhere, where no test finds it.
	git := exec.CommandContext(ctx, "git", "apply", filepath.Join(root, m.file))
	git.Dir = dir
	// Within a repository git would leave out what it takes for files elsewhere in it.
	git.Env = append(git.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if said, err := git.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s does not apply any more, write it anew: %w\n%s", m.file, err, bytes.TrimSpace(said))
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o644)
}
