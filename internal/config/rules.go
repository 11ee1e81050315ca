package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// pathRules is a list of mappings with the keys match and as.
func pathRules() kind[[]PathRule] {
	keys := []string{"match", "as"}
	match, as := expression(), words("a path such as /p/:slug", func(s string) (string, bool) {
		return s, s != "" && printable(s)
	})
	return rules("a list of rules such as [{match: '^/p/.*', as: '/p/:slug'}]", func(v value) (r PathRule, faults []fault) {
		for _, e := range v.entries {
			switch e.key.text {
			case "match":
				faults = append(faults, part(&r.Match, e, match)...)
			case "as":
				faults = append(faults, part(&r.As, e, as)...)
			default:
				faults = append(faults, fault{e.key.at, "." + e.keyName(), "an unknown key", "match and as"})
			}
		}
		for _, key := range keys {
			if !slices.ContainsFunc(v.entries, func(e entry) bool { return e.key.text == key }) {
				faults = append(faults, fault{v.at, "", "no " + key, "match and as"})
			}
		}
		return r, faults
	}, func(r PathRule) value {
		return value{shape: yamlMapping, entries: []entry{wordEntry("match", r.Match), wordEntry("as", r.As)}}
	})
}

// dropRules is a list of mappings from variables to what is dropped.
func dropRules() kind[[]DropRule] {
	match, variable := condition(), variableName()
	return rules("a list of rules such as [{path: /healthz}, {http_user_agent: '~^kube-probe/'}]", func(v value) (r DropRule, faults []fault) {
		for _, e := range v.entries {
			if _, wrong := variable.parse(value{at: e.key.at, shape: untyped, text: e.key.text}); wrong != nil || e.key.shape == unsupported {
				faults = append(faults, fault{e.key.at, "", e.key.got(), variable.want})
				continue
			}
			c := Condition{Variable: e.key.text}
			faults = append(faults, part(&c.Match, e, match)...)
			r = append(r, c)
		}
		if len(v.entries) == 0 {
			faults = append(faults, fault{v.at, "", "a rule without a variable", "one that says which lines"})
		}
		return r, faults
	}, func(r DropRule) value {
		v := value{shape: yamlMapping}
		for _, c := range r {
			v.entries = append(v.entries, wordEntry(c.Variable, c.Match))
		}
		return v
	})
}

// rules is a list of mappings. one reads a mapping, in which no key is twice.
func rules[R any](want string, one func(value) (R, []fault), format func(R) value) kind[[]R] {
	return kind[[]R]{
		name: "rules",
		want: want,
		deep: true,
		parse: func(v value) (all []R, faults []fault) {
			if v.shape != yamlSequence {
				return nil, []fault{{at: v.at, got: v.got(), want: want}}
			}
			for i, item := range v.items {
				shown := fmt.Sprintf("[%d]", i)
				if item.shape != yamlMapping {
					faults = append(faults, fault{item.at, shown, item.got(), "a rule such as " + firstRule(want)})
					continue
				}
				r, wrong := one(item)
				faults = append(faults, inside(shown, append(wrong, repeated(item)...))...)
				all = append(all, r)
			}
			return all, faults
		},
		value: func(all []R) value {
			v := value{shape: yamlSequence}
			for _, r := range all {
				v.items = append(v.items, format(r))
			}
			return v
		},
	}
}

// firstRule is the first one of those in the text.
func firstRule(want string) string {
	_, rule, _ := strings.Cut(want, "[")
	rule, _, _ = strings.Cut(rule, "}")
	return rule + "}"
}

// repeated finds keys that a mapping has twice.
func repeated(v value) (faults []fault) {
	for i, e := range v.entries {
		for _, first := range v.entries[:i] {
			if first.key.text == e.key.text {
				faults = append(faults, fault{e.key.at, "." + e.keyName(), "it again, first at " + first.key.at.String(), "it once"})
				break
			}
		}
	}
	return faults
}

// part reads the value of one key of a mapping.
func part(to *string, e entry, k kind[string]) (faults []fault) {
	*to, faults = k.parse(e.val)
	return inside("."+e.keyName(), faults)
}

func wordEntry(key, text string) entry {
	return entry{key: value{shape: yamlString, text: key}, val: value{shape: yamlString, text: text}}
}

// expression is RE2.
func expression() kind[string] {
	return explained("a regular expression (RE2)", func(s string) error {
		_, err := regexp.Compile(s)
		return err
	})
}

// condition is the value of a variable, or what it matches.
func condition() kind[string] {
	const want = "a value, in quotes if it is a number, or ~ and a regular expression (RE2), or ~* and one for any case"
	return explained(want, func(s string) error {
		expr, isExpr := strings.CutPrefix(s, "~")
		if !isExpr {
			return nil
		}
		_, err := regexp.Compile(strings.TrimPrefix(expr, "*"))
		return err
	})
}

// isKey is the key of a JSON object, or of one in it after a dot.
var isKey = lazyregexp.New(`^[A-Za-z0-9_@-][A-Za-z0-9_@ .-]*$`)

func key() kind[string] {
	return words("a variable, or a key such as request.method", func(s string) (string, bool) {
		return s, isKey().MatchString(s)
	})
}

// mapping is a mapping of names to words. what is a name.
func mapping(want, what string, names func() *regexp.Regexp, word kind[string]) kind[map[string]string] {
	return kind[map[string]string]{
		name: "mapping",
		want: want,
		deep: true,
		parse: func(v value) (map[string]string, []fault) {
			if v.shape != yamlMapping {
				return nil, []fault{{at: v.at, got: v.got(), want: want}}
			}
			all, faults := map[string]string{}, repeated(v)
			for _, e := range v.entries {
				if e.key.shape == unsupported || !names().MatchString(e.key.text) {
					faults = append(faults, fault{e.key.at, "", e.key.got(), what})
					continue
				}
				var text string
				faults = append(faults, part(&text, e, word)...)
				all[e.key.text] = text
			}
			return all, faults
		},
		value: func(all map[string]string) value {
			v := value{shape: yamlMapping}
			for _, name := range slices.Sorted(maps.Keys(all)) {
				v.entries = append(v.entries, wordEntry(name, all[name]))
			}
			return v
		},
	}
}

// explained is text that check takes; its error says what is wrong with the
// expression in it.
func explained(want string, check func(string) error) kind[string] {
	k := words(want, func(s string) (string, bool) { return s, printable(s) && check(s) == nil })
	parse := k.parse
	k.parse = func(v value) (string, []fault) {
		text, faults := parse(v)
		var e *syntax.Error
		if faults != nil && v.shape == yamlString && errors.As(check(v.text), &e) {
			faults[0].got += " (" + string(e.Code) + ")"
		}
		return text, faults
	}
	return k
}

// timezone is what time.LoadLocation takes, or nothing.
func timezone() kind[string] {
	return words(`a time zone such as Europe/Berlin, UTC or Local, or ""`, func(s string) (string, bool) {
		if s == "" {
			return s, true
		}
		_, err := time.LoadLocation(s)
		return s, err == nil
	})
}
