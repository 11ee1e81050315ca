package draft_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/draft"
	"github.com/tailflux/tailflux/internal/nginxconf"
	"github.com/tailflux/tailflux/internal/shape"
)

var update = flag.Bool("update", false, "write the golden files anew")

func draftOf(t *testing.T, found *nginxconf.Found, args ...string) *draft.Draft {
	t.Helper()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, described, err := config.Load(config.Options{NoFile: true, Flags: flags, Check: shape.Check})
	if err != nil {
		t.Fatal(err)
	}
	return draft.New(found, draft.Options{Config: c, Start: described.Start, Flags: flags, Origin: "nginx -T"})
}

// read reads the configuration of a tree.
func read(t *testing.T, tree string) *nginxconf.Found {
	t.Helper()
	said, _ := os.ReadFile(filepath.Join(tree, "nginx-V")) // some do not say
	found, err := nginxconf.Read(os.DirFS(tree), "/etc/nginx/nginx.conf", nginxconf.ReadBuild(string(said)))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// accepted loads a draft as tailflux check does.
func accepted(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tailflux.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(config.Options{File: file, Check: shape.Check, NeedSource: true})
	return c, err
}

// Each tree of nginx.conf makes the configuration that lies beside it, which tailflux
// accepts and reads as it was meant.
func TestTrees(t *testing.T) {
	trees, err := filepath.Glob("testdata/*/etc")
	if err != nil || len(trees) < 12 {
		t.Fatalf("%d trees, %v", len(trees), err)
	}
	for _, tree := range trees {
		tree = filepath.Dir(tree)
		t.Run(filepath.Base(tree), func(t *testing.T) {
			d := draftOf(t, read(t, tree))
			golden := tree + ".yaml"
			if *update {
				if err := os.WriteFile(golden, []byte(d.Text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(d.Text, "\n")); diff != "" {
				t.Error(diff)
			}
			if len(d.Sources) == 0 {
				return
			}
			c, err := accepted(t, d.Text)
			if err != nil {
				t.Fatalf("refused:\n%v", err)
			}
			for i, s := range d.Sources {
				got := c.Sources[i]
				if got.Name != s.Name || got.Path != s.Path || strings.TrimSuffix(got.Format, "\n") != s.Format {
					t.Errorf("source %d is read as %+v, want %+v", i, got, s)
				}
			}
		})
	}
}
