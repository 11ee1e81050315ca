package lineproto

import (
	"bytes"
	"strconv"
)

// Stamp is the time of a point, in nanoseconds since 1970, which stands at its end
// before the newline.
func Stamp(text []byte) (nanoseconds int64, ok bool) {
	text = bytes.TrimSuffix(text, []byte{'\n'})
	t, err := strconv.ParseInt(string(text[bytes.LastIndexByte(text, ' ')+1:]), 10, 64)
	return t, err == nil
}

// OlderThan returns a function that reports whether a point is older than a time in
// nanoseconds since 1970.
func OlderThan(nanoseconds int64) func(text []byte) bool {
	// From 2001 to 2286 times have 19 digits, and digits compare as they are.
	const usual, lowest = 19, 1e18
	digits := strconv.FormatInt(max(nanoseconds, lowest), 10)
	return func(text []byte) bool {
		if begin := len(text) - len("\n") - usual; begin > 0 && text[begin] >= '1' && bytes.LastIndexByte(text, ' ') == begin-1 {
			return string(text[begin:len(text)-1]) < digits
		}
		at, ok := Stamp(text)
		return ok && at < nanoseconds
	}
}
