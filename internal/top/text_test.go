package top

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// What a terminal would obey, and what is shown in its place.
var hostile = map[string]string{
	"colour":            "\x1b[31mred\x1b[0m",
	"clear":             "\x1b[2J\x1b[H",
	"title":             "\x1b]0;owned\x07",
	"hyperlink":         "\x1b]8;;http://evil.example\x1b\\x\x1b]8;;\x1b\\",
	"clipboard":         "\x1b]52;c;ZXZpbA==\x07",
	"device":            "\x1bP+q544e\x1b\\",
	"C1":                "\u009b31m\u0090\u009d",
	"C1 as a byte":      "\x9b31m",
	"shift":             "\x0e\x0f",
	"newline":           "a\r\nb",
	"tab":               "a\tb\vc\fd",
	"bell and backsp":   "a\a\b\b\bb",
	"NUL and DEL":       "a\x00b\x7fc",
	"override":          "/\u202egpj.exe\u202c",
	"isolate":           "\u2066a\u2069\u2067b\u2068c",
	"marks":             "\u200e\u200f\u061c",
	"from the right":    "/\u05d0\u05d1/\u0639\u0631\u0628",
	"zero width":        "a\u200bb\u200cc\u200dd\ufeffe\u2060f",
	"soft hyphen":       "a\u00adb",
	"combining":         "e\u0301\u0302\u0303\u0304\u0305\u0306",
	"zalgo":             "Z" + strings.Repeat("\u0335\u0489", 200),
	"enclosing":         "1\u20e3",
	"variation":         "\u2764\ufe0f",
	"emoji":             "\U0001f468\u200d\U0001f469\u200d\U0001f467",
	"skin":              "\U0001f44b\U0001f3fd",
	"flag":              "\U0001f1e9\U0001f1ea",
	"jamo":              "\u1100\u1161\u11a8",
	"Devanagari":        "\u0915\u094d\u0937",
	"Thai":              "\u0e01\u0e33",
	"line separator":    "a\u2028b\u2029c",
	"tags":              "\U000e0001\U000e0041",
	"private":           "\ue000\U000f0000",
	"not UTF-8":         "a\xffb\xc3\x28\xed\xa0\x80",
	"replacement":       "\ufffd",
	"hair and figure":   "a\u200ab\u2007c\u3000d\u00a0e",
	"our own signs":     "█▂·…",
	"halfwidth":         "\uff76\uff9e",
	"wide":              "漢字かなカナ한글",
	"Greek":             "αβγ Кириллица Łódź",
	"1 MB":              strings.Repeat("\x1b[31m\u202e漢", 1<<17),
	"escape at the end": "/index.html\x1b",
}

func TestNothingOfATextIsObeyed(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			for _, most := range []int{0, 1, 2, 3, 7, 20, 80, 500} {
				got := plain(text, most)
				for _, r := range got {
					if widthOf(r) == 0 || unicode.IsControl(r) || unicode.Is(unicode.M, r) || unicode.Is(unicode.Cf, r) {
						t.Errorf("%d columns of %.40q are %q, with %q", most, text, got, r)
					}
				}
				if n := columns(got); n > most {
					t.Errorf("%d columns of %.40q are %q, with %d", most, text, got, n)
				}
			}
		})
	}
}

func TestPlain(t *testing.T) {
	for _, tt := range []struct {
		text string
		most int
		want string
	}{
		{"", 5, ""},
		{"/a", 0, ""},
		{"/index", 6, "/index"},
		{"/index", 5, "/ind…"},
		{"/index", 1, "…"},
		{"\x1b[1m", 20, `\x1B[1m`},
		{"\x1b[1m", 6, `\x1B[…`},
		{"\x1b[1m", 4, "…"}, // an escape is not cut
		{"a\x1b", 5, `a\x1B`},
		{"e\u0301", 20, `e\xCC\x81`},
		{"漢字", 4, "漢字"},
		{"漢字", 3, "漢…"},
		{"漢字", 2, "…"},
		{"a漢", 2, "a…"},
		{"\\x1B", 9, `\x1B`},
	} {
		if got := plain(tt.text, tt.most); got != tt.want {
			t.Errorf("plain(%q, %d) = %q, want %q", tt.text, tt.most, got, tt.want)
		}
	}
}

// The library measures each letter as we do, and never takes two of them for one.
func TestWidthsAreTheLibrarys(t *testing.T) {
	var all []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if w := widthOf(r); w > 0 {
			all = append(all, r)
			if got := displaywidth.String(string(r)); got != w {
				t.Errorf("%q (%U) is %d wide, and %d for the library", r, r, w, got)
			}
			if !unicode.IsPrint(r) && r != ' ' {
				t.Errorf("%U is not printable", r)
			}
		}
	}
	for _, before := range all {
		for _, after := range "a漢한é" {
			text := string(before) + string(after)
			if first := firstGrapheme(text); first != string(before) {
				t.Fatalf("%q is one for the library", text)
			}
		}
	}
	for _, after := range all {
		if text := "한" + string(after); firstGrapheme(text) != "한" {
			t.Errorf("%q is one for the library", text)
		}
	}
}

func firstGrapheme(text string) string {
	g := displaywidth.StringGraphemes(text)
	g.Next()
	return g.Value()
}

// JSON says the same, and is nothing to a terminal.
func TestJSONChangesNoTerminal(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			p := busy()
			p.Live.Top.Paths[0].Name = strings.ToValidUTF8(text, "\ufffd")
			answer, err := json.MarshalIndent(p, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			o := Options{Ask: func(context.Context) ([]byte, error) { return answer, nil }}
			if err := Once(t.Context(), o, true, &b); err != nil {
				t.Fatal(err)
			}
			got, err := parse([]byte(b.String()))
			if err != nil || got.Live.Top.Paths[0].Name != p.Live.Top.Paths[0].Name {
				t.Errorf("%v: %.100q has become %.100q", err, p.Live.Top.Paths[0].Name, got.Live.Top.Paths[0].Name)
			}
			if i := strings.IndexFunc(b.String(), func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.M, unicode.Cf)) }); i >= 0 {
				t.Errorf("it has written %.10q", b.String()[i:])
			}
		})
	}
}

// A row is as wide as it was, whatever a name has in it.
func TestLayoutStands(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			p := busy()
			for _, rows := range [][]string{{text, "/" + text, text + text}} {
				for i, name := range rows {
					p.Live.Top.Paths[i].Name, p.Live.Top.Agents[i].Name, p.Live.Top.Slowest[i].Name = name, name, name
				}
			}
			p.Pipeline.InfluxDB.Up, p.Pipeline.InfluxDB.LastError = false, text
			p.Pipeline.InfluxDB.Version = text
			p.Pipeline.Sources[0].Name, p.Pipeline.Sources[0].Trouble = text, text
			for i := range p.Rejects {
				p.Rejects[i].Line, p.Rejects[i].Why, p.Rejects[i].Source, p.Rejects[i].Reason = text, text, text, text
			}
			v := looking(p)
			v.name = text
			for range lists {
				v.press(keyTab)
				for _, help := range []bool{false, true} {
					v.help = help
					for _, size := range append(sizes, struct{ w, h int }{61, 16}, struct{ w, h int }{20, 5}) {
						c := v.draw(size.w, size.h)
						for y := range c.h {
							width := 0
							for _, cell := range c.cells[y*c.w : (y+1)*c.w] {
								if cell.r != 0 {
									width += max(1, widthOf(cell.r))
								}
							}
							if width > c.w {
								t.Fatalf("row %d of %dx%d is %d wide:\n%s", y, size.w, size.h, width, c)
							}
						}
						if s := c.String(); !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.M, unicode.Cf)) }) {
							t.Fatalf("%q", s)
						}
					}
				}
			}
			var b strings.Builder
			if err := v.print(&b); err != nil {
				t.Fatal(err)
			}
			if s := b.String(); strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.M, unicode.Cf)) }) {
				t.Fatalf("%q", s)
			}
		})
	}
}
