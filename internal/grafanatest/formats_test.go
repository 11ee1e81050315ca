package grafanatest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// origins are the sources. What a format does not have is taken out of the record when its
// line is written.
var origins = []origin{
	{host: web1, source: "web", config: "format: timed", rate: 0.8, second: true, median: 30, write: timed},
	{host: web1, source: "shop", config: "format: combined", rate: 0.3, second: true, median: 1, write: combined},
	{host: web2, source: "api", config: "format: '" + apiFormat + "'", rate: 0.6, median: 120, write: pasted},
	{host: web2, source: events, config: "format: json", rate: 0.2, second: true, median: 5, write: object},
}

// apiFormat is a log_format as somebody has it in nginx.conf.
const apiFormat = `$remote_addr [$msec] "$request" $status $bytes_sent $request_length $request_time "$upstream_addr" "$upstream_response_time"`

const localTime = "02/Jan/2006:15:04:05 -0700"

// escaped is how nginx writes what a client sent.
func escaped(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\' || c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func quoted(text string) string { return `"` + text + `"` }

// line is "$request".
func (r *request) line() string {
	if r.method == "" {
		return quoted(escaped(r.target))
	}
	return quoted(r.method + " " + escaped(r.target) + " HTTP/1.1")
}

func secondsOf(ms int64) string {
	if ms < 0 {
		return "-"
	}
	return fmt.Sprintf("%d.%03d", ms/1000, ms%1000)
}

// upstreamTimes is $upstream_response_time.
func (r *request) upstreamTimes() string {
	var all []string
	for _, ms := range r.upstream {
		all = append(all, secondsOf(ms))
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}

func timed(r *request) string {
	r.body, r.length, r.server = -1, -1, ""
	return fmt.Sprintf(`192.0.2.7 - - [%s] https %s %d %d "-" "Mozilla/5.0" "-" %s %s`,
		r.at.Format(localTime), r.line(), r.status, r.sent, r.upstreamTimes(), secondsOf(r.ms))
}

func combined(r *request) string {
	r.sent, r.length, r.ms, r.upstream, r.server = -1, -1, -1, nil, ""
	return fmt.Sprintf(`192.0.2.8 - bob [%s] %s %d %d "https://example.com/" "curl/8.5.0"`, r.at.Format(localTime), r.line(), r.status, r.body)
}

func pasted(r *request) string {
	r.body = -1
	servers := "-"
	if len(r.upstream) > 0 {
		servers = strings.Repeat("10.0.0.1:8080, ", len(r.upstream)-1) + r.server
	}
	return fmt.Sprintf(`192.0.2.9 [%d.%03d] %s %d %d %d %s %s %s`, r.at.Unix(), r.at.UnixMilli()%1000, r.line(), r.status, r.sent, r.length,
		secondsOf(r.ms), quoted(servers), quoted(r.upstreamTimes()))
}

func object(r *request) string {
	r.body, r.length, r.upstream, r.server = -1, -1, nil, ""
	text, err := json.Marshal(map[string]string{
		"time_iso8601": r.at.Format(time.RFC3339), "request_method": r.method, "uri": r.objectPath(), "status": strconv.Itoa(r.status),
		"bytes_sent": strconv.FormatInt(r.sent, 10), "request_time": secondsOf(r.ms),
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// objectPath is $uri: without a query, and nothing if it is no request.
func (r *request) objectPath() string {
	if r.method == "" {
		return ""
	}
	path, _, _ := strings.Cut(r.target, "?")
	return path
}
