package influxdtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is one run of a server.
type process struct {
	cmd    *exec.Cmd
	output *tail
	done   chan struct{} // closed when it has ended; then err is set
	err    error
}

// spawn starts a server in its directory so that the kernel kills it when this process
// ends. Its output goes to output, too, unless that is nil.
func spawn(binary, dir string, args, env []string, output io.Writer) (*process, error) {
	p := &process{output: new(tail), done: make(chan struct{})}
	p.cmd = exec.Command(binary, args...) // without a context: the process outlives the context of Start
	p.cmd.Dir = dir
	p.cmd.Env = env
	p.cmd.WaitDelay = 2 * time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // Ctrl-C in a terminal must reach only the owner, which stops the server itself
	}
	var out io.Writer = p.output
	if output != nil {
		out = io.MultiWriter(p.output, output)
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out

	// The kernel kills it when the *thread* that started it ends, so the
	// thread is kept until then. The owner of p waits for this
	// goroutine through p.done.
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop sends SIGTERM and waits until it has ended. The error is that it had ended by itself,
// failed, or had to be killed.
func (p *process) stop(name string) error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended by itself: %w", name, p.failure())
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.done:
		if p.err != nil {
			return fmt.Errorf("stop %s: %w", name, p.failure())
		}
		return nil
	case <-timeout.C:
		p.kill()
		return fmt.Errorf("stop %s: still running %s after TERM, killed", name, stopTimeout)
	}
}

// until waits until the server answers. If it does not, it is killed.
func (p *process) until(ctx context.Context, url string, answers func(context.Context) bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return p.failure()
		case <-ctx.Done():
			p.kill()
			return fmt.Errorf("no answer on %s: %w\n%s", url, context.Cause(ctx), p.lastWords())
		case <-tick.C:
		}
		if answers(ctx) {
			return nil
		}
	}
}

// kill ends the process and waits until it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended already
	<-p.done
}

// failure returns why a process ended: errInUse or its exit status, with the last
// lines of its output.
func (p *process) failure() error {
	err := p.err
	switch {
	case bytes.Contains(p.output.bytes(), []byte(errInUse.Error())):
		err = errInUse
	case err == nil:
		err = errors.New("exit status 0")
	}
	return fmt.Errorf("%w\n%s", err, p.lastWords())
}

func (p *process) lastWords() string { return lastLines(p.output.bytes(), 30) }

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 64 << 10

// Write implements [io.Writer].
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if n := len(t.buf); n > 2*tailBytes {
		t.buf = append(t.buf[:0], t.buf[n-tailBytes:]...)
	}
	return len(b), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.buf)
}
