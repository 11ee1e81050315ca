package escape_test

import (
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
