package nginxlog

import "testing"

// Want is what nginx 1.22 wrote for the same bytes.
func TestEscape(t *testing.T) {
	for _, row := range []struct{ raw, byDefault, json string }{
		{"", "", ""},
		{"plain /~ text", "plain /~ text", "plain /~ text"},
		{"x\"y\\z\xd0\t\x7f", `x\x22y\x5Cz\xD0\x09\x7F`, "x\\\"y\\\\z\xd0\\t\x7f"},
		{"\x16\x03\x01\x00\xfc\b", `\x16\x03\x01\x00\xFC\x08`, "\\u0016\\u0003\\u0001\\u0000\xfc\\b"},
		{"а", `\xD0\xB0`, "а"},
		{"\n\r\f\x1f", `\x0A\x0D\x0C\x1F`, `\n\r\f\u001F`},
	} {
		for e, want := range []string{row.byDefault, row.json, row.raw} {
			if got := string(appendEscaped([]byte("|"), row.raw, escaping(e))); got != "|"+want {
				t.Errorf("escape=%s of %q = %q, want %q", escapings[e], row.raw, got[1:], want)
			}
			if got := string(appendEscaped(nil, []byte(row.raw), escaping(e))); got != want {
				t.Errorf("escape=%s of bytes %q = %q, want %q", escapings[e], row.raw, got, want)
			}
		}
	}
}
