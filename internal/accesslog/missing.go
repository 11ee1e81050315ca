package accesslog

import (
	"slices"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// A Miss is a name in a schema that no line of a format has a value for.
type Miss struct {
	Key  string // tags, fields, mask, drop or rollups
	Name string
}

// Missing returns what a schema asks for and captures of the named variables can never
// give.
func Missing(names []string, s Schema) (all []Miss) {
	e := &Encoder{origin: findRequest(names, s), proxy: newProxy(names, nil)}
	look := func(key, name string) {
		if _, ok := e.find(name, names); !ok && !slices.Contains(all, Miss{key, name}) {
			all = append(all, Miss{key, name})
		}
	}
	for _, name := range s.Tags {
		look("tags", name)
	}
	for _, name := range s.Fields {
		look("fields", name)
	}
	for _, name := range s.Mask {
		look("mask", name)
	}
	for _, rule := range s.Drop {
		for _, condition := range rule {
			look("drop", condition.Variable)
		}
	}
	for _, name := range s.RollupTags() { // of those in tags it is said already
		look("rollups", name)
	}
	return all
}

// Untyped are the fields of a schema of which neither the table of variables nor the
// schema says the type, as far as captures of the named variables have them.
func Untyped(names []string, s Schema) (fields []string) {
	e := &Encoder{origin: findRequest(names, s), proxy: newProxy(names, nil), dialect: s.Dialect}
	for _, name := range s.Fields {
		if it, ok := e.find(name, names); ok && it.untyped {
			fields = append(fields, name)
		}
	}
	return fields
}

// Sources are the variables that the value of a tag or field can come from.
func Sources(name string) []string {
	if n := slices.Index(partNames[:], name); n >= 0 {
		all := slices.Concat([]string{"request"}, exact[n], standIns[n])
		if n == path || n == query {
			all = append(all, "request_uri")
		}
		return all
	}
	switch name {
	case "client":
		return []string{"remote_addr"}
	case "upstream_tries":
		return []string{"upstream_addr", "upstream_status", "upstream_response_time"}
	case "status_class":
		return []string{"status"}
	}
	return []string{name, nginxvar.Unalias(name)}
}

// Derived are the names that are no variables, and come from some.
func Derived() []string {
	return append(partNames[:], "client", "upstream_tries", "status_class", "vhost")
}
