package config

import (
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// names is a list of variables, each once.
func names(want string) kind[[]string] {
	return listOf(want, "variable", variableName())
}

// isVariable is the name of a variable, or of a key of JSON as it is.
var isVariable = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_-]+)*$`)

// variableName is that of an nginx variable, or of what is derived from some.
func variableName() kind[string] {
	return words("a variable (a-z, 0-9 and _) other than host (nginx's is vhost), source and time", func(s string) (string, bool) {
		return s, IsTag(s)
	})
}

// IsTag reports whether a name may stand in tags, those of a rollup too.
func IsTag(name string) bool {
	return isVariable().MatchString(name) && !slices.Contains([]string{"host", "source", "time"}, name)
}

// networks is a list of CIDRs, each once. An address is a network of one.
func networks() kind[[]string] {
	const one = "a network such as 10.0.0.0/8 or 2001:db8::/32, or an address"
	return listOf("a list of networks such as [10.0.0.0/8]", "network", words(one, func(s string) (string, bool) {
		if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
			return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()).String(), true
		}
		prefix, err := netip.ParsePrefix(s)
		return prefix.Masked().String(), err == nil
	}))
}

// isHost is a name as a browser asks for it, without a port.
var isHost = lazyregexp.New(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// hosts is a list of names of machines, each once.
func hosts() kind[[]string] {
	return listOf("a list of names such as [logs.example.com]",
		"name", words("a name such as logs.example.com, without a scheme and a port", func(s string) (string, bool) {
			s = strings.ToLower(strings.TrimSuffix(s, "."))
			return s, len(s) <= 253 && isHost().MatchString(s)
		}))
}

// headers is a list of headers, each name once. In the file they may be a mapping.
func headers() kind[[]string] {
	k := listOf("a list of headers such as ['X-Scope-OrgID: web']",
		"header", hinted(words("a header such as 'X-Scope-OrgID: web'", header), headerHint))
	parse := k.parse
	k.parse = func(v value) ([]string, []fault) {
		if v.shape == yamlMapping {
			list := value{shape: yamlSequence, at: v.at}
			for _, e := range v.entries {
				list.items = append(list.items, value{shape: yamlString, at: e.key.at, text: e.key.text + ": " + e.val.text})
			}
			v = list
		}
		all, faults := parse(v)
		for i := range faults { // its value may be a secret
			if name, _, ok := strings.Cut(faults[i].got, ":"); ok {
				faults[i].got = name + ": …\""
			}
		}
		names := map[string]bool{}
		for i, one := range all {
			name, _, _ := strings.Cut(one, ":")
			if names[name] && one != "" {
				faults = append(faults, inside(fmt.Sprintf("[%d]", i), []fault{{at: v.items[i].at, got: name + " again", want: "each header once"}})...)
			}
			names[name] = true
		}
		return all, faults
	}
	return k
}

var isHeaderName = lazyregexp.New("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// header is one with its name in canonical form.
func header(s string) (string, bool) {
	name, value, ok := strings.Cut(s, ":")
	name, value = http.CanonicalHeaderKey(name), strings.TrimSpace(value)
	return name + ": " + value, ok && isHeaderName().MatchString(name) && value != "" && printable(value) && headerHint(s) == ""
}

// headerHint is what is wanted in place of headers that say how a body is sent, or are
// secrets.
func headerHint(s string) string {
	name, _, _ := strings.Cut(s, ":")
	switch http.CanonicalHeaderKey(strings.TrimSpace(name)) {
	case "Authorization", "Proxy-Authorization":
		return "influxdb.token_file, or influxdb.username and influxdb.password_file, for who you are"
	case "Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade":
		return "a header that does not say how points are sent"
	}
	return ""
}

// excludes is a list of globs, each once.
func excludes() kind[[]string] {
	one := hinted(words("a glob such as error.log or /var/log/nginx/*.error.log", func(s string) (string, bool) {
		_, err := filepath.Match(s, "")
		return s, s != "" && s != "/" && err == nil && printable(s) && globHint(s) == ""
	}), globHint)
	return listOf("a list of globs such as ['*error.log']", "glob", one)
}

// listOf is a list of words, each once. what is one of them.
func listOf(want, what string, one kind[string]) kind[[]string] {
	return kind[[]string]{
		name: "list",
		want: want,
		list: true,
		parse: func(v value) ([]string, []fault) {
			if v.shape != yamlSequence {
				return nil, []fault{{at: v.at, got: v.got(), want: want}}
			}
			all := make([]string, 0, len(v.items))
			var faults []fault
			for i, item := range v.items {
				text, wrong := one.parse(item)
				if wrong == nil && slices.Contains(all, text) {
					wrong = []fault{{at: item.at, got: item.got() + " again", want: "each " + what + " once"}}
				}
				faults = append(faults, inside(fmt.Sprintf("[%d]", i), wrong)...)
				all = append(all, text)
			}
			return all, faults
		},
		value: func(all []string) value {
			v := value{shape: yamlSequence}
			for _, s := range all {
				v.items = append(v.items, value{shape: yamlString, text: s})
			}
			return v
		},
	}
}

// inside says of which item the faults are.
func inside(item string, faults []fault) []fault {
	for i := range faults {
		faults[i].item = item + faults[i].item
	}
	return faults
}
