package rejects

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendText appends a text as a string of JSON, to the byte as encoding/json does without
// escapes for HTML. invalid appends what stands for a byte that is no UTF-8.
func appendText(dst, text []byte, invalid func(dst []byte, c byte) []byte) []byte {
	dst = append(dst, '"')
	for {
		n := plain(text)
		dst, text = append(dst, text[:n]...), text[n:]
		if len(text) == 0 {
			return append(dst, '"')
		}
		if c := text[0]; c < utf8.RuneSelf {
			dst, text = appendEscape(dst, c), text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = invalid(dst, text[0])
		case r == '\u2028' || r == '\u2029': // they end lines in JavaScript
			dst = append(dst, '\\', 'u', '2', '0', '2', hexDigits[r&0xF])
		default:
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
}

// isEasy reports whether a text is printable ASCII, but perhaps for DEL, without backslashes.
func isEasy(text []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	rest := text
	for ; len(rest) >= 8; rest = rest[8:] {
		if word := binary.LittleEndian.Uint64(rest); (word|(word-ones*' '))&highs != 0 {
			return false
		}
	}
	for _, c := range rest {
		if c < ' ' || c >= utf8.RuneSelf {
			return false
		}
	}
	return bytes.IndexByte(text, '\\') < 0
}

// appendEasy is appendText for such a text.
func appendEasy(dst, text []byte) []byte {
	dst = append(dst, '"')
	for {
		at := bytes.IndexByte(text, '"')
		if at < 0 {
			return append(append(dst, text...), '"')
		}
		dst = append(append(dst, text[:at]...), '\\', '"')
		text = text[at+1:]
	}
}

// appendEscape appends an ASCII character that cannot stand for itself.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
}

// asReplacement is what encoding/json makes of a byte that is no UTF-8.
func asReplacement(dst []byte, _ byte) []byte { return append(dst, `\ufffd`...) }

// asHex is [escape.Hex] of a byte, in a string of JSON.
func asHex(dst []byte, c byte) []byte {
	const upper = "0123456789ABCDEF"
	return append(dst, '\\', '\\', 'x', upper[c>>4], upper[c&0xF])
}

// plain is the number of bytes that text begins with that stand for themselves in a string
// of JSON: ASCII without control characters, quotes and backslashes.
func plain(text []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(text)-n >= 8; n += 8 {
		word := binary.LittleEndian.Uint64(text[n:])
		quote, backslash := word^ones*'"', word^ones*'\\'
		// The lowest bit that is set is right; those above it may be by the borrow from it.
		odd := (word | (word-ones*' ')&^word | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
		if odd != 0 {
			return n + bits.TrailingZeros64(odd)/8
		}
	}
	for n < len(text) && text[n] >= ' ' && text[n] != '"' && text[n] != '\\' && text[n] < utf8.RuneSelf {
		n++
	}
	return n
}
