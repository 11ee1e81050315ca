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
	row("influxdb.url", "address of InfluxDB; may have a path prefix; or unix: and the path of a socket",
		httpURL(), func(c *Config) *string { return &c.InfluxDB.URL }),
	row("influxdb.database", "database to write to; created if missing",
		text(), func(c *Config) *string { return &c.InfluxDB.Database }),
	row("influxdb.retention_policy", "retention policy to write to; empty for the default one of the database",
		optional(text()), func(c *Config) *string { return &c.InfluxDB.RetentionPolicy }),
	row("influxdb.username", "user name; empty for no authentication",
		userName(), func(c *Config) *string { return &c.InfluxDB.Username }),
	row("influxdb.password_file", "file that contains the password",
		optional(path()), func(c *Config) *string { return &c.InfluxDB.PasswordFile }),
	row("influxdb.token_file", "file that contains a token, in place of user name and password; sent as Authorization: Token",
		optional(path()), func(c *Config) *string { return &c.InfluxDB.TokenFile }),
	row("influxdb.ca_file", "file with the certificates (PEM) that the server's must be signed by; empty for the system's",
		optional(path()), func(c *Config) *string { return &c.InfluxDB.CAFile }),
	row("influxdb.client_cert_file", "file with the certificate (PEM) that tailflux shows; with influxdb.client_key_file",
		optional(path()), func(c *Config) *string { return &c.InfluxDB.ClientCertFile }),
	row("influxdb.client_key_file", "file with the key (PEM) of that certificate",
		optional(path()), func(c *Config) *string { return &c.InfluxDB.ClientKeyFile }),
	row("influxdb.insecure_skip_verify", "accept any certificate of the server: nothing is safe then",
		boolean(), func(c *Config) *bool { return &c.InfluxDB.Insecure }),
	row("influxdb.headers", "headers for each request, such as ['X-Scope-OrgID: web']; no secrets, they are printed",
		headers(), func(c *Config) *[]string { return &c.InfluxDB.Headers }),
	row("influxdb.batch_points", "maximum number of points in a request",
		integer(1, 100_000), func(c *Config) *int { return &c.InfluxDB.BatchPoints }),
	row("influxdb.flush_interval", "how long a point may wait for more points before it is sent",
		duration(10*time.Millisecond, time.Minute), func(c *Config) *time.Duration { return &c.InfluxDB.FlushInterval }),
	row("influxdb.in_flight", "how many requests may wait for an answer at the same time",
		integer(1, 16), func(c *Config) *int { return &c.InfluxDB.InFlight }),
	row("influxdb.gzip", "compress requests: less network traffic, more CPU time",
		boolean(), func(c *Config) *bool { return &c.InfluxDB.Gzip }),
	row("influxdb.timeout", "time limit of a request; after that, its points are sent again",
		duration(100*time.Millisecond, 5*time.Minute), func(c *Config) *time.Duration { return &c.InfluxDB.Timeout }),
	row("influxdb.store_lag", "how long VictoriaMetrics may take to have on its disk what it acknowledged; other servers have it at once",
		duration(time.Second, 10*time.Minute), func(c *Config) *time.Duration { return &c.InfluxDB.StoreLag }),
	row("host", "value of the tag host; empty for the machine's name, which is then kept in state_dir",
		optional(text()), func(c *Config) *string { return &c.Host }),
	row("measurement", "measurement to write to",
		measurement(), func(c *Config) *string { return &c.Measurement }),
	row("tags", "variables that become tags, besides host and source; nginx's $host is vhost",
		names("a list of variables such as [method, status]"), func(c *Config) *[]string { return &c.Tags }),
	row("fields", "variables that become fields; a line with none of them gets count=1",
		names("a list of variables such as [method, status]"), func(c *Config) *[]string { return &c.Fields }),
	row("tag_limit", "maximum number of distinct values of a tag; later ones are stored as \"other\"",
		integer(1, 1_000_000), func(c *Config) *int { return &c.TagLimit }),
	row("fold", "fold paths before they become a tag: /users/42 becomes /users/:id",
		boolean(), func(c *Config) *bool { return &c.Fold }),
	row("fold_static", "fold the paths of static files to their extension: *.js",
		boolean(), func(c *Config) *bool { return &c.FoldStatic }),
	row("paths", "your own rules for paths, applied before fold and fold_static; the first match wins",
		pathRules(), func(c *Config) *[]PathRule { return &c.Paths }),
	row("timezone", "time zone for timestamps without one; empty rejects them",
		timezone(), func(c *Config) *string { return &c.Timezone }),
	row("exclude", "files that a glob leaves out: globs of their names, or with a slash of their paths",
		excludes(), func(c *Config) *[]string { return &c.Exclude }),
	row("drop",
		"drop lines that match any rule; a rule matches when all its variables equal the given value, or match a regexp (~, or ~* to ignore case)",
		dropRules(), func(c *Config) *[]DropRule { return &c.Drop }),
	row("types", "types of variables as fields, where tailflux does not know them or another is wanted",
		mapping("a mapping such as {upstream_cost: integer}",
			"a variable (a-z, 0-9 and _), or a key of JSON", isVariable, oneOf("integer", "float", "string")),
		func(c *Config) *map[string]string { return &c.Types }),
	row("rename", "what a format calls a value, and the variable that it is: a key of JSON, a group, or a variable of your own",
		mapping("a mapping such as {DownstreamStatus: status, request.method: request_method}", "a key, a group or a variable", isKey, key()),
		func(c *Config) *map[string]string { return &c.Rename }),
	row("raw", "write a point for each line; false: only rollups",
		boolean(), func(c *Config) *bool { return &c.Raw }),
	row("rollups", "measurements in which lines are added up, for long ranges; as a flag or variable: default or none",
		rollups(), func(c *Config) *[]Rollup { return &c.Rollups }),
	row("retention.raw", "how long points are kept in a database that tailflux creates; empty for ever, and of another database for what it has",
		keep(), func(c *Config) *time.Duration { return &c.Retention.Raw }),
	row("retention.rollups", "the same for points of rollups, which then have a retention policy of their own; empty for that of the points",
		keep(), func(c *Config) *time.Duration { return &c.Retention.Rollups }),
	row("self_metrics", "write points about tailflux itself every 10 s, measurement tailflux",
		boolean(), func(c *Config) *bool { return &c.SelfMetrics }),
	row("mask", "variables whose addresses are masked: the last octet (IPv4) or the last 80 bits (IPv6) become 0",
		names("a list of variables such as [remote_addr]"), func(c *Config) *[]string { return &c.Mask }),
	row("query", "keep or drop the query string of URLs",
		oneOf("drop", "keep"), func(c *Config) *string { return &c.Query }),
	row("trusted_proxies", "proxies whose X-Forwarded-For is trusted, for the variable client",
		networks(), func(c *Config) *[]string { return &c.TrustedProxies }),
	row("rotate_wait", "how long a rotated file must be quiet before it is closed",
		duration(10*time.Millisecond, time.Hour), func(c *Config) *time.Duration { return &c.RotateWait }),
	row("max_line", "reject lines longer than this",
		size(1<<10, 16<<20), func(c *Config) *int64 { return &c.MaxLineBytes }),
	row("on_reject",
		"what to do when InfluxDB refuses more than half of a batch: \"file\" rejects the lines, \"hold\" retries until they are accepted",
		oneOf("file", "hold"), func(c *Config) *string { return &c.OnReject }),
	row("rejects_max_bytes", "size at which the reject file is rotated; one older file is kept",
		size(1<<10, 1<<40), func(c *Config) *int64 { return &c.RejectsMaxBytes }),
	row("memory_limit", "soft memory limit of the process, unless GOMEMLIMIT is set",
		size(32<<20, 1<<40), func(c *Config) *int64 { return &c.MemoryLimitBytes }),
	row("wakeups", "be notified by the kernel when a file grows; false: poll only",
		boolean(), func(c *Config) *bool { return &c.Wakeups }),
	row("state_dir", "directory for what must survive a restart: checkpoint, tag values, rejected lines",
		path(), func(c *Config) *string { return &c.StateDir }),
	row("listen", "address of the HTTP server for /monitor and health checks; empty for none, port 0 for any free port",
		listen(), func(c *Config) *string { return &c.Listen }),
	row("http.token_file", "file that contains a token, without which only /healthz and /readyz answer; sent as Authorization: Bearer",
		optional(path()), func(c *Config) *string { return &c.HTTP.TokenFile }),
	row("http.public", "everybody who reaches listen may see /monitor: paths and names of logs, addresses and errors of InfluxDB, rejected lines",
		boolean(), func(c *Config) *bool { return &c.HTTP.Public }),
	row("http.live", "keep the requests of the last 15 minutes in memory, for the live page and tailflux top",
		boolean(), func(c *Config) *bool { return &c.HTTP.Live }),
	row("http.full_addresses", "the live page and tailflux top show whole addresses of clients; false: only their networks, as mask makes them",
		boolean(), func(c *Config) *bool { return &c.HTTP.FullAddresses }),
	row("http.hosts",
		"names by which the HTTP server may be asked for, beside addresses, the name of this machine and names without a dot; others are refused",
		hosts(), func(c *Config) *[]string { return &c.HTTP.Hosts }),
}

// sourceSettings has the keys of one source: of each entry of sources, and of
// the flags and variables that describe one source in place of them.
var sourceSettings = []setting[Source]{
	row("name",
		"name of the source, which is the tag source; default: the file name of path. Each file of a glob is named NAME: and the text that the wildcards matched",
		text(), func(s *Source) *string { return &s.Name }),
	row("path", "log file to follow, or a glob",
		glob(), func(s *Source) *string { return &s.Path }),
	row("format", "format of the lines: a preset, auto to detect it, or an nginx log_format",
		pattern("a preset such as combined, auto, or an nginx log_format string"), func(s *Source) *string { return &s.Format }),
	row("regexp", "instead of format: a regular expression (RE2) whose named groups are nginx variables",
		pattern("a regular expression with named groups"), func(s *Source) *string { return &s.Regexp }),
	row("start", "where to begin when a log is followed for the first time",
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
	return strings.ReplaceAll(strings.ReplaceAll(key, ".", "-"), "_", "-")
}

// variable is the environment variable of a key.
func variable(key string) string {
	return "TAILFLUX_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}
