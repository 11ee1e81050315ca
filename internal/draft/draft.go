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
	"github.com/tailflux/tailflux/internal/logfile"
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

	glob     bool
	dated    bool              // its wildcards are a date
	unwanted []nginxconf.Place // of logs that are left out, and whose files its path matches
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
	all := groups(found)
	for _, g := range all {
		d.follow(g, found, o)
	}
	for _, g := range all {
		d.leaveRest(g, found, o)
	}
	for i := range d.Sources {
		d.Sources[i].warn()
	}
	if len(off) > 0 {
		d.Left = append(d.Left, Left{"access_log off", "nginx logs nothing there: " + some(off, 6)})
	}
	name(d.Sources)
	d.Text = d.render(found, o)
	return d
}

// A group is the logs of one path.
type group struct {
	logs   []nginxconf.Log
	fit    []nginxconf.Log // those that a source can follow
	others []nginxconf.Log
	why    string // there is no source for those that fit; or ""
}

// groups are the logs, those of one file together.
func groups(found *nginxconf.Found) (all []*group) {
	at := map[string]*group{}
	for _, log := range found.Logs {
		if log.Off {
			continue
		}
		key := log.Target
		if log.IsFile() {
			key = globOf(log)
		}
		if at[key] == nil {
			at[key] = &group{}
			all = append(all, at[key])
		}
		at[key].logs = append(at[key].logs, log)
	}
	return all
}

// globOf matches the files of a log.
func globOf(log nginxconf.Log) string { return filepath.Clean(nginxconf.Glob(log.Path)) }

// follow adds the source that follows the logs of one path, if there is one. A log that
// cannot be followed is left out by itself: another one with the same wildcard is of other
// files.
func (d *Draft) follow(g *group, found *nginxconf.Found, o Options) {
	for _, log := range g.logs {
		if unfollowed(log, g, "", found, o) == "" {
			g.fit = append(g.fit, log)
		} else {
			g.others = append(g.others, log)
		}
	}
	if len(g.fit) == 0 {
		return
	}
	var s Source
	if s, g.why = source(g.fit, found, o); g.why == "" {
		d.add(s)
	}
}

// add puts a source before those whose globs match its files too: of two globs, the first
// one has what both match.
func (d *Draft) add(s Source) {
	at := slices.IndexFunc(d.Sources, func(wide Source) bool { return wide.matches(s.Path) && !s.matches(wide.Path) })
	if at < 0 {
		at = len(d.Sources)
	}
	d.Sources = slices.Insert(d.Sources, at, s)
}

// matches reports whether the glob of a source matches a path, or all that a glob matches.
func (s *Source) matches(path string) bool {
	return s.glob && logfile.CompilePattern(s.Path).Matches(path)
}

// unfollowed says why a log cannot be followed; followed is the path of a source that has
// its files nevertheless, or "".
func unfollowed(log nginxconf.Log, g *group, followed string, found *nginxconf.Found, o Options) string {
	return cmp.Or(unfit(log, o.Files), unnamed(log, found, followed), packed(log, g.logs))
}

// leaveRest leaves out the logs of a path that are not followed.
func (d *Draft) leaveRest(g *group, found *nginxconf.Found, o Options) {
	if g.why != "" {
		d.leave(g.fit[:1], g.why)
		for _, log := range g.fit {
			d.matched(log)
		}
	}
	var whys []string
	alike := map[string][]nginxconf.Log{}
	for _, log := range g.others {
		why := unfollowed(log, g, d.matched(log), found, o)
		if alike[why] == nil {
			whys = append(whys, why)
		}
		alike[why] = append(alike[why], log)
	}
	for _, why := range whys {
		d.leave(alike[why], why)
	}
}

// matched is the path of the source that has the files of a log that is left out, which is
// noted there; or "".
func (d *Draft) matched(log nginxconf.Log) string {
	if !log.IsFile() {
		return ""
	}
	for i := range d.Sources {
		if s := &d.Sources[i]; s.matches(globOf(log)) {
			if log.Used && !log.Beside {
				s.unwanted = append(s.unwanted, log.At)
			}
			return s.Path
		}
	}
	return ""
}

// source is the source that follows a log, which several access_logs may write; or why
// there is none.
func source(logs []nginxconf.Log, found *nginxconf.Found, o Options) (s Source, why string) {
	s.Path = globOf(logs[0])
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
func (s *Source) warn() {
	if len(s.unwanted) == 0 {
		return
	}
	are := "is"
	if len(s.unwanted) > 1 {
		are = "are"
	}
	s.Notes = append(s.Notes, fmt.Sprintf("this path matches the files of %s too, which %s left out below: if they are not "+
		"wanted, name them in exclude, or write a source for each file of this one", some(places(s.unwanted), 4), are))
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
		switch {
		case !log.Stream:
		case slices.ContainsFunc(logs, func(log nginxconf.Log) bool { return !log.Stream }):
			note("connections of stream { } are among the requests")
		default:
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
