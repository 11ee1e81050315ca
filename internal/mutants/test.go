package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// timeout is that of go test. Some mistakes make a test wait for ever.
const timeout = 3 * time.Minute

// goTest runs tests with an overlay, or without one, and returns what was printed.
func goTest(ctx context.Context, overlay, dir, tags, run string, args ...string) (output string, err error) {
	all := []string{"test", "-vet=off", "-failfast", "-timeout=" + timeout.String()}
	if tags != "" {
		all = append(all, "-tags="+tags)
	}
	if overlay != "" { // which may change only a program that the tests build: go would find nothing new
		all = append(all, "-count=1")
	}
	all = append(append(all, "-run="+run, "./"+dir), args...)
	// By GOFLAGS, so that the programs that tests build have the mistake as well.
	flags := os.Getenv("GOFLAGS") + " -pgo=off"
	if overlay != "" {
		flags += " '-overlay=" + overlay + "'"
	}
	cmd := exec.CommandContext(ctx, "go", all...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(cmd.Environ(), "GOFLAGS="+flags)
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// baseline runs the tests that mutants name, without a mutant.
func baseline(ctx context.Context, chosen []*mutant, jobs int) error {
	type program struct{ dir, tags, args string }
	var order []program
	runs := map[program][]string{}
	for _, m := range chosen {
		p := program{m.dir, m.tags, strings.Join(m.args, " ")}
		if runs[p] == nil {
			order = append(order, p)
		}
		runs[p] = append(runs[p], m.run)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for _, p := range order {
		g.Go(func() error {
			output, err := goTest(ctx, "", p.dir, p.tags, strings.Join(runs[p], "|"), strings.Fields(p.args)...)
			if err != nil {
				return fmt.Errorf("the tests of %s fail without any mutant: %w\n%s", p.dir, err, ending(output))
			}
			return nil
		})
	}
	return g.Wait()
}

// table tests mutants and prints each with what found it. It returns how many were
// not found.
func table(ctx context.Context, out io.Writer, chosen []*mutant, overlays map[string]string, jobs int) (failed int) {
	type result struct {
		foundBy string
		err     error
		took    time.Duration
	}
	wide := 0
	results := make([]chan result, len(chosen))
	for i, m := range chosen {
		wide = max(wide, len(m.mistake))
		results[i] = make(chan result, 1)
	}
	var g errgroup.Group
	g.SetLimit(jobs)
	go func() { // ends with the loop below, which receives each result
		for i, m := range chosen {
			g.Go(func() error {
				began := time.Now()
				foundBy, err := m.test(ctx, overlays[m.file])
				results[i] <- result{foundBy, err, time.Since(began)}
				return nil
			})
		}
	}()
	dir := ""
	for i, m := range chosen {
		r := <-results[i]
		if m.dir != dir {
			dir = m.dir
			fmt.Fprintf(out, "\n%s\n", dir)
		}
		found := r.foundBy
		if r.err != nil {
			failed++
			found = "NOT FOUND: " + r.err.Error() + " (" + m.file + ")"
		}
		fmt.Fprintf(out, "  %-*s %6.1f s  %s\n", wide, m.mistake, r.took.Seconds(), found)
	}
	fmt.Fprintln(out)
	return failed
}

// test runs the tests that must find the mutant and returns the name of the first
// one that failed.
func (m *mutant) test(ctx context.Context, overlay string) (foundBy string, err error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	output, err := goTest(ctx, overlay, m.dir, m.tags, m.run, m.args...)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return m.judge(output, err)
}

// judge reads what go test printed; err is nil when it ended well.
func (m *mutant) judge(output string, err error) (foundBy string, _ error) {
	switch {
	case err == nil && strings.Contains(output, "no tests to run"), strings.Contains(output, "no test files"):
		return "", fmt.Errorf("no test is called %s", m.run)
	case err == nil:
		return "", errors.New("the tests pass with it")
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"):
		return "", fmt.Errorf("it does not compile:\n%s", ending(output))
	}
	if foundBy = firstFailed(output); foundBy == "" {
		return "", fmt.Errorf("go test failed, and no test did:\n%s", ending(output))
	}
	if m.finds != "" && !strings.Contains(output, m.finds) {
		return "", fmt.Errorf("%s failed, but not with %q", foundBy, m.finds)
	}
	return foundBy, nil
}

var (
	failLine    = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	runningLine = regexp.MustCompile(`(?m)^\s+(Test\S+|Fuzz\S+) \(\d`) // after "running tests:"
	panicLine   = regexp.MustCompile(`(?m)^(?:panic|fatal error): .*`)
	traceLine   = regexp.MustCompile(`(?m)^\S+\.((?:Test|Fuzz)[A-Z]\w*)[.(]`)
)

// firstFailed returns the name of the first test that failed, of its first subtest
// that did, of one that was running when the time was up, or how the program ended.
func firstFailed(output string) string {
	name := ""
	for _, at := range failLine.FindAllStringSubmatch(output, -1) {
		switch {
		case name == "", strings.HasPrefix(at[1], name+"/"):
			name = at[1]
		}
	}
	if name != "" {
		return name
	}
	if strings.Contains(output, "panic: test timed out") {
		if at := runningLine.FindStringSubmatch(output); at != nil {
			return at[1] + " (it never ends)"
		}
	}
	if strings.Contains(output, "goleak: ") {
		return "goleak"
	}
	if at := traceLine.FindStringSubmatch(output); at != nil {
		return at[1] + " (" + panicLine.FindString(output) + ")"
	}
	return panicLine.FindString(output)
}

// ending is the end of a long output.
func ending(output string) string {
	const most = 4000
	return strings.TrimSpace(output[max(0, len(output)-most):])
}
