package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A log that is mounted alone into a container would end with its first rotation, and
// nothing would say so: check and the start do.
func TestLogThatIsAMountOfOneFileIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	host, container, other := filepath.Join(dir, "host.txt"), filepath.Join(dir, "access.log"), filepath.Join(dir, "other.log")
	for _, path := range []string{host, container, other} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(host, container, "", syscall.MS_BIND, ""); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("not permitted to mount a file:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(container, syscall.MNT_DETACH) })
	for path, warned := range map[string]bool{container: true, filepath.Join(dir, "*.log"): true, other: false, filepath.Join(dir, "oth*.log"): false} {
		const check = "is a mount of one file: its rotation cannot be seen; mount its directory"
		code, out := checked(t, "--path", path, "--name", "web")
		if (code == exitFailed) != warned || strings.Contains(out, container+" "+check) != warned || strings.Contains(out, other+" is a mount") {
			t.Errorf("check --path %s = %d, want an error about %s: %t; it prints\n%s", path, code, container, warned, out)
		}
		for _, once := range []string{"--once=false", "--once"} {
			// It ends at once: there is no such address here.
			_, _, stderr := printed("run", once, "--path", path, "--name", "web", "--format", "combined",
				"--state-dir", t.TempDir(), "--listen", "192.0.2.1:1", "--http-public", "--influxdb-url", "http://127.0.0.1:9")
			var said []string
			for line := range strings.Lines(stderr) {
				if strings.Contains(line, "is a mount of its own") {
					said = append(said, line)
				}
			}
			want := warned && once != "--once"
			if (len(said) == 1 && strings.Contains(said[0], `"file":"`+container+`"`)) != want || len(said) > 1 {
				t.Errorf("run %s --path %s: want a warning of %s: %t; it logs\n%s", once, path, container, want, stderr)
			}
		}
	}
}

// What is probably not meant is said by check as by the start, and is no reason to fail.
func TestCheckPrintsTheWarnings(t *testing.T) {
	log, token := writeTemp(t, "access.log", ""), writeTemp(t, "token", "secret\n")
	if err := os.Chmod(token, 0o644); err != nil {
		t.Fatal(err)
	}
	code, out := checked(t, "--path", log, "--state-dir", t.TempDir(), "--influxdb-token-file", token)
	if code != 0 || !strings.Contains(out, "warning  configuration  influxdb.token_file: everybody may read "+token+"; chmod 0640 it") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
