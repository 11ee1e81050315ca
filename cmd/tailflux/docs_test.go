package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A logCall is a place where the program logs.
type logCall struct {
	at      token.Position
	message string
	keys    []string
}

// logCalls returns every call of a *slog.Logger whose message is constant.
func logCalls(t *testing.T) (calls []logCall) {
	t.Helper()
	files := token.NewFileSet()
	for _, root := range []string{"../../cmd/tailflux", "../../internal"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if c, ok := asLogCall(call); ok {
						c.at = files.Position(call.Pos())
						calls = append(calls, c)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return calls
}

func asLogCall(call *ast.CallExpr) (c logCall, ok bool) {
	method, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod {
		return c, false
	}
	args := call.Args
	switch method.Sel.Name {
	case "Debug", "Info", "Warn", "Error":
		if len(args) == 0 {
			return c, false // the method Error of an error
		}
		if c.message, ok = constant(args[0]); !ok {
			return c, false // such as t.Error
		}
		args = args[1:]
	case "With":
	default:
		return c, false
	}
	for i := 0; i < len(args); i += 2 {
		if key, ok := constant(args[i]); ok {
			c.keys = append(c.keys, key)
		} else {
			i-- // an slog.Attr
		}
	}
	return c, true
}

// constant returns the value of a string literal, or of several added up.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		a, isA := constant(e.X)
		b, isB := constant(e.Y)
		return a + b, isA && isB
	}
	return "", false
}

// Messages in bold code are quotations of the log: the program logs something
// that begins like that.
func TestDocumentedMessagesAreLogged(t *testing.T) {
	quoted := regexp.MustCompile("(?s)\\*\\*`(.*?)`\\*\\*")
	calls := logCalls(t)
	found := 0
	for _, page := range []string{"following.md", "delivery.md"} {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllSubmatch(text, -1) {
			message := strings.Join(strings.Fields(string(m[1])), " ")
			if message == "on_reject: hold" {
				continue
			}
			found++
			if !slices.ContainsFunc(calls, func(c logCall) bool { return strings.HasPrefix(c.message, message) }) {
				t.Errorf("docs/%s quotes %q, which is not logged", page, message)
			}
		}
	}
	if found < 20 {
		t.Errorf("found %d messages, want more: are they written as **`message`**?", found)
	}
}

// Every attribute of a log line is in the list of docs/glossary.md.
func TestLogAttributesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := bytes.Cut(text, []byte("## Attributes of log lines"))
	if !ok {
		t.Fatal("docs/glossary.md has no list of attributes")
	}
	var known []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllSubmatch(list, -1) {
		known = append(known, string(m[1]))
	}
	used := map[string]bool{}
	for _, c := range logCalls(t) {
		for _, key := range c.keys {
			used[key] = true
			if !slices.Contains(known, key) {
				t.Errorf("%s: attribute %q of %q is not in docs/glossary.md", c.at, key, c.message)
			}
		}
	}
	for _, key := range known {
		if !used[key] {
			t.Errorf("docs/glossary.md has the attribute %q, which is not used", key)
		}
	}
}

// Every file of this repository that the documentation links to is there, and so
// is every Go file that it names.
func TestDocumentedFilesExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]+)[)#]`)
	name := regexp.MustCompile("`((?:cmd|deploy|docs|internal|mock)/[a-z0-9_./-]+\\.go)`")
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md", "deploy/*.md", "findings/*.md", "internal/*/*.md"} {
		some, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, some...)
	}
	links := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllSubmatch(text, -1) {
			path := string(m[1])
			_, fromRoot := os.Stat("../../" + path)
			_, fromPage := os.Stat(filepath.Join(filepath.Dir(page), path))
			if fromRoot != nil && fromPage != nil {
				t.Errorf("%s: %v", page, fromRoot)
			}
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), string(m[1]))); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if links < 50 {
		t.Errorf("found %d links, want more", links)
	}
}

// A link to a part of a page leads to one of its headings.
func TestDocumentedAnchorsExist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]*)#([^)\s]+)\)`)
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range append(pages, "../../README.md", "../../deploy/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			links++
			to := page
			if len(m[1]) > 0 {
				to = filepath.Join(filepath.Dir(page), string(m[1]))
			}
			if anchor := string(m[2]); !slices.Contains(anchors(t, to), anchor) {
				t.Errorf("%s: %s has no heading %s", page, to, anchor)
			}
		}
	}
	if links < 30 {
		t.Errorf("found %d links, want more", links)
	}
}

// anchors are what the headings of a page are called in links.
func anchors(t *testing.T, page string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(string(m[1])), "")
		all = append(all, strings.ReplaceAll(anchor, " ", "-"))
	}
	return all
}

// docs/architecture.md names every package.
func TestEveryPackageIsInTheArchitecture(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "## The packages")
	list, _, _ = strings.Cut(list, "All but the first")
	directories, err := filepath.Glob("../../internal/*")
	if err != nil || len(directories) < 30 {
		t.Fatalf("%d packages, %v", len(directories), err)
	}
	for _, directory := range directories {
		name := filepath.Base(directory)
		if !regexp.MustCompile(`(?m)  ` + name + `  |^.{15} {4}` + name + ` `).MatchString(list) {
			t.Errorf("docs/architecture.md does not name %s", name)
		}
	}
}

// A package that lists its files in its documentation lists all of them, and none that is gone.
func TestPackagesListTheirFiles(t *testing.T) {
	listed := regexp.MustCompile(`(?m)^//\t[a-z]+\.go `)
	named := regexp.MustCompile(`\b[a-z0-9_]+\.go\b`)
	lists := 0
	packages, err := filepath.Glob("../../internal/*")
	if err != nil || len(packages) == 0 {
		t.Fatalf("no packages: %v", err)
	}
	for _, dir := range packages {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		var list string
		is := map[string]bool{}
		for _, file := range files {
			is[filepath.Base(file)] = true
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc, _, _ := strings.Cut(string(text), "\npackage ")
			if !strings.HasSuffix(file, "_test.go") && listed.MatchString(doc) {
				list = doc
			}
		}
		if list == "" {
			continue
		}
		lists++
		has := map[string]bool{"doc.go": true}
		for _, name := range named.FindAllString(list, -1) {
			if has[name] = true; !is[name] {
				t.Errorf("%s lists %s, which is not there", dir, name)
			}
		}
		for name := range is {
			if !has[name] && !strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s does not list %s", dir, name)
			}
		}
	}
	if lists < 10 {
		t.Errorf("%d packages list their files", lists)
	}
}
