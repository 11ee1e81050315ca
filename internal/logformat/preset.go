package logformat

import (
	"maps"
	"slices"
)

// presets are the formats that have a name. "combined" is nginx's own default;
// "vhost_combined" is what nginx users call by that name, Apache's format of
// that name with $host in place of its %v (the lines look the same).
var presets = map[string]string{
	"common":         common,
	"combined":       combined,
	"vhost_combined": "$host:$server_port " + combined,
	"timed": `$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent ` +
		`"$http_referer" "$http_user_agent" "$gzip_ratio" $upstream_response_time $request_time`,
}

const (
	common   = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`
	combined = common + ` "$http_referer" "$http_user_agent"`
)

// Presets are the names that CompileFormat knows, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }
