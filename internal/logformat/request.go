package logformat

import (
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// wholeRequests are the variables that have the request, or what is asked for in it.
var wholeRequests = []string{"request", "request_uri", "uri", "document_uri"}

// standIns finds what stands for parts of the request under names of the operator's
// own: nginx's name of the part → the variable. A request in pieces is known by its
// place,
//
//	"$request_method $safe_uri $server_protocol"
//
// if one of them has its own name, or all have names that say what they are. If nothing
// else is what was asked for, a name such as safe_request_uri is; and a whole request is
// one that is called so, if nothing else is a part of it.
func (t *template) standIns() map[string]string {
	all := map[string]string{}
	for i := range t.pieces {
		names := t.words(i)
		certain := len(names) > 1 && (names[0] == requestParts[0] || len(names) == 3 && names[2] == requestParts[2] ||
			slices.Contains(wholeRequests[1:], names[1]) || t.saySo(names))
		for n, name := range names {
			if certain && t.isOwn(name) && !t.has(requestParts[n]) {
				all[requestParts[n]] = name
			}
		}
	}
	if all["request_uri"] != "" || slices.ContainsFunc(wholeRequests, t.has) {
		return all
	}
	for i, p := range t.pieces {
		switch {
		case p.name == "" || !t.isOwn(p.name):
		case nginxvar.Part(p.name) == "path" && strings.HasSuffix(p.name, "_request_uri"):
			all["request_uri"] = p.name
			return all
		case nginxvar.Part(p.name) == "request" && t.slot(i).quoted() && len(all) == 0 && !slices.ContainsFunc(requestParts, t.has):
			return map[string]string{"request": p.name}
		}
	}
	return all
}

// requestParts are what a request consists of, in their order, and partNames are what
// they are called in points.
var (
	requestParts = []string{"request_method", "request_uri", "server_protocol"}
	partNames    = []string{"method", "path", "protocol"}
)

// saySo reports whether the names of two or three variables say that they are a request.
func (t *template) saySo(names []string) bool {
	for n, name := range names {
		if name != requestParts[n] && (!t.isOwn(name) || nginxvar.Part(name) != partNames[n]) {
			return false
		}
	}
	return true
}

// part is nginx's name of what a variable stands for, or "".
func (t *template) part(name string) string {
	for part, own := range t.stand {
		if own == name {
			return part
		}
	}
	return ""
}

// inRequest are the variables that share their quotes with the piece i, as those of a
// request do, nil if there are none; is reports whether they are one.
func (t *template) inRequest(i int) (names []string, is bool) {
	for begin := i; begin >= max(0, i-4); begin -= 2 {
		if names = t.words(begin); len(names) > 1 && slices.Contains(names, t.pieces[i].name) {
			is = true
			for n, name := range names {
				is = is && (n == 1 || name == requestParts[n] || t.part(name) == requestParts[n])
			}
			return names, is
		}
	}
	return nil, false
}

// labels are what the format writes before variables of the operator's own, as in
// uri="$u": the variable → the word.
func (t *template) labels() map[string]string {
	all := map[string]string{}
	for i, p := range t.pieces {
		if p.name == "" || !t.isOwn(p.name) || i == 0 {
			continue
		}
		if m := label().FindStringSubmatch(t.pieces[i-1].literal); m != nil {
			all[p.name] = m[1]
		}
	}
	return all
}

var label = lazyregexp.New(`([A-Za-z][A-Za-z0-9_.-]*)["']?[=:] ?["'\[(]?$`)

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

// asRequest is the advice for variables that may be a request.
func (t *template) asRequest(names []string) string {
	var all []string
	for n, name := range names {
		if t.isOwn(name) {
			all = append(all, name+": "+partNames[n])
		}
	}
	return "if they are the request, write rename: {" + strings.Join(all, ", ") + "}"
}
