package shape

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// ownRequests says that tailflux's own requests to InfluxDB are in the log, so that each
// of them makes a point, and with it the next request, for ever: then InfluxDB is behind
// the server whose log this is. It is "" when there are none, or they are dropped.
func (l *Lines) ownRequests(lines [][]byte) string {
	lines = slices.DeleteFunc(slices.Clone(lines), func(line []byte) bool { return !isOwn(line) })
	if len(lines) == 0 {
		return ""
	}
	schema := l.Schema
	schema.Values = nil // nothing is admitted for lines that are only looked at
	encoder, err := accesslog.New(l.Format.Names(), schema)
	if err != nil {
		return ""
	}
	for _, line := range lines {
		if captures, ok := l.Matcher.Match(line); ok {
			if _, outcome := encoder.Append(nil, captures, 0); outcome == accesslog.Point {
				return ownRequests + " are in this log, and each becomes a point and with it another request, for ever: " +
					"write access_log off; into the location of InfluxDB, or set drop: [{http_user_agent: tailflux}]"
			}
		}
	}
	return ""
}

const ownRequests = "tailflux's own requests to InfluxDB"

var ownPath = lazyregexp.New(`/(?:write|query|ping)\b`)

// isOwn reports whether a line may be of a request that tailflux sends.
func isOwn(line []byte) bool {
	return bytes.Contains(line, []byte(`"tailflux"`)) && ownPath().Match(line)
}

// Unread names the keys of a JSON log that are left out, because they are of no variable.
func (l *Lines) Unread(lines [][]byte) string {
	if l.Format.Kind() != "json" {
		return ""
	}
	keys := l.Format.Strange(lines)
	const most = 20
	more := ""
	if len(keys) > most {
		keys, more = keys[:most], ", …"
	}
	if len(keys) == 0 {
		return ""
	}
	return "keys that are read as nothing: " + strings.Join(keys, ", ") + more + "; name those that are wanted in fields or tags, or in rename"
}
