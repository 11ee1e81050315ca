package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/config"
)

// one is a source, for files whose mistake is elsewhere.
const one = "sources: [{path: /a.log}]\n"

func TestErrors(t *testing.T) {
	const (
		aVariable     = "want a variable (a-z, 0-9 and _) other than host (nginx's is vhost), source and time"
		aURL          = "want http[s]://HOST[:PORT][/PATH] without a query, or unix:/PATH of a socket"
		noCredentials = "want http[s]://HOST[:PORT][/PATH] without credentials, which belong in influxdb.username and influxdb.password_file"
		hidden        = "got a value that is not shown because it may hold a password"
		influxdb      = "url, database, retention_policy, username, password_file, token_file, ca_file, client_cert_file, client_key_file, insecure_skip_verify, headers, batch_points, flush_interval, in_flight, gzip, timeout, store_lag"
		exposed       = "which other machines can reach: whoever asks /monitor sees paths, errors and rejected lines, want an address of this machine alone such as 127.0.0.1:9193; or http.token_file, a file with a token that is asked for; or http.public: true, everybody may see them"
		allKeys       = "sources, influxdb, host, measurement, tags, fields, tag_limit, fold, fold_static, paths, timezone, exclude, drop, types, rename, raw, rollups, retention, self_metrics, mask, query, trusted_proxies, rotate_wait, max_line, on_reject, rejects_max_bytes, memory_limit, wakeups, state_dir, listen, http"
		someRollups   = "a list such as [{measurement: nginx_site, interval: 10s, tags: [method, status]}]"
		noSource      = "sources: got none, want at least one, in t.yaml or as --path FILE"
	)
	for _, tt := range []struct {
		name string
		give layers
		want string
	}{
		// What is not a mapping of keys.
		{"empty file", layers{}, noSource},
		{"comments only", layers{file: "# sources\n"}, noSource},
		{"a list", layers{file: "- a\n"}, "t.yaml:1:1: got a list, want keys and their values"},
		{"a word", layers{file: "\nlisten:9193\n"}, `t.yaml:2:1: got "listen:9193", want keys and their values`},
		{"two documents", layers{file: one + "---\nlisten: :1\n"}, "t.yaml:3:1: got a second document, want only one"},
		{"not UTF-8", layers{file: one + "host: \u00e9\xff\n"}, "t.yaml:2:8: got bytes that are not UTF-8, want a text file in UTF-8"},

		// What is not YAML.
		{"open quote", layers{file: "host: 'x\n"}, "t.yaml:1:7: got what is not YAML: could not find end character of single-quoted text"},
		{"open list", layers{file: "host: x\ntags: [a\n"}, "t.yaml:2:7: got what is not YAML: sequence end token ']' not found"},
		{"tab", layers{file: "influxdb:\n\turl: x\n"}, "t.yaml:2:1: got a tab in the indentation, want spaces"},
		{"tab first", layers{file: "\thost: x\n"}, "t.yaml:1:1: got a tab in the indentation, want spaces"},
		{"two parts on two lines", layers{file: "sources:\n- path: x\n  format: 'a $status '\n    'b'\n"}, `t.yaml:4:5: got what is not YAML: value is not allowed in this context. map key-value is pre-defined; write "format: >-" and below it, indented, the whole log_format as it is in nginx.conf`},
		{"three parts on three lines", layers{file: "sources:\n- path: x\n  format: \"a $status \"\n    \"b\"\n    \"c\"\n"}, `t.yaml:4:5: got what is not YAML: value is not allowed in this context. map key-value is pre-defined; write "format: >-" and below it, indented, the whole log_format as it is in nginx.conf`},
		{"indentation", layers{file: "sources:\n  - path: x\n   name: y\n"}, "t.yaml:3:4: got what is not YAML: value is not allowed in this context; is it indented like the line above?"},
		{"text after quotes", layers{file: "host: \"$a\" b\n"}, "t.yaml:1:12: got what is not YAML: value is not allowed in this context. map key-value is pre-defined; is it indented like the line above?"},

		{"old line ends", layers{file: "sources:\r- path: x\r\n\rinfluxdb:\r\turl: x"}, "t.yaml:5:1: got a tab in the indentation, want spaces"},

		// What YAML can say and we do not.
		{"anchor", layers{file: one + "host: &h x\n"}, `t.yaml:2:7: host: got an anchor (&), want a name or ""`},
		{"alias", layers{file: one + "host: *h\n"}, `t.yaml:2:7: host: got an alias (*), want a name or ""`},
		{"tag", layers{file: one + "host: !!str 5\n"}, `t.yaml:2:7: host: got a YAML tag (!), want a name or ""`},
		{"merge key", layers{file: one + "influxdb:\n  <<: {url: x}\n"}, "t.yaml:3:3: influxdb: got a merge key (<<), want a plain key"},
		{"explicit key", layers{file: one + "? host\n: x\n"}, "t.yaml:2:1: got an explicit key (?), want a plain key"},
		{"key with a dot", layers{file: one + "influxdb.url: x\n"}, "t.yaml:2:1: influxdb.url: got a key with a dot, want the part after the dot on a line of its own, indented"},
		// The library turns "a<tab>b" into "ab".
		{"tab in bare text", layers{file: one + "host: a\tb\t# c\n"}, `t.yaml:2:7: host: got a tab in text without quotes, want a name or ""`},

		// Keys.
		{"unknown key", layers{file: one + "log_level: debug\n"}, "t.yaml:2:1: log_level: unknown key, want one of " + allKeys},
		{"unknown key of influxdb", layers{file: one + "influxdb: {bucket: x}\n"}, "t.yaml:2:12: influxdb.bucket: unknown key, want one of " + influxdb},
		{"unknown key of a source", layers{file: "sources:\n  - path: /a\n    colour: x\n"}, "t.yaml:3:5: sources[0].colour: unknown key, want one of name, path, format, regexp, start"},
		{"swapped letters", layers{file: one + "influxdb:\n  ulr: x\n"}, "t.yaml:3:3: influxdb.ulr: unknown key, did you mean influxdb.url?"},
		{"dash for underscore", layers{file: one + "state-dir: x\n"}, `t.yaml:2:1: "state-dir": unknown key, did you mean state_dir?`},
		{"wrong section", layers{file: one + "batch_points: 5\n"}, "t.yaml:2:1: batch_points: unknown key, did you mean influxdb.batch_points?"},
		{"source outside sources", layers{file: one + "path: /b\n"}, "t.yaml:2:1: path: unknown key, did you mean sources[].path?"},
		{"key of all sources in one", layers{file: "sources:\n- path: /a\n  exclude: [x]\n"}, "t.yaml:3:3: sources[0].exclude: unknown key here; exclude is a key of its own, in the first column"},
		{"wrong section of a source", layers{file: "sources:\n- path: /a\n  fromat: x\n"}, "t.yaml:3:3: sources[0].fromat: unknown key, did you mean sources[0].format?"},
		{"password", layers{file: one + "influxdb:\n  password: hunter2\n"}, "t.yaml:3:3: influxdb.password: unknown key, want the password in a file, and the path of that file in influxdb.password_file"},
		{"key twice", layers{file: one + "host: a\nhost: b\n"}, "t.yaml:3:1: host: got it again, first at t.yaml:2:1, want it once"},
		{"key of a section twice", layers{file: one + "influxdb: {gzip: true,\n gzip: 5}\n"}, "t.yaml:3:2: influxdb.gzip: got it again, first at t.yaml:2:12, want it once"},
		{"section as a value", layers{file: one + "influxdb: http://root:root@db\n"}, "t.yaml:2:11: influxdb: " + hidden + ", want a mapping with the keys " + influxdb},

		// Mappings.
		{"types as a list", layers{file: one + "types: [a]\n"}, "t.yaml:2:8: types: got a list, want a mapping such as {upstream_cost: integer}"},
		{"a type that is none", layers{file: one + "types: {a: number}\n"}, `t.yaml:2:12: types.a: got "number", want integer or float or string`},
		{"a type of no variable", layers{file: one + "types: {A b: float}\n"}, `t.yaml:2:9: types: got "A b", want a variable (a-z, 0-9 and _), or a key of JSON`},
		{"a type twice", layers{file: one + "types: {a: float,\n a: float}\n"}, "t.yaml:3:2: types.a: got it again, first at t.yaml:2:9, want it once"},
		{"renamed to a list", layers{file: one + "rename: {a: [b]}\n"}, "t.yaml:2:13: rename.a: got a list, want a variable, or a key such as request.method"},

		// Tags.
		{"two names of a variable", layers{file: one + "tags: [user_agent, status,\n http_user_agent]\n"}, `t.yaml:3:2: tags[2]: got "http_user_agent", which is the same as "user_agent", want one name of a variable`},
		{"two names of another", layers{file: one + "tags: [referer, referrer]\n"}, `t.yaml:2:17: tags[1]: got "referrer", which is the same as "referer", want one name of a variable`},
		{"two names of the method", layers{flags: []string{"--path=/a", "--tags=method,request_method"}}, `--tags: got "request_method", which is the same as "method", want one name of a variable`},
		{"two names of the protocol", layers{flags: []string{"--path=/a", "--tags=protocol,server_protocol"}}, `--tags: got "server_protocol", which is the same as "protocol", want one name of a variable`},
		{"two names of the query", layers{flags: []string{"--path=/a", "--tags=query,path,query_string"}}, `--tags: got "query_string", which is the same as "query", want one name of a variable`},
		{"two names of the path that nginx made", layers{flags: []string{"--path=/a", "--tags=uri,document_uri"}}, `--tags: got "document_uri", which is the same as "uri", want one name of a variable`},

		// Types.
		{"no value", layers{file: one + "host:\n"}, `t.yaml:2:1: host: got no value, want a name or ""`},
		{"null", layers{file: one + "wakeups: ~\n"}, `t.yaml:2:10: wakeups: got no value, want true or false`},
		{"number as text", layers{file: one + "influxdb:\n  database: 2024\n"}, "t.yaml:3:13: influxdb.database: got 2024, want a name, in quotes"},
		{"bool as text", layers{file: one + "host: true\n"}, `t.yaml:2:7: host: got true, want a name or "", in quotes`},
		{"text as number", layers{file: one + "tag_limit: '5'\n"}, `t.yaml:2:12: tag_limit: got "5", want a whole number from 1 to 1000000, without quotes`},
		{"text as bool", layers{file: one + "wakeups: yes\n"}, `t.yaml:2:10: wakeups: got "yes", want true or false`},
		{"list as text", layers{file: one + "host: [a]\n"}, `t.yaml:2:7: host: got a list, want a name or ""`},
		{"mapping as text", layers{file: one + "host:\n  name: a\n"}, `t.yaml:3:3: host: got a mapping, want a name or ""`},
		{"list as URL", layers{file: one + "influxdb: {url: [a]}\n"}, `t.yaml:2:17: influxdb.url: got a list, want http[s]://HOST[:PORT][/PATH] without a query, or unix:/PATH of a socket`},
		{"mapping as URL", layers{file: one + "influxdb:\n  url: {a: b}\n"}, `t.yaml:3:8: influxdb.url: got a mapping, want http[s]://HOST[:PORT][/PATH] without a query, or unix:/PATH of a socket`},
		{"text as list", layers{file: one + "tags: method, status\n"}, `t.yaml:2:7: tags: got "method, status", want a list of variables such as [method, status]`},
		{"list in a list", layers{file: one + "tags:\n  - [a]\n"}, "t.yaml:3:5: tags[0]: got a list, " + aVariable},

		// Values.
		{"fraction", layers{file: one + "tag_limit: 1.5\n"}, "t.yaml:2:12: tag_limit: got 1.5, want a whole number from 1 to 1000000"},
		{"octal", layers{file: one + "tag_limit: 010\n"}, "t.yaml:2:12: tag_limit: got 010, want a whole number from 1 to 1000000"},
		{"too small", layers{file: one + "influxdb: {in_flight: 0}\n"}, "t.yaml:2:23: influxdb.in_flight: got 0, want a whole number from 1 to 16"},
		{"too big", layers{file: one + "influxdb: {batch_points: 100001}\n"}, "t.yaml:2:26: influxdb.batch_points: got 100001, want a whole number from 1 to 100000"},
		{"no unit", layers{file: one + "influxdb: {flush_interval: 5}\n"}, "t.yaml:2:28: influxdb.flush_interval: got 5, want a duration with its unit, from 10ms to 1m"},
		{"too short", layers{file: one + "rotate_wait: 0s\n"}, `t.yaml:2:14: rotate_wait: got "0s", want a duration with its unit, from 10ms to 1h`},
		{"too long", layers{file: one + "influxdb: {timeout: 6m}\n"}, `t.yaml:2:21: influxdb.timeout: got "6m", want a duration with its unit, from 100ms to 5m`},
		{"bad size", layers{file: one + "max_line: 64 potatoes\n"}, `t.yaml:2:11: max_line: got "64 potatoes", want a size from 1KiB to 16MiB`},
		{"negative size", layers{file: one + "rejects_max_bytes: -1\n"}, "t.yaml:2:20: rejects_max_bytes: got -1, want a size from 1KiB to 1TiB"},
		{"size too large", layers{file: one + "max_line: 17MiB\n"}, `t.yaml:2:11: max_line: got "17MiB", want a size from 1KiB to 16MiB`},
		{"size too small", layers{file: one + "memory_limit: 16MiB\n"}, `t.yaml:2:15: memory_limit: got "16MiB", want a size from 32MiB to 1TiB`},
		{"empty", layers{file: one + "state_dir: ''\n"}, `t.yaml:2:12: state_dir: got "", want a path`},
		{"control character", layers{file: one + "host: \"a\\nb\"\n"}, `t.yaml:2:7: host: got "a\nb", want a name or ""`},
		{"measurement", layers{file: one + "measurement: '#x'\n"}, `t.yaml:2:14: measurement: got "#x", want a name without a backslash or a leading #`},
		{"listen without a port", layers{file: one + "listen: localhost\n"}, `t.yaml:2:9: listen: got "localhost", want HOST:PORT, or "" for no HTTP server`},
		{"listen on no port", layers{file: one + "listen: :65536\n"}, `t.yaml:2:9: listen: got ":65536", want HOST:PORT, or "" for no HTTP server`},
		{"listen for all", layers{file: one + "listen: 0.0.0.0:9193\n"}, `t.yaml:2:9: listen: got "0.0.0.0:9193", ` + exposed},
		{"listen for all by a variable", layers{file: one, env: map[string]string{"TAILFLUX_LISTEN": ":9193"}}, `TAILFLUX_LISTEN: got ":9193", ` + exposed},
		{"listen for all of both kinds", layers{file: one, flags: []string{"--listen=[::]:0"}}, `--listen: got "[::]:0", ` + exposed},
		{"listen for a network", layers{file: one + "listen: '[fe80::1%eth0]:9193'\n"}, `t.yaml:2:9: listen: got "[fe80::1%eth0]:9193", ` + exposed},
		{"listen on a name", layers{file: one + "listen: web-1:9193\nhttp: {public: false, token_file: ''}\n"}, `t.yaml:2:9: listen: got "web-1:9193", ` + exposed},
		{"long value", layers{file: one + "listen: " + strings.Repeat("é", 61) + "\n"}, `t.yaml:2:9: listen: got "` + strings.Repeat("é", 60) + `"…, want HOST:PORT, or "" for no HTTP server`},
		{"URL scheme", layers{file: one + "influxdb: {url: 'udp://x'}\n"}, `t.yaml:2:17: influxdb.url: got "udp://x", ` + aURL},
		{"URL host", layers{file: one + "influxdb: {url: 'http://'}\n"}, `t.yaml:2:17: influxdb.url: got "http://", ` + aURL},
		{"URL port", layers{file: one + "influxdb: {url: 'http://h:99999'}\n"}, `t.yaml:2:17: influxdb.url: got "http://h:99999", ` + aURL},
		{"URL user", layers{file: one + "influxdb: {url: 'http://root:hunter2@h'}\n"}, "t.yaml:2:17: influxdb.url: " + hidden + ", " + noCredentials},
		{"URL user, broken", layers{file: one + "influxdb: {url: 'http:/root:hunter2@h :x'}\n"}, "t.yaml:2:17: influxdb.url: " + hidden + ", " + noCredentials},
		{"URL query", layers{file: one + "influxdb: {url: 'http://h/?p=hunter2'}\n"}, "t.yaml:2:17: influxdb.url: " + hidden + ", " + noCredentials},
		{"URL other query", layers{file: one + "influxdb: {url: 'http://h/?x=1'}\n"}, "t.yaml:2:17: influxdb.url: " + hidden + ", " + aURL},
		{"URL of a socket without its path", layers{file: one + "influxdb: {url: 'unix:influxdb.sock'}\n"}, `t.yaml:2:17: influxdb.url: got "unix:influxdb.sock", want unix: and the full path of the socket, such as unix:/run/influxdb/influxdb.sock`},
		{"header that is a secret", layers{file: one + "influxdb: {headers: ['Authorization: Token hunter2']}\n"}, `t.yaml:2:22: influxdb.headers[0]: got "Authorization: …", want influxdb.token_file, or influxdb.username and influxdb.password_file, for who you are`},
		{"header of the body", layers{file: one + "influxdb: {headers: {Content-Length: '7'}}\n"}, `t.yaml:2:22: influxdb.headers[0]: got "Content-Length: …", want a header that does not say how points are sent`},
		{"header without a value", layers{file: one + "influxdb: {headers: [X-Org]}\n"}, `t.yaml:2:22: influxdb.headers[0]: got "X-Org", want a header such as 'X-Scope-OrgID: web'`},
		{"header twice", layers{file: one + "influxdb: {headers: ['X-Org: a', 'x-org: b']}\n"}, `t.yaml:2:34: influxdb.headers[1]: got X-Org again, want each header once`},

		// Tags and fields.
		{"dollar", layers{file: one + "tags: [$status]\n"}, `t.yaml:2:8: tags[0]: got "$status", ` + aVariable},
		{"reserved", layers{file: one + "fields:\n  - time\n"}, `t.yaml:3:5: fields[0]: got "time", ` + aVariable},
		{"number in a list", layers{file: one + "tags: [a, 5]\n"}, "t.yaml:2:11: tags[1]: got 5, " + aVariable},
		{"no value in a list", layers{file: one + "tags:\n  - a\n  -\n"}, "t.yaml:4:5: tags[1]: got no value, " + aVariable},
		{"comma in a list", layers{file: one + "tags: ['a,b']\n"}, `t.yaml:2:8: tags[0]: got "a,b", ` + aVariable},
		{"twice in a list", layers{file: one + "tags: [a, b, a]\n"}, `t.yaml:2:14: tags[2]: got "a" again, want each variable once`},
		{"tag and field", layers{file: one + "fields: [a, b]\ntags: [b]\n"}, `t.yaml:2:13: fields[1]: got "b" in tags and in fields, want it in one of them`},
		{"field that is a default tag", layers{file: one + "fields: [status]\n"}, `t.yaml:2:10: fields[0]: got "status" in tags and in fields, want it in one of them`},
		{"tag that is a default field", layers{file: one + "tags: [bytes_sent]\n"}, `t.yaml:2:8: tags[0]: got "bytes_sent" in tags and in fields, want it in one of them`},

		// Rules.
		{"a rule without a list", layers{file: one + "paths: {match: a, as: b}\n"}, "t.yaml:2:8: paths: got a mapping, want a list of rules such as [{match: '^/p/.*', as: '/p/:slug'}]"},
		{"no rules", layers{file: one + "drop:\n"}, "t.yaml:2:1: drop: got no value, want a list of rules such as [{path: /healthz}, {http_user_agent: '~^kube-probe/'}]"},
		{"a rule that is a word", layers{file: one + "paths: [{match: a, as: b}, /p]\n"}, `t.yaml:2:28: paths[1]: got "/p", want a rule such as {match: '^/p/.*', as: '/p/:slug'}`},
		{"a drop rule that is a word", layers{file: one + "drop:\n  - /healthz\n"}, `t.yaml:3:5: drop[0]: got "/healthz", want a rule such as {path: /healthz}`},
		{"unknown key of a rule", layers{file: one + "paths:\n  - match: a\n    to: b\n"}, "t.yaml:3:5: paths[0]: got no as, want match and as\nt.yaml:4:5: paths[0].to: got an unknown key, want match and as"},
		{"merge key in a rule", layers{file: one + "paths: [{match: a, as: b, <<: c}]\n"}, `t.yaml:2:27: paths[0]."a merge key (<<)": got an unknown key, want match and as`},
		{"rule key twice", layers{file: one + "paths: [{match: a, as: b,\n  match: c}]\n"}, "t.yaml:3:3: paths[0].match: got it again, first at t.yaml:2:10, want it once"},
		{"variable twice in a rule", layers{file: one + "drop:\n- path: a\n- path: a\n  status: '200'\n  path: b\n"}, "t.yaml:6:3: drop[1].path: got it again, first at t.yaml:4:3, want it once"},
		{"broken expression", layers{file: one + "paths: [{match: '^/p/(', as: b}]\n"}, `t.yaml:2:17: paths[0].match: got "^/p/(" (missing closing )), want a regular expression (RE2)`},
		{"look-ahead", layers{file: one + "paths: [{match: '(?=x)', as: b}]\n"}, `t.yaml:2:17: paths[0].match: got "(?=x)" (invalid or unsupported Perl syntax), want a regular expression (RE2)`},
		{"folded to nothing", layers{file: one + "paths: [{match: a, as: ''}]\n"}, `t.yaml:2:24: paths[0].as: got "", want a path such as /p/:slug`},
		{"broken condition", layers{file: one + "drop: [{status: '200', http_user_agent: '~*['}]\n"}, `t.yaml:2:41: drop[0].http_user_agent: got "~*[" (missing closing ]), want a value, in quotes if it is a number, or ~ and a regular expression (RE2), or ~* and one for any case`},
		{"a number without quotes", layers{file: one + "drop:\n- status: 200\n"}, "t.yaml:3:11: drop[0].status: got 200, want a value, in quotes if it is a number, or ~ and a regular expression (RE2), or ~* and one for any case, in quotes"},
		{"dollar in a rule", layers{file: one + "drop: [{$status: '200'}]\n"}, `t.yaml:2:9: drop[0]: got "$status", ` + aVariable},
		{"host in a rule", layers{file: one + "drop: [{host: a}]\n"}, `t.yaml:2:9: drop[0]: got "host", ` + aVariable},
		{"a rule without a variable", layers{file: one + "drop: [{}]\n"}, "t.yaml:2:8: drop[0]: got a rule without a variable, want one that says which lines"},

		// Privacy and times.
		{"mask", layers{file: one + "mask: remote_addr\n"}, `t.yaml:2:7: mask: got "remote_addr", want a list of variables such as [remote_addr]`},
		{"rollups as a word", layers{file: one + "rollups: none\n"}, "t.yaml:2:10: rollups: got \"none\", want " + someRollups},
		{"rollups by a flag", layers{flags: []string{"--path=/a", "--rollups=site"}}, `--rollups: got "site", want default or none`},
		{"rollup without an interval", layers{file: one + "rollups: [{measurement: a}]\n"}, "t.yaml:2:11: rollups[0]: got no interval, want measurement, interval, tags and retention_policy"},
		{"rollup of half a second", layers{file: one + "rollups: [{measurement: a, interval: 1500ms}]\n"}, "t.yaml:2:38: rollups[0].interval: got \"1500ms\", want whole seconds of which a day has a whole number, such as 10s, 1m or 1h"},
		{"rollup of seven minutes", layers{file: one + "rollups: [{measurement: a, interval: 7m}]\n"}, "t.yaml:2:38: rollups[0].interval: got \"7m\", want whole seconds of which a day has a whole number, such as 10s, 1m or 1h"},
		{"rollup with another key", layers{file: one + "rollups: [{measurement: a, interval: 1m, fields: [x]}]\n"}, "t.yaml:2:42: rollups[0].fields: got an unknown key, want measurement, interval, tags and retention_policy"},
		{"rollup by source", layers{file: one + "rollups: [{measurement: a, interval: 1m, tags: [source]}]\n"}, "t.yaml:2:49: rollups[0].tags[0]: got \"source\", " + aVariable},
		{"two rollups of a name", layers{file: one + "rollups: [{measurement: a, interval: 1m}, {measurement: a, interval: 1h}]\n"}, "t.yaml:2:43: rollups[1].measurement: got \"a\", which is that of another rollup, want a measurement of its own for each rollup"},
		{"rollup as the points", layers{file: one + "rollups: [{measurement: nginx_access, interval: 1m}]\n"}, "t.yaml:2:11: rollups[0].measurement: got \"nginx_access\", which is the measurement of the points of lines, want a measurement of its own for each rollup"},
		{"lines as tailflux", layers{file: one + "measurement: tailflux\n"}, "t.yaml:2:14: measurement: got \"tailflux\", which is the measurement of tailflux itself, want a measurement of its own for the points of lines; or self_metrics: false, tailflux writes no points about itself"},
		{"lines as tailflux, by a flag", layers{file: one, flags: []string{"--measurement", "tailflux"}}, "--measurement: got \"tailflux\", which is the measurement of tailflux itself, want a measurement of its own for the points of lines; or self_metrics: false, tailflux writes no points about itself"},
		{"rollup as tailflux", layers{file: one + "rollups: [{measurement: tailflux, interval: 1m}]\n"}, "t.yaml:2:11: rollups[0].measurement: got \"tailflux\", which is the measurement of tailflux itself, want a measurement of its own for each rollup"},
		{"points as a standard rollup", layers{file: one + "measurement: nginx_site\n"}, "t.yaml:2:14: measurement: got \"nginx_site\", which is that of a rollup (rollups), want another name, or other rollups"},
		{"points as a standard rollup, by flags", layers{file: one, flags: []string{"--measurement=nginx_paths", "--rollups=default"}}, "--measurement: got \"nginx_paths\", which is that of a rollup (rollups), want another name, or other rollups"},
		{"token beside a user", layers{file: one + "influxdb: {token_file: /t, username: u}\n"}, `t.yaml:2:24: influxdb.token_file: got "/t" beside influxdb.username at t.yaml:2:38, want one of the two`},
		{"token beside a user of a flag", layers{file: one + "influxdb: {token_file: /t}\n", flags: []string{"--influxdb-username=u"}}, `t.yaml:2:24: influxdb.token_file: got "/t" beside influxdb.username at --influxdb-username, want one of the two`},
		{"certificate without a key", layers{file: one + "influxdb: {client_cert_file: /c}\n"}, `t.yaml:2:30: influxdb.client_cert_file: got "/c" without influxdb.client_key_file, want both influxdb.client_cert_file and influxdb.client_key_file, or none`},
		{"nothing at all", layers{file: one + "raw: false\nrollups: []\n"}, "t.yaml:2:6: raw: got false without rollups, so that nothing would be written, want true, or rollups"},
		{"query", layers{file: one + "query: true\n"}, "t.yaml:2:8: query: got true, want drop or keep"},
		{"exclude that is no list", layers{file: one + "exclude: error.log\n"}, `t.yaml:2:10: exclude: got "error.log", want a list of globs such as ['*error.log']`},
		{"broken exclude", layers{file: one + "exclude: [a.log, 'b[']\n"}, `t.yaml:2:18: exclude[1]: got "b[", want a glob in which the [ at character 2 is closed by a ]`},
		{"exclude twice", layers{file: one + "exclude: ['*error.log', '*error.log']\n"}, `t.yaml:2:25: exclude[1]: got "*error.log" again, want each glob once`},
		{"exclude with two stars", layers{flags: []string{"--path=/a/*", "--exclude=a,/logs/**/error.log"}}, `--exclude: got "/logs/**/error.log", want a glob without **: each * stays within one directory, as in /logs/*/*.log`},
		{"on_reject", layers{file: one + "on_reject: drop\n"}, `t.yaml:2:12: on_reject: got "drop", want file or hold`},
		{"network", layers{file: one + "trusted_proxies: [10.0.0.0/8, 10.0.0.0/33]\n"}, `t.yaml:2:31: trusted_proxies[1]: got "10.0.0.0/33", want a network such as 10.0.0.0/8 or 2001:db8::/32, or an address`},
		{"network twice", layers{file: one + "trusted_proxies: [10.0.0.1/8, 10.2.0.0/8]\n"}, `t.yaml:2:31: trusted_proxies[1]: got "10.2.0.0/8" again, want each network once`},
		{"time zone", layers{file: one + "timezone: CEST\n"}, `t.yaml:2:11: timezone: got "CEST", want a time zone such as Europe/Berlin, UTC or Local, or ""`},

		// Sources.
		{"no sources", layers{file: "sources: []\n"}, "t.yaml:1:10: " + noSource},
		{"null sources", layers{file: "sources:\n"}, "t.yaml:1:1: " + noSource},
		{"sources without a dash", layers{file: "sources:\n  path: /a\n"}, `t.yaml:2:3: sources: got a mapping, want a list: one "- path: FILE" for each source`},
		{"a source that is a word", layers{file: "sources: [/a, {}]\n"}, `t.yaml:1:11: sources[0]: got "/a", want the keys of a source, such as "path: FILE"` +
			"\nt.yaml:1:15: sources[1]: got no path, want the path of a log file, or a glob"},
		{"no path", layers{file: "sources:\n- name: a\n"}, "t.yaml:2:3: sources[0]: got no path, want the path of a log file, or a glob"},
		{"empty path", layers{file: "sources:\n- path: ''\n"}, `t.yaml:2:9: sources[0].path: got "", want the path of a log file, or a glob`},
		{"directory", layers{file: "sources:\n- path: /var/log/\n"}, `t.yaml:2:9: sources[0].path: got "/var/log/", want a file; for all logs in this directory: "/var/log/*.log"`},
		{"broken glob", layers{file: "sources:\n- path: /a[\n"}, `t.yaml:2:9: sources[0].path: got "/a[", want a glob in which the [ at character 3 is closed by a ]`},
		{"standard input", layers{flags: []string{"--path=-"}}, `--path: got "-", want a file: standard input has no place to go on from; pipe it into tailflux import -, or into tailflux explain`},
		{"standard input by its name", layers{flags: []string{"--path=/dev/stdin"}}, `--path: got "/dev/stdin", want a file: standard input has no place to go on from; pipe it into tailflux import -, or into tailflux explain`},
		{"standard input by its number", layers{file: "sources:\n- path: /dev/fd/0\n"}, `t.yaml:2:9: sources[0].path: got "/dev/fd/0", want a file: standard input has no place to go on from; pipe it into tailflux import -, or into tailflux explain`},
		{"home", layers{flags: []string{"--path=~/access.log"}}, `--path: got "~/access.log", want the full path: ~ is not expanded here`},
		{"syslog", layers{flags: []string{"--path=syslog:server=unix:/dev/log"}}, `--path: got "syslog:server=unix:/dev/log", want a file: syslog is not received, let nginx write to a file`},
		{"memory", layers{flags: []string{"--path=memory:32m"}}, `--path: got "memory:32m", want a file: nginx keeps this log in its memory, let it write to a file`},
		{"a URL of a file", layers{flags: []string{"--path=file:///var/log/a.log"}}, `--path: got "file:///var/log/a.log", want "/var/log/a.log"`},
		{"a variable of the shell", layers{flags: []string{"--path=$HOME/a.log"}}, `--path: got "$HOME/a.log", want the path as it is on the disk: variables are not replaced here; where nginx replaces one, such as $host, write *`},
		{"a variable of nginx", layers{file: "sources:\n- path: /logs/${host}.log\n"}, `t.yaml:2:9: sources[0].path: got "/logs/${host}.log", want the path as it is on the disk: variables are not replaced here; where nginx replaces one, such as $host, write *`},
		{"two stars", layers{flags: []string{"--path=/logs/**/*.log"}}, `--path: got "/logs/**/*.log", want a glob without **: each * stays within one directory, as in /logs/*/*.log`},
		{"braces", layers{flags: []string{"--path=/logs/{a,b}.log"}}, `--path: got "/logs/{a,b}.log", want one source for each: {a,b} is not expanded here`},
		{"a line of nginx.conf", layers{flags: []string{"--path=access_log /var/log/a.log main;"}}, `--path: got "access_log /var/log/a.log main;", want "/var/log/a.log"`},
		{"a semicolon", layers{flags: []string{"--path=/var/log/a.log;"}}, `--path: got "/var/log/a.log;", want "/var/log/a.log"`},
		{"a glob that ends in a backslash", layers{flags: []string{`--path=/a\`}}, `--path: got "/a\\", want a glob that does not end in a backslash`},
		{"URL without a scheme", layers{file: one, flags: []string{"--influxdb-url=127.0.0.1:8086"}}, `--influxdb-url: got "127.0.0.1:8086", want "http://127.0.0.1:8086"`},
		{"URL of writing", layers{file: one, flags: []string{"--influxdb-url=http://h:8086/write/"}}, `--influxdb-url: got "http://h:8086/write/", want "http://h:8086": leave /write off, tailflux adds it`},
		{"a variable in a value", layers{file: one + "host: ${HOSTNAME}\n"}, `t.yaml:2:7: host: got "${HOSTNAME}", want the name itself: ${…} is not replaced here, set a TAILFLUX_… environment variable instead`},
		{"a format in double quotes", layers{file: "sources:\n- path: /a\n  format: \"$a \"$request\" $b\"\n"}, `t.yaml:3:16: got what is not YAML: value is not allowed in this context. map key-value is pre-defined; put the format between single quotes`},
		{"a format in two parts", layers{file: "sources:\n- path: /a\n  format: '$a ' '$b'\n"}, `t.yaml:3:17: got what is not YAML: value is not allowed in this context. map key-value is pre-defined; write "format: >-" and below it, indented, the whole log_format as it is in nginx.conf`},
		{"empty name", layers{file: "sources:\n- path: /a\n  name: ''\n"}, `t.yaml:3:9: sources[0].name: got "", want a name`},
		{
			"name that a file of a glob may have",
			layers{file: "sources:\n- {path: /a, name: 'g:x'}\n- {path: /b/*, name: g}\n"},
			`t.yaml:2:20: sources[0].name: got "g:x", which a file of the glob "g" may be called, want a name that does not begin with "g:"`,
		},
		{"listen on no address", layers{file: one + "listen: 256.0.0.1:80\n"}, `t.yaml:2:9: listen: got "256.0.0.1:80", want HOST:PORT, or "" for no HTTP server`},
		{"name with a newline", layers{file: "sources:\n- path: /a\n  name: \"a\\tb\"\n"}, `t.yaml:3:9: sources[0].name: got "a\tb", want a name`},
		{"start", layers{file: "sources:\n- path: /a\n  start: now\n"}, `t.yaml:3:10: sources[0].start: got "now", want end or beginning`},
		{"one name twice", layers{file: "sources:\n- {path: /a, name: x}\n- {path: /b, name: x}\n"}, `t.yaml:3:20: sources[1].name: got "x" again, first at t.yaml:2:20, want another name for each source`},
		{"two names that are one tag", layers{file: "sources:\n- {path: /a, name: 'x\\'}\n- {path: /b, name: 'x?'}\n"}, `t.yaml:3:20: sources[1].name: got "x?", which in InfluxDB is "x?", as the name at t.yaml:2:20 is, want names that differ in their first 1024 bytes, and not only by control characters or a backslash at the end`},
		{"one base name twice", layers{file: "sources:\n- path: /a/x\n- path: /b/x\n"}, `t.yaml:3:9: sources[1].name: got "x" (the base name of the path) again, first at t.yaml:2:9, want another name for each source`},
		{"one path twice", layers{file: "sources:\n- {path: /a, name: x}\n- {path: //a, name: y}\n"}, `t.yaml:3:10: sources[1].path: got "/a" again, first at t.yaml:2:10, want another path for each source`},
		{"format and regexp", layers{file: "sources:\n- path: /a\n  regexp: x\n  format: combined\n"}, "t.yaml:3:11: sources[0].regexp: got a regexp beside the format at t.yaml:4:11, want one of the two"},
		{"empty regexp", layers{file: "sources:\n- path: /a\n  regexp: ''\n"}, `t.yaml:3:11: sources[0].regexp: got "", want a regular expression with named groups`},

		// Variables and flags.
		{"variable", layers{file: one, env: map[string]string{"TAILFLUX_INFLUXDB_GZIP": "yes"}}, `TAILFLUX_INFLUXDB_GZIP: got "yes", want true or false`},
		{"flag", layers{file: one, flags: []string{"--influxdb-batch-points=many"}}, `--influxdb-batch-points: got "many", want a whole number from 1 to 100000`},
		{"flag with a secret", layers{file: one, flags: []string{"--influxdb-url=http://root:hunter2@h"}}, "--influxdb-url: " + hidden + ", " + noCredentials},
		{"list in a flag", layers{file: one, flags: []string{"--tags=a,,host"}}, `--tags: got "", ` + aVariable + "\n" + `--tags: got "host", ` + aVariable},
		{"tag and field over two layers", layers{file: one + "fields: [a]\n", flags: []string{"--tags=a"}}, `t.yaml:2:10: fields[0]: got "a" in tags and in fields, want it in one of them`},
		{"source without a path", layers{file: one, flags: []string{"--format=timed"}}, "--format: got no path beside it, want --path FILE too: together they describe one source, in place of those of the file"},
		{"format and regexp over two layers", layers{env: map[string]string{"TAILFLUX_FORMAT": "timed"}, flags: []string{"--path=/a", "--regexp=x"}}, "--regexp: got a regexp beside the format at TAILFLUX_FORMAT, want one of the two"},
		{"not UTF-8 in a flag", layers{file: one, flags: []string{"--host=\xff"}}, `--host: got "\xff", want a name or ""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := tt.give.load(t); got != tt.want {
				t.Errorf("Load(%+v):\n got %s\nwant %s", tt.give, got, tt.want)
			}
		})
	}
}

func TestAllErrorsAtOnceFromTopToBottom(t *testing.T) {
	_, got := layers{
		file: `sources:
  - path: /b/x.log
  - path: /a/x.log
    start: now
influxdb:
  url: ftp://h
  gzip: maybe
  burst: 5
fields: [status]
listen: 9193
`,
		env:   map[string]string{"TAILFLUX_TAG_LIMIT": "0"},
		flags: []string{"--rotate-wait=5"},
	}.load(t)
	want := `t.yaml:3:11: sources[1].name: got "x.log" (the base name of the path) again, first at t.yaml:2:11, want another name for each source
t.yaml:4:12: sources[1].start: got "now", want end or beginning
t.yaml:6:8: influxdb.url: got "ftp://h", want http[s]://HOST[:PORT][/PATH] without a query, or unix:/PATH of a socket
t.yaml:7:9: influxdb.gzip: got "maybe", want true or false
t.yaml:8:3: influxdb.burst: unknown key, want one of url, database, retention_policy, username, password_file, token_file, ca_file, client_cert_file, client_key_file, insecure_skip_verify, headers, batch_points, flush_interval, in_flight, gzip, timeout, store_lag
t.yaml:9:10: fields[0]: got "status" in tags and in fields, want it in one of them
t.yaml:10:9: listen: got 9193, want HOST:PORT, or "" for no HTTP server
TAILFLUX_TAG_LIMIT: got "0", want a whole number from 1 to 1000000
--rotate-wait: got "5", want a duration with its unit, from 10ms to 1h`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load: (-want +got)\n%s", diff)
	}
}

func TestFormatsAreCheckedWhereTheyStand(t *testing.T) {
	check := func(_ *config.Config, s config.Source) error {
		if s.Regexp == "" && s.Format == "timed" {
			return nil
		}
		return errors.New("want timed for " + s.Name)
	}
	for _, tt := range []struct {
		name string
		give layers
		want string
	}{
		{"right", layers{file: "sources: [{path: /a, format: timed}]\n"}, ""},
		{"format", layers{file: "sources:\n- path: /a\n  format: $msec\n"}, `t.yaml:3:11: sources[0].format: got "$msec": want timed for a`},
		{"regexp", layers{file: "sources:\n- path: /a\n  regexp: >-\n    ^x\n"}, `t.yaml:3:11: sources[0].regexp: got "^x": want timed for a`},
		{"default", layers{file: "sources:\n- path: /a\n"}, `t.yaml:2:3: sources[0].format: got "auto": want timed for a`},
		{"flag", layers{flags: []string{"--path=/a", "--format=x"}}, `--format: got "x": want timed for a`},
		{"two mistakes, one reported", layers{file: "sources:\n- path: /a\n  format: ''\n"}, `t.yaml:3:11: sources[0].format: got "", want a preset such as combined, auto, or an nginx log_format string`},
		{"not those that are replaced", layers{file: "sources: [{path: /a, format: x}]", flags: []string{"--path=/b", "--format=timed"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.give.check = check
			if _, got := tt.give.load(t); got != tt.want {
				t.Errorf("Load(%+v):\n got %s\nwant %s", tt.give, got, tt.want)
			}
		})
	}
}

// What is at a path is judged by those who can read it, and reported where the path stands.
func TestPathsAreReportedWhereTheyStand(t *testing.T) {
	files := func(c *config.Config) (all error) {
		for i := range c.Sources {
			all = errors.Join(all, config.UnusablePath(i, errors.New(c.Sources[i].Path+" is a pipe")))
		}
		return all
	}
	for _, tt := range []struct{ name, want string }{
		{"file", "t.yaml:2:9: sources[0].path: /a is a pipe\nt.yaml:4:9: sources[1].path: /b is a pipe"},
		{"flag", "--path: /c is a pipe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			give := layers{file: "sources:\n- path: /a\n- name: x\n  path: /b\n", files: files}
			if tt.name == "flag" {
				give.flags = []string{"--path=/c"}
			}
			if _, got := give.load(t); got != tt.want {
				t.Errorf("Load:\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, _, err := config.Load(config.Options{File: "/nowhere/t.yaml", NeedSource: true})
	const want = "read the configuration: open /nowhere/t.yaml: no such file or directory"
	if message(err) != want {
		t.Errorf("Load of a missing file: %v, want %s", err, want)
	}
}
