// Package config is the configuration of tailflux: one plain struct, filled
// from its defaults, a YAML file, variables and flags, in that order.
//
// Every key is one row of a table (settings.go). The file, the flags, the
// variables, the printed configuration and the table in docs/configuration.md
// are all made from it, so that they cannot disagree.
//
// It promises to report every mistake at once, each on one line with the place
// where it was made, the value received and what would be accepted. It refuses
// what it does not know: unknown keys, values of another type, and the parts of
// YAML that hide what a file says (anchors, aliases, tags, merge keys). It never
// holds or prints a password, and does not know what a log format is: the caller
// hands in that check.
package config

import (
	"cmp"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// DefaultFile is read when no file is named, if it exists.
const DefaultFile = "/etc/tailflux/tailflux.yaml"

// Config is everything an operator can choose. What [Load] returns is complete
// and valid, and may be read by several goroutines as long as none changes it.
type Config struct {
	Sources  []Source // names differ, and so do paths; at least one if Options.NeedSource
	InfluxDB InfluxDB

	Host        string   // tag "host"; empty means the machine's name
	Measurement string   // never empty
	Tags        []string // variables that become tags, beside host and source; may be empty
	Fields      []string // variables that become fields; empty means count=1 alone
	TagLimit    int      // distinct values per tag, at least 1

	Fold       bool       // numbers, UUIDs, hashes and tokens in a path become :id, :uuid, :hash and :token
	FoldStatic bool       // the path of a static file becomes its extension
	Paths      []PathRule // come first; may be empty
	Timezone   string     // of times without one, as time.LoadLocation takes it; empty refuses them

	Exclude []string // globs of files that a glob leaves out: of paths, or without a slash of names; may be empty

	Drop   []DropRule        // lines that match one of these are left out; may be empty
	Types  map[string]string // of variables: integer, float or string; may be empty
	Rename map[string]string // what a format calls a value → the variable that it is, or the other way round; may be empty

	Raw         bool     // a point for each line
	SelfMetrics bool     // points about tailflux itself
	Rollups     []Rollup // in which lines are added up; may be empty if Raw is set
	Retention   Retention

	Mask           []string // variables of which only the network is kept; may be empty
	Query          string   // "drop" or "keep": what becomes of the query in URLs
	TrustedProxies []string // CIDRs, each with its host bits zero; may be empty

	RotateWait       time.Duration // how long a rotated file must have been quiet before it is left; at least 10ms
	MaxLineBytes     int64         // longer lines are rejected; at least 1024
	OnReject         string        // "file" or "hold": what becomes of a batch of which InfluxDB refuses more than half
	RejectsMaxBytes  int64         // cap of the reject file; at least 1024
	MemoryLimitBytes int64         // soft limit for the Go runtime; at least 32 MiB
	Wakeups          bool          // false: files are polled only
	StateDir         string        // never empty; cleaned, but relative when it was given so
	Listen           string        // host:port of the HTTP server; empty means none, port 0 a free one
	HTTP             HTTP          // who may ask it, and what it tells
}

// Source is one followed path.
type Source struct {
	Name   string // tag "source"; never empty
	Path   string // a file or a glob (filepath.Match); cleaned, but relative when it was given so
	Format string // preset, "auto" or log_format string; empty if and only if Regexp is set
	Regexp string // RE2 with named groups; empty if and only if Format is set
	Anew   bool   // auto was written: a format that was detected earlier is judged anew
	Start  string // "end" or "beginning": where to begin at the very first start
}

// IsGlob reports whether Path is a pattern, as in [filepath.Match].
func (s Source) IsGlob() bool { return strings.ContainsAny(s.Path, `*?[`) }

// PathRule folds paths: those that match Match, which is RE2, become As.
type PathRule struct{ Match, As string }

// DropRule matches a line when all of its conditions do. There is at least one.
type DropRule []Condition

// Condition is about one variable. Match is its value, or ~ and RE2, or ~* and
// RE2 for any case; \~ is a value that begins with ~.
type Condition struct{ Variable, Match string }

// InfluxDB says where and how points are delivered.
type InfluxDB struct {
	URL             string // http or https, without credentials, query or trailing slash; or unix:/path
	Database        string // never empty
	RetentionPolicy string // empty means the database's default one
	Username        string // empty means no authentication
	PasswordFile    string // read by [Config.Access]; empty means no password
	TokenFile       string // in place of the two; read by [Config.Access]
	CAFile          string // PEM; read by [Config.Access]; empty means the system's authorities
	ClientCertFile  string // PEM; read by [Config.Access]; set if and only if ClientKeyFile is
	ClientKeyFile   string
	Insecure        bool          // any certificate will do
	Headers         []string      // "Name: value", each name once
	BatchPoints     int           // a batch is sent with this many points, at least 1
	FlushInterval   time.Duration // or at this age; at least 10ms
	InFlight        int           // requests under way at once, at least 1
	Gzip            bool          // compress requests
	Timeout         time.Duration // of one request, at least 100ms
	StoreLag        time.Duration // from an acknowledgement of VictoriaMetrics until it is relied on
}

// HTTP says who may ask the HTTP server, and what it tells. One of the first two is set
// unless Listen is on loopback, or empty.
type HTTP struct {
	TokenFile     string // read by [Config.HTTPToken]; empty means that no token is asked for
	Public        bool   // everybody who reaches it may
	Live          bool   // what happened lately is kept in memory
	FullAddresses bool   // of clients are in that, rather than their networks
	// Hosts are names by which it may be asked for, beside addresses, this machine's own name
	// and names without a dot.
	Hosts []string
}

// Default returns the configuration nobody has touched. It has no source, so
// it is not valid yet.
func Default() Config {
	return Config{
		InfluxDB: InfluxDB{
			URL:           "http://127.0.0.1:8086",
			Database:      "nginx",
			BatchPoints:   5000,
			FlushInterval: time.Second,
			InFlight:      2,
			Timeout:       10 * time.Second,
			StoreLag:      15 * time.Second,
		},
		Measurement: "nginx_access",
		Tags:        []string{"method", "status", "scheme", "path"},
		Fields: []string{
			"bytes_sent", "body_bytes_sent", "request_length", "request_time",
			"upstream_response_time", "upstream_connect_time", "upstream_header_time",
		},
		TagLimit:         10_000,
		Raw:              true,
		SelfMetrics:      true,
		Rollups:          DefaultRollups(),
		Fold:             true,
		Query:            "drop",
		RotateWait:       5 * time.Second,
		MaxLineBytes:     64 << 10,
		OnReject:         "file",
		RejectsMaxBytes:  100 << 20,
		MemoryLimitBytes: 128 << 20,
		Wakeups:          true,
		StateDir:         "/var/lib/tailflux",
		Listen:           "127.0.0.1:9193",
		HTTP:             HTTP{Live: true},
	}
}

// defaultSource holds what a source is when only its path is given; its name is
// the base name of the path.
func defaultSource() Source {
	return Source{Format: "auto", Start: "end"}
}

// Warnings returns what is accepted and is probably not meant.
func (c *Config) Warnings() (all []string) {
	db := c.InfluxDB
	for key, file := range map[string]string{
		"influxdb.password_file": db.PasswordFile, "influxdb.token_file": db.TokenFile, "influxdb.client_key_file": db.ClientKeyFile,
		"http.token_file": c.HTTP.TokenFile,
	} {
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o004 != 0 {
			all = append(all, key+": everybody may read "+file+"; chmod 0640 it, with the group of tailflux")
		}
	}
	switch {
	case c.HTTP.TokenFile != "" && c.HTTP.Public:
		all = append(all, "http.public: true beside http.token_file: the token is asked for all the same")
	case c.HTTP.TokenFile != "" && c.Listen == "":
		all = append(all, `http.token_file with listen: "": there is no HTTP server`)
	}
	u, err := url.Parse(db.URL)
	plain := err == nil && u.Scheme == "http"
	if secret := cmp.Or(db.Username, db.TokenFile); plain && secret != "" && !isLoopback(u.Hostname()) {
		what := "password"
		if db.Username == "" {
			what = "token"
		}
		all = append(all, "influxdb.url: the "+what+" crosses the network unencrypted to "+u.Host+"; use https")
	}
	switch tls := cmp.Or(db.CAFile, db.ClientCertFile); {
	case err == nil && u.Scheme != "https" && (tls != "" || db.Insecure):
		all = append(all, "influxdb.url: "+db.URL+" is not https, so certificates are not used")
	case db.Insecure:
		all = append(all,
			"influxdb.insecure_skip_verify: whoever is in between can read and change what is sent; put the server's certificate into influxdb.ca_file instead")
	}
	slices.Sort(all)
	return all
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}
