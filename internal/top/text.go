package top

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/escape"
)

// ellipsis ends what was cut off.
const ellipsis = '…'

// plain is a text as a terminal may have it, cut off behind so many columns: then it ends
// with an ellipsis. Each rune of it has one or two cells to itself. All else is written as
// nginx writes it, \xHH: what moves the cursor, changes colours or the order of letters, has
// no width, or joins its neighbours.
func plain(text string, columns int) string {
	var b strings.Builder
	at, whole := 0, 0 // columns so far; bytes of b that leave room for the ellipsis
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		piece, width := text[:size], widthOf(r)
		if width == 0 {
			piece = hex(piece)
			width = len(piece)
		}
		if at+width > columns {
			if columns <= 0 {
				return ""
			}
			return b.String()[:whole] + string(ellipsis)
		}
		b.WriteString(piece)
		if at += width; at < columns {
			whole = b.Len()
		}
		text = text[size:]
	}
	return b.String()
}

func hex(bytes string) string {
	var b strings.Builder
	for i := range len(bytes) {
		fmt.Fprintf(&b, escape.Hex, bytes[i])
	}
	return b.String()
}

// widthOf is how many cells a rune of a text has in every terminal; 0 if it may not be
// there. Terminals do not agree about emoji, marks and whatever has them, and reorder
// scripts that are written from right to left: of letters only those are shown that stand
// for themselves.
func widthOf(r rune) int {
	switch {
	case r >= ' ' && r <= '~', r == ellipsis:
		return 1
	case r < 0xa1 || r == 0xad:
		return 0
	case r <= 0x24f: // Latin
		return 1
	case unicode.In(r, unicode.Greek, unicode.Cyrillic) && unicode.IsLetter(r) && r < 0x530:
		return 1
	case unicode.In(r, wide):
		return 2
	}
	return 0
}

// wide are the letters with two cells: of Chinese, Japanese and Korean.
var wide = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x3041, Hi: 0x3096, Stride: 1},
	{Lo: 0x30a1, Hi: 0x30fa, Stride: 1},
	{Lo: 0x3400, Hi: 0x4dbf, Stride: 1},
	{Lo: 0x4e00, Hi: 0x9fff, Stride: 1},
	{Lo: 0xac00, Hi: 0xd7a3, Stride: 1},
}}

// columns is the width of what plain returned, and of our own words.
func columns(text string) (n int) {
	for _, r := range text {
		n += max(1, widthOf(r))
	}
	return n
}
