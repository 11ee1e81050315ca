package nginxlog

import (
	"fmt"
	"slices"
	"strings"
)

// presets are the formats known by name, in the order to show them in.
var presets = []struct{ name, format string }{
	{"timed", `$remote_addr - $remote_user [$time_local] $scheme "$request" $status $bytes_sent "$http_referer" "$http_user_agent" "$gzip_ratio" $upstream_response_time $request_time`},
	{"combined", `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`},
	{"common", `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`},
	{"vhost_combined", `$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`},
	{"json", `escape=json {"time":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user","host":"$host","scheme":"$scheme","request":"$request","status":$status,"bytes_sent":$bytes_sent,"request_length":$request_length,"request_time":$request_time,"upstream_response_time":"$upstream_response_time","http_referer":"$http_referer","http_user_agent":"$http_user_agent"}`},
}

// Names returns the names of the presets, the default first.
func Names() []string {
	names := make([]string, 0, len(presets))
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// Format returns the log_format string of a preset, with its escape parameter
// in front if it has one.
func Format(name string) (format string, ok bool) {
	for _, p := range presets {
		if p.name == name {
			return p.format, true
		}
	}
	return "", false
}

// template is a compiled log_format: literals and variables in turn.
type template struct {
	parts   []part
	escape  escaping
	tearing bool // whether lines can be torn inside a quoted value
}

// part is a literal, or a variable when the literal is empty.
type part struct {
	literal  string
	variable variable
}

// compile reads a format as nginx does: $name and ${name} are variables,
// everything else stands for itself. In front may stand escape=default, json
// or none.
func compile(format string) (template, error) {
	if preset, ok := Format(format); ok {
		format = preset
	}
	var t template
	if rest, ok := strings.CutPrefix(format, "escape="); ok {
		name, text, _ := strings.Cut(rest, " ")
		i := slices.Index(escapings, name)
		if i < 0 {
			return template{}, fmt.Errorf("format: escape %q: want %s", name, strings.Join(escapings, ", "))
		}
		t.escape, format = escaping(i), text
	}
	if format == "" {
		return template{}, fmt.Errorf("format is empty: want a log_format or one of %s", strings.Join(Names(), ", "))
	}
	if strings.ContainsAny(format, "\n\r") {
		return template{}, fmt.Errorf("format %q: has a line break", format)
	}
	t.tearing = t.escape != escapeNone && strings.Contains(format, `"`) && strings.Count(format, `"`)%2 == 0
	for format != "" {
		literal, rest, isVariable := strings.Cut(format, "$")
		if literal != "" {
			t.parts = append(t.parts, part{literal: literal})
		}
		if !isVariable {
			break
		}
		name, after, err := cutName(rest)
		if err != nil {
			return template{}, err
		}
		v, ok := variableNamed(name)
		if !ok {
			return template{}, fmt.Errorf("format: unknown variable $%s", name)
		}
		t.parts = append(t.parts, part{variable: v})
		format = after
	}
	if !slices.ContainsFunc(t.parts, func(p part) bool { return p.literal == "" }) {
		return template{}, fmt.Errorf("format %q: has no $variable, and is none of %s", t.parts[0].literal, strings.Join(Names(), ", "))
	}
	return t, nil
}

// cutName splits what follows a $ into the variable's name and the rest.
func cutName(s string) (name, rest string, err error) {
	body, braced := strings.CutPrefix(s, "{")
	i := 0
	for i < len(body) && isNameByte(body[i]) {
		i++
	}
	name, rest = body[:i], body[i:]
	if braced {
		var closed bool
		if rest, closed = strings.CutPrefix(rest, "}"); !closed {
			return "", "", fmt.Errorf("format: the closing bracket of ${%s is missing", name)
		}
	}
	if name == "" {
		return "", "", fmt.Errorf("format: no variable name after $ in %q", "$"+s)
	}
	return name, rest, nil
}

func isNameByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
