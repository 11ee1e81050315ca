package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// timed are n lines of the preset timed, a second each, from a second on.
func timed(from, n int) string {
	var b strings.Builder
	for line := range strings.Lines(lines(from, n)) {
		b.WriteString(strings.Replace(line, `"GET`, `http "GET`, 1))
		b.WriteString("\b") // of the newline
	}
	return strings.ReplaceAll(b.String(), "\n\b", " \"-\" 0.010 0.012\n")
}

// entries is the number of entries in the reject file that hold a text.
func (in *installation) entries(holding string) int {
	in.t.Helper()
	text, err := os.ReadFile(filepath.Join(in.state, "rejects.jsonl"))
	if err != nil && !os.IsNotExist(err) {
		in.t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, holding) {
			n++
		}
	}
	return n
}

// says wants an exit code and some words.
func says(t *testing.T, code, wanted int, out string, words ...string) {
	t.Helper()
	if code != wanted {
		t.Errorf("exit code %d, want %d:\n%s", code, wanted, out)
	}
	for _, word := range words {
		if !strings.Contains(out, word) {
			t.Errorf("it does not say %q:\n%s", word, out)
		}
	}
}

// A file that is mostly in another format is not imported: it is not green, it leaves
// nothing behind, and the right format finds all of it.
func TestImportOfALogInAnotherFormat(t *testing.T) {
	half := func(of, others int) string { return lines(0, of) + timed(of, others) }
	for _, tt := range []struct {
		name, text string
		wants      string // "" is that it is imported
		points     int64
		entries    int
		then       int64 // points after it was imported as timed
	}{
		{"no line fits", timed(0, 40), "40 of 40 lines rejected (no match): this is no combined, the format of source web", 0, 0, 40},
		{"one line", timed(0, 1), "1 of 1 lines rejected", 0, 0, 1},
		{"some lines fit", half(10, 40), "40 of 50 lines rejected (no match)", 0, 0, 40},
		{"half fit", half(20, 20), "", 20, 20, 20},
		{"most fit", half(30, 5), "", 30, 5, 30},
		{"empty", "", "", 0, 0, 0},
		{"empty lines", strings.Repeat("\n", 30) + lines(0, 2), "", 2, 30, 2},
		{"no time", strings.ReplaceAll(lines(0, 7), "/Nov/", "/Nev/"), "7 of 7 lines rejected (bad time)", 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInstallation(t)
			file := in.elsewhere("access.log.1", tt.text)
			code, out := in.run("import", file)
			if tt.wants == "" {
				says(t, code, 0, out)
			} else {
				says(t, code, 1, out, file+": "+tt.wants, "tailflux explain --file "+file)
			}
			in.want(tt.points)
			if n := in.entries("{"); n != tt.entries {
				t.Errorf("%d entries, want %d", n, tt.entries)
			}
			if tt.wants == "" {
				return
			}
			code, out = in.run("import", "--format", "timed", file)
			in.want(tt.then)
			if want := len(strings.Split(tt.text, "\n"))-1 == int(tt.then) || 2*tt.then > 40; want != (code == 0) {
				t.Errorf("as timed: exit code %d:\n%s", code, out)
			}
		})
	}
}

// The others are imported all the same.
func TestImportOfSomeLogsInAnotherFormat(t *testing.T) {
	in := newInstallation(t)
	good, odd := in.elsewhere("access.log.1", lines(0, 30)), in.elsewhere("app.log.1", timed(0, 9))
	code, out := in.run("import", odd, good)
	says(t, code, 1, out, odd+": 9 of 9 lines rejected")
	in.want(30)
	code, out = in.run("import", odd, good)
	says(t, code, 1, out, "was imported before", "9 of 9 lines rejected")
	withStandardInput(t, timed(0, 12), func() {
		code, out := in.run("import", "-")
		says(t, code, 1, out, "standard input: 12 of 12 lines rejected")
	})
	in.want(30)
}

// A log whose lines stop to fit behind those that are looked at first is not green
// either; its lines are in the reject file.
func TestImportOfALogThatStopsToFit(t *testing.T) {
	in := newInstallation(t)
	file := in.elsewhere("access.log.1", lines(0, judgedLines)+strings.Repeat("junk\n", judgedLines+1))
	code, out := in.run("import", file)
	says(t, code, 1, out, fmt.Sprintf("%s: %d of %d lines rejected (no match)", file, judgedLines+1, 2*judgedLines+1), "tailflux redeliver")
	in.want(judgedLines)
}

// What import warns of is in the file that is named, and not in the log that is followed.
func TestWarningsOfImportNameTheFile(t *testing.T) {
	for what, text := range map[string]string{
		"lines end with CR LF":                 strings.ReplaceAll(lines(0, 3), "\n", "\r\n"),
		"NUL bytes in the log are skipped":     lines(0, 3) + strings.Repeat("\x00", 5000) + lines(3, 3),
		"half of the last lines or more":       lines(0, judgedLines) + strings.ReplaceAll(lines(0, 900), "\n", "\njunk\n"),
		"lines are not in the format of their": lines(0, judgedLines) + strings.Repeat("junk\n", 900),
	} {
		in := newInstallation(t)
		in.write(lines(100, 1))
		file := in.elsewhere("access.log.1", text)
		in.warns(what, file, file)
	}
	in := newInstallation(t, "--format", "auto")
	in.write(lines(100, 1))
	file := in.elsewhere("access.log.1", lines(0, 30)+timed(40, 30))
	in.warns("lines of the imported file are of another format", file, file)

	in = newInstallation(t, "--format", "auto") // and nothing is at the path
	file = in.elsewhere("access.log.1", lines(0, 30))
	in.warns("log format detected", file, file)
	in = newInstallation(t, "--format", "auto")
	file = in.elsewhere("access.log.1", strings.Repeat("junk\n", 30))
	if _, out := in.run("import", file); !strings.Contains(out, file+": ") || strings.Contains(out, in.log+": ") {
		t.Errorf("import of %s says\n%s", file, out)
	}
}

// warns imports a file and wants a message about a file.
func (in *installation) warns(what, imported, file string) {
	in.t.Helper()
	_, out := in.run("import", imported)
	for line := range strings.Lines(out) {
		if strings.Contains(line, what) {
			if !strings.Contains(line, file) || strings.Contains(line, in.log) {
				in.t.Errorf("import of %s says %swant it of %s", imported, line, file)
			}
			return
		}
	}
	in.t.Errorf("import of %s does not say that %s:\n%s", imported, what, out)
}

// What is a log of another source is not imported as one of this: verify would find
// nothing of it missing.
func TestImportOfALogOfAnotherSource(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 30))
	in.deliver()
	in.shell("cp access.log copy; mv access.log access.log.1; gzip -k access.log.1")
	for _, file := range []string{in.log + ".1", in.log + ".1.gz", filepath.Join(filepath.Dir(in.log), "copy")} {
		code, out := in.run("import", "--name", "other", file)
		says(t, code, 1, out, file+" is or was followed as source web")
	}
	in.want(30)
	if code, v := in.verify(in.log + ".1"); code != 0 || v.Source != "web" || v.Expected != 30 || v.Found != 30 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
}

// With --once, lines that are rejected are in the reject file, and it is not green.
func TestOnceOfALogInAnotherFormat(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		code       int
		says       string
	}{
		{"no line fits", timed(0, 40), 1, "40 of 40 lines rejected (no match): this is no combined"},
		{"some lines fit", lines(0, 3) + timed(3, 4), 1, "4 of 7 lines rejected"},
		{"half fit", lines(0, 5) + timed(5, 5), 0, ""},
		{"most fit", lines(0, 50) + "junk\n\n\n", 0, ""},
		{"empty", "", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInstallation(t)
			in.write(tt.text)
			code, out := in.run("run", "--once")
			says(t, code, tt.code, out, tt.says)
			if tt.code != 0 {
				says(t, code, 1, out, in.log+": ", "tailflux explain --file "+in.log)
			}
			if n, want := in.points()+int64(in.entries("{")), int64(strings.Count(tt.text, "\n")); n != want {
				t.Errorf("%d points and entries, want %d", n, want)
			}
		})
	}
}

// A log that was followed and rotated gives no points a second time because it is read
// under its new name.
func TestOnceOfALogThatWasFollowed(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 30))
	in.deliver()
	in.shell("mv access.log access.log.1; gzip -k access.log.1")
	for _, path := range []string{in.log + ".1"} {
		code, out := in.run("run", "--once", "--path", path, "--name", "again")
		says(t, code, 1, out, path+" is or was followed as source web", "tailflux import --source web", "another --state-dir")
	}
	in.want(30)
	code, out := in.run("run", "--once", "--path", in.log+".1", "--name", "again", "--state-dir", t.TempDir())
	says(t, code, 0, out)
	in.want(60)
	// Another log, and the same one again, are read.
	in.write(lines(100, 5))
	in.deliver()
	in.deliver()
	in.want(65)
}

// A longer copy of an imported log continues it, and both are known afterwards.
func TestImportOfALongerCopy(t *testing.T) {
	for name, n := range map[string]int{"shorter than a head": 5, "longer": 40} {
		t.Run(name, func(t *testing.T) {
			in := newInstallation(t)
			short, long := in.elsewhere("short.log", lines(0, n)), in.elsewhere("long.log", lines(0, n)+lines(n, 60))
			in.imported(int64(n), short)
			in.imported(int64(n+60), long)
			for _, file := range []string{short, long, short} {
				if out := in.imported(int64(n+60), file); strings.Contains(out, "read to its end") {
					t.Errorf("it was read again:\n%s", out)
				}
				if code, v := in.verify(file); code != 0 || v.Approximate || v.Found != v.Lines {
					t.Errorf("verify: exit code %d, %+v", code, v)
				}
			}
		})
	}
}
