package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/config"
)

// initTree is a directory with an nginx.conf, and no nginx.
func initTree(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("PATH", dir)
	places := nginxPlaces
	nginxPlaces = nil
	t.Cleanup(func() { nginxPlaces = places })
	put(t, filepath.Join(dir, "nginx.conf"), "http { server { access_log /var/log/nginx/a.log; access_log syslog:server=h; } }", 0o600)
	return dir
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func contents(path string) string {
	text, _ := os.ReadFile(path) // "" without
	return string(text)
}

// Without a terminal, the configuration is printed; --yes writes it, once, and never
// over another.
func TestInitWritesWhenAsked(t *testing.T) {
	dir := initTree(t)
	file := filepath.Join(dir, "etc", "tailflux.yaml")
	args := []string{"init", "--nginx-conf", filepath.Join(dir, "nginx.conf"), "--config", file}
	run := func(wantCode int, wantOut, wantErr, wantFile string, more ...string) {
		t.Helper()
		code, out, errs := printed(append(args, more...)...)
		if got := contents(file); code != wantCode || !strings.Contains(out, wantOut) || !strings.Contains(errs, wantErr) || !strings.Contains(got, wantFile) || wantFile == "" && got != "" {
			t.Errorf("%q = exit %d\n%s%s\nand the file is\n%s", more, code, out, errs, got)
		}
	}
	run(0, "path: /var/log/nginx/a.log", "nothing was written, because this is no terminal to ask on: --yes writes "+file, "")
	run(0, "", "left out: "+dir+"/nginx.conf:1: access_log syslog:server=h: it goes to syslog", "url: http://db:8086", "--yes", "--influxdb-url", "http://db:8086")
	run(0, "", "is like that already; nothing was written", "url: http://db:8086", "--yes", "--influxdb-url", "http://db:8086")
	run(1, "-   url: http://db:8086\n+   url: http://other:8086", "nothing was written: add --force to replace it", "http://db:8086", "--yes", "--influxdb-url", "http://other:8086")
	run(0, "", "--yes --force replaces it", "http://db:8086", "--influxdb-url", "http://other:8086")
	run(0, "", "wrote "+file+"; next: tailflux check --config "+file+"\n", "http://other:8086", "--yes", "--force", "--influxdb-url", "http://other:8086")
	if old := contents(file + ".old"); !strings.Contains(old, "http://db:8086") {
		t.Errorf("the old one is\n%s", old)
	}
	if code, out, errs := printed("check", "--print", "--config", file); code != 0 || !strings.Contains(out, "path: /var/log/nginx/a.log") {
		t.Errorf("check --print = exit %d\n%s%s", code, out, errs)
	}
	put(t, file, "# only comments, as in a package\n", 0o600)
	run(0, "", "wrote "+file, "path: /var/log/nginx/a.log", "--yes")
}

// The group tailflux may read the file, if there is one; otherwise everybody may.
func TestInitModes(t *testing.T) {
	was := ownGroup
	t.Cleanup(func() { ownGroup = was })
	file := filepath.Join(t.TempDir(), "tailflux.yaml")
	for _, tt := range []struct {
		is   bool
		mode os.FileMode
	}{{true, 0o640}, {false, 0o644}} {
		ownGroup = func() (int, bool) { return os.Getgid(), tt.is }
		if err := writeConfigFile(file, "x", false); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != tt.mode {
			t.Errorf("there is a group: %t; the mode is %v, %v", tt.is, info.Mode(), err)
		}
	}
}

// What is wrong is said with its remedy, and with the exit code of the contract.
func TestInitMistakes(t *testing.T) {
	dir := initTree(t)
	conf := filepath.Join(dir, "nginx.conf")
	put(t, filepath.Join(dir, "broken.conf"), "http {", 0o600)
	put(t, filepath.Join(dir, "syslog.conf"), "http { access_log syslog:server=h; server {} }", 0o600)
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"init", 2, "there is no nginx here; name its configuration with --nginx-conf FILE, or run nginx -T where it is"},
		{"init --nginx-conf " + dir + "/none.conf", 2, "no such file or directory"},
		{"init --nginx-conf " + dir + "/broken.conf", 2, "broken.conf:1: http: the block that begins here is not closed"},
		{"init --yes --nginx-conf " + dir + "/syslog.conf", 1, "nginx writes no access log that can be followed; nothing was written"},
		{"init --path /x.log --nginx-conf " + conf, 2, "--path is of one source"},
		{"init --influxdb-url db --nginx-conf " + conf, 2, `--influxdb-url: got "db"`},
		{"init x", 2, `unknown command or argument "x"`},
	} {
		if code, out, errs := printed(strings.Fields(tt.args)...); code != tt.code || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%s = exit %d\n%s%s, want %d, %s", tt.args, code, out, errs, tt.code, tt.want)
		}
	}
}

// nginx is asked; if it refuses its configuration, that is read without it.
func TestInitAsksNginx(t *testing.T) {
	dir := initTree(t)
	const nginx = `#!/bin/sh
case $1 in
-V) echo "configure arguments: --prefix=DIR --conf-path=DIR/nginx.conf" >&2 ;;
-T) echo "# configuration file /etc/nginx/nginx.conf:"; echo "http { server { access_log logs/asked.log; } }" ;;
esac
`
	put(t, filepath.Join(dir, "nginx"), strings.ReplaceAll(nginx, "DIR", dir), 0o700)
	if code, out, errs := printed("init"); code != 0 || !strings.Contains(out, "path: "+dir+"/logs/asked.log") || !strings.Contains(out, "in nginx -T") {
		t.Errorf("init = exit %d\n%s%s", code, out, errs)
	}
	const refusing = `#!/bin/sh
case $1 in
-V) echo "configure arguments: --prefix=DIR --conf-path=nginx.conf" >&2 ;;
-T) echo "nginx: [emerg] host not found in upstream \"db\"" >&2; exit 1 ;;
esac
`
	put(t, filepath.Join(dir, "nginx"), strings.ReplaceAll(refusing, "DIR", dir), 0o700)
	code, out, errs := printed("init")
	if code != 0 || !strings.Contains(out, "path: /var/log/nginx/a.log") || !strings.Contains(errs, `host not found in upstream "db"; reading `+dir+"/nginx.conf instead") {
		t.Errorf("init = exit %d\n%s%s", code, out, errs)
	}
}

// On a terminal, it asks.
func TestInitAsksOnATerminal(t *testing.T) {
	dir := initTree(t)
	file := filepath.Join(dir, "tailflux.yaml")
	for _, tt := range []struct {
		answer string
		writes bool
	}{{"\n", false}, {"n\n", false}, {"yes please\n", false}, {"y\n", true}} {
		us, terminal := pty(t)
		stdin := os.Stdin
		os.Stdin = terminal
		if _, err := us.WriteString(tt.answer); err != nil {
			t.Fatal(err)
		}
		code := execute([]string{"init", "--nginx-conf", filepath.Join(dir, "nginx.conf"), "--config", file}, terminal, terminal)
		os.Stdin = stdin
		seen := make([]byte, 1<<16)
		n, _ := us.Read(seen)
		if writes := contents(file) != ""; code != 0 || writes != tt.writes {
			t.Errorf("answer %q: exit %d, written: %t\n%s", tt.answer, code, writes, seen[:n])
		}
	}
}

// pty makes a terminal.
func pty(t *testing.T) (us, terminal *os.File) {
	t.Helper()
	us, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { us.Close() })
	if err := unix.IoctlSetPointerInt(int(us.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(us.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { terminal.Close() })
	return us, terminal
}

// Who may not read nginx.conf is told how, with the exit code of one that cannot be read.
func TestInitMayNotRead(t *testing.T) {
	err := wrong(&fs.PathError{Op: "open", Path: "/etc/nginx/nginx.conf", Err: syscall.EACCES})
	if _, usage := errors.AsType[config.UsageError](err); !usage || err.Error() != "init: open /etc/nginx/nginx.conf: permission denied; run it as root" {
		t.Errorf("wrong = %#v, %[1]v", err)
	}
}
