package logrotate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Read returns the rules of a configuration. The error joins what could not be read: a
// file that only root may read keeps its rules to itself, and the others are returned.
func Read(conf string) ([]Rule, error) {
	r := reader{}
	r.file(conf)
	return r.rules, errors.Join(r.errs...)
}

type reader struct {
	global Rule // what is said outside the braces, and is for the rules after it
	rules  []Rule
	errs   []error
	open   []string // files, each included by the one before it
}

func (r *reader) file(name string) {
	if slices.Contains(r.open, name) {
		return
	}
	text, err := os.ReadFile(name)
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("logrotate's rules: %w", err))
		return
	}
	r.open = append(r.open, name)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	r.read(name, text)
}

// read takes the lines of a file. Paths may stand on several lines before the brace.
func (r *reader) read(name string, text []byte) {
	in := bufio.NewScanner(bytes.NewReader(text))
	var paths []string
	var rule *Rule
	script := false
	for number := 1; in.Scan(); number++ {
		line := strings.TrimSpace(in.Text())
		switch {
		case script:
			script = line != "endscript"
			continue
		case line == "" || line[0] == '#':
			continue
		}
		if rule == nil && isPath(line) {
			before, after, opens := strings.Cut(line, "{")
			paths = append(paths, words(before)...)
			if !opens {
				continue
			}
			is := r.global
			is.File, is.Line, is.Patterns = name, number, paths
			rule, paths = &is, nil
			if line = strings.TrimSpace(after); line == "" {
				continue
			}
		}
		line, closes := strings.CutSuffix(line, "}")
		if rule == nil {
			r.say(&r.global, name, line)
		} else {
			script = r.say(rule, name, line)
		}
		if closes && rule != nil {
			r.rules = append(r.rules, *rule)
			rule = nil
		}
	}
}

// isPath reports whether a line outside the braces begins a rule.
func isPath(line string) bool { return strings.ContainsRune(`/"'~{*`, rune(line[0])) }

// words cuts a line at blanks, but for those between quotes or behind a backslash.
func words(line string) (all []string) {
	var word strings.Builder
	quote, begun := byte(0), false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			begun = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, begun = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if begun {
				all = append(all, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if begun {
		all = append(all, word.String())
	}
	return all
}

// say takes one directive, and reports whether a script begins.
func (r *reader) say(rule *Rule, file, line string) (script bool) {
	key, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	if name, value, ok := strings.Cut(key, "="); ok { // size=1M
		key, rest = name, value+rest
	}
	args := words(strings.TrimPrefix(strings.TrimSpace(rest), "="))
	first := ""
	if len(args) > 0 {
		first = args[0]
	}
	number := func() int {
		n, _ := strconv.Atoi(first) // logrotate refuses what is not a number
		return n
	}
	switch key {
	case "include":
		r.include(file, first)
	case "hourly", "daily", "weekly", "monthly", "yearly", "size":
		rule.Every = key
	case "rotate":
		rule.Rotate = number()
	case "maxage":
		rule.MaxAge = number()
	case "create":
		rule.Create = creation(args)
	case "nocreate":
		rule.Create = nil
	case "copy", "nocopy":
		rule.Copy = key == "copy"
	case "copytruncate", "nocopytruncate":
		rule.CopyTruncate = key == "copytruncate"
	case "compress", "nocompress":
		rule.Compress = key == "compress"
	case "delaycompress", "nodelaycompress":
		rule.Delay = key == "delaycompress"
	case "compresscmd":
		rule.CompressCmd = first
	case "compressext":
		rule.CompressExt = first
	case "dateext", "nodateext":
		rule.DateExt = key == "dateext"
	case "dateformat":
		rule.DateFormat = first
	case "extension":
		rule.Extension = first
	case "addextension":
		rule.AddExtension = first
	case "olddir":
		rule.OldDir = first
	case "noolddir":
		rule.OldDir = ""
	case "postrotate", "lastaction":
		rule.Script, script = true, true
	case "prerotate", "firstaction", "preremove":
		script = true
	}
	return script
}

// creation reads what stands behind create, all of which may be left out.
func creation(args []string) *Create {
	c := &Create{}
	if len(args) > 0 {
		if mode, err := strconv.ParseUint(args[0], 8, 12); err == nil {
			c.Mode, args = uint32(mode), args[1:]
		}
	}
	if len(args) > 0 {
		c.Owner = args[0]
	}
	if len(args) > 1 {
		c.Group = args[1]
	}
	return c
}

// include reads a file, or all of a directory but what packages leave there.
func (r *reader) include(from, path string) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(from), path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		if _, missing := os.Stat(path); !errors.Is(missing, fs.ErrNotExist) {
			r.file(path)
		}
		return
	}
	for _, e := range entries {
		taboo := func(end string) bool { return strings.HasSuffix(e.Name(), end) }
		if at := filepath.Join(path, e.Name()); !strings.HasPrefix(e.Name(), ".") && !slices.ContainsFunc(tabooEnds, taboo) {
			if info, err := os.Stat(at); err == nil && info.Mode().IsRegular() {
				r.file(at)
			}
		}
	}
}

// tabooEnds are those of files that logrotate does not include.
var tabooEnds = []string{
	",v", "~", ".bak", ".cfsaved", ".disabled", ".dpkg-bak", ".dpkg-del", ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".dpkg-tmp",
	".rpmnew", ".rpmorig", ".rpmsave", ".swp", ".ucf-dist", ".ucf-new", ".ucf-old",
}
