package logformat

import (
	"slices"

	"github.com/valyala/fastjson"
)

// Unknown returns the keys of lines that are JSON objects in which the format knows
// nothing but times: such lines are points without content. It is nil when a line has a
// key that is known, when there are no lines, and for other formats.
func (f *Format) Unknown(lines [][]byte) (keys []string) {
	if f.json == nil {
		return nil
	}
	m := f.NewMatcher()
	matched := false
	for _, line := range lines {
		captures, ok := m.Match(line)
		matched = matched || ok
		for _, i := range m.object.filled {
			if ok && len(captures[i]) > 0 && !slices.Contains(m.object.times[:], i) {
				return nil
			}
		}
	}
	if !matched {
		return nil
	}
	return slices.DeleteFunc(f.Keys(lines), func(key string) bool { return slices.Contains(whens, key) })
}

// Strange are those of the keys of lines of which the format knows nothing.
func (f *Format) Strange(lines [][]byte) []string {
	return slices.DeleteFunc(f.Keys(lines), func(name string) bool {
		k := f.json[name]
		if k == nil {
			k = f.json[string((&object{}).lower([]byte(name)))]
		}
		return k != nil && (k.rank > 0 || k.when)
	})
}

// Keys returns the keys of lines that are JSON objects, in a wrapper or not, in the order
// in which they come. The keys of an object in the object stand behind its own, and a dot.
func (f *Format) Keys(lines [][]byte) (keys []string) {
	for _, line := range lines {
		if v, err := fastjson.ParseBytes(f.unwrap(line)); err == nil {
			keys = appendKeys(keys, "", v)
		}
	}
	return keys
}

// unwrap is the line in a line, or the line itself if it is in none.
func (f *Format) unwrap(line []byte) []byte {
	for _, w := range wrappers {
		if f.wrapper != nil && f.wrapper != w {
			continue
		}
		if inner, what := w.unwrap(line, nil); what == aLine || what == aside {
			return inner
		}
	}
	return line
}

// Filled returns the variables that some of the lines have, if only empty; nil if none
// of the lines matches.
func (f *Format) Filled(lines [][]byte) (names []string) {
	m := f.NewMatcher()
	for _, line := range lines {
		captures, ok := m.Match(line)
		for i := range captures {
			if ok && captures[i] != nil && !slices.Contains(names, f.names[i]) {
				names = append(names, f.names[i])
			}
		}
	}
	return names
}

func appendKeys(keys []string, outer string, v *fastjson.Value) []string {
	v.GetObject().Visit(func(name []byte, v *fastjson.Value) {
		key := outer + string(name)
		if v.Type() == fastjson.TypeObject {
			keys = appendKeys(keys, key+".", v)
		} else if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	})
	return keys
}
