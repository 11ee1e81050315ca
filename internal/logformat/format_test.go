package logformat_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
)

func TestPresets(t *testing.T) {
	want := []string{
		"apisix", "caddy", "combined", "common", "geoip2influx", "gitlab", "haproxy", "haproxy_headers", "ingress", "json",
		"npm_proxy", "npm_standard", "timed", "traefik", "traefik_json", "vhost_combined",
	}
	if got := logformat.Presets(); !slices.Equal(got, want) {
		t.Fatalf("Presets() = %q, want %q", got, want)
	}
	for _, name := range want {
		f := mustFormat(t, name)
		if f.Kind() == "json" {
			if f.Kind() != "json" || f.Regexp() != "" || f.Why() != "" {
				t.Errorf("json: Kind() = %q, Regexp() = %q, Why() = %q, want json and nothing", f.Kind(), f.Regexp(), f.Why())
			}
			continue
		}
		if f.Kind() != "scanner" || f.Why() != "" {
			t.Errorf("%s: Kind() = %q, Why() = %q, want a scanner", name, f.Kind(), f.Why())
		}
		if _, err := regexp.Compile(f.Regexp()); err != nil {
			t.Errorf("%s: Regexp() does not compile: %v", name, err)
		}
	}
	check := func(name, want string) {
		t.Helper()
		if got := strings.Join(mustFormat(t, name).Names(), " "); got != want {
			t.Errorf("%s: Names() = %s, want %s", name, got, want)
		}
	}
	check("common", "remote_addr remote_user time_local request status body_bytes_sent")
	check("combined", "remote_addr remote_user time_local request status body_bytes_sent http_referer http_user_agent")
	check("vhost_combined", "host server_port remote_addr remote_user time_local request status body_bytes_sent http_referer http_user_agent")
	check("ingress", "remote_addr remote_user time_local request status body_bytes_sent http_referer http_user_agent request_length request_time "+
		"proxy_upstream_name proxy_alternative_upstream_name upstream_addr upstream_response_length upstream_response_time upstream_status req_id")
	check("timed", "remote_addr remote_user time_local scheme request status bytes_sent http_referer http_user_agent gzip_ratio upstream_response_time request_time")
}

// What each variable may look like, by its kind and its place.
func TestFormatRegexp(t *testing.T) {
	check := func(format, want string) {
		t.Helper()
		if got := mustFormat(t, format).Regexp(); got != want {
			t.Errorf("CompileFormat(%q).Regexp()\n got %s\nwant %s", format, got, want)
		}
	}
	// Between quotes anything but a quote.
	check(`"$request" "$status"`, `^"(?P<request>[^"]*)" "(?P<status>[^"]*)"$`)
	check(`"$request_method $uri"`, `^"(?P<request_method>[^ "]+) (?P<uri>[^"]*?)"$`)

	// By kind.
	check(`$status`, `^(?P<status>[0-9.-]+)$`)
	check(`$body_bytes_sent $request_time`, `^(?P<body_bytes_sent>[0-9.-]+) (?P<request_time>[0-9.-]+)$`)
	check(`[$time_local]`, `^\[(?P<time_local>[ +-:A-Za-z]{19,})\]$`)
	check(`$time_local $status`, `^(?P<time_local>[ +-:A-Za-z]{20}(?:[,.][0-9]+)?(?:Z| ?[+-][0-9]{2}:?[0-9]{0,2})) (?P<status>[0-9.-]+)$`)
	check(`$time_iso8601_ms`, `^(?P<time_iso8601_ms>[ +-:A-Za-z]+)$`)
	check(`$time_iso8601 $status`, `^(?P<time_iso8601>[0-9T:.,+Z-]+) (?P<status>[0-9.-]+)$`)
	check(`$time_iso8601,$msec`, `^(?P<time_iso8601>[0-9T:.+Z-]+),(?P<msec>[0-9.+Ee]+)$`)
	check(`${msec}e$status`, `^(?P<msec>[0-9.]+)e(?P<status>[0-9.-]+)$`)
	check(`$upstream_response_time x`, `^(?P<upstream_response_time>[^ ,"]+(?:(?:,| :) [^ ,"]*)*) x$`)
	check(`$remote_user x`, `^(?P<remote_user>[^"]*?) x$`)
	check(`$request`, `^(?P<request>[^"]*)$`)
	check(`$my_own|$other`, `^(?P<my_own>[^"]*?)\|(?P<other>[^"]*)$`)

	// A word ends where the next literal begins, if it cannot contain it.
	check(`$request_method|$scheme]`, `^(?P<request_method>[^ "|]+)\|(?P<scheme>[^ "\]]+)\]$`)
	check("$scheme\t", "^(?P<scheme>[^ \"\t]+)\t$")
	check(`$remote_addr:$remote_port`, `^(?P<remote_addr>[^ "]+):(?P<remote_port>[0-9.-]*)$`)
	check(`$is_args?`, `^(?P<is_args>[^ "]*)\?$`)
	check(`[$host]`, `^\[(?P<host>[^ "]*)\]$`)
	check(`$upstream_addr}`, `^(?P<upstream_addr>[^ ,"}]*(?:(?:,| :) [^ ,"}]*)*)\}$`)

	check(`$scheme-$server_protocol`, `^(?P<scheme>[^ "-]+)-(?P<server_protocol>[^ "]*)$`)

	// It cannot contain what ends a text before it, either.
	check(`$uri|$request_method $status`, `^(?P<uri>[^"]*?)\|(?P<request_method>[^ "|]+) (?P<status>[0-9.-]+)$`)
	check(`$uri]$http_x|$request_id]$scheme x`, `^(?P<uri>[^"]*?)\](?P<http_x>[^"]*?)\|(?P<request_id>[^ "\]|]+)\](?P<scheme>[^ "|\]]+) x$`)
	check(`$uri:$remote_addr x`, `^(?P<uri>[^"]*?):(?P<remote_addr>[^ "]+) x$`)
	check(`$uri|"$status" $scheme x`, `^(?P<uri>[^"]*?)\|"(?P<status>[^"]*)" (?P<scheme>[^ "]+) x$`)

	// Found and yet empty.
	check(`<$host>`, `^<(?P<host>(?:~[^ "]*|[^ ">]*))>$`) // it may be a regular expression, and so may $server_name
	check(`$server_name x`, `^(?P<server_name>[^ "]*) x$`)

	// A time goes no farther into a text before it than a time does.
	check(`$remote_user|$time_local`, `^(?P<remote_user>[^"]*?)\|(?P<time_local>[ +-:A-Za-z]{19,})$`)
	check(`$remote_user $time_local`, `^(?P<remote_user>[^"]*?) (?P<time_local>(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:)?[+-:A-Za-z]+(?: [+-][0-9]{2}:?[0-9]{0,2})?)$`)

	// No literal between, and yet no doubt.
	check(`$scheme://$host$request_uri x`, `^(?P<scheme>[^ ":]+)://(?P<host>(?:~[^ "/]*[!#-,.0-~]|[^ "/?#]*?))(?P<request_uri>(?:[/?#][^"]*?|[*-]|)) x$`)
	check(`$http_host$request_uri x`, `^(?P<http_host>[^"/?#]*?)(?P<request_uri>(?:[/?#][^"]*?|[*-]|)) x$`)
	check(`"$uri$is_args$args" x`, `^"(?P<uri>[^"?]*?)(?:(?P<is_args>\?)(?P<args>[^"]*?)|-|)" x$`)
	check(`escape=json '{"u":"$uri$is_args$args"}'`, `^\{"u":"(?P<uri>(?:[^"\\?]|\\.)*?)(?:(?P<is_args>\?)(?P<args>(?:[^"\\]|\\.)*?)|)"\}$`)

	// nginx does not mind capital letters in a name.
	check(`$Status $http_X_Forwarded_For`, `^(?P<status>[0-9.-]+) (?P<http_x_forwarded_for>[^"]*)$`)
	check("# mine\n  log_format \"my own\" '$status';", `^(?P<status>[0-9.-]+)$`)

	// What a client sent may be anything.
	check(`$content_length $req_id x`, `^(?P<content_length>[^"]*?) (?P<req_id>[^"]*?) x$`)
	check(`escape=none "$uri$is_args$args"`, `^(?P<uri>[^?]*?)(?:(?P<is_args>\?)(?P<args>.*)|)$`)
	check(`$host:$server_port$request_uri x`, `^(?P<host>[^ "]*):(?P<server_port>[^ "/?#]*?)(?P<request_uri>(?:[/?#][^"]*?|[*-]|)) x$`)

	// The second of the same name is not captured.
	check(`$status $status`, `^(?P<status>[0-9.-]+) (?:[0-9.-]+)$`)

	// Literals are literal.
	check(`.*(${status}s)`, `^\.\*\((?P<status>[0-9.-]+)s\)$`)

	// escape=json: quotes and backslashes within values have a backslash, and
	// absent values are empty.
	check(`escape=json '{"a":"$uri","b":$status,"t":$upstream_response_time}'`,
		`^\{"a":"(?P<uri>(?:[^"\\]|\\.)*)","b":(?P<status>[0-9.-]*),"t":(?P<upstream_response_time>[^ ,"}]*(?:(?:,| :) [^ ,"}]*)*)\}$`)
	check(`escape=json '$uri $args'`, `^(?P<uri>(?:[^"\\]|\\.)*?) (?P<args>(?:[^"\\]|\\.)*)$`)

	// Of all words a client may have a quote in $host.
	check(`escape=json '$host $request_method'`, `^(?P<host>(?:[^ "\\]|\\.)*) (?P<request_method>[^ "]*)$`)
	check("escape=json '$host\t'", "^(?P<host>(?:~[^ \"]*|(?:[^ \"\\\\\t]|\\\\.)*))\t$")
	check(`escape=json '$host$request_uri'`, `^(?P<host>(?:~[^ "/]*[!#-,.0-~]|(?:[^ "\\/?#]|\\.)*?))(?P<request_uri>(?:[/?#](?:[^"\\]|\\.)*|[*-]|))$`)
	check(`escape=none '$host "$host" $request_method'`, `^(?P<host>[^ ]*) "(?:[^ ]*?)" (?P<request_method>[^ "]*)$`)

	// escape=none: anything goes.
	check(`escape=none '"$request" $status $uri'`, `^"(?P<request>.*?)" (?P<status>[0-9.-]*) (?P<uri>.*)$`)
}

// The same format however it comes out of nginx.conf.
func TestFormatSource(t *testing.T) {
	want := mustFormat(t, "combined").Regexp()
	for _, format := range []string{
		combinedFormat,
		"  combined\n",
		combinedFormat + "\n",
		`'$remote_addr - $remote_user [$time_local] '
                      '"$request" $status $body_bytes_sent '
                      '"$http_referer" "$http_user_agent"'`,
		`'$remote_addr - $remote_user [$time_local] ' "\"$request\" $status $body_bytes_sent "
			'"$http_referer" "$http_user_agent"';`,
		"escape=default '" + combinedFormat + "'",
		`
    log_format main escape=default
        '$remote_addr - $remote_user [$time_local] ' # who and when
        '"$request" $status $body_bytes_sent '
        '"$http_referer" "${http_user_agent}"' ;
`,
		"log_format combined '" + combinedFormat + "';",
	} {
		f, err := logformat.CompileFormat(format)
		if err != nil {
			t.Errorf("CompileFormat(%q): %v", format, err)
		} else if f.Regexp() != want {
			t.Errorf("CompileFormat(%q).Regexp() = %s, want %s", format, f.Regexp(), want)
		}
	}

	// What looks like pieces and is not.
	check := func(format, want string) {
		t.Helper()
		if got := mustFormat(t, format).Regexp(); got != want {
			t.Errorf("CompileFormat(%q).Regexp() = %s, want %s", format, got, want)
		}
	}
	check(`"$msec","$status"`, `^"(?P<msec>[^"]*)","(?P<status>[^"]*)"$`)
	check(`"$msec" "$status"`, `^"(?P<msec>[^"]*)" "(?P<status>[^"]*)"$`)
	check(`'$msec' at $status`, `^'(?P<msec>[0-9.+Ee]+)' at (?P<status>[0-9.-]+)$`)
	check(`'$status\r'`, `^(?P<status>[0-9.-]+)$`) // of lines the CR is left out
	check(`at '$msec'`, `^at '(?P<msec>[0-9.+Ee]+)'$`)
	check(`a '$msec' '$status';b`, `^a '(?P<msec>[0-9.+Ee]+)' '(?P<status>[0-9.-]+)';b$`)
	check(`log_format=a $msec`, `^log_format=a (?P<msec>[0-9.+Ee]+)$`)
	check(`log_format a $msec;`, `^(?P<msec>[0-9.+Ee]+)$`)
	check(`'a\tb\'c\\\d$msec'`, "^a\tb'c"+`\\\\`+"d(?P<msec>[0-9.+Ee]+)$")
}

func TestFormatErrors(t *testing.T) {
	check := func(format string, want ...string) {
		t.Helper()
		_, err := logformat.CompileFormat(format)
		if err == nil {
			t.Errorf("CompileFormat(%q): no error", format)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("CompileFormat(%q) = %q, want it to contain %q", format, err, w)
			}
		}
	}
	check("", "empty", "combined, common")
	check("combinde", `"combinde"`, "is not a preset", "timed")
	check("main", `"main" is not a preset`, "name in your nginx.conf")
	check("/etc/nginx/nginx.conf", "is a file", "log_format from nginx.conf")
	check("access_log /var/log/nginx/access.log main;", "access_log, not log_format")
	check(`%h %l %u %t "%r" %>s %b`, "Apache's LogFormat")
	check("$status $", "column 9", `"$" without`)
	check("$$status", "column 1", "dollar")
	check("$status €$-", "column 10")
	check("${status", "column 1", "${status}")
	check("${}", "column 1", "name")
	check("a ${status $msec", "column 3", "not closed")
	check("$msec\n$status", "column 6", "line break")
	check("$msec \xff", "column 7", "0xFF")
	check("escape=xml '$msec'", "column 8", "escape=json")
	check("main '$msec';", "write log_format before it")
	check("main escape=json '$msec '\n  '$status';", "write log_format before it")
	check("http {\n  log_format main '$msec';\n}", "paste it alone")
	check("include mime.types; log_format main '$msec';", "paste it alone")
	check("log_format a '$msec", "column 14", "never closed")
	check("log_format a '$msec'x;", "column 21", "directly after")
	check("log_format a '$msec'; log_format b '$msec';", "column 22", "one log_format")
	check("log_format bad [$time_local] $protocol $status $session_time;", "column 30", "joins words without quotes", "quotes are missing in nginx.conf")
	check("log_format bad $remote_addr '$status';", "joins words without quotes")
}

func TestRegexpNames(t *testing.T) {
	check := func(expr, want string) {
		t.Helper()
		f := mustRegexp(t, expr)
		if got := strings.Join(f.Names(), " "); got != want {
			t.Errorf("CompileRegexp(%q).Names() = %s, want %s", expr, got, want)
		}
	}
	check(`(?P<status>\d+) (\S+) (?<msec>.*)`, "status msec")
	check(`(?P<_>\S+) (?<_>\S+) (?P<status>\d+)`, "status")
	check(`[(?P<_>]\(?P<_>\Q(?P<_>\E[[:alpha:](?P<_>](?P<status>\d+)`, "status")
	check(`(?P<_>(?P<status>\d+))`, "status")
}

func TestRegexpErrors(t *testing.T) {
	check := func(expr string, want ...string) {
		t.Helper()
		_, err := logformat.CompileRegexp(expr)
		if err == nil {
			t.Errorf("CompileRegexp(%q): no error", expr)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("CompileRegexp(%q) = %q, want it to contain %q", expr, err, w)
			}
		}
	}
	check(``, "no named group", "(?P<status>")
	check(`(\d+) (?P<_>.*)`, "no named group")
	check(`(?P<a>.) (?P<b>.) (?P<a>.)`, "column 19", `"a"`, "column 1")
	check(`é(?P<a>.)(?P<a>.)`, "column 10")
	check(`(?P<a>.)(?=b)`, "column 9", "(?=", "lookahead")
	check(`(?P<a>.)\1`, "column 9", `\1`, "backreferences")
	check(`(?P<a>.`, "missing closing )", `write \( for a literal (`)
	check(`(?P<a b>.)`, "letters, digits")
	check(`*(?P<a>.)`, "column 1", `write \*`)
	check(`(?P<a>.){1001}`, "1000")
	check(`(?P<a>.)[a`, "column 9", "missing closing ]")
}

func TestEscape(t *testing.T) {
	check := func(f *logformat.Format, want string) {
		t.Helper()
		if got := f.Escape(); got != want {
			t.Errorf("%s: Escape() = %q, want %q", f.Regexp(), got, want)
		}
	}
	check(mustFormat(t, "combined"), "apache")
	check(mustFormat(t, "$msec"), "apache")
	check(mustFormat(t, "escape=default '$msec'"), "apache")
	check(mustFormat(t, "log_format a escape=json '$msec';"), "json")
	check(mustFormat(t, "escape=none '$msec'"), "none")
	check(mustFormat(t, "json"), "none")
	check(mustRegexp(t, lineage), "default")
}

func TestKind(t *testing.T) {
	check := func(expr, kind, why string) {
		t.Helper()
		f := mustRegexp(t, expr)
		if f.Kind() != kind || !strings.Contains(f.Why(), why) || (why == "") != (f.Why() == "") {
			t.Errorf("CompileRegexp(%q): Kind() = %q, Why() = %q, want %q, %q", expr, f.Kind(), f.Why(), kind, why)
		}
	}
	check(lineage, "scanner", "")
	check(`^(?P<a>\d{1,3}(?:\.\d{1,3}){3}) (?P<b>\S+)$`, "scanner", "")
	check(`(?P<a>\w+)\b`, "regexp", `\b`)
}

// Times that other programs write in a place of nginx's are found whole, whatever stands
// behind them, by the scanner.
func TestTimesOfOtherProgramsInALogFormat(t *testing.T) {
	const local, iso, epoch = "time_local", "time_iso8601", "msec"
	for _, tt := range []struct{ variable, time string }{
		{local, "20/Nov/2026:10:00:00,123+0000"},
		{local, "20/Nov/2026:10:00:00.123456 +0000"},
		{local, "20/Nov/2026:10:00:00Z"},
		{local, "20/Nov/2026:10:00:00.5Z"},
		{local, "20/Nov/2026:07:00:00 -03"},
		{local, "20/Nov/2026:10:00:00+00:00"},
		{iso, "2026-11-20T10:00:00,123+0000"},
		{iso, "2026-11-20T07:00:00-03"},
		{iso, "2026-11-20T10:00:00.123Z"},
		{epoch, "1.7951688e9"},
		{epoch, "1.795168800123E+09"},
	} {
		for _, format := range []string{"[%s] $status", `"%s" $status`, "%s|$status", "%s $status", "$status %s"} {
			f := mustFormat(t, strings.ReplaceAll(format, "%s", "$"+tt.variable))
			line := strings.NewReplacer("%s", tt.time, "$status", "200").Replace(format)
			m := f.NewMatcher()
			captures, ok := m.Match([]byte(line))
			if at := slices.Index(f.Names(), tt.variable); !ok || string(captures[at]) != tt.time || m.Slow > 0 {
				t.Errorf("%s: %s is %q, %v, with %d lines by package regexp", format, line, captures, ok, m.Slow)
			}
		}
	}
	for format, line := range map[string]string{ // a time may lack its zone, which is configured then
		"[$time_local] $status":     "[20/Nov/2026:10:00:00] 200",
		"[$time_iso8601] $status":   "[2026-11-20T10:00:00] 200",
		`"$time_iso8601" "$status"`: `"2026-11-20 10:00:00.123" "200"`,
		"$time_iso8601,$status":     "2026-11-20T10:00:00+00:00,200", // a comma is of the format
	} {
		if captures, ok := mustFormat(t, format).NewMatcher().Match([]byte(line)); !ok || string(captures[1]) != "200" {
			t.Errorf("%s: %s is %q, %v", format, line, captures, ok)
		}
	}
}
