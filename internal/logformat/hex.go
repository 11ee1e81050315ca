package logformat

import "bytes"

// unhex appends line to dst with the escapes that nginx writes without escape=json, which
// JSON does not have, such as \xD0, as JSON writes them. Apache has small letters there.
func unhex(dst, line []byte) []byte {
	for {
		at := bytes.IndexByte(line, '\\')
		if at < 0 || at+1 == len(line) {
			return append(dst, line...)
		}
		c, ok := hexByte(line[at:])
		if !ok {
			dst, line = append(dst, line[:at+2]...), line[at+2:]
			continue
		}
		dst, line = append(dst, line[:at]...), line[at+len(`\xHH`):]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
}

// hexByte is the byte for which an escape stands that text begins with, if nginx escapes
// that.
func hexByte(text []byte) (c byte, ok bool) {
	if len(text) < len(`\xHH`) || text[1] != 'x' {
		return 0, false
	}
	for _, digit := range text[2:4] {
		switch {
		case '0' <= digit && digit <= '9':
			c = c<<4 | (digit - '0')
		case 'a' <= digit|0x20 && digit|0x20 <= 'f':
			c = c<<4 | (digit | 0x20 - 'a' + 10)
		default:
			return 0, false
		}
	}
	return c, c < ' ' || c > '~' || c == '"' || c == '\\'
}
