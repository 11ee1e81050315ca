package accesslog_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/nginxvar"
)

var update = flag.Bool("update", false, "write the table of docs/log-formats.md anew")

// variableTable is the table of every variable for the manual. Which page of
// nginx's says so is a comment above the rows of internal/nginxvar/table.go.
func variableTable(t *testing.T) string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "../nginxvar/table.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	variables := map[string][]string{}
	for _, row := range rowsOf(t, file) {
		for name := range strings.FieldsSeq(row.names) {
			like := fmt.Sprintf("| %s | %s |", typeOf(nginxvar.Lookup(name)), row.from(fset, file))
			if variables[like] == nil {
				order = append(order, like)
			}
			variables[like] = append(variables[like], "`"+name+"`")
		}
	}
	var b strings.Builder
	b.WriteString("\n| variables | type | from |\n|---|---|---|\n")
	for _, like := range order {
		fmt.Fprintf(&b, "| %s %s\n", strings.Join(variables[like], ", "), like)
	}
	return b.String() + "\n"
}

func typeOf(v nginxvar.Variable) string {
	text := map[nginxvar.Kind]string{
		nginxvar.String: "string", nginxvar.Token: "string", nginxvar.Int: "integer", nginxvar.Float: "float", nginxvar.Status: "integer",
		nginxvar.TimeLocal: "time", nginxvar.TimeISO8601: "time", nginxvar.Msec: "time", nginxvar.Request: "request",
	}[v.Kind]
	switch {
	case v.List && (v.Kind == nginxvar.Int || v.Kind == nginxvar.Float):
		text += ", sum of a list"
	case v.List:
		text += ", last of a list"
	}
	return text
}

type tableRow struct {
	names string
	pos   token.Pos
}

// rowsOf finds the literal of the variable rows.
func rowsOf(t *testing.T, file *ast.File) (all []tableRow) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "rows" {
			return true
		}
		for _, element := range spec.Values[0].(*ast.CompositeLit).Elts {
			text, err := strconv.Unquote(element.(*ast.CompositeLit).Elts[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tableRow{text, element.Pos()})
		}
		return false
	})
	if len(all) == 0 {
		t.Fatal("no rows in internal/nginxvar/table.go")
	}
	return all
}

// from links the modules in the nearest comment above the row.
func (r tableRow) from(fset *token.FileSet, file *ast.File) string {
	var nearest *ast.CommentGroup
	for _, group := range file.Comments {
		if fset.Position(group.Pos()).Line < fset.Position(r.pos).Line {
			nearest = group
		}
	}
	var links []string
	for word := range strings.FieldsFuncSeq(nearest.Text(), func(c rune) bool { return strings.ContainsRune(" ,;\n", c) }) {
		if module, ok := strings.CutSuffix(word, ".html"); ok {
			name, dir := strings.TrimSuffix(strings.TrimPrefix(module, "ngx_http_"), "_module"), "http/"
			if stream, ok := strings.CutPrefix(name, "ngx_stream_"); ok {
				name, dir = "stream "+stream, "stream/"
			} else if other, ok := strings.CutPrefix(name, "ngx_"); ok {
				name, dir = other, ""
			}
			links = append(links, "["+name+"](https://nginx.org/en/docs/"+dir+module+".html)")
		}
	}
	if links == nil {
		return strings.TrimSuffix(strings.Join(strings.Fields(nearest.Text()), " "), ".")
	}
	return strings.Join(links, ", ")
}

func TestManualHasTheTable(t *testing.T) {
	const (
		page  = "../../docs/log-formats.md"
		begin = "<!-- made from internal/nginxvar by go test ./internal/accesslog -update -->\n"
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
	want := variableTable(t)
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if made != want {
		t.Errorf("%s disagrees with the table; go test -update writes it anew. Want\n%s", page, want)
	}
}
