package accesslog

import (
	"bytes"
	"slices"
	"strings"
)

// A cut is where the query is in a value. It may hold anything a person typed.
type cut uint8

const (
	cutNothing cut = iota
	cutURL         // from ? or # on
	cutRequest     // the same, but not the protocol behind it
)

// cutOf says it for a variable. Those that are a query and nothing else are
// left: who asks for them by name wants them.
func cutOf(variable string) cut {
	switch {
	case variable == "request":
		return cutRequest
	case slices.Contains([]string{"path", "uri", "url", "referer", "referrer"}, variable):
		return cutURL
	}
	for _, suffix := range []string{"_uri", "_url", "_referer", "_referrer", "_location", "_redirect", "_refresh"} {
		if strings.HasSuffix(variable, suffix) {
			return cutURL
		}
	}
	return cutNothing
}

func (t *texts) cutQuery(value []byte, c cut) []byte {
	if c == cutNothing {
		return value
	}
	at := pathLen(value)
	if at == len(value) {
		return value
	}
	kept := value[:at]
	if last := bytes.LastIndexByte(value, ' '); c == cutRequest && last > at && bytes.HasPrefix(value[last+1:], []byte("HTTP/")) {
		t.short = append(append(t.short[:0], kept...), value[last:]...)
		kept = t.short
	}
	return kept
}
