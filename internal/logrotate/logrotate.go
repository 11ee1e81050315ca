// Package logrotate reads what logrotate is told to do with a log: its rules, in
// logrotate.conf and the files that it includes.
//
// It knows the words that decide what becomes of a log, and its names; others, and
// mistakes that logrotate would refuse, are passed over. It runs and changes nothing.
package logrotate

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Conf is the file that logrotate reads, with what it includes.
const Conf = "/etc/logrotate.conf"

// A Rule is what becomes of some logs.
type Rule struct {
	File     string // where it is written
	Line     int
	Patterns []string // paths, or globs

	Every  string // hourly, daily, weekly, monthly, yearly, or size; "" when nothing is said
	Rotate int    // so many rotated files are kept
	MaxAge int    // and for so many days; 0 is for ever

	Create       *Create // the new file; nil: logrotate makes none
	Copy         bool    // the log stays as it is
	CopyTruncate bool    // a copy is made, and the log is emptied

	Compress    bool
	Delay       bool   // by one rotation
	CompressCmd string // "" is gzip
	CompressExt string // "" is that of the command

	DateExt      bool
	DateFormat   string // "" is the usual one
	Extension    string // which the rotated file keeps
	AddExtension string
	OldDir       string // where rotated files go; may be relative to the log's directory

	Script bool // something runs after the rotation
}

// Create is how logrotate makes the new file.
type Create struct {
	Mode         uint32 // 0: that of the old one
	Owner, Group string // "": those of the old one
}

// covers reports whether the rule is for the log at a path.
func (r *Rule) covers(path string) bool {
	return slices.ContainsFunc(r.Patterns, func(pattern string) bool {
		ok, err := filepath.Match(pattern, path)
		return pattern == path || err == nil && ok
	})
}

// Of returns the rules that cover the log at a path. logrotate refuses the second one.
func Of(rules []Rule, path string) (found []Rule) {
	for _, r := range rules {
		if r.covers(path) {
			found = append(found, r)
		}
	}
	return found
}

// Directory is where the rotated files of the log at a path go.
func (r *Rule) Directory(path string) string {
	switch {
	case r.OldDir == "":
		return filepath.Dir(path)
	case filepath.IsAbs(r.OldDir):
		return r.OldDir
	}
	return filepath.Join(filepath.Dir(path), r.OldDir)
}

// Rotated is the name that the log at a path has after a rotation at some time: before
// it is compressed.
func (r *Rule) Rotated(path string, at time.Time) string {
	base, ext := filepath.Base(path), ""
	if r.AddExtension != "" {
		base, ext = strings.TrimSuffix(base, r.AddExtension), r.AddExtension
	}
	if r.Extension != "" && strings.HasSuffix(base, r.Extension) {
		base, ext = strings.TrimSuffix(base, r.Extension), r.Extension
	}
	suffix := ".1"
	if r.DateExt {
		suffix = r.date(at)
	}
	return base + suffix + ext
}

// Ending is what compressing adds to a name.
func (r *Rule) Ending() string {
	if r.CompressExt != "" {
		return r.CompressExt
	}
	switch filepath.Base(r.CompressCmd) {
	case "bzip2", "pbzip2":
		return ".bz2"
	case "xz":
		return ".xz"
	case "zstd":
		return ".zst"
	case "compress":
		return ".Z"
	}
	return ".gz" // also of what logrotate does not know
}

func (r *Rule) date(at time.Time) string {
	format := r.DateFormat
	if format == "" {
		format = "-%Y%m%d"
		if r.Every == "hourly" {
			format += "%H"
		}
	}
	_, week := at.ISOWeek()
	two := func(n int) string { return strconv.Itoa(100 + n)[1:] }
	return strings.NewReplacer(
		"%Y", strconv.Itoa(at.Year()), "%m", two(int(at.Month())), "%d", two(at.Day()),
		"%H", two(at.Hour()), "%M", two(at.Minute()), "%S", two(at.Second()), "%V", two(week),
		"%s", strconv.FormatInt(at.Unix(), 10), "%y", two(at.Year()%100), "%j", strconv.Itoa(1000 + at.YearDay())[1:],
		"%b", at.Format("Jan"), "%F", at.Format(time.DateOnly), "%%", "%",
	).Replace(format)
}
