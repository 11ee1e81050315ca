package nginxlog

// escaping is the escape parameter of log_format.
type escaping uint8

const (
	escapeDefault escaping = iota
	escapeJSON
	escapeNone
)

// escapings are the names, by number.
var escapings = []string{"default", "json", "none"}

const hexDigits = "0123456789ABCDEF"

// special tells, for each escaping, which bytes are not written as they are.
var special = func() (table [3][256]bool) {
	for c := range 256 {
		quoted := c == '"' || c == '\\'
		table[escapeDefault][c] = quoted || c < ' ' || c >= 0x7f
		table[escapeJSON][c] = quoted || c < ' '
		table[escapeNone][c] = false
	}
	return table
}()

// appendEscaped appends s as nginx logs it. JSON leaves bytes that are no
// UTF-8 as they are, as nginx does.
func appendEscaped[T string | []byte](buf []byte, s T, e escaping) []byte {
	plain := 0
	table := &special[e]
	for i := range len(s) {
		if table[s[i]] {
			buf = append(buf, s[plain:i]...)
			buf = appendSpecial(buf, s[i], e)
			plain = i + 1
		}
	}
	return append(buf, s[plain:]...)
}

func appendSpecial(buf []byte, c byte, e escaping) []byte {
	if e == escapeDefault {
		return append(buf, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
	}
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\n':
		return append(buf, `\n`...)
	case '\r':
		return append(buf, `\r`...)
	case '\t':
		return append(buf, `\t`...)
	case '\b':
		return append(buf, `\b`...)
	case '\f':
		return append(buf, `\f`...)
	}
	return append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
