package nginxvar_test

import (
	"testing"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

// What a name of the operator's own says of the request, and what it does not.
func TestPart(t *testing.T) {
	for part, names := range map[string][]string{
		"method":   {"verb", "m", "http_verb", "requestMethod", "req.method", "method_masked", "METHOD", "requestmethod"},
		"path":     {"masked_uri", "u", "safeUri", "requestURL", "url.path", "req.url", "path_sanitized", "sanitized_request_uri", "URL", "safeurl"},
		"query":    {"safe_args", "queryString", "url.query"},
		"protocol": {"proto", "http.protocol", "reqProto"},
		"request":  {"filtered_request", "request_line", "loggableRequest", "request_masked"},
		"": {
			"security", "curl", "hourly", "up_uri", "upstream_path", "referer_url", "request_id", "request_time", "url.domain", "path_hash",
			"ssl_protocol", "forwarded_proto", "auth_method", "a", "", "_", "server_url", "target", "lb_method", "requests_since_start",
		},
	} {
		for _, name := range names {
			if got := nginxvar.Part(name); got != part {
				t.Errorf("Part(%q) = %q, want %q", name, got, part)
			}
		}
	}
}

// Which variables say that a line is of a request, or of a session of the stream module.
func TestOfHTTPOrStream(t *testing.T) {
	for name, want := range map[string][2]bool{
		"http_user_agent": {true, false}, "request_time": {true, false}, "sent_http_location": {true, false}, "body_bytes_sent": {true, false},
		"session_time": {false, true}, "ssl_preread_server_name": {false, true}, "bytes_received": {false, true},
		"status": {}, "bytes_sent": {}, "upstream_addr": {}, "remote_addr": {}, "server_protocol": {}, "my_http": {},
	} {
		if got := [2]bool{nginxvar.OfHTTP(name), nginxvar.OfStream(name)}; got != want {
			t.Errorf("OfHTTP, OfStream(%q) = %v, want %v", name, got, want)
		}
	}
}
