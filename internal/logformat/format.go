package logformat

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/tailflux/tailflux/internal/logformat/scan"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// A Format is a compiled log format. It never changes and may be used by many
// goroutines; the matchers it makes may not.
type Format struct {
	names  []string
	escape escaping
	groups []int          // the regexp's number of each named group
	re     *regexp.Regexp // nil when json is not
	byHand bool           // re is the operator's own, not made of a log_format
	prog   *scan.Program  // nil when re cannot be compiled to a scanner
	why    string         // why not
	guard  func() *guard  // of re; it is made when it is first asked for
	json   map[string]*key

	wrapper  *wrapper // the lines are in lines of this; may be nil
	units    map[string]int
	mark     []byte  // of JSON: a part of each line that is a request; may be empty
	likely   *Format // for what values nearly always are; may be nil
	kin      *Format // for lines as Apache writes them; may be nil
	touching []touch
	dialect  nginxvar.Dialect
	warnings []string          // of a log_format
	standIns map[string]string // of a log_format
	labels   map[string]string // of a log_format
	written  []string          // of a log_format or regexp
}

// CompileFormat compiles the name of a preset (see Presets) or an nginx
// log_format: the bare string, the quoted pieces as they stand in nginx.conf
// with or without escape=default, json or none before them, or the whole
// log_format statement. Without escape= it is default, as in nginx.
//
// A variable that occurs twice is captured where it occurs first. The error is
// for the operator: it names the piece, its column in format, and a remedy.
func CompileFormat(format string) (*Format, error) {
	return CompileFormatIn(nginxvar.Dialect{}, format)
}

// CompileFormatIn is CompileFormat in a dialect: variables have its types, and the
// names that it gives them.
//
// The name of a wrapper may stand before the format, as in "docker combined": docker,
// cri or syslog. Its own part of each line is then left out.
//
// more are the names that JSON is searched for besides, as in CompileJSONIn; other formats
// have the names that they have.
func CompileFormatIn(d nginxvar.Dialect, format string, more ...string) (*Format, error) {
	w, format := cutWrapper(format)
	f, err := compileUnwrapped(d, format, more)
	if err != nil {
		return nil, err
	}
	f.wrapper, f.units = w, units[strings.TrimSpace(format)]
	return f, nil
}

func compileUnwrapped(d nginxvar.Dialect, format string, more []string) (*Format, error) {
	name := strings.TrimSpace(format)
	if name == jsonPreset {
		return CompileJSONIn(d, more...), nil
	}
	if of, ok := objects[name]; ok {
		rename := maps.Clone(of.rename)
		maps.Copy(rename, d.Rename)
		f := CompileJSONIn(nginxvar.Dialect{Types: d.Types, Rename: rename}, more...)
		f.mark = []byte(of.mark)
		return f, nil
	}
	if expr, ok := expressions[name]; ok {
		f, err := CompileRegexpIn(d, expr)
		if err == nil {
			f.byHand = false // nobody can change it
		}
		return f, err
	}
	preset, named := presets[name]
	if named {
		format = preset
	}
	t, err := parseTemplate(d, format)
	if err != nil {
		return nil, err
	}
	t.stand = t.standIns()
	f, err := compile(t.regexp())
	if err != nil {
		return nil, err
	}
	f.escape, f.dialect, f.standIns, f.touching, f.labels, f.written = t.source.escape, d, t.stand, t.touching, t.labels(), t.written
	if !named { // nobody can change a preset
		f.warnings = t.warnings()
	}
	if t.likely = t.unsure(); t.likely {
		if f.likely, err = compile(t.regexp()); err != nil {
			return nil, err
		}
		t.likely = false
	}
	if t.kin = f.escape == escapeDefault; t.kin {
		f.kin, err = compile(t.regexp())
	}
	return f, err
}

// CompileRegexp compiles a regular expression in RE2 syntax whose named groups
// are nginx variables. Unnamed groups and groups named "_" are ignored; a name
// used twice, or none at all, is refused. As ever with regexp, expr matches
// anywhere in a line unless it begins with "^". The error is for the operator:
// it names the piece, its column in expr, and a remedy.
func CompileRegexp(expr string) (*Format, error) {
	return CompileRegexpIn(nginxvar.Dialect{}, expr)
}

// CompileRegexpIn is CompileRegexp in a dialect: groups have the names that it gives
// them.
func CompileRegexpIn(d nginxvar.Dialect, expr string) (*Format, error) {
	groups := findGroups(expr)
	seen := make(map[string]int)
	for _, g := range groups {
		if first, ok := seen[g.name]; ok && g.name != ignored {
			return nil, fmt.Errorf("%s: the group %q is already defined at %s; rename one of them, or call it _ to ignore it",
				where(expr, g.at), g.name, where(expr, first))
		}
		seen[g.name] = g.at
	}
	delete(seen, ignored)
	plain := dropIgnored(expr, groups)
	if _, err := syntax.Parse(plain, syntax.Perl); err != nil {
		return nil, explain(expr, err)
	}
	if len(seen) == 0 {
		return nil, errors.New("no named group: write (?P<status>…) around each value that is wanted, with the name of an nginx variable")
	}
	f, err := compile(plain)
	if err != nil {
		return nil, err
	}
	f.byHand, f.dialect, f.written = true, d, slices.Clone(f.names)
	for i, name := range f.names {
		f.names[i] = d.Name(name)
		if slices.Contains(f.names[:i], f.names[i]) || f.names[i] != name && seen[f.names[i]] > 0 {
			return nil, fmt.Errorf("the group %q is called %s by rename, and another group is so too; leave one of them out", name, f.names[i])
		}
	}
	return f, nil
}

// compile makes a Format of an expression without ignored groups.
func compile(expr string) (*Format, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, explain(expr, err)
	}
	f := &Format{re: re}
	for group, name := range re.SubexpNames() {
		if name != "" && name != ignored {
			f.names = append(f.names, name)
			f.groups = append(f.groups, group)
		}
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, explain(expr, err)
	}
	if f.prog, err = scan.Compile(tree, f.groups); err != nil {
		f.why = err.Error()
	}
	f.guard = sync.OnceValue(func() *guard { return newGuard(tree) })
	return f, nil
}

// Names are the variables that are captured, in the order of the captures. The
// slice is the caller's.
func (f *Format) Names() []string { return append([]string(nil), f.names...) }

// Regexp is the regular expression that defines what the format matches. It
// compiles with the standard library. For JSON it is "".
func (f *Format) Regexp() string {
	if f.json != nil {
		return ""
	}
	return f.re.String()
}

// Kind is "scanner", or "regexp" when every line goes through the standard
// library, or "json".
func (f *Format) Kind() string {
	switch {
	case f.json != nil:
		return "json"
	case f.prog != nil:
		return "scanner"
	}
	return "regexp"
}

// Escape is how the captures are escaped: "default" (\xHH), "apache" (that, or as
// Apache does, of which nginx writes nothing), "json", or "none" when there is nothing
// to decode, either because nothing was escaped or, with the preset json, because Match
// has decoded it. A regular expression says nothing about it; then it is nginx's default.
func (f *Format) Escape() string {
	switch {
	case f.json != nil:
		return escapeNone.String()
	case f.kin != nil:
		return "apache"
	}
	return f.escape.String()
}

// StandIns are the variables of the operator's own that stand for $request,
// $request_method, $request_uri or $server_protocol, by these names.
func (f *Format) StandIns() map[string]string { return f.standIns }

// Own are the variables of the operator's own, several that touch left out, and what a
// log_format writes before them: "uri" in uri="$u".
func (f *Format) Own() (names []string, labels map[string]string) {
	for _, name := range f.names {
		if !nginxvar.Known(name) && !slices.ContainsFunc(f.touching, func(run touch) bool { return run.joined == name }) {
			names = append(names, name)
		}
	}
	return names, f.labels
}

// Written are the variables and groups as the format has them, without a rename.
func (f *Format) Written() []string { return f.written }

// Why says, when Kind is "regexp", which piece of the expression could not be
// compiled to a scanner. Otherwise it is "".
func (f *Format) Why() string { return f.why }

// NewMatcher makes a matcher. Each goroutine needs its own.
func (f *Format) NewMatcher() *Matcher {
	m := f.NewSlowMatcher()
	m.scanWith(f.prog)
	m.guard = f.guard
	if m.object != nil {
		m.object.skeletons = newSkeletons()
	}
	if m.kin != nil {
		m.kin.scanWith(f.kin.prog)
		m.kin.guard = f.kin.guard
	}
	if m.likely != nil {
		m.likely.scanWith(f.likely.prog)
		m.likely.guard = f.likely.guard
	}
	return m
}

// scanWith makes the matcher ask a program first, if there is one.
func (m *Matcher) scanWith(p *scan.Program) {
	if m.prog = p; p != nil {
		m.scratch = p.NewScratch()
	}
}

// newBareMatcher makes a matcher that looks for no lines in lines.
func (f *Format) newBareMatcher() *Matcher {
	m := f.NewMatcher()
	m.bare = true
	return m
}

// NewSlowMatcher makes a matcher that asks the standard library about every
// line, or for JSON the parser. It exists to be compared with the one that NewMatcher
// makes.
func (f *Format) NewSlowMatcher() *Matcher {
	m := &Matcher{
		format:   f,
		captures: make([][]byte, len(f.names)),
		special:  f.wrapper != nil || f.units != nil,
	}
	if f.json != nil {
		m.object = newObject(f.json, m.captures)
	}
	if f.kin != nil {
		m.kin = f.kin.NewSlowMatcher()
		m.kin.bare = true
	}
	if f.likely != nil {
		m.likely = f.likely.NewSlowMatcher()
		m.likely.bare = true
	}
	return m
}
