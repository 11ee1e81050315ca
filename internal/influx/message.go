package influx

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// The most bytes that are shown of an answer.
const (
	maxMessage = 8 << 10 // of InfluxDB: it may quote a line, or all of them
	maxPage    = 200     // of something else
)

// message is what an answer says: the error in InfluxDB's JSON, or how another text
// begins. code is what InfluxDB 2 and 3 have beside it.
func message(answer []byte) (code, text string) {
	answer = bytes.TrimSpace(answer)
	var parsed struct {
		Error   string          // 1.x, and 3
		Message string          // 2.x
		Code    string          //
		Data    json.RawMessage // 3: each of the lines that are refused
	}
	switch {
	case json.Unmarshal(answer, &parsed) == nil && parsed.Error+parsed.Message != "":
		text = parsed.Error
		if parsed.Error == "" {
			text = parsed.Message
		}
		if why := lineError(parsed.Data); why != "" {
			text += ": " + why
		}
		return parsed.Code, shorten(text, maxMessage)
	case bytes.HasPrefix(answer, []byte("{")):
		if code, text, ok := torn(answer); ok {
			return code, shorten(text, maxMessage)
		}
		fallthrough
	case bytes.HasPrefix(answer, []byte("<")):
		return "", shorten(string(answer), maxPage)
	}
	return "", shorten(string(answer), maxMessage)
}

// lineError is what InfluxDB 3 says about a line, if it is about one only.
func lineError(data json.RawMessage) string {
	var lines []struct {
		Why string `json:"error_message"`
	}
	if json.Unmarshal(data, &lines) != nil || len(lines) != 1 {
		return ""
	}
	return lines[0].Why
}

var beginsJSON = lazyregexp.New(`^\{\s*(?:"code"\s*:\s*"([^"\\]*)"\s*,\s*)?"(?:error|message)"\s*:\s*"((?:[^"\\]|\\.)*)`)

// torn reads the message of an answer that was too long to be read to its end.
func torn(answer []byte) (code, text string, ok bool) {
	m := beginsJSON().FindSubmatch(answer)
	if m == nil {
		return "", "", false
	}
	quoted := m[2]
	if at := bytes.LastIndexByte(quoted, '\\'); at >= 0 && at > len(quoted)-len(`\u0000`) {
		quoted = quoted[:at] // it may be torn itself
	}
	quoted = append(append([]byte{'"'}, quoted...), '"')
	if json.Unmarshal(quoted, &text) != nil {
		return "", "", false
	}
	return string(m[1]), text, text != ""
}

// shorten cuts a text at the end of a character.
func shorten(text string, most int) string {
	if len(text) > most {
		for most > 0 && !utf8.RuneStart(text[most]) {
			most--
		}
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
