package influxdtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is one run of influxd.
type process struct {
	cmd    *exec.Cmd
	output *tail
	done   chan struct{} // closed when it is gone; then err is set
	err    error
}

// spawn starts influxd such that the kernel kills it when this process ends.
func spawn(opts Options, file string, env []string) (*process, error) {
	p := &process{output: new(tail), done: make(chan struct{})}
	p.cmd = exec.Command(opts.Binary, "run", "-config", file) // without a context: it outlives that of Start
	p.cmd.Dir = opts.Dir
	p.cmd.Env = env
	p.cmd.WaitDelay = 2 * time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // Ctrl-C in a terminal is for the owner, who stops us when it is time
	}
	var out io.Writer = p.output
	if opts.Output != nil {
		out = io.MultiWriter(p.output, opts.Output)
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out

	// The kernel takes the death of the starting *thread* for that of the
	// process, so the thread is kept until influxd is gone. Whoever holds p
	// waits for this goroutine through p.done.
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

// kill ends the process and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means it is gone
	<-p.done
}

// failure tells why a process that is gone has ended: errInUse or its exit
// status, with its last words.
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
