package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tailflux/tailflux/internal/config"
)

// roundTrip prints c and loads what was printed.
func roundTrip(t *testing.T, c *config.Config) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	back, err := config.LoadBytes("printed", b.Bytes())
	if err != nil {
		t.Fatalf("load what was printed: %v\n%s", err, b.Bytes())
	}
	if diff := cmp.Diff(c, back, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("printed and loaded: (-want +got)\n%s\n%s", diff, b.Bytes())
	}
	return b.String()
}

func TestPrint(t *testing.T) {
	c := everything(t)
	c.Sources = append(c.Sources, config.Source{Name: "it's", Path: "/b", Format: "$msec\t\"$request\"", Start: "end"})
	c.Fields = nil
	got := roundTrip(t, c)
	const golden = "testdata/printed.yaml"
	if *config.Update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("Print differs from %s (go test -update writes it): (-want +got)\n%s", golden, diff)
	}
}

func TestPrintWithoutSources(t *testing.T) {
	c := config.Default()
	var b bytes.Buffer
	if err := c.Print(&b); err != nil || !strings.HasPrefix(b.String(), "sources: []\n") {
		t.Errorf("Print() = %v\n%s", err, &b)
	}
}

func TestPrintQuotes(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"", `""`},
		{"combined", `combined`},
		{"/var/log/nginx/access.log", `/var/log/nginx/access.log`},
		{"http://127.0.0.1:8086/x", `http://127.0.0.1:8086/x`},
		{"127.0.0.1:9193", `127.0.0.1:9193`},
		{"true", `'true'`},
		{"1e3", `'1e3'`},
		{"0815", `'0815'`},
		{"yes", `'yes'`},
		{"0x10", `'0x10'`},
		{".inf", `'.inf'`},
		{"~", `'~'`},
		{"it's # not", `'it''s # not'`},
		{`^\S+ "x"$`, `'^\S+ "x"$'`},
		{"a\tb", `"a\tb"`},
	} {
		if got := config.Quote(tt.give); got != tt.want {
			t.Errorf("Quote(%q) = %s, want %s", tt.give, got, tt.want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a b", "it's", "a\tb", "- x", "a: b", "5", "\u2028", ".nan", "---", "k:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ToValidUTF8(s, "") != s {
			t.Skip("settings are UTF-8")
		}
		if got, ok := config.Word(config.Quote(s)); !ok || got != s {
			t.Errorf("Quote(%q) = %s, read as %q, %v", s, config.Quote(s), got, ok)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("sources: [{path: /a, format: \"$msec\\t$request\"}]\ninfluxdb:\n  url: http://h/p\n"))
	f.Add([]byte("sources:\n- path: a\n  regexp: |-\n    ^(?P<a>x)\n- path: b\n<<: *x\n? y\n: &z !t 5\n"))
	f.Add([]byte("a: 1\n---\n...\n%TAG\n{]: [}"))
	if example, err := os.ReadFile(filepath.Join("..", "..", "deploy", "tailflux.yaml")); err == nil {
		f.Add(example)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.LoadBytes("t.yaml", data)
		if err == nil {
			roundTrip(t, c)
			return
		}
		for one := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasPrefix(one, "t.yaml:") && !strings.HasPrefix(one, "sources: got none") {
				t.Errorf("an error without its position: %q", one)
			}
		}
	})
}
