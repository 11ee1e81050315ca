// Command mutants proves that the tests find mistakes. A mutant is a patch of a few
// lines, beside the tests that must find it: in testdata/mutants of their package,
// or in internal/e2e/mutants. The command lays the patched files over the real ones
// (go test -overlay), runs the tests that the patch names, and reports which of
// them failed first. Nothing in the repository is changed.
//
// It fails when a patch no longer applies, when a mutant does not compile, when
// the named tests pass with the mutant, and when they fail without it.
//
// A patch begins with a header, before the lines of the diff:
//
//	Mistake: an answer of 200 is taken for success
//	Run:     ^TestWhatAnswersMean$
//
// Run is what go test -run expects. Further keys, where they are needed: Args are
// flags of the test program, Tags are build tags, Finds is a text that the output
// must have, and CI says "always" when every run of CI has the mutant, whatever
// the week.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	which := flag.String("which", "all", "all; ci: those of every run, and the twentieth of the others whose week it is; or an expression that the path of a patch matches")
	jobs := flag.Int("jobs", 2, "how many mutants are tested at once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *which, *jobs)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, which string, jobs int) error {
	began := time.Now()
	all, err := readAll(".")
	if err != nil {
		return err
	}
	_, week := began.UTC().ISOWeek()
	chosen, err := choose(all, which, week)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tailflux-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// All patches, not only those of this run: the rest must not decay meanwhile.
	overlays := map[string]string{}
	for i, m := range all {
		if overlays[m.file], err = m.apply(ctx, ".", fmt.Sprintf("%s/%d", dir, i)); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "mutants: %d of %d patches, all of which apply\n", len(chosen), len(all))
	if err := baseline(ctx, chosen, jobs); err != nil {
		return err
	}
	fmt.Fprintf(out, "mutants: without them the tests pass (%s)\n", time.Since(began).Round(time.Second))
	failed := table(ctx, out, chosen, overlays, jobs)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case failed > 0:
		return fmt.Errorf("%d of %d were not found", failed, len(chosen))
	}
	fmt.Fprintf(out, "mutants: all %d found, in %s\n", len(chosen), time.Since(began).Round(time.Second))
	return nil
}
