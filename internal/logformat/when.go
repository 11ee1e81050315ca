package logformat

import (
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/tailflux/tailflux/internal/logtime"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// NoTime says what to do if no line of JSON has a time, and about which key. Both are "" if
// some line has a time, if no line matches, and for other formats. The key is "" as well if
// no key could be the time.
func (f *Format) NoTime(lines [][]byte) (advice, key string) {
	if f.json == nil {
		return "", ""
	}
	m := f.NewMatcher()
	var values []keyValue
	for _, line := range lines {
		captures, ok := m.Match(line)
		for _, name := range nginxvar.Times {
			if i := slices.Index(f.names, name); ok && i >= 0 && logtime.IsTime(captures[i]) {
				return "", ""
			}
		}
		if v, err := fastjson.ParseBytes(f.unwrap(line)); ok && err == nil {
			values = appendValues(values, "", v)
		}
	}
	if values == nil {
		return "", ""
	}
	for _, sure := range []func(keyValue) bool{keyValue.looks, keyValue.counts, keyValue.bears} {
		if i := slices.IndexFunc(values, sure); i >= 0 {
			return values[i].advice(), values[i].key
		}
	}
	return "there is none in the keys " + some(values) + "; log $time_iso8601 in one", ""
}

// TimeLike is the first variable of the operator's own that is called as a time is, and
// not as a duration; "" if none is.
func (f *Format) TimeLike() string {
	own, _ := f.Own()
	for _, name := range own {
		part := func(word string) bool { return strings.Contains(name, word) }
		if (keyValue{key: name}).isCalledTime() && !slices.ContainsFunc([]string{
			"request", "response", "upstream", "connect", "header", "session", "took", "elapsed",
		}, part) {
			return name
		}
	}
	return ""
}

// IsTimeKey reports whether a key of JSON is a time of whatever form.
func IsTimeKey(name string) bool { return slices.Contains(whens, name) }

// A keyValue is a key with its value, if that is a string or a number.
type keyValue struct {
	key, value string
	number     bool
}

// looks reports whether the value is a time by its looks.
func (v keyValue) looks() bool { return timeOf([]byte(v.value)) < 2 && v.isTime() }

// counts reports whether it is a number which, by the name of its key, counts from 1970.
func (v keyValue) counts() bool { return v.isTime() && v.isCalledTime() }

// bears reports whether the key is called like a time, but its value is not one.
func (v keyValue) bears() bool {
	return v.isCalledTime() && (!v.number || IsTimeKey(v.key)) && (slices.Contains(nginxvar.Times, v.key) || !nginxvar.Known(v.key))
}

func (v keyValue) isTime() bool {
	return timeOf([]byte(v.value)) >= 0 && logtime.IsTime([]byte(v.value))
}

func (v keyValue) isCalledTime() bool {
	name := strings.ToLower(v.key)
	return slices.ContainsFunc([]string{"time", "date", "stamp", "epoch"}, func(word string) bool { return strings.Contains(name, word) }) ||
		slices.ContainsFunc([]string{"ts", "at", "when", "msec"}, func(word string) bool {
			return name == word || strings.HasSuffix(name, "_"+word) || strings.HasSuffix(name, "."+word) ||
				strings.HasSuffix(v.key, strings.ToUpper(word[:1])+word[1:])
		})
}

func (v keyValue) advice() string {
	if !v.isTime() {
		return fmt.Sprintf("the key %s has %s, which is no time that can be read; log $time_iso8601 in it", v.key, cut([]byte(v.value)))
	}
	zone := ""
	if _, ok := logtime.Parse([]byte(v.value), nil); !ok {
		zone = ", and set timezone, because it has none"
	}
	return fmt.Sprintf("the key %s looks like one; write rename: {%s: %s}%s", v.key, v.key, times[timeOf([]byte(v.value))], zone)
}

func appendValues(all []keyValue, outer string, v *fastjson.Value) []keyValue {
	v.GetObject().Visit(func(name []byte, v *fastjson.Value) {
		one := keyValue{key: outer + string(name)}
		switch v.Type() {
		case fastjson.TypeObject:
			all = appendValues(all, one.key+".", v)
			return
		case fastjson.TypeString:
			one.value = string(v.GetStringBytes())
		case fastjson.TypeNumber:
			one.value, one.number = v.String(), true
		default:
		}
		if !slices.ContainsFunc(all, func(before keyValue) bool { return before.key == one.key }) {
			all = append(all, one)
		}
	})
	return all
}

func some(values []keyValue) string {
	const most = 20
	var keys []string
	for _, v := range values[:min(len(values), most)] {
		keys = append(keys, v.key)
	}
	if len(values) > most {
		keys = append(keys, "…")
	}
	return strings.Join(keys, ", ")
}

// unknownJSON is unknown for lines most of which are JSON: the nearest format, and why it does
// not fit; the error is nil for others.
func unknownJSON(trials []trial, lines [][]byte) (name string, err error) {
	for _, t := range trials {
		f := t.known.format
		if t.fits > 0 || f.json == nil || !f.most(lines) || len(f.mark) == 0 && name != "" {
			continue
		}
		name = t.known.name
		if advice, _ := f.NoTime(lines); advice != "" {
			err = fmt.Errorf("no known format matches: the lines are JSON without a time that is known: %s",
				strings.Replace(advice, "write rename", "set format: "+name+" and rename", 1))
		} else if keys := f.Unknown(lines); len(keys) > 0 {
			err = fmt.Errorf("no known format matches: the lines are JSON of which nothing but a time is known: %s; set format: %s, and say what they are with rename",
				strings.Join(keys[:min(len(keys), 20)], ", "), name)
		}
	}
	return name, err
}

// most reports whether most lines match.
func (f *Format) most(lines [][]byte) bool {
	m, n := f.newBareMatcher(), 0
	for _, line := range lines {
		if _, ok := m.Match(line); ok {
			n++
		}
	}
	return 2*n > len(lines)
}
