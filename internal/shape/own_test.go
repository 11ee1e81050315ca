package shape_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
)

// Behind the server whose log is followed, each request to InfluxDB makes the next one.
func TestOwnRequestsInTheLogAreSaid(t *testing.T) {
	request := func(request, agent string) string {
		return `127.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "` + request + `" 204 0 "-" "` + agent + `"` + "\n"
	}
	const object = `{"time":"2026-11-20T10:00:00Z","request":"POST /write?db=nginx HTTP/1.1","status":204,"http_user_agent":"tailflux"}` + "\n"
	for _, tt := range []struct {
		name, format, lines string
		drop                config.DropRule
		want                bool
	}{
		{"a write", "combined", combined + request("POST /write?db=nginx&precision=ns HTTP/1.1", "tailflux"), nil, true},
		{"behind a prefix", "combined", request("POST /influx/write?db=nginx HTTP/1.1", "tailflux"), nil, true},
		{"a ping", "combined", request("GET /ping HTTP/1.1", "tailflux"), nil, true},
		{"JSON", "json", object, nil, true},
		{"dropped by its agent", "combined", request("POST /write?db=nginx HTTP/1.1", "tailflux"), config.DropRule{{Variable: "http_user_agent", Match: "tailflux"}}, false},
		{"dropped by its path", "combined", request("POST /write?db=nginx HTTP/1.1", "tailflux"), config.DropRule{{Variable: "path", Match: "/write"}}, false},
		{"of another program", "combined", request("POST /write?db=nginx HTTP/1.1", "telegraf"), nil, false},
		{"of another path", "combined", request("GET /writers HTTP/1.1", "tailflux"), nil, false},
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = tt.format
		if tt.drop != nil {
			h.config.Drop = []config.DropRule{tt.drop}
		}
		h.write(tt.lines)
		h.mustOpen()
		if got := strings.Contains(h.log.String(), "tailflux's own requests to InfluxDB are in this log"); got != tt.want {
			t.Errorf("%s: the start says\n%s", tt.name, h.log.String())
		}
	}
}
