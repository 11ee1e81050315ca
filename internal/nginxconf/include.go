package nginxconf

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A tree is a configuration in several files.
type tree struct {
	main string // relative includes are looked for beside it
	read func(path string) (string, error)
	list func(pattern string) ([]string, error)

	parsed   map[string][]statement // of files that were read
	troubles []string
	includes int
}

// mostIncludes is where the reading of includes ends: each of a few files that all
// include each other is read once for every order of them.
const mostIncludes = 20_000

// inFiles is the configuration whose main file that is, of a file system from its root.
func inFiles(fsys fs.FS, main string) *tree {
	return &tree{
		main: main,
		read: func(path string) (string, error) {
			text, err := fs.ReadFile(fsys, strings.TrimPrefix(path, "/"))
			if broken, ok := errors.AsType[*fs.PathError](err); ok {
				err = &fs.PathError{Op: broken.Op, Path: path, Err: broken.Err}
			}
			return string(text), err
		},
		list: func(pattern string) (all []string, err error) {
			names, err := fs.Glob(fsys, strings.TrimPrefix(bangs(pattern), "/"))
			for _, name := range names {
				if path := "/" + name; !hidden(pattern, path) {
					all = append(all, path)
				}
			}
			slices.Sort(all)
			return all, err
		},
	}
}

// inDump is the configuration of a dump of nginx -T.
func inDump(d dump) *tree {
	return &tree{
		main: d.main,
		read: func(path string) (string, error) {
			if text, ok := d.files[path]; ok {
				return text, nil
			}
			return "", &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not in the dump")}
		},
		list: func(pattern string) (all []string, err error) {
			for path := range d.files {
				match, err := filepath.Match(bangs(pattern), path)
				if err != nil {
					return nil, err
				}
				if match && !hidden(pattern, path) {
					all = append(all, path)
				}
			}
			slices.Sort(all)
			return all, nil
		},
	}
}

// bangs writes [!a] as Go does, [^a].
func bangs(pattern string) string { return strings.ReplaceAll(pattern, "[!", "[^") }

// hidden reports whether a wildcard of the pattern stands for the dot that a name
// begins with, such as that of an editor's .site.conf.swp: nginx reads no such file.
func hidden(pattern, path string) bool {
	names, patterns := strings.Split(path, "/"), strings.Split(pattern, "/")
	for i := range min(len(names), len(patterns)) {
		if strings.HasPrefix(names[i], ".") && !strings.HasPrefix(patterns[i], ".") {
			return true
		}
	}
	return false
}

// statements reads the whole configuration, with what is included in its place.
func (t *tree) statements() ([]statement, error) {
	t.parsed = map[string][]statement{}
	if err := t.parse(t.main); err != nil {
		return nil, err
	}
	return t.expand(t.parsed[t.main], []string{t.main})
}

// parse reads the statements of a file, once.
func (t *tree) parse(path string) error {
	if _, ok := t.parsed[path]; ok {
		return nil
	}
	text, err := t.read(path)
	if err == nil {
		t.parsed[path], err = parse(path, text)
	}
	return err
}

// expand puts what is included into the place of its include.
func (t *tree) expand(all []statement, around []string) (expanded []statement, err error) {
	for _, s := range all {
		if s.name != "include" || len(s.args) != 1 {
			if s.block != nil {
				if s.block, err = t.expand(s.block, around); err != nil {
					return nil, err
				}
			}
			expanded = append(expanded, s)
			continue
		}
		more, err := t.include(s, around)
		if err != nil {
			return nil, err
		}
		expanded = append(expanded, more...)
	}
	return expanded, nil
}

func (t *tree) include(s statement, around []string) (all []statement, err error) {
	pattern := s.arg(0)
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(filepath.Dir(t.main), pattern)
	}
	paths := []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		if paths, err = t.list(pattern); err != nil {
			t.trouble("%s: include %s: %v", s.at, s.arg(0), err)
			return nil, nil
		}
	}
	for _, path := range paths {
		if slices.Contains(around, path) {
			t.trouble("%s: include %s: it includes %s again, which led there; nginx does not start like that", s.at, s.arg(0), path)
			continue
		}
		if t.includes++; t.includes > mostIncludes {
			t.trouble("there are more than %d includes: the rest was not read", mostIncludes)
			continue
		}
		if err := t.parse(path); err != nil {
			if _, unread := errors.AsType[*fs.PathError](err); !unread {
				return nil, err
			}
			t.unread(s, path, err)
			continue
		}
		more, err := t.expand(t.parsed[path], append(slices.Clip(around), path))
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// unread says that an include is missing.
func (t *tree) unread(s statement, path string, err error) {
	remedy := ""
	if errors.Is(err, fs.ErrPermission) {
		remedy = "; run it as root"
	}
	if broken, ok := errors.AsType[*fs.PathError](err); ok {
		err = broken.Err
	}
	t.trouble("%s: %s is included and cannot be read: %v; logs that it names are missing here%s", s.at, path, err, remedy)
}

// trouble keeps what is said, once.
func (t *tree) trouble(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(t.troubles, text) {
		t.troubles = append(t.troubles, text)
	}
}
