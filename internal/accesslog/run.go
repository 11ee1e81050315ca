package accesslog

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// run is a run of tags of points, by key. Those whose values are few together, and those that
// come from the same part of the request, are remembered together.
type run struct {
	first    int            // of Encoder.tags; then constants come,
	constant lineproto.Text // which are this, with the measurement before the first of all tags
	from, to int            // then these

	memo    *ready  // nil: the tags are looked for one by one
	request bool    // it is keyed by the begin of $request, up to the end of the path
	values  []value // or else by these
	brief   bool    // all of these are captures
	source  bool    // and by the source, whose tag is among them
	summed  []int   // of the tags, those of rollups
}

// value is what the tag of a place depends on.
type value struct {
	place   int
	capture int // it is one, or -1
}

// What a tag is for a run.
type runKind uint8

const (
	neutral runKind = iota // it is in any
	front                  // the method and the path
	few                    // it has few values, such as the status
	alone
)

// fewValues are variables that have few values in a log, beside those that are a status.
var fewValues = []string{
	"scheme", "https", "request_method", "server_protocol", "host", "http_host", "server_name", "server_port", "ssl_protocol",
	"upstream_cache_status", "geoip_country_code", "geoip2_country_code",
}

// findRuns finds the runs of the tags of points, of captures of the named variables.
func (e *Encoder) findRuns(names []string) (all []run) {
	kinds := make([]runKind, e.points)
	hasPath := slices.ContainsFunc(e.tags[:e.points], func(t tag) bool { return t.isPart(path) })
	for i := range kinds {
		kinds[i] = e.tags[i].runKind(names, hasPath)
	}
	for from := 0; from < e.points; {
		to, kind := from+1, kinds[from]
		for to < e.points && kind != alone && (kind == neutral || kinds[to] == neutral || kinds[to] == kind) {
			kind = max(kind, kinds[to])
			to++
		}
		for kind != neutral && kinds[to-1] == neutral {
			to-- // the next run begins with it
		}
		all = append(all, e.newRun(from, to, kind))
		from = to
	}
	return all
}

func (t *tag) isPart(n int) bool { return t.origin == part && t.item.index == n }

func (t *tag) runKind(names []string, hasPath bool) runKind {
	switch {
	case t.origin == constant:
		return neutral
	case t.isPart(path), t.isPart(method) && hasPath:
		return front
	case t.isPart(method), t.isPart(protocol), t.origin == class:
		return few
	case t.origin == capture && (nginxvar.Lookup(names[t.item.index]).Kind == nginxvar.Status || slices.Contains(fewValues, names[t.item.index])):
		return few
	}
	return alone
}

func (e *Encoder) newRun(first, to int, kind runKind) run {
	r := run{first: first, from: first, to: to}
	hasPath := false
	for i := first; i < to; i++ {
		t := &e.tags[i]
		if t.origin == constant {
			if len(r.values) == 0 {
				r.from = i + 1
			} else {
				r.source = r.source || bytes.HasPrefix(t.prefix, sourcePrefix)
			}
			continue
		}
		v := value{i, -1}
		if t.origin == capture || t.origin == class {
			v.capture = t.item.index
		}
		r.values = append(r.values, v)
		hasPath = hasPath || t.isPart(path)
		if t.summed {
			r.summed = append(r.summed, i)
		}
	}
	r.brief = !slices.ContainsFunc(r.values, func(v value) bool { return v.capture < 0 })
	r.request = hasPath && !r.source && e.origin.request >= 0 && !e.origin.others
	switch {
	case kind == alone, len(r.values) < 2 && !r.request, len(r.values) >= keyWords, len(r.summed) > maxReadyIDs:
	case hasPath:
		r.memo = newReady(manyReady)
	default:
		r.memo = newReady(fewReady)
	}
	return r
}

// setConstants puts together what stands before the tags of each run.
func (e *Encoder) setConstants() {
	for i := range e.runs {
		r := &e.runs[i]
		var text []byte
		if r.first == 0 {
			text = append(text, e.head...)
		}
		for _, t := range e.tags[r.first:r.from] {
			text = append(text, t.prefix...)
		}
		r.constant = lineproto.NewText(text)
	}
}

// appendRun appends the tags of a run.
func (e *Encoder) appendRun(p []byte, r *run, captures [][]byte) []byte {
	p = r.constant.Append(p)
	m := r.memo
	if m == nil || !m.isAsked() {
		return e.appendTags(p, r, captures)
	}
	head, ok := e.keyOf(r, captures)
	if ok {
		if known := m.find(); known != nil {
			for i, place := range r.summed {
				t := &e.tags[place]
				t.line, t.id = e.line, known.ids[i]
			}
			return known.append(p)
		}
	}
	m.miss()
	start := len(p)
	p = e.appendTags(p, r, captures)
	if ok && m.wasSeen() {
		if ids, ok := e.idsOf(r); ok && (!r.request || e.origin.isHead(head)) {
			m.keep(p[start:], ids)
		}
	}
	return p
}

// appendTags does it one by one.
func (e *Encoder) appendTags(p []byte, r *run, captures [][]byte) []byte {
	for i := r.from; i < r.to; i++ {
		t, start := &e.tags[i], len(p)
		if p = e.appendTag(p, t, captures); t.summed {
			t.line, t.text = e.line, p[start:]
		}
	}
	return p
}

// keyOf makes the key of a run. Of one that is keyed by the request it returns the text that
// is the key.
func (e *Encoder) keyOf(r *run, captures [][]byte) (head []byte, ok bool) {
	key := &r.memo.key
	if key.begin(); r.request {
		return key.addHead(captures[e.origin.request])
	}
	if r.brief && key.addBriefs(r, captures, e.source) {
		return nil, true
	}
	if key.begin(); r.source {
		key.addWord(e.source)
	}
	for i := range r.values {
		v := &r.values[i]
		raw := e.raw(&e.tags[v.place].item, captures)
		if !key.add(raw) {
			return nil, false
		}
	}
	return nil, true
}

// addBriefs adds, to an empty key, what a run is keyed by, if all values are captures of at
// most eight bytes.
func (k *readyKey) addBriefs(r *run, captures [][]byte, source uint64) bool {
	n, hash, lengths := 0, uint64(0), uint64(0)
	if r.source {
		k.words[0], hash, n = source, mix(0, source), 1
	}
	values := r.values
	for i := range values {
		raw := captures[values[i].capture]
		length := uint(len(raw))
		if length > 8 || cap(raw) < 8 || n >= keyWords {
			return false
		}
		w := uint64(0)
		if length > 0 {
			w = binary.LittleEndian.Uint64(raw[:8]) << (64 - 8*length&63) >> (64 - 8*length&63)
		}
		k.words[n], hash, lengths = w, mix(hash, w), lengths<<8|uint64(length)
		n++
	}
	k.n, k.hash, k.lengths = n, hash, lengths
	return true
}

// idsOf are the numbers of a run's tags, which were just appended. It reports whether they may
// be remembered: all were admitted, and have a number where rollups ask for it.
func (e *Encoder) idsOf(r *run) (ids [maxReadyIDs]uint64, ok bool) {
	for _, v := range r.values {
		if e.tags[v.place].id == otherID {
			return ids, false
		}
	}
	for i, place := range r.summed {
		if ids[i] = e.tags[place].id; ids[i] == noID {
			return ids, false
		}
	}
	return ids, true
}

// addHead adds a request up to the first ? of its target, or the end of it, if it is one as
// nearly all are, which has no space before its last one:
//
//	GET /path?query HTTP/1.1
//	└─ head ┘
//
// Then the method and the path come from nothing but the head, if that is one (isHead).
func (k *readyKey) addHead(request []byte) (head []byte, ok bool) {
	at := len(request) - len(" HTTP/1.1")
	if at <= 0 || request[at-1] == ' ' || request[at+8] == ' ' {
		return nil, false
	}
	const version = 0x2E00_2F50_5454_4820 // " HTTP/", any byte, and "."
	if end := binary.LittleEndian.Uint64(request[at:]); end&^(0xFF<<48) != version || byte(end>>48) == ' ' {
		return nil, false
	}
	length, ok := k.addUpTo(request, at)
	return request[:length], ok
}

// isHead reports whether a text is the method of the request, a space, and what begins with a
// slash: a path up to its end, or up to a #.
func (r *requester) isHead(text []byte) bool {
	n := len(r.parts[method])
	return n > 0 && len(text) > n+1 && text[n] == ' ' && text[n+1] == '/'
}
