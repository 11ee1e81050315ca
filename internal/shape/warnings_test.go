package shape_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/shape"
)

// JSON of which nothing is known becomes points without content: that is said once, as
// soon as there are lines, with the keys that there are.
func TestJSONWithoutAKnownKeyIsSaid(t *testing.T) {
	const (
		unknown = `{"time":"2026-11-20T10:00:00Z","DownstreamStatus":200,"req":{"Verb":"GET"}}` + "\n"
		known   = `{"time":"2026-11-20T10:00:00Z","status":200}` + "\n"
	)
	for _, tt := range []struct {
		name, there, read string
		want              int // times it is said
	}{
		{"at the start", unknown, unknown, 1},
		{"when there are lines", "", unknown + unknown, 1},
		{"of one line that has a key", "", unknown + known, 0},
		{"known ones", known, known, 0},
		{"no JSON", "", "x\n", 0},
		{"nothing", "", "\n", 0},
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "json"
		h.write(tt.there)
		s := h.mustOpen()
		h.names(s, tt.read)
		if got := strings.Count(h.log.String(), "none of the keys in the lines is the name of a variable"); got != tt.want {
			t.Errorf("%s: said %d times, want %d:\n%s", tt.name, got, tt.want, h.log.String())
		}
		if tt.want > 0 && (!strings.Contains(h.log.String(), "DownstreamStatus, req.Verb") || !strings.Contains(h.log.String(), "rename: {DownstreamStatus: status, req.Verb: method}")) {
			t.Errorf("%s: want the keys and a remedy in\n%s", tt.name, h.log.String())
		}
	}
}

func TestWhatCanNeverComeIsSaidAtTheStart(t *testing.T) {
	h := newHouse(t)
	h.config.Sources[0].Format = "combined"
	h.config.Tags = []string{"methd"}
	h.mustOpen()
	if want := "tags: the format has nothing for methd; did you mean method?"; !strings.Contains(h.log.String(), want) {
		t.Errorf("the start says\n%swant %q", h.log.String(), want)
	}
}

// So it is of tags that rollups alone have, but not of the standard ones.
func TestTagsOfRollupsThatCanNeverComeAreSaid(t *testing.T) {
	for _, tt := range []struct {
		format  string
		rollups [][]string
		want    string // "" is that nothing is said of rollups
	}{
		{"vhost_combined", [][]string{{"status", "vhst"}}, "rollups: the format has nothing for vhst; did you mean vhost?"},
		{"$msec $status", [][]string{{"path"}}, "rollups: the format has nothing for path"},
		{"vhost_combined", [][]string{{"status", "vhost"}}, ""},
		{"$msec $status", nil, ""},
	} {
		h := newHouse(t)
		h.config.Sources[0].Format, h.config.Tags = tt.format, []string{"status"}
		if tt.rollups != nil {
			h.config.Rollups = nil
		}
		for _, tags := range tt.rollups {
			h.config.Rollups = append(h.config.Rollups, config.Rollup{Measurement: "m", Interval: time.Minute, Tags: tags})
		}
		h.mustOpen()
		if got := h.log.String(); tt.want != "" && !strings.Contains(got, tt.want) || tt.want == "" && strings.Contains(got, "rollups") {
			t.Errorf("%s, rollups %q: the start says\n%swant %q", tt.format, tt.rollups, got, tt.want)
		}
	}
}

// One variable is not said to be two parts of the request.
func TestOneVariableIsOnePart(t *testing.T) {
	for format, want := range map[string]string{
		`$msec $my_uri $status "$http_user_agent"`:     "path",
		`$msec $x $status "$http_user_agent"`:          "path",
		`$msec $verb $status "$http_user_agent"`:       "method",
		`$msec $x "$request_uri" "$http_user_agent"`:   "method",
		`$msec $x $request_method "$http_user_agent"`:  "path",
		`$msec $my_request $status "$http_user_agent"`: "request",
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = format
		h.mustOpen()
		of := map[string]bool{}
		for _, rest := range strings.Split(h.log.String(), "rename: {")[1:] {
			entry, _, _ := strings.Cut(rest, "}")
			_, part, _ := strings.Cut(entry, ": ")
			of[part] = true
		}
		if len(of) != 1 || !of[want] {
			t.Errorf("%s: the start calls it %v, want %s:\n%s", format, of, want, h.log.String())
		}
	}
}

// Of JSON, only its lines show what can never come.
func TestWhatJSONLinesNeverHaveIsSaid(t *testing.T) {
	for there, want := range map[string]string{
		`{"time":"2026-11-20T10:00:00Z","status":200,"method":"GET"}`: "tags: the lines have nothing for methd; did you mean method?",
		`{"time":"2026-11-20T10:00:00Z","status":200,"methd":""}`:     "",
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "json"
		h.config.Tags = []string{"methd", "status"}
		h.write(there + "\n")
		h.mustOpen()
		if got := h.log.String(); want != "" && !strings.Contains(got, want) || want == "" && strings.Contains(got, "nothing for") {
			t.Errorf("%s: the start says\n%swant %q", there, got, want)
		}
	}
}

// A format that has requests, and none of nginx's names for what they ask for, gives
// points without that, also if tags are as they are by themselves: it is said, with the
// variable that its name, or what stands before it, says it is.
func TestRequestsWithoutAMethodOrAPathAreSaid(t *testing.T) {
	for format, wants := range map[string][]string{
		`[$time_local] "$verb" "$masked_uri" "$proto"`:            {"nothing for method, which comes from $request, $method, $request_method; if $verb stands for it, write rename: {verb: method}", "rename: {masked_uri: path}"},
		`$time_iso8601 $request_method "$safe_url" $status`:       {"rename: {safe_url: path}"},
		`[$time_local] method=$x uri="$y" status=$status`:         {"rename: {x: method}", "rename: {y: path}"},
		`[$time_local] method=$m uri="$u"`:                        {"rename: {m: method}", "rename: {u: path}"},
		`escape=json {"t":"$msec","url":"$y","verb":"$x"}`:        {"rename: {x: method}", "rename: {y: path}"},
		`$msec $status $my_request "$http_user_agent"`:            {"if $my_request is the request, write rename: {my_request: request}"},
		`$msec $a $b "$http_user_agent"`:                          {"nothing for path, which comes from", "if one of a, b stands for it, write rename: {NAME: path}"},
		`$msec $status $request_time`:                             {"nothing for path, which comes from", "log it, or take it out of tags"},
		`$msec $status "$upstream_uri" $path_hash $safe_path`:     {"rename: {safe_path: path}"},
		`[$time_local] user=$u url=$x method=$m`:                  {"rename: {x: path}", "rename: {m: method}"},
		`^(?P<msec>\S+) (?P<verb>\S+) (?P<url>\S+)$`:              {"rename: {verb: method}", "rename: {url: path}"},
		`^(?P<time_iso8601>\S+) (?P<status>\d+) (?P<reqPath>.*)$`: {"rename: {reqPath: path}"},
		// No requests, as far as is known; or they have both.
		`$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time "$upstream_addr"`: nil,
		`$msec $status $upstream_addr $ssl_preread_server_name $my_path`:                                          nil,
		`$msec $status $own $bytes_sent`:                                        nil,
		`$msec $status`:                                                         nil,
		`$msec $status $bytes_sent $server_port $url_hash`:                      nil,
		`$msec "$verb $masked_uri $proto" $status`:                              nil,
		`$msec $request_method "$sanitized_request_uri" $status`:                nil,
		`$msec $request_method "$uri" $safe_url $status`:                        nil,
		`$remote_addr [$time_local] $status $bytes_sent $upstream_addr $target`: nil,
		`[$time_local] user=$u $status`:                                         nil,
		`^(?P<msec>\S+) (?P<status>\d+) (?P<m>\S+)$`:                            nil,
		"combined": nil,
	} {
		h := newHouse(t)
		if h.config.Sources[0].Format = format; format[0] == '^' {
			h.config.Sources[0].Format, h.config.Sources[0].Regexp = "", format
		}
		h.mustOpen()
		for _, want := range wants {
			if !strings.Contains(h.log.String(), want) {
				t.Errorf("%s: the start says\n%swant %q", format, h.log.String(), want)
			}
		}
		if wants == nil && strings.Contains(h.log.String(), "nothing for") {
			t.Errorf("%s: the start says\n%s", format, h.log.String())
		}
	}
}

// The same of JSON, by the keys of its lines.
func TestJSONWithoutAMethodOrAPathIsSaid(t *testing.T) {
	for line, wants := range map[string][]string{
		`{"time":"2026-11-20T10:00:00Z","status":200,"method":"GET","filtered_request_uri":"/a"}`: {"nothing for path, which comes from", "if the key filtered_request_uri stands for it, write rename: {filtered_request_uri: path}"},
		`{"time":"2026-11-20T10:00:00Z","status":200,"verb":"GET","url":"/a"}`:                    {"rename: {verb: method}", "rename: {url: path}"},
		`{"time":"2026-11-20T10:00:00Z","status":200,"req":{"method":"GET","url":"/a"}}`:          {"rename: {req.method: method}", "rename: {req.url: path}"},
		`{"time":"2026-11-20T10:00:00Z","status":200,"safeRequest":"GET /a HTTP/1.1"}`:            {"if the key safeRequest is the request, write rename: {safeRequest: request}"},
		`{"time":"2026-11-20T10:00:00Z","status":200,"request_time":1,"a":"GET"}`:                 {"nothing for path", "if one of the keys a stands for it, write rename: {KEY: path}"},
		`{"time":"2026-11-20T10:00:00Z","status":200,"bytes_sent":1}`:                             nil,
		`{"time":"2026-11-20T10:00:00Z","status":200,"session_time":1,"my_path":1}`:               nil,
		`{"time":"2026-11-20T10:00:00Z","status":200,"protocol":"TCP","bytes_sent":1}`:            nil,
		`{"time":"2026-11-20T10:00:00Z","status":200,"request":""}`:                               nil,
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "json"
		h.write(line + "\n")
		h.mustOpen()
		for _, want := range wants {
			if !strings.Contains(h.log.String(), want) {
				t.Errorf("%s: the start says\n%swant %q", line, h.log.String(), want)
			}
		}
		if wants == nil && strings.Contains(h.log.String(), "nothing for") {
			t.Errorf("%s: the start says\n%s", line, h.log.String())
		}
	}
}

// Keys may be asked for by their own names in whatever JSON, under whatever name of the
// format, be it found or configured: then they are in the points, and nothing is said.
func TestOwnKeysAreInThePoints(t *testing.T) {
	const (
		plain   = `{"time":"2026-11-20T10:00:00Z","status":200,"method":"GET","path":"/","foo":"x"}`
		traefik = `{"ClientHost":"10.0.0.1","DownstreamStatus":200,"Duration":1234567,"RequestMethod":"GET","RequestPath":"/u","foo":"x","time":"2026-11-20T11:00:00+01:00"}`
		caddy   = `{"level":"info","ts":1795168800.5,"msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"52318","method":"GET","uri":"/a"},` +
			`"foo":"x","duration":0.5,"size":10,"status":200}`
	)
	docker := func(line string) string {
		return `{"log":"` + strings.ReplaceAll(line, `"`, `\"`) + `\n","stream":"stdout","time":"2026-11-20T10:00:00.1Z"}`
	}
	for format, line := range map[string]string{
		"json":                plain,
		"docker json":         docker(plain),
		"cri json":            "2026-11-20T10:00:00.1Z stdout F " + plain,
		"syslog json":         "Nov 20 10:00:00 web nginx: " + plain,
		"caddy":               caddy,
		"cri caddy":           "2026-11-20T10:00:00.1Z stdout F " + caddy,
		"traefik_json":        traefik,
		"docker traefik_json": docker(traefik),
	} {
		for _, format := range []string{format, shape.Auto} {
			h := newHouse(t)
			h.config.Sources[0].Format = format
			h.config.Tags, h.config.Rollups = []string{"method", "status", "foo"}, nil
			h.write(line + "\n")
			l, _, err := h.mustOpen().Lines(h.at(0), []byte(line+"\n"))
			if err != nil || l == nil {
				t.Fatalf("%s, as %s: %v", line, format, err)
			}
			point, _, _ := l.Append(nil, []byte(line), 0)
			if !strings.Contains(string(point), ",foo=x") || strings.Contains(h.log.String(), "nothing for") {
				t.Errorf("%s, as %s: the point is %q, want foo=x; the start says\n%s", line, format, point, h.log.String())
			}
		}
	}
}

// What is said of the keys of JSON is said of those that a wrapper holds.
func TestKeysOfWrappedJSONAreSaid(t *testing.T) {
	const line = `{"time":"2026-11-20T10:00:00Z","code":200,"verb":"GET"}`
	for name, wrapped := range map[string]string{
		"docker":   `{"log":"` + strings.ReplaceAll(line, `"`, `\"`) + `\n","stream":"stdout","time":"2026-11-20T10:00:00.1Z"}`,
		"cri":      "2026-11-20T10:00:00.123456789Z stdout F " + line,
		"rfc 3164": "Nov 20 10:00:00 web1 nginx: " + line,
		"rfc 5424": "<190>1 2026-11-20T10:00:00Z web1 nginx 12 - - " + line,
		"rsyslog":  "2026-11-20T10:00:00.123456+00:00 web1 nginx: " + line,
		"a piece":  "2026-11-20T10:00:00.123456789Z stdout P {\n2026-11-20T10:00:00.123456789Z stdout F " + line,
	} {
		for _, format := range []string{"json", strings.Fields(strings.NewReplacer("rfc", "syslog", "rsyslog", "syslog", "a piece", "cri").Replace(name))[0] + " json"} {
			h := newHouse(t)
			h.config.Sources[0].Format = format
			h.write(wrapped + "\n")
			h.mustOpen()
			if want := "nothing but a time: code, verb; say what they are, such as rename: {code: status, verb: method}"; !strings.Contains(h.log.String(), want) {
				t.Errorf("%s in format %q: the start says\n%swant %q", name, format, h.log.String(), want)
			}
		}
	}
}

// The nearest name is one that could be meant, and not the name itself.
func TestTheNearestNameIsAnother(t *testing.T) {
	for name, want := range map[string]string{
		"upstream_tries": "nothing for upstream_tries, which comes from $upstream_addr, $upstream_status, $upstream_response_time\"",
		"bytes":          "nothing for bytes; did you mean body_bytes_sent?",
		"user_agen":      "nothing for user_agen; did you mean http_user_agent?",
		"request_tme":    "nothing for request_tme; did you mean request_time, which it does not have either?",
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = "combined"
		h.config.Fields = []string{name}
		h.mustOpen()
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("%s: the start says\n%swant %q", name, h.log.String(), want)
		}
	}
}

// A format that is nearly a known one is probably that. What has variables is none of them.
func TestTheNearestFormatIsSaid(t *testing.T) {
	for format, want := range map[string]string{
		"combind":       `did you mean combined? "combind" is not a preset (`,
		"tiemd":         `did you mean timed? "tiemd" is not a preset (`,
		"aut":           `did you mean auto? "aut" is not a preset (`,
		"main":          `"main" is not a preset (`,
		"combined $":    `column 10: `,
		"docker combnd": `"`,
	} {
		h := newHouse(t)
		h.config.Sources[0].Format = format
		if err := shape.Check(&h.config, h.config.Sources[0]); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("format %s: %v, want %s", format, err, want)
		}
	}
}

// Lines that are of the format and become no points for want of a key: that is said
// before the first of them is rejected.
func TestTimesThatCannotBeReadAreSaid(t *testing.T) {
	const haproxy = `192.0.2.7:33317 [20/Nov/2026:11:00:00.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /a HTTP/1.1"`
	for _, tt := range []struct{ format, line string }{
		{"haproxy", haproxy},
		{"syslog haproxy", "Nov 20 11:00:00 lb1 haproxy[14389]: " + haproxy},
		{"haproxy", `{"log":"` + strings.ReplaceAll(haproxy, `"`, `\"`) + `\n","stream":"stdout","time":"2026-11-20T10:00:00Z"}`},
		{"json", `{"time":"2026-11-20T10:00:00.5","status":200}`},
		{"$remote_addr [$time_local] $status", "192.0.2.7 [20/Nov/2026:10:00:00] 200"},
	} {
		for zone, want := range map[string]bool{"": true, "Europe/Berlin": false} {
			h := newHouse(t)
			h.config.Sources[0].Format, h.config.Timezone = tt.format, zone
			h.write(tt.line + "\n")
			h.mustOpen()
			if got := strings.Contains(h.log.String(), "they have no zone: set timezone"); got != want {
				t.Errorf("%s, timezone %q: the start says\n%s", tt.format, zone, h.log.String())
			}
		}
	}
}

// What a format that is found later has nothing for is said then, once, and also of a
// glob, of which none is known at the start.
func TestWhatAFoundFormatNeverHasIsSaid(t *testing.T) {
	const json = `{"time":"2026-11-20T10:00:00Z","status":200,"verb":"GET","request_uri":"/a"}` + "\n"
	for name, tt := range map[string]struct{ there, read, want string }{
		"at the start":       {combined, combined, "fields: the format has nothing for request_tme"},
		"later":              {"", combined, "fields: the format has nothing for request_tme"},
		"JSON at the start":  {json, json, "if the key verb stands for it, write rename: {verb: method}"},
		"JSON that is later": {"", json, "if the key verb stands for it, write rename: {verb: method}"},
	} {
		for _, glob := range []bool{false, true} {
			h := newHouse(t)
			h.config.Fields = []string{"request_tme"}
			if glob {
				h.config.Sources[0].Path = strings.Replace(h.source.Path, "access", "*", 1)
			}
			h.write(tt.there)
			s := h.mustOpen()
			h.names(s, tt.read)
			h.names(s, tt.read)
			if n := strings.Count(h.log.String(), tt.want); n != 1 {
				t.Errorf("%s, glob %v: %q is said %d times:\n%s", name, glob, tt.want, n, h.log.String())
			}
		}
	}
}
