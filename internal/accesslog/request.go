package accesslog

import "bytes"

// splitRequest cuts a request line, "GET /path?query HTTP/1.1", into its parts.
// nginx logs whatever a client sent: of a line that is no request (a TLS hello,
// nothing, "-") all parts are nil.
//
// A space in the target is nginx's to judge: it accepts some, and then the
// target ends at the last one. HTTP/0.9 has no protocol.
func splitRequest(line []byte, parts *[numDerived][]byte) {
	*parts = [numDerived][]byte{}
	end := bytes.IndexByte(line, ' ')
	if end <= 0 || !isMethod(line[:end]) {
		return
	}
	target := line[end+1:]
	var version []byte
	if last := bytes.LastIndexByte(target, ' '); last >= 0 {
		target, version = target[:last], target[last+1:]
		if !bytes.HasPrefix(version, []byte("HTTP/")) {
			return
		}
	}
	if len(target) == 0 {
		return
	}
	parts[method], parts[protocol] = line[:end], version
	if target[0] != '/' && target[0] != '*' {
		target = afterAuthority(target)
	}
	if at := bytes.IndexByte(target, '?'); at >= 0 {
		target, parts[query] = target[:at], target[at+1:]
	}
	parts[path] = target
}

// isMethod takes what nginx takes: capital letters, _ and -.
func isMethod(b []byte) bool {
	if len(b) > 32 {
		return false
	}
	for _, c := range b {
		if (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

var root = []byte{'/'}

// afterAuthority is the path and query of http://example.com/path?query; nil
// when there is no URL, as in CONNECT example.com:443.
func afterAuthority(target []byte) []byte {
	_, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok {
		return nil
	}
	if slash := bytes.IndexByte(rest, '/'); slash >= 0 {
		return rest[slash:]
	}
	return root
}
