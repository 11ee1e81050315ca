package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailflux/tailflux/internal/lineproto"
)

// pairs is a JSON object that keeps its order.
type pairs []pair

type pair struct {
	key   string
	value any    // for JSON
	text  string // for people
}

// String is all of them in a line, safe to show on a terminal.
func (p pairs) String() string {
	var all []string
	for _, one := range p {
		all = append(all, plainText(fmt.Sprintf("%s=%v", one.key, one.value)))
	}
	return strings.Join(all, " ")
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

// pointPairs returns the tags and fields of a point.
func pointPairs(point string) (tags, fields pairs) {
	t, f, _ := lineproto.Split(point) // accesslog made it
	for _, tag := range t {
		tags = append(tags, pair{tag.Key, tag.Value, plainText(tag.Value)})
	}
	for _, field := range f {
		fields = append(fields, pair{field.Key, fieldValue(field.Value), plainText(field.Value)})
	}
	return tags, fields
}

// fieldValue is a number or a string.
func fieldValue(text string) any {
	if unquoted, ok := lineproto.Unquote(text); ok {
		return unquoted
	}
	text = strings.TrimSuffix(text, "i")
	if number, err := strconv.ParseFloat(text, 64); err == nil && !json.Valid([]byte(text)) {
		return number // as nginx does not write it: 00.5
	}
	return json.Number(text)
}
