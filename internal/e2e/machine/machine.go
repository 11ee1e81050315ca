// Package machine boots a Debian with a real systemd as its pid 1, for tests: a
// container of systemd-nspawn from a tree that debootstrap has made. make e2e-deps
// installs the one and makes the other.
//
// Each machine begins with the same files, in memory, and nothing is left of it. It has
// the network of the machine that runs the test, and the same users, but for their
// names. Limits of memory are not enforced where the kernel's groups are of version 1.
//
// It needs root, or a sudo that asks nothing, and a kernel that allows namespaces.
// Where they are forbidden a test is skipped, with the reason; where something is not
// installed it fails.
package machine

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

//go:embed boot.sh
var bootScript string

const (
	bootTime = time.Minute // on a busy machine; 2 s is usual
	offTime  = 30 * time.Second
)

// Machine is one that runs.
type Machine struct {
	tb      testing.TB
	boot    *exec.Cmd
	console *bytes.Buffer
	off     chan struct{} // closed when it is
	leader  int           // its systemd
}

// Boot returns when systemd is up. The machine is switched off at the end of the test.
// tree is the tar with its files.
func Boot(tb testing.TB, tree string) *Machine {
	tb.Helper()
	tree, err := filepath.Abs(tree)
	if err == nil {
		_, err = os.Stat(tree)
	}
	if err != nil {
		tb.Fatalf("no Debian to boot: %v (make e2e-deps makes it)", err)
	}
	if _, err := exec.LookPath("systemd-nspawn"); err != nil {
		tb.Fatalf("%v (make e2e-deps installs it)", err)
	}
	if says, err := asRoot("unshare", "--mount", "--pid", "--fork", "--propagation", "private", "mount", "-t", "cgroup2", "none", "/mnt").CombinedOutput(); err != nil {
		tb.Skipf("SKIPPED: no machine can be booted here, root or namespaces are forbidden: %v: %s", err, bytes.TrimSpace(says))
	}
	dir, err := os.MkdirTemp("", "tailflux-machine-") //nolint:usetesting // it is mounted over, by root
	if err != nil {
		tb.Fatal(err)
	}
	m := &Machine{tb: tb, console: &bytes.Buffer{}, off: make(chan struct{})}
	m.boot = asRoot("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "bash", "-c", bootScript, "boot.sh", tree, dir)
	m.boot.Stdout, m.boot.Stderr = m.console, m.console
	// When the test is killed, the machine goes, too.
	m.boot.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() { // ends with the machine; the kernel watches its thread
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := m.boot.Start()
		started <- err
		if err == nil {
			_ = m.boot.Wait() // its output tells
			close(m.off)
		}
	}()
	if err := <-started; err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		m.Off()
		_ = os.Remove(dir) // it is empty
	})
	m.wait()
	return m
}

// asRoot is a command for root.
func asRoot(command ...string) *exec.Cmd {
	if os.Geteuid() != 0 {
		command = append([]string{"sudo", "-n"}, command...)
	}
	return exec.Command(command[0], command[1:]...)
}

// wait waits until systemd has started everything.
func (m *Machine) wait() {
	m.tb.Helper()
	var says string
	for deadline := time.Now().Add(bootTime); ; {
		if m.leader == 0 {
			m.leader = leader(m.boot.Process.Pid)
		}
		if m.leader != 0 {
			says, _ = m.Try("systemctl", "is-system-running")
			switch strings.TrimSpace(says) {
			case "running":
				return
			case "degraded":
				failed, _ := m.Try("systemctl", "--failed", "--no-legend")
				m.tb.Fatalf("the machine is up, but: %s", failed)
			}
		}
		select {
		case <-m.off:
			m.tb.Fatalf("the machine does not boot: %s", m.console)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			m.tb.Fatalf("the machine is not up after %v: %s", bootTime, says)
		}
	}
}

// leader is the pid, here, of the pid 1 of a container that a descendant of a process
// runs; 0 if there is none yet.
func leader(ancestor int) int {
	type process struct {
		parent int
		init   bool
	}
	all := map[int]process{}
	statuses, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, path := range statuses {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		p := process{}
		name := ""
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimSpace(value); key {
			case "Name":
				name = value
			case "PPid":
				p.parent, _ = strconv.Atoi(value)
			case "NSpid":
				p.init = name == "systemd" && strings.HasSuffix(value, "\t1")
			}
		}
		all[pid] = p
	}
	for pid, p := range all {
		for at := pid; p.init && at != 0; at = all[at].parent {
			if at == ancestor {
				return pid
			}
		}
	}
	return 0
}

// Command is one that runs in the machine, as root.
func (m *Machine) Command(command ...string) *exec.Cmd {
	inside := []string{
		"nsenter", "--target", strconv.Itoa(m.leader), "--all", "env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_PAGER=",
	}
	return asRoot(append(inside, command...)...)
}

// Try runs a command and returns what it prints.
func (m *Machine) Try(command ...string) (output string, err error) {
	says, err := m.Command(command...).CombinedOutput()
	return string(says), err
}

// Run is Try of a command that has to succeed.
func (m *Machine) Run(command ...string) string {
	m.tb.Helper()
	says, err := m.Try(command...)
	if err != nil {
		m.tb.Fatalf("%s: %v: %s", strings.Join(command, " "), err, says)
	}
	return says
}

// Shell runs a script, which has to succeed.
func (m *Machine) Shell(script string) string {
	m.tb.Helper()
	return m.Run("bash", "-euo", "pipefail", "-c", script)
}

// Put makes a file, with its directory.
func (m *Machine) Put(path string, mode fs.FileMode, content io.Reader) {
	m.tb.Helper()
	put := m.Command("sh", "-ec", `mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"`, "sh", path, fmt.Sprintf("%o", mode))
	put.Stdin = content
	if says, err := put.CombinedOutput(); err != nil {
		m.tb.Fatalf("%s: %v: %s", path, err, says)
	}
}

// Until waits until done, which takes no longer than limit.
func (m *Machine) Until(limit time.Duration, what string, done func() bool) {
	m.tb.Helper()
	late := time.After(limit)
	for !done() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-late:
			m.tb.Fatalf("after %v: not yet %s", limit, what)
		}
	}
}

// Off switches the machine off, unless it is off.
func (m *Machine) Off() {
	if m.leader != 0 {
		_, _ = m.Try("systemctl", "poweroff") // or it is killed
	}
	select {
	case <-m.off:
	case <-time.After(offTime):
		m.tb.Errorf("the machine was not off after %v: %s", offTime, m.console)
		_ = asRoot("kill", "-KILL", strconv.Itoa(m.boot.Process.Pid)).Run()
		<-m.off
	}
}
