package logformat

import (
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Where values without quotes may have spaces in them, there can be several ways to cut
// a line. Of these the one counts in which each value is what its variable nearly
// always is: a request has a method and a protocol, a referrer a scheme, a status three
// digits. A format with such places has one more expression, which is asked first
// (template.likely); what it matches, the format's own does too.

// usual is the class of the values that a variable nearly always has, or "" if nothing
// narrower is known than class.
func (s slot) usual() string {
	absent, word := "|-", s.many(`[^ "]`)
	if s.escape != escapeDefault || s.variable.Empty {
		absent += "|"
	}
	const addr = `[0-9A-Fa-f.:]+`
	switch s.variable.Name {
	case "request_uri", "uri", "document_uri", "args", "query_string", "http_host", "remote_user", "content_type":
		return word
	case "http_x_forwarded_for", "proxy_add_x_forwarded_for", "http_x_real_ip":
		return `(?:` + addr + `(?:, ` + addr + `)*` + absent + `)`
	case "remote_addr":
		return `(?:` + addr + `|unix:)`
	case "request_method":
		return `(?:[A-Z_]+` + absent + `)`
	case "server_protocol":
		return `(?:HTTP/[0-9.]+` + absent + `)`
	case "scheme":
		return `https?`
	}
	switch {
	case s.followsText() && s.variable.Kind == nginxvar.TimeISO8601:
		return `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,]+(?:Z|[+-][0-9:]{5,6})`
	case s.followsText():
		return `[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:.,]+ [+-][0-9]{4}`
	case s.variable.List:
		return ""
	case s.variable.Kind == nginxvar.Request:
		target := `[^"]*?`
		if s.escape == escapeJSON {
			target = `(?:[^"\\]|\\.)*?`
		}
		return `(?:[A-Z_]+ ` + target + ` HTTP/[0-9.]+` + absent + `)`
	case strings.HasSuffix(s.variable.Name, "_referer"):
		return `(?:[A-Za-z][0-9A-Za-z+.-]*:[^ "]*` + absent + `)`
	case s.variable.Kind == nginxvar.Status:
		return `(?:[0-9]{3}` + absent + `)`
	case s.variable.Kind == nginxvar.Int:
		return `(?:[0-9]+` + absent + `)`
	case s.variable.Kind == nginxvar.Float:
		return `(?:[0-9]+(?:\.[0-9]+)?` + absent + `)`
	}
	return ""
}

// narrowed is a slot for usual: as that of the part that the variable stands for, which
// a map may make empty. What is asked for may have blanks in it, between the two others.
func (t *template) narrowed(name string, s slot) slot {
	switch part := t.part(name); part {
	case "request_method", "server_protocol":
		s.variable = nginxvar.Lookup(part)
		s.variable.Empty = true
	}
	return s
}

// unsure reports whether there is more than one way to cut some lines, or only one that
// takes long to find.
func (t *template) unsure() bool {
	for i, p := range t.pieces {
		if p.name == "" || t.source.escape == escapeNone {
			continue
		}
		s := t.slot(i)
		if s.followsText() || s.begins != "" || s.after != "" && !s.quoted() && s.text() && s.mayHold(s.after[0]) && t.shifts(i+1) {
			return true
		}
	}
	return false
}

// A touch is a run of variables with nothing between them, and no telling where one
// ends. They are one value, which has a name made of theirs.
type touch struct {
	names  []string
	joined string
	err    error // for those who need one of them
}

// join makes one piece of each run.
func (t *template) join() error {
	var pieces []piece
	for i := 0; i < len(t.pieces); i++ {
		end := t.run(i)
		if end == i {
			pieces = append(pieces, t.pieces[i])
			continue
		}
		if t.isURI(i) {
			pieces, i = append(pieces, t.pieces[i:end+1]...), end
			continue
		}
		run := touch{}
		for _, p := range t.pieces[i : end+1] {
			run.names = append(run.names, p.name)
			if slices.Contains(t.source.bare, p.at) {
				return t.errorf(p.at,
					"nginx joins words without quotes, so the lines have no blank here and cannot be cut: quotes are missing in nginx.conf; put the whole format in single quotes there")
			}
		}
		run.joined = strings.Join(run.names, "_")
		if nginxvar.Known(run.joined) {
			run.joined += "_"
		}
		second := t.pieces[i+1]
		run.err = t.errorf(second.at,
			"nothing separates $%s from $%s, so there is more than one way to cut a line; both together are $%s: write that in format, and use it",
			t.pieces[i].name, second.name, run.joined)
		t.touching = append(t.touching, run)
		pieces, i = append(pieces, piece{name: run.joined, at: t.pieces[i].at}), end
	}
	t.pieces = pieces
	return nil
}

// run is the last of the variables that touch, from the piece i on; i if none do, or if
// it is certain where they end.
func (t *template) run(i int) int {
	end := i
	for end+1 < len(t.pieces) && t.pieces[end].name != "" && t.pieces[end+1].name != "" {
		if end == i && !t.isURI(i) && between(t.pieces[end].name, t.pieces[end+1].name) != "" {
			return i
		}
		end++
	}
	return end
}

// isURI reports whether the pieces from i on are $uri$is_args$args, by which many write
// the URI that nginx made of the request, and nothing touches them. Where there is no
// query, $args is absent.
func (t *template) isURI(i int) bool {
	pieces := t.pieces[i:]
	if len(pieces) < 3 || pieces[1].name != "is_args" || len(pieces) > 3 && pieces[3].name != "" {
		return false
	}
	path, query := pieces[0].name, pieces[2].name
	return (path == "uri" || path == "document_uri") && (query == "args" || query == "query_string")
}

// Apart returns an error if nothing separates two variables in the log_format and the
// value of one of them is needed. The error is for the operator.
func (f *Format) Apart(needed func(variable string) bool) error {
	for _, run := range f.touching {
		for _, name := range run.names {
			if !slices.Contains(f.names, name) && needed(name) {
				return run.err
			}
		}
	}
	return nil
}
