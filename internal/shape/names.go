package shape

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// misnamed says which names in rename and types do not occur in the lines.
// written are those that the format, or the lines, have.
func (l *Lines) misnamed(c *config.Config, h has, written []string) (all []string) {
	entries := map[string]string{} // by the name in the log
	for _, left := range slices.Sorted(maps.Keys(c.Rename)) {
		right := c.Rename[left]
		name, variable := direction(left, right)
		entry := fmt.Sprintf("rename: {%s: %s}", left, right)
		if before := entries[name]; before != "" {
			all = append(all, fmt.Sprintf("%s: %s says of %s what it is, too, and does not count", entry, before, name))
		}
		entries[name] = entry
		switch {
		case contains(written, name):
			if why := l.unwanted(c, variable); why != "" {
				all = append(all, entry+": "+why)
			}
			continue
		case l.elsewhere(c, name):
			continue
		case name == left && contains(written, variable): // {client: ip}
			all = append(all, fmt.Sprintf("%s: %s %s: the key of the log stands on the left, so write rename: {%s: %s}",
				entry, h.nothing, name, variable, meant(left)))
			continue
		case name == right && contains(written, left):
			all = append(all, fmt.Sprintf("%s: %s %s, and $%s has its own name already: call it %s in tags and fields, too",
				entry, h.nothing, name, left, left))
			continue
		}
		near := nearest(name, written)
		if near != "" {
			near = "; did you mean " + near + "?"
		}
		all = append(all, fmt.Sprintf("%s: %s %s%s", entry, h.nothing, name, near))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Types)) {
		asked := slices.Contains(c.Tags, name) || slices.Contains(c.Fields, name) // of which missing says it
		schema := accesslog.Schema{Tags: []string{name}, StandIns: l.Schema.StandIns}
		if asked || contains(written, name) || len(accesslog.Missing(h.names, schema)) == 0 || l.elsewhere(c, name) {
			continue
		}
		near := nearest(name, append(written, c.Fields...))
		if near != "" {
			near = "; did you mean " + near + "?"
		}
		all = append(all, fmt.Sprintf("types: {%s: %s}: %s %s%s", name, c.Types[name], h.nothing, name, near))
	}
	return all
}

// unwanted says of the variable that something is renamed to that neither nginx nor the
// configuration has one of the name; "" if they have.
func (l *Lines) unwanted(c *config.Config, variable string) string {
	_, typed := c.Types[variable]
	if typed || isVariable(variable) || logformat.IsTimeKey(variable) || slices.Contains(variables(c), variable) {
		return ""
	}
	near := nearest(variable, slices.Concat(nginxvar.Names(), accesslog.Derived(), variables(c)))
	if near != "" {
		near = "; did you mean " + near + "?"
	}
	return fmt.Sprintf("nginx has no variable %s, and neither tags nor fields have it%s", variable, near)
}

// meant is the variable that was probably meant by a name that is not a variable.
func meant(name string) string {
	switch {
	case name == "client":
		return "remote_addr"
	case strings.Contains(name, "time") && name != "time", logformat.IsTimeKey(name):
		return "time"
	}
	return name
}

// contains reports whether there is such a name; keys of JSON may have capital letters.
func contains(names []string, name string) bool {
	return slices.ContainsFunc(names, func(other string) bool { return other == name || strings.ToLower(other) == name })
}

// elsewhere reports whether another source may have a name: rename and types are for all.
func (l *Lines) elsewhere(c *config.Config, name string) bool {
	open := 0 // sources that may have any name
	for _, source := range c.Sources {
		format, err := compile(c, source)
		switch {
		case isAuto(source) || err == nil && format.Kind() == "json":
			open++
		case err == nil && contains(format.Written(), name):
			return true
		}
	}
	if l.Format.Kind() == "json" || len(c.Sources) == 1 && isAuto(c.Sources[0]) {
		return open > 1
	}
	return open > 0
}
