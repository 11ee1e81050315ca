package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tailflux/tailflux/internal/help"
)

// printed is what a command line prints, and its exit code.
func printed(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(args, &out, &errs)
	return code, out.String(), errs.String()
}

// What cannot be printed is a failure, of each command that prints something.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	dir := initTree(t)
	for _, line := range []string{
		"--help", "help", "help config", "check --help", "version", "check --print --path /a.log",
		"init --nginx-conf " + filepath.Join(dir, "nginx.conf") + " --config " + filepath.Join(dir, "new.yaml"),
	} {
		var errs bytes.Buffer
		if code := execute(strings.Fields(line), full, &errs); code != exitFailed || !strings.Contains(errs.String(), "/dev/full: no space left on device") {
			t.Errorf("tailflux %s >/dev/full = exit %d, %q, want %d and why", line, code, errs.String(), exitFailed)
		}
	}
}

func commands(c *cobra.Command) (all []*cobra.Command) {
	all = append(all, c)
	for _, sub := range c.Commands() {
		all = append(all, commands(sub)...)
	}
	return all
}

// The help of each command fits a screen, has the command's own flags, and says
// where those of the configuration are listed.
func TestHelpFitsAScreen(t *testing.T) {
	for _, cmd := range commands(rootCommand(io.Discard, []string{"help"})) {
		args := strings.Fields(cmd.CommandPath() + " --help")[1:]
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			code, out, errs := printed(args...)
			if code != 0 || errs != "" {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			if n := strings.Count(out, "\n"); n > 40 {
				t.Errorf("%d lines", n)
			}
			for line := range strings.Lines(out) {
				if utf8.RuneCountInString(strings.TrimSpace(line)) > 80 {
					t.Errorf("over 80 columns: %s", line)
				}
			}
			for _, f := range []string{"once", "file", "json", "source"} {
				if own := cmd.Flags().Lookup(f) != nil; own != strings.Contains(out, "--"+f+" ") && !strings.Contains(out, "tailflux "+args[0]+" --"+f) {
					t.Errorf("--%s is a flag: %t; but it says\n%s", f, own, out)
				}
			}
			if configured := cmd.Flags().Lookup("state-dir") != nil; configured != strings.Contains(out, "tailflux help config") && cmd.Name() != "help" ||
				strings.Contains(out, "--state-dir") {
				t.Errorf("it has the flags of the configuration: %t; but it says\n%s", configured, out)
			}
			if !strings.Contains(out, "\nExamples:\n  ") && cmd.Parent() == cmd.Root() {
				t.Error("no examples")
			}
		})
	}
}

// The flags of the configuration are listed once.
func TestHelpOfTheConfiguration(t *testing.T) {
	code, out, errs := printed("help", "config")
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	root := rootCommand(io.Discard, []string{"help"})
	root.Flags().VisitAll(func(f *pflag.Flag) {
		if help.IsConfigFlag(f) != strings.Contains(out, "--"+f.Name+" ") {
			t.Errorf("--%s is one of them: %t; but it says\n%s", f.Name, help.IsConfigFlag(f), out)
		}
	})
}

// The help of the configuration names the keys that are no flags, as the documentation does.
func TestHelpNamesWhatIsForTheFileAlone(t *testing.T) {
	_, out, _ := printed("help", "config")
	_, list, _ := strings.Cut(strings.Join(strings.Fields(out), " "), "The lists ")
	list, _, _ = strings.Cut(list, " are for the file alone")
	list = " " + strings.NewReplacer(",", "", "and ", "").Replace(list) + " "
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(string(page)) {
		if key, _, isRow := strings.Cut(row, "`<br>"); isRow && strings.HasSuffix(strings.TrimSpace(row), "| only in the file |") {
			if key := strings.TrimPrefix(key, "| `"); !strings.Contains(list, " "+key+" ") {
				t.Errorf("help config says that %s are for the file alone, and not %s", list, key)
			}
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"access.log", "error.log", "notes"} {
		if err := os.WriteFile(name, []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ args, want string }{
		{"--influx-url x", "tailflux: unknown flag: --influx-url: did you mean --influxdb-url?"},
		{"run --url x", "tailflux: unknown flag: --url: did you mean --influxdb-url?"},
		{"run -path x", "tailflux: unknown flag: -path: did you mean --path?"},
		{"verify --jsn", "tailflux: unknown flag: --jsn: did you mean --json?"},
		{"--version", "tailflux: unknown flag: --version: did you mean tailflux version?"},
		{"-V", "tailflux: unknown flag: -V: did you mean tailflux version?"},
		{"check --version", "tailflux: unknown flag: --version: did you mean tailflux version?"},
		{"run --once=maybe", `tailflux: --once: got "maybe", want true or false, or nothing, which is true`},
		{"query --top=many", `tailflux: --top: got "many", want a whole number`},
		{"check --verbose", "tailflux: unknown flag: --verbose; see tailflux check --help"},
		{"chekc", `tailflux: unknown command or argument "chekc": did you mean tailflux check?`},
		{"help chekc", `tailflux: unknown command or argument "chekc": did you mean tailflux check?`},
		{"whatever", `tailflux: unknown command or argument "whatever"; see tailflux --help`},
		{"check y.yaml", `tailflux: check: unknown command or argument "y.yaml": did you mean --config y.yaml?`},
		{"run access.log", `tailflux: run: unknown command or argument "access.log": did you mean --path access.log?`},
		{"run notes", `tailflux: run: unknown command or argument "notes": did you mean --path notes?`},
		{"run --path access.log error.log", `tailflux: run: unknown command or argument "error.log": put a glob in quotes, such as --path '*.log'`},
		{"check --influxdb-gzip yes", `tailflux: check: unknown command or argument "yes": write --influxdb-gzip=true`},
		{"check --json --path a.log --influxdb-gzip true", `tailflux: check: unknown command or argument "true": write --influxdb-gzip=true`},
		{"check --influxdb-gzip true --json", `tailflux: check: unknown command or argument "true": write --influxdb-gzip=true`},
		{"--wakeups off --influxdb-gzip", `tailflux: unknown command or argument "off": write --wakeups=false`},
		{"check --influxdb-gzip --json=true --path off off", `tailflux: check: unknown command or argument "off"; see tailflux check --help`},
		{"run --wakeups no", `tailflux: run: unknown command or argument "no": write --wakeups=false`},
		{"explain access.log", "tailflux: explain: access.log is a file, and arguments are lines: use --file access.log"},
		{"version x", `tailflux: version: unknown command or argument "x"; see tailflux version --help`},
		{"import", "tailflux: import: no file given; see tailflux import --help"},
		{"completion tcsh", `tailflux: completion: got ["tcsh"], want one of the shells bash, fish, powershell and zsh`},
	} {
		if code, out, errs := printed(strings.Fields(tt.args)...); code != exitUsage || errs != tt.want+"\n" || out != "" {
			t.Errorf("tailflux %s = exit %d, %s%s, want %s", tt.args, code, out, errs, tt.want)
		}
	}
}

// -c is --config.
func TestConfigHasAShortFlag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(file, []byte("sources: [{path: /x.log}]\nmeasurement: short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := printed("check", "--print", "-c", file); code != 0 || !strings.Contains(out, "measurement: short") {
		t.Errorf("check -c = exit %d\n%s%s", code, out, errs)
	}
}

// A variable that is nearly one of ours does nothing, and that is said.
func TestVariablesThatSetNothing(t *testing.T) {
	t.Setenv("TAILFLUX_INFLUX_URL", "http://db:8086")
	t.Setenv("TAILFLUX_PORT_9193_TCP", "tcp://10.0.0.1:9193")
	code, _, errs := printed("verify", "--path", "/x.log", "/none.log")
	if code == 0 || strings.Count(errs, "has no effect") != 1 || !strings.Contains(errs, `"keys":"TAILFLUX_INFLUX_URL","reason":"did you mean TAILFLUX_INFLUXDB_URL?"`) {
		t.Errorf("verify = exit %d\n%s", code, errs)
	}
	code, out := checked(t, "--path", writeTemp(t, "access.log", ""), "--state-dir", t.TempDir())
	if code != 0 || strings.Count(out, "has no effect") != 1 || !strings.Contains(out, "TAILFLUX_INFLUX_URL has no effect; did you mean TAILFLUX_INFLUXDB_URL?") {
		t.Errorf("check = exit %d\n%s", code, out)
	}
}
