package logformat

import (
	"maps"
	"slices"
)

// presets are the log_formats that have a name. "combined" is nginx's own
// default; "vhost_combined" is what nginx users call by that name, Apache's
// format of that name with $host in place of its %v (the lines look the same);
// "ingress" is the default of the Kubernetes ingress controller, which calls it
// upstreaminfo. Each of the others is what the program of that name writes if nothing is
// configured; internal/parse/testdata/formats has where it says so.
var presets = map[string]string{
	"common":         common,
	"combined":       combined,
	"vhost_combined": "$host:$server_port " + combined,
	"timed":          timed + ` $upstream_response_time $request_time`,
	"ingress": combined + ` $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] ` +
		`$upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
	"gitlab": `$remote_addr - $remote_user [$time_local] "$request_method $filtered_request_uri $server_protocol" ` +
		`$status $body_bytes_sent "$filtered_http_referer" "$http_user_agent" $gzip_ratio`,
	"npm_proxy": `[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" ` +
		`[Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $server] "$http_user_agent" "$http_referer"`,
	"npm_standard": `[$time_local] $status - $request_method $scheme $host "$request_uri" ` +
		`[Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] "$http_user_agent" "$http_referer"`,
	"apisix": `$remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent $request_time ` +
		`"$http_referer" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time "$upstream_url"`,
	"geoip2influx": `$remote_addr - $remote_user [$time_local]"$request" $status $body_bytes_sent"$http_referer" $host ` +
		`"$http_user_agent""$request_time" "$upstream_connect_time""$geoip2_data_city_name" "$geoip2_data_country_code"`,
	"traefik": combined + ` $requests_since_start "$router" "$server_url" ${request_time}ms`,
}

// expressions are the named formats that are no log_format: HAProxy's times have no zone.
// haproxy_headers is the same with captured headers, of the request, the answer, or both.
var expressions = map[string]string{
	"haproxy":         haproxy + `"(?P<request>[^"]*)"$`,
	"haproxy_headers": haproxy + `(?P<captured_headers>\{[^"]*\}) "(?P<request>[^"]*)"$`,
}

const haproxy = `^(?P<remote_addr>[^ "{]+):(?P<remote_port>\d+) \[(?P<time_local>[^\]]+)\] (?P<frontend>\S+) (?P<backend>[^/ ]+)/(?P<server>\S+) ` +
	`(?P<request_ms>[^/ ]+)/(?P<queue_ms>[^/ ]+)/(?P<upstream_connect_time>[^/ ]+)/(?P<upstream_header_time>[^/ ]+)/(?P<request_time>\S+) ` +
	`(?P<status>\S+) (?P<bytes_sent>\S+) (?P<request_cookie>\S+) (?P<response_cookie>\S+) ` +
	`(?P<termination_state>\S+) (?P<connections>\S+) (?P<queues>\S+) `

// units are how many decimals make seconds of the times of a named format. A value with 0
// stays a whole number, but without the signs that HAProxy writes.
var units = map[string]map[string]int{
	"haproxy":         haproxyUnits,
	"haproxy_headers": haproxyUnits,
	"traefik":         {"request_time": 3},
	"traefik_json":    {"request_time": 9, "upstream_response_time": 9},
}

var haproxyUnits = map[string]int{
	"request_ms": 0, "queue_ms": 0, "status": 0, "bytes_sent": 0,
	"upstream_connect_time": 3, "upstream_header_time": 3, "request_time": 3,
}

// objects are the kinds of JSON that have a name: which variables their keys are.
var objects = map[string]objectPreset{
	"caddy": {`"request":{"remote_`, map[string]string{
		"ts": "msec", "request.remote_ip": "remote_addr", "request.client_ip": "remote_addr", "request.method": "request_method",
		"request.uri": "request_uri", "request.proto": "server_protocol", "request.host": "host",
		"size": "body_bytes_sent", "duration": "request_time", "bytes_read": "request_length",
	}},
	"traefik_json": {`"DownstreamStatus":`, map[string]string{
		"ClientHost": "remote_addr", "ClientUsername": "remote_user", "RequestMethod": "request_method", "RequestPath": "request_uri",
		"RequestProtocol": "server_protocol", "RequestHost": "host", "RequestScheme": "scheme",
		"DownstreamStatus": "status", "DownstreamContentSize": "body_bytes_sent", "RequestContentSize": "request_length",
		"Duration": "request_time", "OriginDuration": "upstream_response_time",
	}},
}

type objectPreset struct {
	mark   string // what each line has, and no other JSON
	rename map[string]string
}

const (
	common   = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`
	combined = common + ` "$http_referer" "$http_user_agent"`
	timed    = `$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent ` +
		`"$http_referer" "$http_user_agent" "$gzip_ratio"`
)

// Presets are the names that CompileFormat knows, sorted.
func Presets() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(presets)), maps.Keys(objects))
	names = slices.AppendSeq(names, maps.Keys(expressions))
	names = append(names, jsonPreset)
	slices.Sort(names)
	return names
}

// PresetOf is the name of the preset that a log_format is equal to, as nginx has it,
// with its words joined; or "".
func PresetOf(text string) string {
	for name, preset := range presets {
		if preset == text && units[name] == nil {
			return name
		}
	}
	return ""
}
