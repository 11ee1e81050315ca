package accesslog

import (
	"bytes"
	"fmt"
	"strings"
)

// nginx escapes what a client could forge a line with. Exactly what it writes is
// turned back; anything else that looks like an escape is what it is.
//
//	escape=default   \xHH, capital letters, for a byte below 32, above 126, and for " and \
//	escape=json      \" \\ \n \r \t \b \f, and \u00HH for other bytes below 32
//	escape=none      nothing
//
// Apache and its kin write the same formats, with \" \\ \n \r \t \b \v, and \xhh in small
// letters. With escape=default nginx writes none of these, for a backslash is \x5C there.
// So "apache" undoes both, and a value means the same in whatever line it is.
//
// https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format

func unescaper(escape string) (func(dst, raw []byte) []byte, error) {
	switch escape {
	case "", "default":
		return undo(nginxEscape), nil
	case "apache":
		return undo(apacheEscape), nil
	case "json":
		return undo(jsonEscape), nil
	case "none":
		return nil, nil
	}
	return nil, fmt.Errorf("escape %q: want default, apache, json or none", escape)
}

// decode undoes nginx's escapes in a value; it returns raw itself if there are none.
func (t *texts) decode(raw []byte) []byte {
	if t.unescape == nil || bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	t.plain = t.unescape(t.plain[:0], raw)
	return t.plain
}

// undo makes of what decodes an escape, which begins with the backslash, what decodes all in
// a value. What is no escape, of a length of 0, stays as it is.
func undo(escape func(raw []byte) (b byte, length int)) func(dst, raw []byte) []byte {
	return func(dst, raw []byte) []byte {
		for {
			at := bytes.IndexByte(raw, '\\')
			if at < 0 {
				return append(dst, raw...)
			}
			dst, raw = append(dst, raw[:at]...), raw[at:]
			b, length := escape(raw)
			if length == 0 {
				b, length = '\\', 1
			}
			dst, raw = append(dst, b), raw[length:]
		}
	}
}

func nginxEscape(raw []byte) (b byte, length int) {
	if len(raw) < 4 || raw[1] != 'x' {
		return 0, 0
	}
	high, low := hexDigit(raw[2]), hexDigit(raw[3])
	if b = byte(high<<4 | low); high|low >= 0 && (b < ' ' || b > '~' || b == '"' || b == '\\') {
		return b, 4
	}
	return 0, 0
}

func apacheEscape(raw []byte) (b byte, length int) {
	if b, length = letterEscape(raw, `"\nrtbv`, "\"\\\n\r\t\b\v"); length > 0 || len(raw) < 4 {
		return b, length
	}
	return nginxEscape([]byte{raw[0], raw[1], upper(raw[2]), upper(raw[3])})
}

func jsonEscape(raw []byte) (b byte, length int) {
	if b, length = letterEscape(raw, `"\nrtbf`, "\"\\\n\r\t\b\f"); length > 0 {
		return b, length
	}
	if len(raw) >= 6 && string(raw[1:4]) == "u00" && (raw[4] == '0' || raw[4] == '1') && hexDigit(raw[5]) >= 0 {
		return (raw[4]-'0')<<4 | byte(hexDigit(raw[5])), 6
	}
	return 0, 0
}

// letterEscape is an escape of one letter, which stands for the byte at its place.
func letterEscape(raw []byte, letters, values string) (b byte, length int) {
	if len(raw) >= 2 {
		if n := strings.IndexByte(letters, raw[1]); n >= 0 {
			return values[n], 2
		}
	}
	return 0, 0
}

// hexDigit is the value of a digit as nginx writes it, or -1.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'f' {
		c -= 'a' - 'A'
	}
	return c
}
