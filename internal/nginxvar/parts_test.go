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
			"ssl_protocol", "forwarded_proto", "auth_method", "a", "", "_", "server_url", "requests_since_start",
		},
	} {
		for _, name := range names {
			if got := nginxvar.Part(name); got != part {
				t.Errorf("Part(%q) = %q, want %q", name, got, part)
			}
		}
	}
}
