package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/schollz/progressbar/v3"

	"github.com/tailflux/tailflux/internal/tail"
)

// progress shows how far the reading of files is: as a bar on a terminal, otherwise as a log
// line every two seconds.
type progress struct {
	log         *slog.Logger
	bar         *progressbar.ProgressBar // nil: no terminal
	out         io.Writer
	began, last time.Time
	latest      tail.Progress
}

// The pauses between two updates.
const (
	barPause = 100 * time.Millisecond
	logPause = 2 * time.Second
)

func newProgress(out io.Writer) *progress {
	now := time.Now()
	p := &progress{log: newLogger(out), out: out, began: now, last: now}
	if isTerminal(out) {
		p.log = slog.New(slog.NewTextHandler(p, nil))
		p.bar = progressbar.NewOptions64(0, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true),
			progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progress) show(at tail.Progress) {
	p.latest = at
	now := time.Now()
	pause := logPause
	if p.bar != nil {
		pause = barPause
	}
	if now.Sub(p.last) < pause {
		return
	}
	p.last = now
	seconds := now.Sub(p.began).Seconds()
	if p.bar != nil {
		perSecond := float64(at.Lines) / seconds
		p.bar.ChangeMax64(max(at.Total, at.Done)) // nobody knows how much a pipe has
		p.bar.Describe(fmt.Sprintf("%s, %s lines/s", filepath.Base(at.File), units.CustomSize("%.3g%s", perSecond, 1000, []string{"", "k", "M"})))
		_ = p.bar.Set64(at.Done)
		return
	}
	left := time.Duration(seconds * float64(max(at.Total-at.Done, 0)) / float64(max(at.Done, 1)) * float64(time.Second))
	p.log.Info("reading: duration is the time left",
		"file", at.File, "bytes", at.Done, "lines", at.Lines, "duration", left.Round(time.Second).String())
}

// verdict is the error to end with, even though everything that was read is delivered.
func (p *progress) verdict() error {
	switch {
	case !p.latest.Complete:
		return errors.New("import: interrupted; run the same command again to continue")
	case len(p.latest.Failed) > 0:
		return errors.Join(p.unfit(), fmt.Errorf("import: could not be read to the end: %s", listed(p.latest.Failed)))
	}
	return p.unfit()
}

// unfit says which files were not imported because they are no logs of the source.
func (p *progress) unfit() error {
	if len(p.latest.Unfit) == 0 {
		return nil
	}
	return fmt.Errorf("import: %w", errors.Join(p.latest.Unfit...))
}

// listed are some of the files, for a message.
func listed(files []string) string {
	const most = 5
	if more := len(files) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(files[:most], ", "), more)
	}
	return strings.Join(files, ", ")
}

// Write writes a log line in place of the bar, which is shown again soon.
func (p *progress) Write(line []byte) (int, error) {
	p.end()
	return p.out.Write(line)
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
