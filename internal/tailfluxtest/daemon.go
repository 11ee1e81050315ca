// Package tailfluxtest runs a built tailflux as a child process, for the demo
// and for tests that see it from outside, as an operator does.
//
// It promises that the child listens on a loopback port of its own and ends
// with the process that started it. It knows nothing of the program's inside: it
// uses its command line, its signals and /monitor. It imports the standard
// library only and needs Linux.
package tailfluxtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Options say what to run.
type Options struct {
	Binary  string
	Command string   // "" is run
	Args    []string // after the command; --state-dir, --listen and --influxdb-url are added
	Env     []string // NAME=value, in addition to this process's environment
	URL     string   // of InfluxDB; "" is as configured
	State   string   // the state directory; created if missing
	Output  string   // file that its log is appended to
}

// Daemon is one run of tailflux.
type Daemon struct {
	URL  string        // of its HTTP server
	Gone chan struct{} // closed when it has ended

	options Options
	cmd     *exec.Cmd
	err     error // how it ended; valid once Gone is closed
}

// Start starts tailflux and does not wait. The caller must call Stop or Kill.
func Start(o Options) (*Daemon, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(o.Output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	args := []string{cmp.Or(o.Command, "run"), "--state-dir", o.State, "--listen", address}
	if o.URL != "" {
		args = append(args, "--influxdb-url", o.URL)
	}
	args = append(args, o.Args...) // which may say another URL
	d := &Daemon{URL: "http://" + address, Gone: make(chan struct{}), options: o, cmd: exec.Command(o.Binary, args...)}
	d.cmd.Stdout, d.cmd.Stderr = output, output
	d.cmd.Env = append(d.cmd.Environ(), o.Env...)
	// In a process group of its own, so that Ctrl-C in a terminal reaches only
	// the parent; and it ends when the parent does, for whatever reason.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start tailflux: %w", err)
	}
	go func() { // ends with the process, which Stop and Kill wait for
		d.err = d.cmd.Wait()
		close(d.Gone)
	}()
	return d, nil
}

// freePort returns a loopback address that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Report is the part of /monitor that tests use.
type Report struct {
	MemoryBytes int64 `json:"memory_bytes"`
	Lines       struct {
		Read     int64 `json:"read"`
		Written  int64 `json:"written"`
		Rejected int64 `json:"rejected"`
		Filtered int64 `json:"filtered"`
		InFlight int64 `json:"in_flight"`
	} `json:"lines"`
	Throughput struct {
		Lines struct {
			Over1s float64 `json:"1s"`
		} `json:"lines_per_second"`
	} `json:"throughput"`
	Sources []struct {
		Name        string `json:"name"`
		Trouble     string `json:"trouble"`
		Offset      int64  `json:"offset"`
		LagBytes    int64  `json:"lag_bytes"`
		Rotations   int64  `json:"rotations"`
		Truncations int64  `json:"truncations"`
		WrittenLate int64  `json:"still_written_after_rotation"`
	} `json:"sources"`
	Rollups []struct {
		Measurement string  `json:"measurement"`
		Cells       int64   `json:"cells"`
		Intents     int64   `json:"intents"`
		OpenSeconds float64 `json:"open_seconds"`
		Refused     int64   `json:"refused_requests"`
		Expired     int64   `json:"expired_requests"`
	} `json:"rollups"`
	InfluxDB struct {
		Up            bool    `json:"up"`
		LastError     string  `json:"last_error"`
		OutageSeconds float64 `json:"outage_seconds"`
		Retries       int64   `json:"retries"`
	} `json:"influxdb"`
}

// Monitor fetches /monitor. It returns an error if the books do not balance.
func (d *Daemon) Monitor(ctx context.Context) (r Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+"/monitor", nil)
	if err != nil {
		return r, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return r, fmt.Errorf("/monitor: %w", err)
	}
	if l := r.Lines; l.Read != l.Written+l.Rejected+l.Filtered+l.InFlight {
		return r, fmt.Errorf("/monitor: the books do not balance: %+v", l)
	}
	return r, nil
}

// WaitFor fetches /monitor until wanted returns true, or limit has passed.
func (d *Daemon) WaitFor(limit time.Duration, wanted func(Report) bool) (r Report, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		if r, err = d.Monitor(ctx); err == nil && wanted(r) {
			return r, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-d.Gone:
			return r, fmt.Errorf("tailflux ended (%w): %s", d.err, d.Log())
		case <-ctx.Done():
			return r, fmt.Errorf("after %v: %w; last seen: %+v", limit, errors.Join(ctx.Err(), err), r)
		}
	}
}

// Signal sends a signal.
func (d *Daemon) Signal(s os.Signal) error { return d.cmd.Process.Signal(s) }

// Stop sends SIGTERM and waits. The error is nil if the exit code is 0.
func (d *Daemon) Stop() error {
	if err := d.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return d.Wait()
}

// Wait waits until it has ended. The error is nil if the exit code is 0.
func (d *Daemon) Wait() error {
	<-d.Gone
	if d.err != nil {
		return fmt.Errorf("tailflux: %w: %s", d.err, d.Log())
	}
	return nil
}

// ExitCode returns the exit code, -1 after a signal. It is valid after Wait.
func (d *Daemon) ExitCode() int { return d.cmd.ProcessState.ExitCode() }

// CPU returns the user and system time it has used. It is valid after Wait.
func (d *Daemon) CPU() time.Duration {
	return d.cmd.ProcessState.UserTime() + d.cmd.ProcessState.SystemTime()
}

// Kill ends it at once and waits. It may be called more than once.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill() // it may have ended already
	<-d.Gone
}

// PID returns its process ID.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Log returns its log so far.
func (d *Daemon) Log() string {
	log, _ := os.ReadFile(d.options.Output)
	return string(bytes.TrimSpace(log))
}

// RejectFile returns the path of its reject file.
func (d *Daemon) RejectFile() string { return filepath.Join(d.options.State, "rejects.jsonl") }

// Rejects returns the number of entries in the reject file.
func (d *Daemon) Rejects() (int64, error) {
	entries, err := os.ReadFile(d.RejectFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return int64(bytes.Count(entries, []byte{'\n'})), nil
}
