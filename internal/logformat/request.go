package logformat

import (
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// wholeRequests are the variables that have the request, or what is asked for in it.
var wholeRequests = []string{"request", "request_uri", "uri", "document_uri"}

// standIns finds what stands for parts of the request under names of the operator's
// own: nginx's name of the part → the variable. A request in three pieces is known by
// its place,
//
//	"$request_method $safe_uri $server_protocol"
//
// if one of the three has its own name; a whole one by the word request in its name, if
// nothing else is a part of it.
func (t *template) standIns() map[string]string {
	all := map[string]string{}
	parts := []string{"request_method", "request_uri", "server_protocol"}
	for i := range t.pieces {
		names := t.words(i)
		certain := len(names) > 1 && (names[0] == parts[0] || len(names) == 3 && names[2] == parts[2] || slices.Contains(wholeRequests[1:], names[1]))
		for n, name := range names {
			if certain && t.isOwn(name) && !t.has(parts[n]) {
				all[parts[n]] = name
			}
		}
	}
	if len(all) > 0 || slices.ContainsFunc(append(parts, wholeRequests...), t.has) {
		return all
	}
	for i, p := range t.pieces {
		if p.name != "" && t.isOwn(p.name) && strings.Contains(p.name, "request") && t.slot(i).quoted() {
			return map[string]string{"request": p.name}
		}
	}
	return nil
}

// words are the two or three variables with a space between each that the piece i
// begins, with a quote before them and one behind; without quotes they are method and
// protocol with one between.
func (t *template) words(i int) (names []string) {
	if t.pieces[i].name == "request_method" && i+4 < len(t.pieces) && t.pieces[i+4].name == "server_protocol" &&
		t.pieces[i+1].literal == " " && t.pieces[i+3].literal == " " {
		return []string{"request_method", t.pieces[i+2].name, "server_protocol"}
	}
	if i == 0 || t.pieces[i].name == "" || !strings.HasSuffix(t.pieces[i-1].literal, `"`) {
		return nil
	}
	for ; i < len(t.pieces) && t.pieces[i].name != ""; i += 2 {
		names = append(names, t.pieces[i].name)
		if i+1 == len(t.pieces) || t.pieces[i+1].literal != " " {
			break
		}
	}
	if i+1 >= len(t.pieces) || len(names) > 3 {
		return nil
	}
	behind := t.pieces[i+1].literal
	if !strings.HasPrefix(behind, `"`) && !strings.HasPrefix(behind, " HTTP/") {
		return nil
	}
	return names
}

// isOwn reports whether a variable is the operator's, and not several that touch.
func (t *template) isOwn(name string) bool {
	return !nginxvar.Known(name) && !slices.ContainsFunc(t.touching, func(run touch) bool { return run.joined == name })
}

func (t *template) has(name string) bool {
	return slices.ContainsFunc(t.pieces, func(p piece) bool { return p.name == name })
}
