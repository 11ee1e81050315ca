package doctor_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/doctor"
)

var update = flag.Bool("update", false, "write the golden files")

// mixed has all that can be printed.
var mixed = []doctor.Finding{
	{Verdict: doctor.OK, Subject: "configuration", Check: "configuration", Reason: "/etc/tailflux/tailflux.yaml; 1 source"},
	{Verdict: doctor.OK, Subject: "user", Check: "user", Reason: "looks as tailflux (User= of /usr/lib/systemd/system/tailflux.service), in the groups tailflux, adm"},
	{Verdict: doctor.Warning, Subject: "state_dir", Check: "space", Reason: "120 MB is left for /var/lib/tailflux, and the reject file may take 226 MB", Remedy: "df -h /var/lib/tailflux, or a lower rejects_max_bytes"},
	{Verdict: doctor.OK, Subject: "source web", Check: "file", Reason: "/var/log/nginx/a.log: \"tailflux\" may read it (-rw-r----- www-data adm, 12 MB)"},
	{Verdict: doctor.OK, Subject: "source web", Check: "file", Reason: "/var/log/nginx/b.log: \"tailflux\" may read it (-rw-r----- www-data adm, 12 MB)"},
	{Verdict: doctor.OK, Subject: "source web", Check: "file", Reason: "/var/log/nginx/c.log: \"tailflux\" may read it (-rw-r----- www-data adm, 12 MB)"},
	{Verdict: doctor.OK, Subject: "source web", Check: "file", Reason: "/var/log/nginx/d.log: \"tailflux\" may read it (-rw-r----- www-data adm, 12 MB)"},
	{Verdict: doctor.OK, Subject: "source web", Check: "file", Reason: "/var/log/nginx/e.log: \"tailflux\" may read it (-rw-r----- www-data adm, 12 MB)"},
	{Verdict: doctor.Error, Subject: "source web", Check: "file", Reason: "/var/log/nginx/f.log: \"tailflux\" may not read it (-rw------- root root)", Remedy: "setfacl -m u:tailflux:r /var/log/nginx/f.log, or give the file a group that tailflux is in, and mode 0640"},
	{Verdict: doctor.Note, Subject: "source web", Check: "logrotate", Reason: "no rule of logrotate is for \"<a&b>\"", Remedy: "if nothing else rotates it, it fills the disk; docs/following.md says how"},
	{Verdict: doctor.Error, Subject: "influxdb", Check: "server", Reason: "no InfluxDB at http://db:8086 (influxdb.url): connection refused"},
}

func TestPrinted(t *testing.T) {
	var people, colours, programs bytes.Buffer
	for _, p := range []doctor.Printer{{W: &people}, {W: &colours, Colour: true}} {
		for _, f := range mixed {
			p.Print(f)
		}
		p.End(mixed)
	}
	if err := doctor.JSON(&programs, doctor.Options{User: doctor.User{Name: "tailflux"}}, mixed); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"people.txt": people.String(), "colours.txt": colours.String(), "programs.json": programs.String()} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if diff := cmp.Diff(string(want), got); err != nil || diff != "" {
			t.Errorf("%s (-want +got): %v\n%s", name, err, diff)
		}
	}
	if doctor.Worst(mixed) != doctor.Error || doctor.Worst(mixed[:2]) != doctor.OK || doctor.Failed(mixed).Error() != "check: 2 errors" {
		t.Error("the worst is not the worst")
	}
}

// said are the findings that the package can have, as "error file".
func said(t *testing.T) (all []string) {
	t.Helper()
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 4 {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			check, isText := call.Args[1].(*ast.BasicLit)
			verdict, isName := call.Args[0].(*ast.Ident)
			if ok && isText && isName && f.Sel.Name == "say" {
				word, err := strconv.Unquote(check.Value)
				if err != nil {
					t.Fatal(err)
				}
				if verdict.Name != "verdict" { // of a glob's file, which may be both
					all = append(all, strings.ToLower(verdict.Name)+" "+word)
				} else {
					all = append(all, "error "+word, "warning "+word)
				}
			}
			return true
		})
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Every finding is in docs/check.md, and nothing else.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ([a-z, ]+) \\|").FindAllSubmatch(text, -1) {
		for verdict := range strings.SplitSeq(string(row[2]), ", ") {
			documented = append(documented, verdict+" "+string(row[1]))
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(said(t), slices.Compact(documented)); diff != "" {
		t.Errorf("docs/check.md (-code +docs):\n%s", diff)
	}
}

// Every finding is provoked by some test: all of them have run before.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" && os.Geteuid() == 0 {
		t := &testing.T{}
		for _, finding := range said(t) {
			if !provoked[finding] {
				fmt.Println("no test provokes", finding)
				code = 1
			}
		}
	}
	os.Exit(code)
}
