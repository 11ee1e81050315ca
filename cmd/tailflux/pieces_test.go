package main

import (
	"os"
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

// Pieces without their end are rejects, and stay so when the end came later.
func TestPiecesThatWereRejectedAreVerified(t *testing.T) {
	in := newInstallation(t)
	text := inPieces(t, lines(1, 2))
	at := strings.LastIndex(text, "2026-11-20T10:00:00.123456789Z stdout F ")
	in.write(text[:at])
	in.deliver()
	f, err := os.OpenFile(in.log, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text[at:])
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if code, out := in.run("run", "--once"); code != 1 {
		t.Errorf("run --once: exit code %d, want 1, because all it read was rejected:\n%s", code, out)
	}
	in.want(1)
	if code, v := in.verify(in.log); code != 0 || v.Expected != 1 || v.Missing != 0 || v.Lines != 7 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
}
