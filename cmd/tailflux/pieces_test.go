package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// inPieces are lines as a container's runtime writes them: every one cut in three, with an
// error of the other stream among the pieces of some.
func inPieces(t *testing.T, text string) string {
	t.Helper()
	const stamp = "2026-11-20T10:00:00.123456789Z "
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		b.WriteString(stamp + "stdout P " + line[:10] + "\n")
		if i%3 == 0 {
			b.WriteString(stamp + "stderr F 2026/11/20 10:00:00 [error] 7#7: *1 open() failed\n")
		}
		b.WriteString(stamp + "stdout P " + line[10:40] + "\n" + stamp + "stdout F " + line[40:] + "\n")
	}
	return b.String()
}

// What run and import make of lines in pieces is what verify and explain expect.
func TestPiecesAreTheSameToAll(t *testing.T) {
	text := inPieces(t, lines(0, 100))
	for _, command := range []string{"run", "import"} {
		in := newInstallation(t)
		in.write(text)
		if command == "run" {
			in.deliver()
		} else if code, out := in.run("import", in.log); code != 0 {
			t.Fatalf("import: exit code %d:\n%s", code, out)
		}
		in.want(100)
		if code, v := in.verify(in.log); code != 0 || v.Approximate || v.Expected != 100 || v.Found != 100 || v.Filtered != 234 || v.Rejected != 0 || v.Lines != 334 {
			t.Errorf("%s: verify: exit code %d, %+v", command, code, v)
		}
		in.settings = nil
		code, out, _ := explainWith(t, text, "--format=combined")
		if code != 0 || strings.Count(out, "\n    nginx_access,") != 100 {
			t.Errorf("explain: exit code %d, %d points", code, strings.Count(out, "\n    nginx_access,"))
		}
	}
}

// Pieces without their end are no line yet: it may come later, and then they are one. Of a
// file that nobody writes to any more they are rejects, and stay so.
func TestPiecesWithoutTheirEnd(t *testing.T) {
	text := inPieces(t, lines(1, 2))
	at := strings.LastIndex(text, "2026-11-20T10:00:00.123456789Z stdout F ")
	in := newInstallation(t)
	in.write(text[:at])
	in.deliver()
	in.want(1)
	if code, v := in.verify(in.log); code != 0 || v.Expected != 1 || v.Pending != 2 || v.Lines != 6 {
		t.Errorf("verify without the end: exit code %d, %+v", code, v)
	}
	in.write(text[at:])
	in.deliver()
	in.want(2)
	if code, v := in.verify(in.log); code != 0 || v.Expected != 2 || v.Missing != 0 || v.Lines != 7 || in.entries("{") != 0 {
		t.Errorf("verify: exit code %d, %d entries, %+v", code, in.entries("{"), v)
	}

	in = newInstallation(t)
	before := lines(100, 20)
	old := in.elsewhere("old.log", before+text[:at])
	in.imported(21, old)
	if err := os.WriteFile(old, []byte(before+text+lines(200, 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	in.imported(25, old)
	if code, v := in.verify(old); code != 0 || v.Expected != 25 || v.Missing != 0 || v.Lines != 31 || v.Rejected != 3 || in.entries("{") != 3 {
		t.Errorf("verify of what was imported: exit code %d, %d entries, %+v", code, in.entries("{"), v)
	}
	// Together they are a line after all.
	for _, n := range []string{"1", "0"} {
		code, out := in.run("redeliver")
		says(t, code, 0, out, n+" lines redelivered\n")
		in.want(26)
	}
	if code, v := in.verify(old); code != 0 || v.Expected != 26 || v.Found != 26 || v.Rejected != 0 || v.Rollups[0].Expected != 26 || v.Rollups[0].Found != 26 {
		t.Errorf("verify of what was redelivered: exit code %d, %+v", code, v)
	}
}

// Wherever a file ended when it was read, or a block of it, its lines become the same points.
func TestPiecesAreTheSameWhereverReadingEnds(t *testing.T) {
	in := newInstallation(t)
	text, states := inPieces(t, lines(0, 4)), 0
	read := func(parts ...string) {
		t.Helper()
		dir := t.TempDir()
		in.state, in.log = filepath.Join(dir, "state"), filepath.Join(dir, "access.log")
		for _, part := range parts {
			in.write(part)
			in.deliver()
		}
		states++
		if n := in.entries("{"); n > 0 {
			t.Errorf("cut at %d of %d bytes: %d entries", len(parts[0]), len(text), n)
		}
		in.want(4)
	}
	for cut := 1; cut < len(text); cut += 29 {
		read(text[:cut], text[cut:])
	}
	for at := range text {
		if text[at] == '\n' {
			read(text[:at+1], text[at+1:])
		}
	}
	if states < 40 {
		t.Errorf("%d cuts", states)
	}

	in = newInstallation(t)
	const block = 256 << 10
	for before := block - len(text); before < block; before += 101 {
		in.state, in.log = t.TempDir(), filepath.Join(t.TempDir(), "access.log")
		in.write(strings.Repeat(strings.Repeat("x", 4095)+"\n", before/4096) + strings.Repeat("y", before%4096) + "\n" + text)
		_, _ = in.run("run", "--once")
		if got := in.entries("{") - in.entries(`"line":"x`) - in.entries(`"line":"y`); got > 0 {
			t.Errorf("%d bytes before them, a block has %d: %d entries of pieces", before, block, got)
		}
	}
}
