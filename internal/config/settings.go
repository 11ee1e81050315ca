package config

import (
	"strings"
	"time"
)

// A setting is one key: a row of the table from which the file, the flags, the
// variables, the printed configuration and the manual are made. T is the struct
// its value lives in.
type setting[T any] struct {
	key  string                  // dotted, as in the file
	help string                  // one sentence without the full stop
	kind string                  // one word for --help
	want string                  // what is accepted, to be read after "want"
	list bool                    // flags and variables give it separated by commas
	deep bool                    // only the file can give it: it has keys of its own
	set  func(*T, value) []fault // a value with faults is set to zero
	get  func(*T) value
}

// settings has every key but sources.
var settings = []setting[Config]{
	row("influxdb.url", "where InfluxDB 1.x answers; a path prefix is kept",
		url(), func(c *Config) *string { return &c.InfluxDB.URL }),
	row("influxdb.database", "database, created when missing",
		text(), func(c *Config) *string { return &c.InfluxDB.Database }),
	row("influxdb.retention_policy", "retention policy to write into; empty for the database's default",
		optional(text()), func(c *Config) *string { return &c.InfluxDB.RetentionPolicy }),
	row("influxdb.username", "user name; empty for no authentication",
		optional(text()), func(c *Config) *string { return &c.InfluxDB.Username }),
	row("influxdb.password_file", "file that holds the password; a password itself is never taken as a value",
		optional(path()), func(c *Config) *string { return &c.InfluxDB.PasswordFile }),
	row("influxdb.batch_points", "points after which a batch is sent",
		integer(1, 100_000), func(c *Config) *int { return &c.InfluxDB.BatchPoints }),
	row("influxdb.flush_interval", "age at which a smaller batch is sent",
		duration(10*time.Millisecond, time.Minute), func(c *Config) *time.Duration { return &c.InfluxDB.FlushInterval }),
	row("influxdb.in_flight", "requests under way at once",
		integer(1, 16), func(c *Config) *int { return &c.InfluxDB.InFlight }),
	row("influxdb.gzip", "compress requests: less network, more processor",
		boolean(), func(c *Config) *bool { return &c.InfluxDB.Gzip }),
	row("influxdb.timeout", "time one request may take before it is tried again",
		duration(100*time.Millisecond, 5*time.Minute), func(c *Config) *time.Duration { return &c.InfluxDB.Timeout }),
	row("host", "tag host; empty for the machine's name, which is kept in state_dir once chosen",
		optional(text()), func(c *Config) *string { return &c.Host }),
	row("measurement", "measurement the points belong to",
		measurement(), func(c *Config) *string { return &c.Measurement }),
	row("tags", "variables that become tags, beside host and source; nginx's $host is vhost",
		names("a list of variables such as [method, status]"), func(c *Config) *[]string { return &c.Tags }),
	row("fields", "variables that become fields; with none of them in a line, count=1",
		names("a list of variables such as [method, status]"), func(c *Config) *[]string { return &c.Fields }),
	row("tag_limit", "distinct values per tag; later ones become \"other\"",
		integer(1, 1_000_000), func(c *Config) *int { return &c.TagLimit }),
	row("fold", "fold paths before they become a tag: /users/42 is /users/:id",
		boolean(), func(c *Config) *bool { return &c.Fold }),
	row("fold_static", "fold the paths of static files to their extension: *.js",
		boolean(), func(c *Config) *bool { return &c.FoldStatic }),
	row("paths", "rules of your own for paths, before fold and fold_static; the first that matches counts",
		pathRules(), func(c *Config) *[]PathRule { return &c.Paths }),
	row("timezone", "time zone of times that have none; empty refuses such lines",
		timezone(), func(c *Config) *string { return &c.Timezone }),
	row("drop", "lines to leave out: those for which every variable of a rule has the value, or matches ~ or ~* and a regular expression",
		dropRules(), func(c *Config) *[]DropRule { return &c.Drop }),
	row("mask", "variables with addresses of which only the network is kept: the last octet, or the last 80 bits, become 0",
		names("a list of variables such as [remote_addr]"), func(c *Config) *[]string { return &c.Mask }),
	row("query", "what becomes of the query in URLs",
		oneOf("drop", "keep"), func(c *Config) *string { return &c.Query }),
	row("trusted_proxies", "proxies whose X-Forwarded-For is believed, for the derived variable client",
		networks(), func(c *Config) *[]string { return &c.TrustedProxies }),
	row("rotate_wait", "how long a rotated file must have been quiet before it is left",
		duration(10*time.Millisecond, time.Hour), func(c *Config) *time.Duration { return &c.RotateWait }),
	row("max_line", "longer lines are rejected",
		size(1<<10, 16<<20), func(c *Config) *int64 { return &c.MaxLineBytes }),
	row("on_reject", "what is done when InfluxDB refuses more than half of a batch: file rejects the lines, hold waits until it takes them",
		oneOf("file", "hold"), func(c *Config) *string { return &c.OnReject }),
	row("rejects_max_bytes", "size at which the reject file is replaced, with one predecessor kept",
		size(1<<10, 1<<40), func(c *Config) *int64 { return &c.RejectsMaxBytes }),
	row("memory_limit", "soft memory limit of the process",
		size(32<<20, 1<<40), func(c *Config) *int64 { return &c.MemoryLimitBytes }),
	row("wakeups", "let the kernel tell when a file grew; false polls only",
		boolean(), func(c *Config) *bool { return &c.Wakeups }),
	row("state_dir", "directory of the checkpoint, the tag values and the reject file",
		path(), func(c *Config) *string { return &c.StateDir }),
	row("listen", "address of /monitor and the health checks; empty for no HTTP server, port 0 for a free one",
		listen(), func(c *Config) *string { return &c.Listen }),
}

// sourceSettings has the keys of one source: of each entry of sources, and of
// the flags and variables that describe one source in place of them.
var sourceSettings = []setting[Source]{
	row("name", "tag source; the base name of the path when not given; of a glob with a colon and what the wildcards match",
		text(), func(s *Source) *string { return &s.Name }),
	row("path", "log file to follow, or a glob",
		glob(), func(s *Source) *string { return &s.Path }),
	row("format", "format of the lines: a preset, auto, or an nginx log_format string",
		pattern("a preset such as combined, auto, or an nginx log_format string"), func(s *Source) *string { return &s.Format }),
	row("regexp", "in place of a format: RE2 whose named groups are nginx variables",
		pattern("a regular expression with named groups"), func(s *Source) *string { return &s.Regexp }),
	row("start", "where to begin at the very first start",
		oneOf("end", "beginning"), func(s *Source) *string { return &s.Start }),
}

// row makes a setting out of a kind and the place its value is kept.
func row[T, V any](key, help string, k kind[V], field func(*T) *V) setting[T] {
	return setting[T]{
		key: key, help: help, kind: k.name, want: k.want, list: k.list, deep: k.deep,
		set: func(t *T, v value) []fault {
			var faults []fault
			*field(t), faults = k.parse(v)
			return faults
		},
		get: func(t *T) value { return k.value(*field(t)) },
	}
}

// flagName is the flag of a key, without the dashes before it.
func flagName(key string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(key)
}

// variable is the environment variable of a key.
func variable(key string) string {
	return "TAILFLUX_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}
