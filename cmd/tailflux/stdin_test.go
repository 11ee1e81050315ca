package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withStandardInput does something with a pipe that holds a text as standard input.
func withStandardInput(t *testing.T, text string, do func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer w.Close()
		_, _ = io.WriteString(w, text) // a broken pipe is what some commands leave
	}()
	old := os.Stdin
	os.Stdin = r
	do()
	os.Stdin = old
	r.Close()
	<-written
}

// Standard input is imported as a file is: by its contents, compressed or not, once.
func TestImportOfStandardInput(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, lines(200, 30)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	in := newInstallation(t)
	file := in.elsewhere("access.log.9", lines(300, 40))
	for _, tt := range []struct {
		name, input string
		files       []string
		want        int64
	}{
		{"a text", lines(0, 100), []string{"-"}, 100},
		{"the same again", lines(0, 100), []string{"-"}, 100},
		{"it has grown", lines(0, 120), []string{"-"}, 120},
		{"compressed", packed.String(), []string{"-"}, 150},
		{"beside a file", lines(400, 5), []string{file, "-", "-"}, 195},
		{"without a newline at the end", strings.TrimSuffix(lines(500, 5), "\n"), []string{"-"}, 200},
		{"nothing", "", []string{"-"}, 200},
	} {
		withStandardInput(t, tt.input, func() {
			t.Log(tt.name)
			in.imported(tt.want, tt.files...)
		})
		if left, err := filepath.Glob(in.state + "/standard-*"); err != nil || left != nil {
			t.Errorf("%s: it left %q, %v", tt.name, left, err)
		}
	}
	// What another left that was killed is in nobody's way.
	if err := os.WriteFile(in.state+"/standard-input", []byte("half a l"), 0o600); err != nil {
		t.Fatal(err)
	}
	withStandardInput(t, lines(600, 1), func() { in.imported(201, "-") })
}

// While another tailflux has the state directory, nothing of standard input is read.
func TestImportOfStandardInputBesideADaemon(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 1))
	defer in.daemon()()
	withStandardInput(t, lines(0, 10), func() {
		code, out := in.run("import", "-")
		if code != 2 || !strings.Contains(out, "another tailflux uses it") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
		if rest, err := io.ReadAll(os.Stdin); err != nil || string(rest) != lines(0, 10) {
			t.Errorf("of standard input, %d bytes are left; %v", len(rest), err)
		}
	})
}

// A dash is standard input for explain, too; and run says what to do instead.
func TestStandardInputOfOtherCommands(t *testing.T) {
	for _, args := range [][]string{{"-"}, {"--file", "-"}, {}, {"--format=combined", "-"}} {
		code, out, errs := explainWith(t, explainCombined+"\n"+explainCombined+"\n", args...)
		if code != 0 || strings.Count(out, "method=GET") < 2 {
			t.Errorf("explain %q: exit code %d:\n%s%s", args, code, out, errs)
		}
	}
	for _, command := range []string{"run", "check"} {
		var out, errs bytes.Buffer
		code := execute([]string{command, "--path", "-"}, &out, &errs)
		if code != 2 || !strings.Contains(errs.String(), "tailflux import -") {
			t.Errorf("%s --path -: exit code %d:\n%s", command, code, errs.String())
		}
	}
}
