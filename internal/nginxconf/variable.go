package nginxconf

import (
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// Variable is what the values of a variable of nginx can be.
type Variable int

// What the values of a variable are.
const (
	Fixed Variable = iota + 1 // what the configuration names, and so a few
	Dated                     // parts of the time
	Any                       // maybe what a client has sent, or with slashes
)

// operators are nginx's own variables whose values the operator has chosen.
var operators = []string{"server_name", "hostname", "server_port", "server_addr", "scheme", "nginx_version"}

// times are nginx's own variables that are the time, and have no slash.
var times = []string{"time_iso8601", "msec", "date_gmt"}

var (
	variable = lazyregexp.New(`\$(?:\{(\w+)\}|(\w+))`)
	group    = lazyregexp.New(`\(\?P?<(\w+)>`)
)

// VariablesOf are the names of the variables in a text.
func VariablesOf(text string) (names []string) {
	for _, m := range variable().FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ToLower(m[1]+m[2]))
	}
	return names
}

// Glob is the path with a wildcard for each run of variables that only - and _ part.
func Glob(path string) string {
	path = variable().ReplaceAllString(path, "*")
	return runs().ReplaceAllString(path, "*")
}

var runs = lazyregexp.New(`\*(?:[-_]?\*)+`)

// Kind is what the values of a variable of a path are.
func (f *Found) Kind(name string) Variable {
	switch kind, known := f.Variables[name]; {
	case known:
		return kind
	case slices.Contains(operators, name):
		return Fixed
	case slices.Contains(times, name):
		return Dated
	}
	return Any
}

// variables notes the variables that a block makes, with map, geo, set and the named
// groups of if; where one is made in several ways, the worst counts. groups are what $1
// and its like are where the block begins.
func (w *walker) variables(block statement, groups Variable) {
	for _, s := range block.block {
		inner := Any
		switch {
		case slices.Contains([]string{"map", "geo", "split_clients"}, s.name):
			w.mapped(s)
			continue
		case s.name == "set" && len(s.args) == 2:
			w.note(s.arg(0), w.valueOf(s.arg(1), groups))
			if strings.Trim(strings.Join(VariablesOf(s.arg(1)), ""), "0123456789") == "" {
				continue
			}
		case s.name == "if" && len(s.args) >= 3:
			kind := w.valueOf(s.arg(0), Any)
			for _, m := range group().FindAllStringSubmatch(s.arg(2), -1) {
				w.note(m[1], kind)
			}
			if op := s.arg(1); op == "~" || op == "~*" {
				inner = kind
			}
		}
		groups = Any // the statement may have an expression of its own: rewrite, or the map of a variable
		w.variables(s, inner)
	}
}

// mapped notes the variable of a map or its like: what it maps to decides, and, where
// that has groups, what it maps from.
func (w *walker) mapped(s statement) {
	if len(s.args) == 0 {
		return
	}
	from, kind := w.valueOf(s.arg(0), Any), Fixed
	for _, entry := range s.block {
		for _, m := range group().FindAllStringSubmatch(entry.name, -1) {
			w.note(m[1], from)
		}
		if len(entry.args) == 1 && entry.name != "include" {
			kind = max(kind, w.valueOf(entry.arg(0), from))
		}
	}
	w.note(s.args[len(s.args)-1].text, kind)
}

// valueOf is what a text with variables can be; numbered groups are parts of a text
// that is of the kind groups.
func (w *walker) valueOf(text string, groups Variable) Variable {
	if strings.Contains(text, "/") {
		return Any // a directory that no wildcard matches
	}
	kind := Fixed
	for _, name := range VariablesOf(text) {
		if strings.Trim(name, "0123456789") == "" {
			kind = max(kind, groups)
		} else {
			kind = max(kind, w.found.Kind(name))
		}
	}
	return kind
}

func (w *walker) note(name string, kind Variable) {
	name = strings.ToLower(strings.TrimPrefix(name, "$"))
	w.found.Variables[name] = max(w.found.Variables[name], kind)
}
