package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Flags adds a flag for every key to flags. [Load] reads those that were given;
// when one is given twice, the last one counts.
func Flags(flags *pflag.FlagSet) {
	c, s := Default(), defaultSource()
	addFlags(flags, settings, &c)
	addFlags(flags, sourceSettings, &s)
}

func addFlags[T any](flags *pflag.FlagSet, rows []setting[T], standard *T) {
	for _, row := range rows {
		if row.deep {
			continue
		}
		f := flags.VarPF(&flagValue{kind: row.kind, text: row.get(standard).flat()}, flagName(row.key), "", row.help)
		if row.kind == "bool" {
			f.NoOptDefVal = "true"
		}
	}
}

// flagValue keeps what was given, to be judged together with everything else.
type flagValue struct{ kind, text string }

func (v *flagValue) String() string     { return v.text }
func (v *flagValue) Type() string       { return v.kind }
func (v *flagValue) Set(s string) error { v.text = s; return nil }

// Options say where a configuration comes from.
type Options struct {
	File   string                      // "" is [DefaultFile] if that exists, and else none
	NoFile bool                        // not even [DefaultFile]
	Flags  *pflag.FlagSet              // those of [Flags], parsed; may be nil
	Env    func(string) (string, bool) // [os.LookupEnv] or a stand-in for it; may be nil

	// Check judges the format or regexp of a source of a configuration, all of which is
	// read and some of which may be wrong. Its error names what would be accepted. It
	// may be nil.
	Check func(*Config, Source) error

	// Files reads the files that a configuration names, which may be wrong otherwise, so
	// that those that cannot be used are reported with everything else. Its error is that
	// of [Config.Access], of [Config.HTTPToken], or both. It may be nil: nothing is read.
	Files func(*Config) error

	// NeedSource makes it a mistake when there is no source, or one without a
	// path. A flag or variable of a source (path, format, ...) then describes
	// one source that replaces those of the file.
	//
	// Without it, what they say of a source is returned apart, as it was given,
	// and the sources of the file stay. They are dropped when a path, a format or
	// a regexp is among it: that is another log than theirs.
	NeedSource bool

	// Asks is set by a command that listens nowhere itself: it asks who listens. That others
	// can reach the address is no mistake of it then.
	Asks bool
}

// Load returns the defaults, overridden by the file, by variables and by flags;
// and, unless there must be a source, the one that flags and variables describe:
// what they do not say of it is empty, its name and format too.
//
// The error joins every mistake found, each a line of its own. Only when the
// file cannot be read as YAML is nothing more than that said about it.
func Load(o Options) (c *Config, described Source, err error) {
	var data []byte
	var file string
	if !o.NoFile {
		data, file, err = read(o.File, DefaultFile)
	}
	l := loader{config: Default(), name: file, at: map[string]position{}, needSource: o.NeedSource, asks: o.Asks}
	if err != nil {
		l.other = append(l.other, fmt.Errorf("read the configuration: %w", err))
		l.blind = true
	} else {
		l.file(data)
	}
	l.overrides(o.Flags, o.Env)
	l.finish(o.Check, o.Files)
	if err := l.err(); err != nil {
		return nil, Source{}, err
	}
	if l.described != nil {
		described = l.described.Source
	}
	return &l.config, described, nil
}

// Parse returns the configuration of a text as [Config.Print] writes it. check is as in
// [Options].
func Parse(text []byte, check func(*Config, Source) error) (*Config, error) {
	l := loader{config: Default(), name: "configuration", at: map[string]position{}, needSource: true}
	l.file(text)
	l.finish(check, nil)
	if err := l.err(); err != nil {
		return nil, err
	}
	return &l.config, nil
}

// read returns what is in the file, and the file that was read: the standard
// one, if it exists, when none was asked for.
func read(file, standard string) ([]byte, string, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		return data, file, err
	}
	data, err := os.ReadFile(standard)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	return data, standard, err
}

// A loader puts the layers on top of each other and remembers who gave what.
type loader struct {
	config   Config
	name     string              // of the file, if there is one
	at       map[string]position // of each key given, and of each item: "tags[1]"
	sources  []located
	blind    bool // the sources of the file are not known: do not ask for one
	problems []problem
	other    []error

	needSource bool
	asks       bool
	described  *located // by flags and variables, unless needSource
}

// located is a source and where each of its keys was given; "" is the source.
type located struct {
	Source
	shown string // "sources[2]"
	at    map[string]position
}

func (l *loader) file(data []byte) {
	root, err := parseYAML(l.name, data)
	if p, ok := errors.AsType[problem](err); ok {
		l.problems = append(l.problems, p)
		l.blind = true
		return
	}
	walk(l, root, "", taking[Config]{rows: settings, to: &l.config, at: l.at, special: func(key, val value) bool {
		if key.text == "sources" {
			l.at["sources"] = val.at
			l.list(val)
		}
		return key.text == "sources"
	}})
}

// list takes the list of sources.
func (l *loader) list(v value) {
	if v.shape != yamlSequence && v.shape != yamlNull {
		l.blind = true
		l.fail(v.at, "sources", v.got(), `a list: one "- path: FILE" for each source`)
		return
	}
	for i, item := range v.items {
		shown := fmt.Sprintf("sources[%d]", i)
		if item.shape != yamlMapping {
			l.blind = true
			l.fail(item.at, shown, item.got(), `the keys of a source, such as "path: FILE"`)
			continue
		}
		s := located{shown: shown, at: map[string]position{"": item.at}}
		walk(l, item, "", taking[Source]{shown: shown + ".", rows: sourceSettings, to: &s.Source, at: s.at})
		l.sources = append(l.sources, s)
	}
}

// taking is how the entries of a mapping are taken.
type taking[T any] struct {
	shown   string // stands before a key in messages
	rows    []setting[T]
	to      *T
	at      map[string]position       // of the keys that were taken
	special func(key, val value) bool // takes a key that is not in the table; nil: there is none
}

// walk takes the entries of a mapping. Their keys in the table begin with prefix.
func walk[T any](l *loader, v value, prefix string, t taking[T]) {
	seen := map[string]position{}
	for _, e := range v.entries {
		if e.key.shape == unsupported {
			l.fail(e.key.at, strings.TrimSuffix(t.shown+prefix, "."), e.key.text, "a plain key")
			continue
		}
		key := prefix + e.key.text
		if first, twice := seen[key]; twice {
			l.fail(e.key.at, t.shown+key, "it again, first at "+first.String(), "it once")
			continue
		}
		seen[key] = e.key.at
		if strings.Contains(e.key.text, ".") {
			l.fail(e.key.at, t.shown+key, "a key with a dot", "the part after the dot on a line of its own, indented")
			continue
		}
		switch row, section := find(t.rows, key); {
		case row != nil:
			apply(l, *row, t.shown, e.val, t.to, t.at)
		case section && (e.val.shape == yamlMapping || e.val.shape == yamlNull):
			below := t
			below.special = nil
			walk(l, e.val, key+".", below)
		case section:
			l.fail(e.val.at, t.shown+key, e.val.got(), "a mapping with the keys "+keysOf(t.rows, key+"."))
		case t.special == nil || !t.special(e.key, e.val):
			l.unknown(e.key.at, t.shown, prefix, e.key.text)
		}
	}
}

// find returns the row of key, or whether rows have keys below it.
func find[T any](rows []setting[T], key string) (row *setting[T], section bool) {
	for i := range rows {
		if rows[i].key == key {
			return &rows[i], false
		}
		section = section || strings.HasPrefix(rows[i].key, key+".")
	}
	return nil, section
}

// apply puts one value into target.
func apply[T any](l *loader, row setting[T], shown string, v value, target *T, at map[string]position) {
	at[row.key] = v.at
	for i, item := range v.items {
		at[fmt.Sprintf("%s[%d]", row.key, i)] = item.at
	}
	for _, f := range row.set(target, v) {
		l.fail(f.at, shown+row.key+f.item, f.got, f.want)
	}
}

// overrides takes the variables and flags.
func (l *loader) overrides(flags *pflag.FlagSet, env func(string) (string, bool)) {
	override(l, settings, flags, env, &l.config, l.at)
	one := located{shown: "sources[0]", at: map[string]position{}}
	switch {
	case !override(l, sourceSettings, flags, env, &one.Source, one.at):
	case l.needSource:
		l.sources = []located{one}
	default:
		l.described = &one
		if one.Path != "" || one.Format != "" || one.Regexp != "" {
			l.sources = nil
		}
	}
}

// override reports whether any of rows was given.
func override[T any](l *loader, rows []setting[T], flags *pflag.FlagSet, env func(string) (string, bool), target *T, at map[string]position) bool {
	given := false
	take := func(row setting[T], name, text string) {
		given = true
		v := value{at: position{name: name}, shape: untyped, text: text}
		if row.list {
			v = split(v)
		}
		apply(l, row, "", v, target, at)
		at[""] = v.at
	}
	for _, row := range rows {
		if row.deep {
			continue
		}
		if env != nil {
			if text, ok := env(variable(row.key)); ok {
				take(row, variable(row.key), text)
			}
		}
		if flags == nil {
			continue
		}
		if f := flags.Lookup(flagName(row.key)); f != nil && f.Changed {
			take(row, "--"+f.Name, f.Value.String())
		}
	}
	return given
}

// split makes a list of what is separated by commas.
func split(v value) value {
	all := value{at: v.at, shape: yamlSequence}
	if v.text == "" {
		return all
	}
	for item := range strings.SplitSeq(v.text, ",") {
		all.items = append(all.items, value{at: v.at, shape: untyped, text: strings.TrimSpace(item)})
	}
	return all
}
