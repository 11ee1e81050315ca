package shape

import (
	"maps"
	"slices"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// dialect is what the configuration says of variables. A rename may be written in
// either direction, since both read well; what is a variable of nginx is the
// variable.
func dialect(c *config.Config) nginxvar.Dialect {
	d := nginxvar.Dialect{Types: map[string]nginxvar.Kind{}, Rename: map[string]string{}}
	for variable, name := range c.Types {
		d.Types[variable] = nginxvar.Types[name]
	}
	for _, left := range slices.Sorted(maps.Keys(c.Rename)) { // of two for one name, the same counts each time
		from, to := direction(left, c.Rename[left])
		d.Rename[from] = to
	}
	return d
}

// direction is an entry of rename: what the log has, and the variable that it is.
func direction(from, to string) (name, variable string) {
	if isVariable(from) && !isVariable(to) {
		from, to = to, from
	}
	if whole, ok := parts[to]; ok {
		to = whole
	}
	return from, to
}

// parts of the request are called by what nginx has of them; a path may come with its
// query.
var parts = map[string]string{"method": "request_method", "path": "request_uri", "query": "args", "protocol": "server_protocol"}

// isVariable reports whether a name is one of nginx, or of what is derived from some.
func isVariable(name string) bool {
	return parts[name] != "" || nginxvar.Known(name) || nginxvar.Unalias(name) != name
}
