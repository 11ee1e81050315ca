package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A patch that does not compile any more is seen here, and not in the week whose turn
// it is. Only types are checked: to build each of them would take minutes.
func TestEveryPatchCompiles(t *testing.T) {
	all, err := readAll(root)
	if err != nil {
		t.Fatal(err)
	}
	packages, err := listPackages(root)
	if err != nil {
		t.Fatal(err)
	}
	dir, checked := t.TempDir(), 0
	for i, m := range all {
		at := filepath.Join(dir, fmt.Sprint(i))
		if _, err := m.apply(t.Context(), root, at); err != nil {
			t.Error(err)
			continue
		}
		for of, p := range packages.ours {
			n, err := packages.check(p, m.sources, at)
			if err != nil {
				t.Errorf("%s: %s does not compile with it: %v", m.file, of, err)
			}
			checked += n
		}
	}
	if checked < len(all) {
		t.Errorf("%d files of %d patches were checked", checked, len(all))
	}
}

func TestCheckFindsWhatDoesNotCompile(t *testing.T) {
	packages, err := listPackages(root)
	if err != nil {
		t.Fatal(err)
	}
	const name = "internal/wake/wake.go"
	at := filepath.Join(t.TempDir(), filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, []byte("package wake\n\nfunc f() { i := 1 }\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSuffix(at, filepath.FromSlash(name))
	if _, err := packages.check(packages.ours["internal/wake"], []string{name}, dir); err == nil || !strings.Contains(err.Error(), "declared and not used: i") {
		t.Errorf("check = %v, want that i is not used", err)
	}
}

// packages are what go list says about the module and all that it imports.
type packages struct {
	root   string
	ours   map[string]listed // by the path in the repository
	export map[string]string // the file with the types of a package, by its import path
	set    *token.FileSet
	types  types.Importer
}

type listed struct {
	Dir, ImportPath, Export string
	GoFiles, CgoFiles       []string
	Module                  *struct{ Main bool }
}

func listPackages(root string) (*packages, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	list := exec.Command("go", "list", "-export", "-deps", "-json", "-pgo=off", "./...")
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := list.Start(); err != nil {
		return nil, err
	}
	all := &packages{root: root, ours: map[string]listed{}, export: map[string]string{}, set: token.NewFileSet()}
	all.types = importer.ForCompiler(all.set, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(all.export[path])
	})
	for decoder := json.NewDecoder(bufio.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		all.export[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main {
			path, err := filepath.Rel(root, p.Dir)
			if err != nil {
				return nil, err
			}
			all.ours[filepath.ToSlash(path)] = p
		}
	}
	return all, list.Wait()
}

// check checks the types of p with those of its files that are among sources taken
// from dir, and returns how many these are. It does nothing when none is in p.
func (ps *packages) check(p listed, sources []string, dir string) (changed int, err error) {
	var files []*ast.File
	if !slices.ContainsFunc(sources, func(name string) bool { return ps.ours[path.Dir(name)].Dir == p.Dir }) {
		return 0, nil
	}
	for _, name := range p.GoFiles {
		at := filepath.Join(p.Dir, name)
		inside, err := filepath.Rel(ps.root, at)
		if err != nil {
			return 0, err
		}
		for _, source := range sources {
			if filepath.ToSlash(inside) == source {
				at = filepath.Join(dir, inside)
				changed++
			}
		}
		file, err := parser.ParseFile(ps.set, at, nil, parser.SkipObjectResolution)
		if err != nil {
			return changed, err
		}
		files = append(files, file)
	}
	conf := types.Config{Importer: ps.types}
	_, err = conf.Check(p.ImportPath, ps.set, files, nil)
	return changed, err
}
