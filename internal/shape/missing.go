package shape

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// has is what a format, or the lines of a log, have.
type has struct {
	nothing string // how to say that they have not
	keys    bool   // they are keys of JSON, of which there may be any
	names   []string
	own     []string          // variables or keys that nginx does not have
	labels  map[string]string // of these, what stands before them
}

// missing says which configured tags, fields and rules never find a value in the lines. Of
// those that are there by default it only says that a request has no method or path.
func (l *Lines) missing(c *config.Config, h has) (all []string) {
	standard := config.Default()
	for _, miss := range accesslog.Missing(h.names, l.Schema) {
		if miss.Key == "fields" && slices.Equal(c.Fields, standard.Fields) {
			continue
		}
		if miss.Key == "rollups" && slices.EqualFunc(c.Rollups, standard.Rollups, sameTags) {
			continue
		}
		if miss.Key == "tags" && slices.Equal(c.Tags, standard.Tags) && (miss.Name == "scheme" || miss.Name == "status" || !h.requests()) {
			continue
		}
		all = append(all, fmt.Sprintf("%s: %s %s%s", miss.Key, h.nothing, miss.Name, l.remedy(miss, h)))
	}
	return all
}

func sameTags(a, b config.Rollup) bool { return slices.Equal(a.Tags, b.Tags) }

// remedy is what is said behind a name for which there is nothing.
func (l *Lines) remedy(miss accesslog.Miss, h has) string {
	near := nearest(miss.Name, l.available(h.names))
	switch {
	case isPart(miss.Name):
		return fmt.Sprintf(", which comes from $%s; %s", strings.Join(accesslog.Sources(miss.Name), ", $"), h.standIn(miss, l.lone(h)))
	case slices.Contains(accesslog.Derived(), miss.Name):
		return ", which comes from $" + strings.Join(accesslog.Sources(miss.Name), ", $")
	case near != "":
		return "; did you mean " + near + "?"
	case nginxvar.Known(miss.Name):
		return ""
	}
	if near = nearest(miss.Name, append(nginxvar.Names(), accesslog.Derived()...)); near != "" {
		return "; did you mean " + near + ", which it does not have either?"
	}
	return ""
}

// isPart reports whether a name is that of a part of the request.
func isPart(name string) bool {
	return slices.Contains([]string{"method", "path", "query", "protocol"}, name)
}

// lone is the one missing part of the request that the only variable of the operator's own
// may be: of two it would be said that it is both.
func (l *Lines) lone(h has) string {
	if len(h.own) != 1 || h.keys {
		return ""
	}
	parts := []string{"path", "method", "query", "protocol"}
	for _, part := range parts {
		if h.called(part) != "" {
			return part
		}
	}
	missing := accesslog.Missing(h.names, l.Schema)
	for _, part := range parts {
		if slices.ContainsFunc(missing, func(m accesslog.Miss) bool { return m.Name == part }) {
			return part
		}
	}
	return ""
}

// standIn says which variable or key may be the missing part of the request; lone is the
// part that the only one may be.
func (h has) standIn(miss accesslog.Miss, lone string) string {
	found, whole := h.called(miss.Name), h.called("request")
	if found == "" && whole == "" && miss.Name == lone {
		found = h.own[0]
	}
	switch {
	case found != "":
		return fmt.Sprintf("if %s stands for it, write rename: {%s: %s}", h.show(found), found, miss.Name)
	case whole != "":
		return fmt.Sprintf("if %s is the request, write rename: {%s: request}", h.show(whole), whole)
	case h.keys && len(h.own) > 0:
		return fmt.Sprintf("if one of the keys %s stands for it, write rename: {KEY: %s}", some(h.own), miss.Name)
	case len(h.own) > 1:
		return fmt.Sprintf("if one of %s stands for it, write rename: {NAME: %s}", some(h.own), miss.Name)
	}
	return "log it, or take it out of " + miss.Key
}

// show is a name as it is written in a message.
func (h has) show(name string) string {
	if h.keys {
		return "the key " + name
	}
	return "$" + name
}

// called is what is called, or labelled, as a part of the request is; "" if nothing is.
func (h has) called(part string) string {
	for _, name := range h.own {
		of, label := nginxvar.Part(name), h.labels[name]
		if label != "" && (of == "" || len(name) == 1) {
			of = nginxvar.Part(label)
		}
		if of == part {
			return name
		}
	}
	return ""
}

// requests reports whether it is requests that are logged, and not the sessions of
// nginx's stream module, or who knows what.
func (h has) requests() bool {
	if slices.ContainsFunc(h.names, nginxvar.OfStream) && !slices.Contains(h.names, "request_method") {
		return false
	}
	return slices.ContainsFunc(h.names, nginxvar.OfHTTP) || slices.ContainsFunc([]string{"path", "request", "method"}, func(part string) bool {
		name := h.called(part)
		return len(name) > 1 || h.labels[name] != ""
	})
}

// some are the first ones of many names.
func some(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// nearest is config.Nearest, but a name that is a small part of another one means that
// only if it is one of its words: not count country.
func nearest(name string, known []string) string {
	return config.Nearest(name, slices.DeleteFunc(slices.Clone(known), func(other string) bool {
		word := strings.Contains("_"+other+"_", "_"+name+"_")
		return other == name || strings.Contains(other, name) && !word && 2*len(name) < len(other)
	}))
}

// available are the names that a tag can have with these variables.
func (l *Lines) available(names []string) []string {
	names = slices.Clone(names)
	for _, name := range accesslog.Derived() {
		if len(accesslog.Missing(names, accesslog.Schema{Tags: []string{name}, StandIns: l.Schema.StandIns})) == 0 {
			names = append(names, name)
		}
	}
	return names
}
