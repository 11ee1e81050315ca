// Runpeer times one command that reads the log and writes to the store: from
// its start to the last point, its CPU, its memory, and whether every line
// became exactly one point. Then it stops the command and all its children.
//
//	runpeer -null -url http://127.0.0.1:29400 -log access.log -n 1000000 -- COMMAND...
//
// {url}, {db}, {log} and {state} in COMMAND are replaced, and are in its
// environment as BENCH_URL, BENCH_DB, BENCH_LOG and BENCH_STATE. Linux only.
//
// It is one file of over 300 lines because it is kept as it was when the reference
// figures were measured with it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/bench/internal/result"
	"github.com/tailflux/tailflux/internal/bench/internal/store"
)

const (
	poll      = 20 * time.Millisecond
	rssPoll   = 100 * time.Millisecond
	stopGrace = 15 * time.Second // from SIGTERM to SIGKILL
)

func init() {
	runtime.LockOSThread() // Pdeathsig is tied to the thread that starts the command
}

func main() {
	var p peer
	url := flag.String("url", "", "where the command writes")
	db := flag.String("db", "bench", "database")
	null := flag.Bool("null", false, "the store is the null sink, not an influxd")
	log := flag.String("log", "", "log the command reads")
	state := flag.String("state", "", "directory for the command's state, to begin with an empty one")
	out := flag.String("o", "", "also append the result to this file")
	flag.StringVar(&p.name, "name", "command", "name in the result")
	flag.StringVar(&p.output, "output", os.DevNull, "file for what the command prints")
	flag.Int64Var(&p.lines, "n", 1_000_000, "lines in the log")
	flag.IntVar(&p.storePID, "storepid", 0, "process id of the store, for its CPU")
	flag.DurationVar(&p.stall, "stall", 20*time.Second, "give up when no point arrives for so long")
	flag.DurationVar(&p.limit, "max", 10*time.Minute, "give up after")
	flag.Parse()

	values := [][2]string{{"url", *url}, {"db", *db}, {"log", *log}, {"state", *state}}
	p.env = os.Environ()
	p.args = flag.Args()
	for _, v := range values {
		p.env = append(p.env, "BENCH_"+strings.ToUpper(v[0])+"="+v[1])
		for i := range p.args {
			p.args[i] = strings.ReplaceAll(p.args[i], "{"+v[0]+"}", v[1])
		}
	}
	p.store = store.New(*url, *db, *null)
	run, err := p.run()
	if err == nil {
		err = run.Emit(*out)
	}
	if err == nil && run.Status != result.OK {
		err = errors.New(run.Status)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "runpeer: %s: %v\n", p.name, err)
		os.Exit(1)
	}
}

type peer struct {
	name         string
	args, env    []string
	output       string
	store        *store.Store
	storePID     int
	lines        int64
	stall, limit time.Duration
}

func (p *peer) run() (run result.Run, err error) {
	run = result.Run{Name: p.name, Lines: p.lines}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGINT, syscall.SIGTERM)
	if err := p.store.WaitReady(30 * time.Second); err != nil {
		return run, err
	}
	if err := p.store.Reset(p.lines); err != nil {
		return run, err
	}
	// Adopt grandchildren whose parent dies, so that all can be stopped and
	// their CPU counted.
	const prSetChildSubreaper = 36
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0); e != 0 {
		return run, fmt.Errorf("become subreaper: %w", e)
	}
	// A child's peak starts at ours: it is forked from us.
	rssFloor := int64(usage(syscall.RUSAGE_SELF).Maxrss) //nolint:unconvert // 32 bits on ARM
	storeCPU := store.CPU(p.storePID)

	start := time.Now()
	pid, err := p.start()
	if err != nil {
		return run, err
	}
	gone := make(chan struct{})
	var exit syscall.WaitStatus
	go func() {
		defer close(gone)
		exit = reap(pid)
	}()

	last, reason, rss := p.watch(start, gone, stopped)
	run.StoreCPUS = store.CPU(p.storePID) - storeCPU
	stop(gone, pid)
	run.WallS = last.Sub(start).Seconds()
	u := usage(syscall.RUSAGE_CHILDREN)
	run.UserS, run.SysS = seconds(u.Utime), seconds(u.Stime)
	run.CPUS = run.UserS + run.SysS
	if used := int64(u.Maxrss); used > rssFloor { //nolint:unconvert // 32 bits on ARM
		rss = max(rss, used)
	}
	run.RSSMB = float64(rss) / 1024

	// Only now: stopping may have written more.
	if run.Points, _, err = p.store.Points(); err != nil {
		return run, err
	}
	if run.Stored, err = p.store.Stored(); err != nil {
		return run, err
	}
	if run.WallS > 0 {
		run.LinesPerS = float64(min(run.Points, run.Lines)) / run.WallS
	}
	run.Judge()
	if reason != "" && run.Status != result.OK {
		run.Status = reason + ", " + run.Status
		if reason == exited {
			run.Status = fmt.Sprintf("%s %d, %s", exited, exit.ExitStatus(), run.Status[len(exited)+2:])
		}
	}
	if reason == interrupted {
		return run, errors.New(reason)
	}
	return run, nil
}

const (
	exited      = "exited"
	interrupted = "interrupted"
)

// watch returns when the last line is in the store, or says why it gave up.
// last is when the last point arrived; rss is the peak seen, in KiB.
func (p *peer) watch(start time.Time, gone <-chan struct{}, stopped <-chan os.Signal) (last time.Time, reason string, rss int64) {
	last = start
	var seen int64
	var rssAt time.Time
	for reason == "" {
		select {
		case <-gone:
			reason = exited // but count once more
		case <-stopped:
			return last, interrupted, rss
		case <-time.After(poll):
		}
		points, done, err := p.store.Points()
		now := time.Now()
		if err != nil {
			return last, "store: " + err.Error(), rss
		}
		if points > seen {
			seen, last = points, now
		}
		if now.Sub(rssAt) >= rssPoll || points >= p.lines {
			rss, rssAt = max(rss, peakRSS()), now
		}
		switch {
		case points >= p.lines:
			if !done.IsZero() {
				last = done
			}
			return last, "", rss
		case now.Sub(last) > p.stall:
			return last, "stalled", rss
		case now.Sub(start) > p.limit:
			return last, "took too long", rss
		}
	}
	return last, reason, rss
}

// start starts the command in its own process group, to die if we do.
func (p *peer) start() (pid int, err error) {
	if len(p.args) == 0 {
		return 0, errors.New("no command given")
	}
	path, err := exec.LookPath(p.args[0])
	if err != nil {
		return 0, err
	}
	in, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.Create(p.output)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	pid, err = syscall.ForkExec(path, p.args, &syscall.ProcAttr{
		Env:   p.env,
		Files: []uintptr{in.Fd(), out.Fd(), out.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	return pid, nil
}

// reap waits until no child is left and returns how pid ended.
func reap(pid int) (exit syscall.WaitStatus) {
	for {
		var ws syscall.WaitStatus
		child, err := syscall.Wait4(-1, &ws, 0, nil)
		if err == syscall.ECHILD {
			return exit
		}
		if child == pid {
			exit = ws
		}
	}
}

// stop ends the command and its children, politely first.
func stop(gone <-chan struct{}, pid int) {
	signalAll := func(sig syscall.Signal) {
		syscall.Kill(-pid, sig)
		for _, child := range children(os.Getpid()) {
			syscall.Kill(child, sig)
		}
	}
	select {
	case <-gone:
		return
	default:
		signalAll(syscall.SIGTERM)
	}
	grace := stopGrace
	for {
		select {
		case <-gone:
			return
		case <-time.After(grace):
			signalAll(syscall.SIGKILL)
			grace = poll // a fork may have slipped through
		}
	}
}

// children returns all descendants of a process.
func children(pid int) (pids []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		for _, f := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(f); err == nil {
				pids = append(append(pids, child), children(child)...)
			}
		}
	}
	return pids
}

// peakRSS adds up the peaks of all descendants, in KiB.
func peakRSS() (kib int64) {
	for _, pid := range children(os.Getpid()) {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, after, _ := strings.Cut(string(b), "VmHWM:")
		if f := strings.Fields(after); len(f) > 0 {
			n, _ := strconv.ParseInt(f[0], 10, 64)
			kib += n
		}
	}
	return kib
}

func usage(who int) (u syscall.Rusage) {
	syscall.Getrusage(who, &u)
	return u
}

func seconds(tv syscall.Timeval) float64 {
	return time.Duration(tv.Nano()).Seconds()
}
