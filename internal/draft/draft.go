package draft

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

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
		d.follow(group, found, o)
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

// follow adds the source that follows the logs of one path, if there is one. A log that
// cannot be followed is left out by itself: another one with the same wildcard is of other
// files.
func (d *Draft) follow(group []nginxconf.Log, found *nginxconf.Found, o Options) {
	unfollowed := func(log nginxconf.Log, glob string) string {
		return cmp.Or(unfit(log, o.Files), unnamed(log, found, glob), packed(log, group))
	}
	var fit, others []nginxconf.Log
	for _, log := range group {
		if unfollowed(log, "") == "" {
			fit = append(fit, log)
		} else {
			others = append(others, log)
		}
	}
	var followed string
	if len(fit) > 0 {
		s, why := source(fit, found, o)
		if why != "" {
			d.leave(fit[:1], why)
		} else {
			followed = s.Path
			s.warn(others)
			d.Sources = append(d.Sources, s)
		}
	}
	for len(others) > 0 {
		var alike, rest []nginxconf.Log
		why := unfollowed(others[0], followed)
		for _, log := range others {
			if unfollowed(log, followed) == why {
				alike = append(alike, log)
			} else {
				rest = append(rest, log)
			}
		}
		d.leave(alike, why)
		others = rest
	}
}

// source is the source that follows a log, which several access_logs may write; or why
// there is none.
func source(logs []nginxconf.Log, found *nginxconf.Found, o Options) (s Source, why string) {
	s.Path = filepath.Clean(nginxconf.Glob(logs[0].Path))
	s.dated = true
	for _, log := range logs {
		for _, name := range nginxconf.VariablesOf(log.Path) {
			s.glob, s.dated = true, s.dated && found.Kind(name) == nginxconf.Dated
		}
	}
	if logs, why = written(logs); why != "" {
		return s, why
	}
	for _, log := range logs {
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

// warn notes that the path of a source matches files of logs that were left out.
func (s *Source) warn(others []nginxconf.Log) {
	var at []nginxconf.Place
	for _, log := range others {
		if log.Used && !log.Beside {
			at = append(at, log.At)
		}
	}
	if len(at) == 0 {
		return
	}
	s.Notes = append(s.Notes, fmt.Sprintf("this path matches the files of %s too, which is left out below: if they are not "+
		"wanted, write a source for each file of this one", some(places(at), 4)))
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
