package accesslog

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
)

// What a request is made of.
const (
	method = iota
	path
	query
	protocol
	numParts
)

var partNames = [numParts]string{"method", "path", "query", "protocol"}

// Variables that are a part of the request by themselves. Those that are more
// exact come before $request and $request_uri, the others stand in for them: what nginx
// goes on with, which after an error_page is GET /50x.html, whatever was asked for.
var (
	exact    = [numParts][]string{{"method"}, {"path"}, {"query"}, {"protocol", "server_protocol"}}
	standIns = [numParts][]string{method: {"request_method"}, path: {"uri", "document_uri"}, query: {"args", "query_string"}}
)

// requester finds the parts of the request of a line. A JSON log may have all of
// these variables in one line and others in the next, so it looks for them in
// each line.
type requester struct {
	request, target int // captures of $request and $request_uri, or -1
	exact, standIns [numParts][]int
	others          bool // there are any of these
	isCut           bool // the request of the line is, into parts
	parts           [numParts][]byte
}

func findRequest(names []string, s Schema) requester {
	index := func(name string) int {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
		return slices.Index(names, s.StandIns[name])
	}
	r := requester{request: index("request"), target: index("request_uri")}
	for n := range numParts {
		r.exact[n], r.standIns[n] = indexes(names, exact[n]), indexes(names, standIns[n])
	}
	if slices.Contains(slices.Collect(maps.Values(s.Dialect.Rename)), "request_method") { // the operator says so, not nginx
		r.exact[method], r.standIns[method] = append(r.exact[method], r.standIns[method]...), nil
	}
	for n, variable := range map[int]string{method: "request_method", protocol: "server_protocol"} {
		if len(r.exact[n])+len(r.standIns[n]) == 0 {
			r.standIns[n] = indexes(names, []string{s.StandIns[variable]})
		}
	}
	for n := range numParts {
		r.others = r.others || len(r.exact[n])+len(r.standIns[n]) > 0
	}
	return r
}

// indexes is where those of the variables are that the format has, in their
// order.
func indexes(names, variables []string) (found []int) {
	for _, variable := range variables {
		if i := slices.Index(names, variable); i >= 0 {
			found = append(found, i)
		}
	}
	return found
}

// find says where a part comes from.
func (r *requester) find(n int) (item, bool) {
	ok := r.request >= 0 || r.target >= 0 && (n == path || n == query) || len(r.exact[n])+len(r.standIns[n]) > 0
	return item{origin: part, index: n}, ok
}

// part is one of the request of the line, which is cut up when the first part is asked for.
func (r *requester) part(n int, captures [][]byte) []byte {
	if !r.isCut {
		r.split(captures)
	}
	return r.parts[n]
}

// split cuts up the request of a line.
func (r *requester) split(captures [][]byte) {
	r.isCut = true
	switch {
	case r.request >= 0 && present(captures[r.request]):
		splitRequest(captures[r.request], &r.parts)
	case r.target >= 0 && present(captures[r.target]):
		r.parts = [numParts][]byte{}
		splitTarget(captures[r.target], &r.parts)
	default:
		r.parts = [numParts][]byte{}
	}
	if !r.others {
		return
	}
	for n := range numParts {
		if v := firstPresent(captures, r.exact[n]); v != nil {
			r.parts[n] = v
		} else if r.parts[n] == nil {
			r.parts[n] = firstPresent(captures, r.standIns[n])
		}
	}
}

// present reports whether a variable has a value.
func present(v []byte) bool { return len(v) > 1 || len(v) == 1 && v[0] != '-' }

// firstPresent is the first of the captures that has a value, or nil.
func firstPresent(captures [][]byte, indexes []int) []byte {
	for _, i := range indexes {
		if present(captures[i]) {
			return captures[i]
		}
	}
	return nil
}

// splitRequest cuts a request line, "GET /path?query HTTP/1.1", into its parts.
// nginx logs whatever a client sent: if the line is not a request (a TLS handshake,
// an empty string, "-") all parts are nil.
//
// nginx accepts some targets with a space in them: the target ends at the last
// space. Spaces around the parts are ignored. HTTP/0.9 has no protocol. An escaped
// character never separates: unescape the parts, not the line.
func splitRequest(line []byte, parts *[numParts][]byte) {
	*parts = [numParts][]byte{}
	end := methodLen(line)
	if end == 0 {
		return
	}
	target := line[end+1:]
	// Almost every request ends like this, and then this is its last space.
	at := len(target) - len(" HTTP/1.1")
	if at <= 0 || string(target[at:at+6]) != " HTTP/" || target[at+6] == ' ' || target[at+7] == ' ' || target[at+8] == ' ' ||
		target[0] == ' ' || target[at-1] == ' ' {
		splitOdd(line[:end], target, parts)
		return
	}
	parts[method], parts[protocol] = line[:end], target[at+1:]
	splitTarget(target[:at], parts)
}

// splitOdd does it for the others. rest is what stands behind the method.
func splitOdd(verb, rest []byte, parts *[numParts][]byte) {
	target, version := bytes.Trim(rest, " "), []byte(nil)
	if last := bytes.LastIndexByte(target, ' '); last >= 0 {
		target, version = bytes.TrimRight(target[:last], " "), target[last+1:]
		if !bytes.HasPrefix(version, []byte("HTTP/")) {
			return
		}
	}
	if len(target) == 0 || version == nil && bytes.HasPrefix(target, []byte("HTTP/")) {
		return
	}
	parts[method], parts[protocol] = verb, version
	splitTarget(target, parts)
}

// splitTarget cuts /path?query#fragment, or the same with http://example.com
// before it. The fragment is part of neither.
func splitTarget(target []byte, parts *[numParts][]byte) {
	if len(target) > 0 && target[0] != '/' && target[0] != '*' {
		target, _, _ = bytes.Cut(target, []byte{'#'})
		target = afterAuthority(target)
	}
	end := pathLen(target)
	parts[path] = target[:end]
	if end == len(target) || target[end] == '#' {
		return
	}
	parts[query], _, _ = bytes.Cut(target[end+1:], []byte{'#'})
	if end == 0 {
		parts[path] = root
	}
}

// methodLen is the length of the method before a line's first space, or 0 if that is
// not a method, for which nginx accepts capital letters, _ and -.
func methodLen(line []byte) int {
	const longest = 32
	for i, c := range line[:min(len(line), longest+1)] {
		switch {
		case c == ' ':
			return i
		case (c < 'A' || c > 'Z') && c != '_' && c != '-':
			return 0
		}
	}
	return 0
}

// pathLen is the index of the first ? or #, or the target's length. It looks at
// eight bytes at a time, also at those behind the target in the line.
func pathLen(target []byte) int {
	i := 0
	for ; i < len(target) && i+8 <= cap(target); i += 8 {
		if hit := marks(binary.LittleEndian.Uint64(target[i : i+8 : i+8])); hit != 0 {
			return min(i+bits.TrailingZeros64(hit)/8, len(target))
		}
	}
	for ; i < len(target); i++ {
		if target[i] == '?' || target[i] == '#' {
			return i
		}
	}
	return len(target)
}

// marks has the top bit of the first byte of a word that is ? or #, and of some behind it; it
// is 0 if there is none.
func marks(word uint64) uint64 {
	const each, tops = 0x0101010101010101, 0x8080808080808080
	mark, hash := word^'?'*each, word^'#'*each // a byte that is one of them becomes 0
	return ((mark-each)&^mark | (hash-each)&^hash) & tops
}

var root = []byte{'/'}

// afterAuthority is the path and query of http://example.com/path?query; nil
// when there is no URL, as in CONNECT example.com:443.
func afterAuthority(target []byte) []byte {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || len(scheme) == 0 || bytes.ContainsAny(scheme, "/?#@:") {
		return nil
	}
	if at := bytes.IndexAny(rest, "/?"); at >= 0 {
		return rest[at:]
	}
	return root
}
