package lineproto

import "strings"

// A Pair is a tag or a field of a point.
type Pair struct {
	Key string
	// Value is a tag's value without its escapes, but a field's value as it
	// stands in the point: 7i, 0.5, or a string with its quotes, which
	// [Unquote] removes.
	Value string
}

// Split takes apart a point that this package appended, with or without its
// newline. It reports false for text that is not such a point.
func Split(point string) (tags, fields []Pair, ok bool) {
	_, rest := cutEscaped(point, ", ")
	for strings.HasPrefix(rest, ",") {
		var tag Pair
		if tag.Key, rest = cutEscaped(rest[1:], "="); rest == "" {
			return nil, nil, false
		}
		tag.Value, rest = cutEscaped(rest[1:], ", ")
		tags = append(tags, tag)
	}
	for more := true; more; more = rest[0] == ',' {
		if rest == "" {
			return nil, nil, false
		}
		var field Pair
		if field.Key, rest = cutEscaped(rest[1:], "="); rest == "" {
			return nil, nil, false
		}
		rest = rest[1:]
		end := fieldEnd(rest)
		if end <= 0 || end == len(rest) {
			return nil, nil, false
		}
		field.Value, rest = rest[:end], rest[end:]
		fields = append(fields, field)
	}
	return tags, fields, rest[0] == ' '
}

// fieldEnd is the length of the field value that text begins with; a comma or a
// space ends it, outside quotes.
func fieldEnd(text string) int {
	if !strings.HasPrefix(text, `"`) {
		return strings.IndexAny(text, ", ")
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// Unquote returns the text of a string field's value; ok is false for a value
// that is a number.
func Unquote(value string) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(value[1 : len(value)-1]), true
}

// cutEscaped cuts a key or a tag's value off text, up to one of the bytes of
// ends. The rest begins with that byte, or is empty when there is none.
func cutEscaped(text, ends string) (value, rest string) {
	var b []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && strings.IndexByte(",= ", text[i+1]) >= 0:
			i++
			b = append(b, text[i])
		case strings.IndexByte(ends, c) >= 0:
			return string(b), text[i:]
		default:
			b = append(b, c)
		}
	}
	return string(b), ""
}
