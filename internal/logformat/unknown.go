package logformat

import (
	"slices"

	"github.com/valyala/fastjson"
)

// Unknown returns the keys of lines that are JSON objects in which the format knows
// nothing but times, in the order in which they come: such lines are points without
// content. The keys of an object in the object stand behind its own, and a dot. It is
// nil when a line has a key that is known, when there are none, and for other formats.
func (f *Format) Unknown(lines [][]byte) (keys []string) {
	if f.json == nil {
		return nil
	}
	m := f.NewMatcher()
	for _, line := range lines {
		captures, ok := m.Match(line)
		if !ok {
			continue
		}
		for _, i := range m.object.filled {
			if present := len(captures[i]) > 0; present && !slices.Contains(m.object.times[:], i) {
				return nil
			}
		}
		if v, err := fastjson.ParseBytes(line); err == nil {
			keys = appendKeys(keys, "", v)
		}
	}
	return keys
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
		} else if !slices.Contains(whens, key) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	})
	return keys
}
