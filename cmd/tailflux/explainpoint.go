package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pairs is a JSON object that keeps its order.
type pairs []pair

type pair struct {
	key   string
	value any    // for JSON
	text  string // for people
}

func (p pairs) MarshalJSON() ([]byte, error) {
	if p == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, one := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encodeJSON(&b, one.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encodeJSON(&b, one.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func encodeJSON(b *bytes.Buffer, v any) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false) // logs are full of < and &
	return encoder.Encode(v)
}

// splitPoint takes apart a point that package accesslog made.
func splitPoint(point string) (tags, fields pairs) {
	var key, value string
	_, rest := cutEscaped(point, ", ")
	for strings.HasPrefix(rest, ",") {
		key, rest = cutEscaped(rest[1:], "=")
		value, rest = cutEscaped(rest[1:], ", ")
		tags = append(tags, pair{key, value, plainText([]byte(value))})
	}
	for {
		key, rest = cutEscaped(rest[1:], "=")
		rest = rest[1:]
		end := strings.IndexAny(rest, ", ")
		if rest[0] == '"' {
			end = 1
			for rest[end] != '"' {
				if rest[end] == '\\' {
					end++
				}
				end++
			}
			end++
		}
		fields = append(fields, pair{key, fieldValue(rest[:end]), plainText([]byte(rest[:end]))})
		if rest = rest[end:]; rest[0] == ' ' {
			return tags, fields
		}
	}
}

// cutEscaped cuts a key or a tag's value off text, up to one of the bytes of ends.
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

// fieldValue is a number or a string.
func fieldValue(text string) any {
	if text[0] == '"' {
		return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text[1 : len(text)-1])
	}
	text = strings.TrimSuffix(text, "i")
	if number, err := strconv.ParseFloat(text, 64); err == nil && !json.Valid([]byte(text)) {
		return number // as nginx does not write it: 00.5
	}
	return json.Number(text)
}

// validText is UTF-8: what is not is written \xHH.
func validText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var text []byte
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			text = fmt.Appendf(text, `\x%02X`, b[0])
		} else {
			text = append(text, b[:size]...)
		}
		b = b[size:]
	}
	return string(text)
}
