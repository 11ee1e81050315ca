// Package escape writes bytes that are not text as escapes, such as the \xHH that
// nginx writes into its logs. It escapes for readers: whether an escape can be
// told from the same characters in the text is up to its format.
package escape

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hex is the format of \xHH.
const Hex = `\x%02X`

// Invalid returns text with each byte that is not UTF-8 written in format, which
// has one verb for a byte.
func Invalid(text, format string) string {
	if utf8.ValidString(text) {
		return text
	}
	return replace(text, format, func(rune) bool { return true })
}

// Unprintable is Invalid for a terminal: it escapes control and other invisible
// characters too.
func Unprintable(text, format string) string { return replace(text, format, unicode.IsPrint) }

// Around returns the part of a line around a column, no wider than a terminal and with
// what is unprintable escaped, and how many of its characters are before the column.
func Around(line []byte, column int) (shown string, under int) {
	const width, least = 72, 24 // in all, and behind the column
	at := min(max(column-1, 0), len(line))
	before, after := []rune(Unprintable(string(line[:at]), Hex)), []rune(Unprintable(string(line[at:]), Hex))
	if len(before)+len(after) > width {
		left := min(len(before), width-min(len(after), least))
		right := min(len(after), width-left)
		if left < len(before) {
			before = append([]rune{'…'}, before[len(before)-left:]...)
		}
		if right < len(after) {
			after = append(after[:right], '…')
		}
	}
	return string(before) + string(after), len(before)
}

func replace(text, format string, plain func(rune) bool) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if plain(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(text[:size])
		} else {
			for i := range size {
				fmt.Fprintf(&b, format, text[i])
			}
		}
		text = text[size:]
	}
	return b.String()
}
