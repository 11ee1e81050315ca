package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/shape"
)

// newest is how many lines of a log are looked at.
const newest = 1000

// source looks at the files of a source.
func (d *doctor) source(s config.Source) {
	if s.Format != shape.Auto || s.Regexp != "" { // else they are those of the formats that its logs have
		warnings, err := shape.Warnings(d.Config, s)
		if err != nil {
			d.say(Error, "format", err.Error(), "")
			return
		}
		d.warn(warnings)
	}
	paths := d.paths(s)
	if len(paths) == 0 && len(logfile.CompilePattern(s.Path, d.Config.Exclude...).Paths(nil)) > 0 {
		d.ok("file", "all that matches %s is of other sources", s.Path)
		return
	}
	if len(paths) == 0 {
		d.say(Error, "file", "no file matches "+s.Path, "ls -l "+filepath.Dir(s.Path)+"; the daemon waits for one")
		return
	}
	var files []string
	for _, path := range paths {
		d.asking("reading %s", path)
		if !d.file(path) {
			continue
		}
		files = append(files, path)
		d.format(s, path)
		d.backlog(s, path)
		d.reopened(path)
		d.buffers(path)
	}
	for _, dir := range directories(paths) {
		d.directory(dir)
	}
	if !s.IsGlob() {
		files = paths // also one that is still to come
	}
	d.rotations(files)
	d.mounts(paths)
	d.same(s)
	d.openFiles(len(paths))
}

// warn says what was not said of the source before.
func (d *doctor) warn(warnings []string) {
	for _, warning := range warnings {
		if !slices.ContainsFunc(d.found, func(f Finding) bool { return f.Subject == d.subject && f.Reason == warning }) {
			d.say(Warning, "points", warning, "")
		}
	}
}

func directories(paths []string) (all []string) {
	for _, path := range paths {
		if dir := filepath.Dir(path); !slices.Contains(all, dir) {
			all = append(all, dir)
		}
	}
	return all
}

// file says whether the user may read a log, and reports whether we can.
func (d *doctor) file(path string) bool {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		remedy := "ls -l " + filepath.Dir(path) + "; the daemon waits for it"
		if near := nearest(path); near != "" {
			remedy = "did you mean " + near + "?"
		} else if d.User.stopsAt(path) == "" && missing(filepath.Dir(path)) {
			remedy = "there is no directory " + filepath.Dir(path) + " either; the daemon waits for it"
		}
		d.say(Error, "file", path+" is not there", remedy)
		return false
	case err != nil && d.User.isSelf():
		no := d.User.denied(path)
		d.say(Error, "file", no.Reason, no.Remedy)
		return false
	}
	if no := d.User.denied(path); no != nil {
		d.say(Error, "file", no.Reason, no.Remedy)
		return !d.User.isSelf()
	}
	d.ok("file", "%s: %q may read it (%s, %s)", path, d.User.Name, rights(path), size(info.Size()))
	return true
}

// Logs says which logs of the sources cannot be read by who runs this, if there is a
// remedy: the reader says that it waits for them. Subject is the name of the source.
func Logs(c *config.Config) (all []Finding) {
	self := Self()
	for _, s := range c.Sources {
		if s.IsGlob() {
			continue
		}
		f := Finding{Verdict: Error, Subject: s.Name, Check: "file"}
		if missing(s.Path) {
			if near := nearest(s.Path); near != "" {
				f.Reason, f.Remedy = s.Path+" is not there", "did you mean "+near+"?"
				all = append(all, f)
			}
		} else if no := self.denied(s.Path); no != nil && no.Remedy != "" {
			f.Reason, f.Remedy = no.Reason, no.Remedy
			all = append(all, f)
		}
	}
	return all
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// nearest is the log in the same directory whose name is nearest to a missing one's.
func nearest(path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && !logfile.IsRotated(e.Name()) && !logfile.IsCompressed(e.Name()) {
			names = append(names, e.Name())
		}
	}
	if near := config.Nearest(filepath.Base(path), names); near != "" {
		return filepath.Join(filepath.Dir(path), near)
	}
	return ""
}

// directory says whether rotated files can be found.
func (d *doctor) directory(dir string) {
	if missing(dir) || d.User.stopsAt(filepath.Join(dir, "x")) != "" {
		return // said of its files
	}
	if err := d.User.may(dir, unix.R_OK); errors.Is(err, fs.ErrPermission) {
		d.say(Warning, "directory", fmt.Sprintf("%q may not list %s (%s): what is rotated while tailflux is stopped is not found",
			d.User.Name, dir, rights(dir)),
			fmt.Sprintf("setfacl -m u:%s:rx %s", d.User.Name, dir))
		return
	}
	d.ok("directory", "%s: rotated logs can be found (%s)", dir, rights(dir))
}

// format says how the newest lines go with the format.
func (d *doctor) format(s config.Source, path string) {
	f := d.formatOf(s.Name, path)
	switch {
	case f == nil && d.blind:
		return // said of the file that would tell
	case f == nil:
		d.ok("format", "%s has no lines yet", path)
		return
	}
	d.warn(f.Warnings)
	verdict := Error
	if f.Beside {
		verdict = Warning
	}
	switch {
	case f.Unfit && (!f.LeftOut || !f.Beside):
		d.say(verdict, "format", path+": "+f.Text, "tail -n 3 "+quoted(path)+" | tailflux explain")
		return
	case f.Lines == nil: // left out of a glob, or empty
		d.ok("format", "%s: %s", path, f.Text)
		return
	}
	lines, err := logfile.LastLines(path, newest)
	if err != nil || len(lines) == 0 {
		d.ok("format", "%s: %s", path, f.Text)
		return
	}
	c := d.sample.count(f.Lines, lines, d.Rollups, d.now)
	about := fmt.Sprintf("%s: %s of its newest %s lines become points (%s)", path, thousands(int64(c.fits)), thousands(int64(len(lines))), f.Text)
	const most = 0.95
	switch {
	case float64(c.fits) >= most*float64(len(lines)):
		d.ok("format", "%s", about)
	case c.sinceLastMisfit >= c.fits:
		d.say(Note, "format", about+"; all after the last misfit do", "")
	default:
		d.say(Warning, "format", about, "grep -v one that fits, and tailflux explain the others: they go to rejects.jsonl")
	}
	if ahead := c.last.Sub(d.now); !c.last.IsZero() && ahead > 5*time.Minute {
		d.say(Warning, "line-time", fmt.Sprintf("%s: its newest line is %s ahead of this clock", path, span(ahead)),
			"set timezone if its times have none; else look at the clock of who writes it")
	}
}

// quoted is a path for a shell.
func quoted(path string) string {
	if strings.Trim(path, "+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// reopened says that nginx still writes to the rotated log.
func (d *doctor) reopened(path string) {
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	var late *logfile.Sibling
	for _, s := range new(logfile.Directories).Siblings(path) {
		if s.Rotated && !logfile.IsCompressed(s.Path) && (late == nil || s.Info.ModTime().After(late.Info.ModTime())) {
			late = &s
		}
	}
	const reopens = 10 * time.Second
	if info.Size() == 0 && late != nil && late.Info.ModTime().Sub(info.ModTime()) > reopens {
		d.say(Error, "reopen", fmt.Sprintf("%s is empty, and %s was written %s after it was made: nginx was not told to reopen its logs",
			path, late.Path, span(late.Info.ModTime().Sub(info.ModTime()))),
			"nginx -s reopen now, and in postrotate of logrotate's rule; a first start would miss what is in "+filepath.Base(late.Path)+": tailflux import it")
	}
}

// mounts says which logs are mounts of one file.
func (d *doctor) mounts(paths []string) {
	table, err := os.Open(filepath.Join(d.Proc, "self", "mountinfo"))
	if err != nil {
		return // nobody can tell
	}
	defer table.Close()
	mounted, err := logfile.FileMounts(table, paths)
	if err != nil {
		return
	}
	for _, path := range mounted {
		d.say(Error, "mount", path+" is a mount of one file: its rotation cannot be seen", "mount its directory")
	}
}

// same says which source before this one has the same file, by links: of globs the daemon
// leaves links to what is followed out.
func (d *doctor) same(s config.Source) {
	info, err := os.Stat(s.Path)
	if err != nil {
		return
	}
	for _, other := range d.Config.Sources {
		if other.Name == s.Name {
			return
		}
		if is, err := os.Stat(other.Path); err == nil && os.SameFile(is, info) {
			d.say(Error, "same-file", fmt.Sprintf("%s is the same file as %s, which is read as source %q: each line becomes two points",
				s.Path, other.Path, other.Name),
				"leave one of the two out")
		}
	}
}

// openFiles compares the logs with how many files may be open.
func (d *doctor) openFiles(logs int) {
	const each, others = 2, 64 // a log and what it was rotated to; connections, state, …
	limit := d.OpenFiles
	var own syscall.Rlimit
	if limit == 0 && syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own) == nil {
		limit = own.Max // to which Go raises what is allowed at first
	}
	need := uint64(each*logs + others) //nolint:gosec // a number of files
	if limit == 0 || need <= limit {
		return
	}
	d.say(Warning, "open-files", fmt.Sprintf("%s may need %d open files, and %d may be (ulimit -Hn)", count(logs, "log"), need, limit),
		"raise it: LimitNOFILE= of the service, ulimit -n")
}

// A fit is how some lines go with a format.
type fit struct {
	fits, sinceLastMisfit int
	first, last           time.Time // of those that fit
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
