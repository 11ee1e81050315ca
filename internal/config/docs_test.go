package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Update says that files made from the table are to be written anew.
var Update = flag.Bool("update", false, "write testdata and the table of docs/configuration.md anew")

// manual is the table of every key for the manual.
func manual() string {
	var b strings.Builder
	c, s := Default(), defaultSource()
	head := func(title string) {
		fmt.Fprintf(&b, "\n### %s\n\n| key | accepted | default | flag, variable |\n|---|---|---|---|\n", title)
	}
	head("A source")
	writeRows(&b, sourceSettings, &s, "sources[].")
	head("Everything else")
	writeRows(&b, settings, &c, "")
	return b.String() + "\n"
}

func writeRows[T any](b *strings.Builder, rows []setting[T], standard *T, shown string) {
	for _, row := range rows {
		standard := row.get(standard)
		text := "–"
		if v := standard.yaml(); shown == "" || standard.text != "" {
			text = "`" + v + "`"
		}
		given := "`--" + flagName(row.key) + "`<br>`" + variable(row.key) + "`"
		if row.deep {
			given = "only in the file"
		}
		want := strings.NewReplacer("[/", "\\[/", "|", "\\|").Replace(row.want)
		fmt.Fprintf(b, "| `%s%s`<br>%s | %s | %s | %s |\n", shown, row.key, row.help, want, text, given)
	}
}

func TestManualAgreesWithTable(t *testing.T) {
	const (
		page  = "../../docs/configuration.md"
		begin = "<!-- made from the table in internal/config by go test -update -->\n"
		end   = "<!-- end -->\n"
	)
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	made, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s lacks the lines %q and %q", page, begin, end)
	}
	if *Update {
		err := os.WriteFile(page, []byte(before+begin+manual()+end+after), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if made != manual() {
		t.Errorf("%s disagrees with the table; go test -update writes it anew. Want\n%s", page, manual())
	}
}

func TestFlagsAndVariablesAreDistinct(t *testing.T) {
	seen := map[string]string{"config": "--config", "help": "--help", "once": "--once"}
	note := func(key string) {
		for _, name := range []string{flagName(key), variable(key)} {
			if other, taken := seen[name]; taken {
				t.Errorf("%s of %s belongs to %s", name, key, other)
			}
			seen[name] = key
		}
	}
	for _, row := range settings {
		note(row.key)
	}
	for _, row := range sourceSettings {
		note(row.key)
	}
}

// The example is to show every key, and what happens without the file.
func TestExampleIsTheDefaults(t *testing.T) {
	const file = "../../deploy/tailflux.yaml"
	c, _, err := Load(Options{File: file, NeedSource: true})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range settings {
		name := row.key[strings.LastIndex(row.key, ".")+1:]
		if !strings.Contains(string(data), "\n"+name+":") && !strings.Contains(string(data), "\n  "+name+":") {
			t.Errorf("%s lacks %s", file, row.key)
		}
	}
	standard := Default()
	for _, row := range settings {
		got, want := row.get(c).yaml(), row.get(&standard).yaml()
		if got != want {
			t.Errorf("%s: %s: %s is not the default %s", file, row.key, got, want)
		}
	}
}
