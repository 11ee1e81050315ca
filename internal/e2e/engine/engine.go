// Package engine runs a Docker engine for a test: Debian's, unpacked by make compose,
// in namespaces of its own and with all its files in one directory. It pulls nothing;
// images are made from programs of this machine.
//
// It needs root. Nothing is left of it, but for empty control groups called docker.
package engine

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	//go:embed start.sh
	startScript string
	//go:embed images.sh
	imagesScript string
)

const patience = time.Minute // for what takes seconds, on a busy machine

// Engine is one that runs.
type Engine struct {
	tb   testing.TB
	tree string
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Start returns when the engine answers. It ends with the test, and so do its
// containers. tree is where Debian's packages are unpacked.
func Start(tb testing.TB, tree string) *Engine {
	tb.Helper()
	tree, err := filepath.Abs(tree)
	if err != nil {
		tb.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tailflux-engine-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		tb.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	e := &Engine{tb: tb, tree: tree, dir: dir, done: make(chan struct{})}
	e.cmd = exec.Command("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
		"bash", "-c", startScript, "start.sh", tree, dir)
	e.cmd.Stdout, e.cmd.Stderr = log, log
	// When the test is killed, the engine goes, too.
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() { // ends with the engine; the kernel watches its thread
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := e.cmd.Start()
		started <- err
		if err == nil {
			_ = e.cmd.Wait()
		}
		close(e.done)
	}()
	if err := <-started; err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.end)
	e.WaitFor("the engine", func() error {
		_, err := e.Run("docker", "version")
		return err
	})
	return e
}

// end ends the engine gently, which ends its containers.
func (e *Engine) end() {
	if first, err := e.first(); err == nil {
		_ = exec.Command("kill", first).Run()
	}
	select {
	case <-e.done:
	case <-time.After(patience):
		_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL)
		<-e.done
	}
	if e.tb.Failed() {
		if log, err := os.ReadFile(filepath.Join(e.dir, "log")); err == nil {
			e.tb.Logf("the engine said:\n%s", log[max(0, len(log)-4000):])
		}
	}
	if err := os.RemoveAll(e.dir); err != nil {
		e.tb.Error(err)
	}
}

// first is the pid of the engine's first process, outside.
func (e *Engine) first() (string, error) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", e.cmd.Process.Pid))
	if err != nil {
		return "", err
	}
	if fields := strings.Fields(string(children)); len(fields) == 1 {
		return fields[0], nil
	}
	return "", fmt.Errorf("the engine has processes %q, want one", children)
}

// Images makes stand-ins for images of golang, nginx, influxdb and grafana.
func (e *Engine) Images(influxd, golang, nginx, influxdb, grafana string) {
	e.tb.Helper()
	if says, err := e.Run("bash", "-c", imagesScript, "images.sh", e.tree, e.dir, influxd, golang, nginx, influxdb, grafana); err != nil {
		e.tb.Fatalf("images: %v\n%s", err, says)
	}
}

// Run runs a command that uses this engine.
func (e *Engine) Run(command ...string) (string, error) {
	if _, err := exec.LookPath(command[0]); err != nil { // the machine's own docker may have the compose plugin, Debian's has not
		command[0] = filepath.Join(e.tree, "usr", "bin", command[0])
	}
	cmd := exec.Command("env", append([]string{"DOCKER_HOST=unix://" + e.dir + "/sock", "DOCKER_BUILDKIT=0", "COMPOSE_DOCKER_CLI_BUILD=0"}, command...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

// Inside runs a command where the engine is: with its network, and its processes.
func (e *Engine) Inside(command ...string) (string, error) {
	first, err := e.first()
	if err != nil {
		return "", err
	}
	return e.Run(append([]string{"nsenter", "--target", first, "--mount", "--net", "--pid"}, command...)...)
}

// WaitFor asks again and again, and fails the test with the last error.
func (e *Engine) WaitFor(what string, ask func() error) {
	e.tb.Helper()
	for deadline := time.Now().Add(patience); ; {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			e.tb.Fatalf("%s, in vain for %v: %v", what, patience, err)
		}
		select {
		case <-e.done:
			e.tb.Fatalf("%s: the engine has ended", what)
		case <-time.After(time.Second):
		}
	}
}
