package draft

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/nginxconf"
)

// Options are what a draft depends on besides nginx.conf.
type Options struct {
	Config *config.Config // what the flags say, over the defaults
	Start  string         // where each source begins; "" leaves it out
	Flags  *pflag.FlagSet // those that were given are written
	Origin string         // where the logs were found, for the first line
	Files  fs.FS          // from its root: what is at the paths of the logs; nil if that is not to be looked at
}

// A Draft is a configuration for tailflux.
type Draft struct {
	Text    string   // YAML
	Sources []Source // in its order; if there are none, the text is of no use
	Left    []Left
}

// A Source is a log that is followed.
type Source struct {
	Name, Path string
	Format     string   // as config has it
	Shown      string   // a short name of the format
	Servers    []string // whose requests are in it
	At         []nginxconf.Place
	Notes      []string // what is odd about it

	glob  bool
	dated bool // its wildcards are a date
}

// Left is an access_log that was left out.
type Left struct{ Log, Why string }

// New makes a draft of what was found.
func New(found *nginxconf.Found, o Options) *Draft {
	d := &Draft{}
	var off []string
	for _, log := range found.Logs {
		if log.Off {
			off = append(off, log.At.String())
		}
	}
	for _, group := range groups(found) {
		s, why := source(group, found, o)
		if why != "" {
			d.Left = append(d.Left, Left{group[0].String(), why})
			continue
		}
		d.Sources = append(d.Sources, s)
	}
	if len(off) > 0 {
		d.Left = append(d.Left, Left{"access_log off", "nginx logs nothing there: " + some(off, 6)})
	}
	name(d.Sources)
	d.Text = d.render(found, o)
	return d
}

// groups are the logs, those of one file together.
func groups(found *nginxconf.Found) (all [][]nginxconf.Log) {
	at := map[string]int{}
	for _, log := range found.Logs {
		if log.Off {
			continue
		}
		key := log.Target
		if log.IsFile() {
			key = filepath.Clean(nginxconf.Glob(log.Path))
		}
		if i, ok := at[key]; ok {
			all[i] = append(all[i], log)
			continue
		}
		at[key] = len(all)
		all = append(all, []nginxconf.Log{log})
	}
	return all
}

// source is the source that follows a log, which several access_logs may write; or why
// there is none.
func source(logs []nginxconf.Log, found *nginxconf.Found, o Options) (s Source, why string) {
	s.Path = filepath.Clean(nginxconf.Glob(logs[0].Path))
	s.dated = true
	for _, log := range logs {
		if why := unfit(log, o.Files); why != "" {
			return s, why
		}
		if why := unnamed(log, found); why != "" {
			return s, why
		}
		for _, name := range nginxconf.VariablesOf(log.Path) {
			s.glob, s.dated = true, s.dated && found.Kind(name) == nginxconf.Dated
		}
	}
	if logs, why = written(logs); why != "" {
		return s, why
	}
	for _, log := range logs {
		if log.Gzip {
			return s, "nginx compresses it (gzip), and tailflux follows plain logs: take the parameter out, or read it with tailflux import"
		}
		for _, server := range log.Servers {
			if !slices.Contains(s.Servers, server) {
				s.Servers = append(s.Servers, server)
			}
		}
		s.At = append(s.At, log.At)
	}
	if why := s.choose(logs, o); why != "" {
		return s, why
	}
	s.remark(logs)
	return s, ""
}

// unfit says why a log is no file that can be followed.
func unfit(log nginxconf.Log, files fs.FS) string {
	const output = "it goes to standard output, which no file keeps: let nginx write a file, or follow the log of the container's runtime, with docker or cri before the format"
	switch {
	case strings.HasPrefix(log.Target, "syslog:"):
		return "it goes to syslog: follow the file that syslog writes, with syslog before the format"
	case !log.IsFile():
		return "it goes to a program: follow the file that this writes"
	case standardOutput(log.Path):
		return output
	case strings.HasPrefix(log.Path, "/dev/"):
		return "it is a device, and no file"
	case files == nil || len(nginxconf.VariablesOf(log.Path)) > 0:
		return ""
	}
	name := strings.TrimPrefix(log.Path, "/")
	if target, err := fs.ReadLink(files, name); err == nil && standardOutput(target) {
		return output + " (there is a link to " + target + ")"
	}
	switch info, err := fs.Stat(files, name); {
	case err != nil || info.Mode().IsRegular():
		return "" // nginx makes it
	case info.IsDir():
		return "there is a directory"
	case info.Mode()&fs.ModeNamedPipe != 0:
		return "it is a pipe, and no file: what tailflux read from it, its reader would not get"
	}
	return "it is no file"
}

func standardOutput(path string) bool {
	return slices.Contains([]string{"/dev/stdout", "/dev/stderr", "/dev/console", "/dev/tty"}, path) ||
		strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/")
}

// unnamed says why the path of a log cannot be told, nor a glob that has its files and
// no other.
func unnamed(log nginxconf.Log, found *nginxconf.Found) string {
	switch {
	case !strings.HasPrefix(log.Path, "/"):
		return "it is relative to the prefix of nginx, which is not known here: run tailflux init where nginx is, or { nginx -V; nginx -T; } 2>&1 there, and tailflux init - here"
	case strings.ContainsAny(log.Path, `*?[\`):
		return `its name has a *, ?, [ or \, which would be a wildcard here`
	case strings.ContainsFunc(log.Path, func(r rune) bool { return r == '\uFFFD' || !unicode.IsPrint(r) }):
		return "its name has characters that a configuration cannot have"
	}
	glob := filepath.Clean(nginxconf.Glob(log.Path))
	wide := strings.HasSuffix(glob, "*")
	for _, name := range nginxconf.VariablesOf(log.Path) {
		if found.Kind(name) == nginxconf.Any {
			why := fmt.Sprintf("its name has $%s in it, which a client may choose, or which has slashes, so that nobody can tell which files there will be", name)
			if !wide {
				why += "; if you want them all, add a source with path: " + glob
			}
			return why
		}
		if wide {
			return fmt.Sprintf("its name ends with a variable, and %s would match rotated and compressed files too; write the variable further to the front", glob)
		}
	}
	return ""
}

// written are those access_logs of a file that requests reach.
func written(logs []nginxconf.Log) (used []nginxconf.Log, why string) {
	why = "no request reaches it: each server has an access_log of its own, which replaces it"
	for _, log := range logs {
		switch {
		case log.Used && !log.Beside:
			used = append(used, log)
		case log.Beside:
			why = "access_log off stands in the same block, and wins"
		}
	}
	if len(used) > 0 {
		why = ""
	}
	return used, why
}

// remark notes what is odd about a source.
func (s *Source) remark(logs []nginxconf.Log) {
	note := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(s.Notes, text) {
			s.Notes = append(s.Notes, text)
		}
	}
	all := slices.ContainsFunc(logs, func(log nginxconf.Log) bool { return log.If == "" })
	for _, log := range logs {
		if log.If != "" && !all {
			note("only requests for which %s is neither empty nor 0 (if=)", log.If)
		}
		switch {
		case log.Buffer == "":
		case log.Flush == "":
			note("buffer=%s: nginx writes lines when that is full, which may be late; flush=1s would mend that", log.Buffer)
		default:
			note("buffer=%s: lines come up to %s late", log.Buffer, log.Flush)
		}
		if log.Stream {
			note("connections of stream { }, not requests")
		}
		if log.Format.Bare {
			note("words of log_format %s have no quotes, so nginx writes no blank between them", log.Format.Name)
		}
	}
	switch {
	case s.glob && s.dated:
		note("nginx has the time in the path: all days are one source")
	case s.glob:
		note("nginx has variables in the path: each file is a source, also one that comes later")
	}
}

// some are the first of a list.
func some(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}
