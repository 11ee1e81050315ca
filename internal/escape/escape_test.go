package escape_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tailflux/tailflux/internal/escape"
)

func TestEscapes(t *testing.T) {
	for _, tt := range []struct{ text, invalid, unprintable string }{
		{"", "", ""},
		{"GET /ü", "GET /ü", "GET /ü"},
		{"\ufffd", "\ufffd", "\ufffd"}, // it is UTF-8
		{"a\xffb\xc3", `a\xFFb\xC3`, `a\xFFb\xC3`},
		{"\x16\x03\x01", "\x16\x03\x01", `\x16\x03\x01`},
		{"\x1b[31m\u202e", "\x1b[31m\u202e", `\x1B[31m\xE2\x80\xAE`},
		{"\x1b\xff", "\x1b" + `\xFF`, `\x1B\xFF`},
		{`\xFF`, `\xFF`, `\xFF`},
	} {
		if got := escape.Invalid(tt.text, escape.Hex); got != tt.invalid {
			t.Errorf("Invalid(%q) = %q, want %q", tt.text, got, tt.invalid)
		}
		if got := escape.Unprintable(tt.text, escape.Hex); got != tt.unprintable {
			t.Errorf("Unprintable(%q) = %q, want %q", tt.text, got, tt.unprintable)
		}
	}
	if got := escape.Invalid("caf\xe9", "\x00x%02x"); got != "caf\x00xe9" {
		t.Errorf("Invalid with another format = %q", got)
	}
}

// The caret is under its column wherever the line is cut.
func TestAround(t *testing.T) {
	for _, length := range []int{0, 10, 72, 73, 100, 1000} {
		for _, column := range []int{1, 2, 24, 25, 48, 49, 50, 72, 73, 500, 977, 1000, 1001} {
			if column > length+1 {
				continue
			}
			line := bytes.Repeat([]byte("é"), length)
			if column <= length {
				line = slices.Concat(line[:2*(column-1)], []byte("x"), line[2*column:])
			}
			shown, under := escape.Around(line, 2*(column-1)+1)
			runes := []rune(shown)
			at := "x"
			if column > length {
				at = ""
			}
			if len(runes) > 74 || under > len(runes) || string(runes[under:min(under+1, len(runes))]) != at {
				t.Errorf("Around(%d characters, column %d) = %q, %d", length, column, shown, under)
			}
		}
	}
}
