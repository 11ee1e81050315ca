package logformat

import (
	"maps"
	"slices"
)

// presets are the log_formats that have a name. "combined" is nginx's own
// default; "vhost_combined" is what nginx users call by that name, Apache's
// format of that name with $host in place of its %v (the lines look the same);
// "ingress" is the default of the Kubernetes ingress controller, which calls it
// upstreaminfo.
var presets = map[string]string{
	"common":         common,
	"combined":       combined,
	"vhost_combined": "$host:$server_port " + combined,
	"timed":          timed + ` $upstream_response_time $request_time`,
	"ingress": combined + ` $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] ` +
		`$upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
}

const (
	common   = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`
	combined = common + ` "$http_referer" "$http_user_agent"`
	timed    = `$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent ` +
		`"$http_referer" "$http_user_agent" "$gzip_ratio"`
)

// Presets are the names that CompileFormat knows, sorted.
func Presets() []string {
	names := append(slices.Collect(maps.Keys(presets)), jsonPreset)
	slices.Sort(names)
	return names
}
