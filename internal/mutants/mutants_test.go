package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// A patch that does not apply any more is seen here, and not in a week.
func TestEveryPatchApplies(t *testing.T) {
	all, err := readAll(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mistakes := map[string]string{}
	for i, m := range all {
		if _, err := m.apply(t.Context(), root, filepath.Join(dir, fmt.Sprint(i))); err != nil {
			t.Error(err)
		}
		if other, taken := mistakes[m.mistake]; taken {
			t.Errorf("%s and %s have the same mistake: %s", other, m.file, m.mistake)
		}
		mistakes[m.mistake] = m.file
	}
}

const patch = `Mistake: an answer is ignored
Run:     ^TestAnswers$
Args:    -model 2000
CI:      always

--- a/a/b.go
+++ b/a/b.go
@@ -1,3 +1,3 @@
 package a
 
-var A = 1
+var A = 2
`

func TestParse(t *testing.T) {
	m, err := parse("internal/a/testdata/mutants/x.patch", patch)
	if err != nil {
		t.Fatal(err)
	}
	if m.dir != "internal/a" || m.mistake != "an answer is ignored" || m.run != "^TestAnswers$" || !m.always ||
		!slices.Equal(m.args, []string{"-model", "2000"}) || !slices.Equal(m.sources, []string{"a/b.go"}) {
		t.Errorf("parse = %+v", m)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"no diff", "--- a/a/b.go", "", "no patch"},
		{"no mistake", "Mistake: an answer is ignored", "", "needs a Mistake"},
		{"unknown key", "Args:", "Flags:", `header "Flags:`},
		{"CI", "always", "never", `CI: "never"`},
		{"too much", "-var A = 1\n", strings.Repeat("-var A = 1\n", 20), "it changes 21 lines"},
	} {
		if _, err := parse("a.patch", strings.Replace(patch, tt.old, tt.new, 1)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: parse = %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestApply(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a/b.go": "package a\n\nvar A = 1\n", "x.patch": patch} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := parse("x.patch", patch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.apply(t.Context(), dir, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	text := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if text("out/a/b.go") != "package a\n\nvar A = 2\n" || text("a/b.go") != "package a\n\nvar A = 1\n" {
		t.Errorf("patched %q, from %q", text("out/a/b.go"), text("a/b.go"))
	}
	if overlay := text("out/overlay.json"); !strings.Contains(overlay, dir+"/out/a/b.go") {
		t.Errorf("overlay %s", overlay)
	}
	for i, other := range []string{"package a\n\nvar A = 3\n", "package of another\n\nvar A = 1\n"} {
		if err := os.WriteFile(dir+"/a/b.go", []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := m.apply(t.Context(), dir, filepath.Join(dir, fmt.Sprint("again", i)))
		if err == nil || !strings.Contains(err.Error(), "does not apply any more") {
			t.Errorf("apply to %q = %v", other, err)
		}
	}
}

// In so many weeks each mutant has its turn, and those of every run have one each week.
func TestChoose(t *testing.T) {
	var all []*mutant
	for i := range 10 {
		all = append(all, &mutant{file: fmt.Sprint("internal/a/", i), always: i%5 == 0})
	}
	turns := map[*mutant]int{}
	for week := range weeks {
		chosen, err := choose(all, "ci", week)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range chosen {
			turns[m]++
		}
	}
	for _, m := range all {
		if want := map[bool]int{true: weeks, false: 1}[m.always]; turns[m] != want {
			t.Errorf("%s has %d turns in %d weeks, want %d", m.file, turns[m], weeks, want)
		}
	}
	if some, err := choose(all, "a/[34]", 0); err != nil || len(some) != 2 {
		t.Errorf("choose = %d, %v, want 2", len(some), err)
	}
	if _, err := choose(all, "nothing", 0); err == nil {
		t.Error("an expression that matches no patch is accepted")
	}
}

func TestJudge(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, tt := range []struct {
		name, output, finds string
		err                 error
		foundBy, why        string
	}{
		{"survives", "ok  	x	0.1s\n", "", nil, "", "the tests pass with it"},
		{"no such test", "ok  	x	0.1s [no tests to run]\n", "", nil, "", "no test is called"},
		{"no such package", "?   	x	[no test files]\n", "", nil, "", "no test is called"},
		{"does not compile", "# x\nx.go:1:1: undefined: a\nFAIL	x [build failed]\n", "", failed, "", "undefined: a"},
		{"a test", "--- FAIL: TestA (0.1s)\n    a_test.go:1: no\nFAIL\n", "", failed, "TestA", ""},
		{"a subtest", "--- FAIL: TestA (0.1s)\n    --- FAIL: TestA/b (0.1s)\n    --- FAIL: TestA/c (0.1s)\n--- FAIL: TestD\n", "", failed, "TestA/b", ""},
		{"another failure", "--- FAIL: TestA (0.1s)\n", "a line is lost", failed, "", "not with"},
		{"that failure", "--- FAIL: TestA (0.1s)\n  a line is lost\n", "a line is lost", failed, "TestA", ""},
		{"too long", "panic: test timed out after 1s\n\trunning tests:\n\t\tTestA (1s)\n", "", failed, "TestA (it never ends)", ""},
		{"panic", "panic: no\n\ngoroutine 1:\nx_test.TestA.func1(0x1)\n", "", failed, "TestA (panic: no)", ""},
		{"nothing ran", "build tailflux: exit status 1\nFAIL	x	0.1s\n", "", failed, "", "no test did"},
	} {
		m := &mutant{run: "^TestA$", finds: tt.finds}
		foundBy, err := m.judge(tt.output, tt.err)
		if foundBy != tt.foundBy || (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: judge = %q, %v, want %q, %q", tt.name, foundBy, err, tt.foundBy, tt.why)
		}
	}
}
