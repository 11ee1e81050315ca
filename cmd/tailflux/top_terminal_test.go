package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/top"
)

// atTerminal is a tailflux that runs at a terminal of its own.
type atTerminal struct {
	t            *testing.T
	cmd          *exec.Cmd
	ours, theirs *os.File // the two ends of the terminal
	before       unix.Termios

	mu     sync.Mutex
	output strings.Builder
}

// runAt starts tailflux at a terminal of that size.
func runAt(t *testing.T, w, h uint16, env []string, args ...string) *atTerminal {
	t.Helper()
	return commandAt(t, w, h, append(env, isTailflux+"=1"), os.Args[0], args...)
}

// commandAt starts any program there.
func commandAt(t *testing.T, w, h uint16, env []string, program string, args ...string) *atTerminal {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	at := &atTerminal{t: t, ours: ours, theirs: theirs}
	at.resize(w, h)
	at.before = at.state()
	at.cmd = exec.CommandContext(t.Context(), program, args...)
	at.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8"), env...)
	at.cmd.Stdin, at.cmd.Stdout, at.cmd.Stderr = theirs, theirs, theirs
	at.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := at.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { at.cmd.Process.Kill() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ours.Read(buf)
			if err != nil {
				return
			}
			at.mu.Lock()
			at.output.Write(buf[:n])
			at.mu.Unlock()
		}
	}()
	return at
}

func (at *atTerminal) resize(w, h uint16) {
	at.t.Helper()
	if err := unix.IoctlSetWinsize(int(at.ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: w, Row: h}); err != nil {
		at.t.Fatal(err)
	}
}

func (at *atTerminal) state() unix.Termios {
	at.t.Helper()
	state, err := unix.IoctlGetTermios(int(at.theirs.Fd()), unix.TCGETS)
	if err != nil {
		at.t.Fatal(err)
	}
	return *state
}

func (at *atTerminal) press(keys string) {
	at.t.Helper()
	if _, err := at.ours.WriteString(keys); err != nil {
		at.t.Fatal(err)
	}
}

// said is all that it has written.
func (at *atTerminal) said() string {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.output.String()
}

// until waits until there is a text on the screen.
func (at *atTerminal) until(want string) {
	at.t.Helper()
	at.wait(want, func() bool { return strings.Contains(screen(at.said()), want) })
}

func (at *atTerminal) wait(what string, is func() bool) {
	at.t.Helper()
	for limit := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			at.t.Fatalf("it has not come to %q:\n%s", what, screen(at.said()))
		}
	}
}

var sequence = regexp.MustCompile(`\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()].|[=>])`)

// screen is what a terminal shows that got a text: here, each rune is one column wide.
func screen(text string) string {
	var rows [100][300]rune
	y, x := 0, 0
	for text != "" {
		at := sequence.FindStringSubmatchIndex(text)
		if len(at) > 0 && at[0] == 0 {
			if at[4] >= 0 {
				switch arguments := text[at[2]:at[3]]; text[at[4]:at[5]] {
				case "H":
					y, x = 0, 0
					if arguments != "" {
						fmt.Sscanf(arguments, "%d;%d", &y, &x)
						y, x = y-1, x-1
					}
				case "J":
					rows = [100][300]rune{}
				}
			}
			text = text[at[1]:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch r {
		case '\n':
			y++
		case '\r':
			x = 0
		default:
			rows[y][x] = r
			x++
		}
		text = text[size:]
	}
	var b strings.Builder
	for _, row := range rows {
		line := strings.TrimRight(strings.ReplaceAll(string(row[:]), "\x00", " "), " ")
		b.WriteString(line + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// ends waits for the end, and wants the terminal as it was.
func (at *atTerminal) ends(code int) {
	at.t.Helper()
	done := make(chan error, 1)
	go func() { done <- at.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		at.cmd.Process.Kill()
		at.t.Fatalf("it does not end:\n%q", at.said())
	}
	if got := at.cmd.ProcessState.ExitCode(); got != code {
		at.t.Errorf("exit code %d, want %d", got, code)
	}
	if after := at.state(); after != at.before {
		at.t.Errorf("the terminal is not as it was: %+v, want %+v", after, at.before)
	}
	at.wait("the shell's screen", func() bool {
		return strings.LastIndex(at.said(), "\x1b[?1049l") > strings.LastIndex(at.said(), "\x1b[?1049h")
	})
	all := at.said()
	for _, mode := range []string{"?1049", "?25"} { // the other screen; the cursor
		on, off := strings.LastIndex(all, "\x1b["+mode+"h"), strings.LastIndex(all, "\x1b["+mode+"l")
		if isOther := on > off; isOther != (mode == "?25") {
			at.t.Errorf("mode %s is left as %t:\n%q", mode, isOther, all[max(0, len(all)-200):])
		}
	}
}

func TestTopAtATerminal(t *testing.T) {
	listen := liveAt(t, "", some)
	at := runAt(t, 80, 24, nil, "top", "--listen", listen)
	at.until("All is well")
	at.until("/seen")
	at.resize(100, 40)
	at.until("mean") // a column that had no room
	at.resize(30, 8)
	at.until("30x8 is too small")
	at.resize(60, 15)
	at.until("/seen")
	at.press("?")
	at.until("PgUp")
	at.press("x")
	at.until("/seen")
	at.press("\t")
	at.until(" none")
	at.press("\x1b[Z") // Shift-Tab
	at.until("/seen")
	at.press("/nothing\r")
	at.until("none with nothing")
	at.press("p")
	at.until("paused")
	if !strings.Contains(at.said(), "\x1b[32m") {
		t.Error("there are no colours")
	}
	at.press("q")
	at.ends(0)
}

// Whatever ends it, the terminal is as it was.
func TestTopGivesTheTerminalBack(t *testing.T) {
	listen := liveAt(t, "", some)
	for name, end := range map[string]func(at *atTerminal){
		"Ctrl-C":  func(at *atTerminal) { at.press("\x03") },
		"SIGTERM": func(at *atTerminal) { at.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":  func(at *atTerminal) { at.cmd.Process.Signal(syscall.SIGINT) },
		"SIGHUP":  func(at *atTerminal) { at.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			at := runAt(t, 80, 24, nil, "top", "--listen", listen)
			at.until("/seen")
			end(at)
			at.ends(0)
		})
	}
}

// topPanics makes a process of this program one in which top panics.
const topPanics = "TOP_PANICS"

func panicInTop() {
	asked := 0
	err := top.Run(context.Background(), top.Options{Name: "none", Ask: func(context.Context) ([]byte, error) {
		if asked++; asked > 1 {
			panic("on purpose")
		}
		return []byte(someLive), nil
	}})
	fmt.Fprintln(os.Stderr, err)
	os.Exit(0)
}

// What a panic says is on the shell's screen, where its terminal is as it was.
func TestTopThatPanics(t *testing.T) {
	at := commandAt(t, 80, 24, []string{topPanics + "=1"}, os.Args[0])
	at.until("/seen")
	at.ends(2)
	if _, after, _ := strings.Cut(at.said(), "\x1b[?1049l"); !strings.Contains(after, "panic: on purpose") {
		t.Errorf("on the shell's screen is %q", after)
	}
}

// Ctrl-Z brings the shell back, and fg the figures.
func TestTopInTheBackground(t *testing.T) {
	at := commandAt(t, 80, 24, []string{isTailflux + "=1", "PS1=> ", "ENV="}, "sh", "-i")
	at.until(">")
	at.press(os.Args[0] + " top --listen " + liveAt(t, "", some) + "\n")
	at.until("/seen")
	at.press("\x1a")
	at.until("Stopped")
	at.wait("a terminal for a shell", func() bool { return at.state().Lflag&unix.ECHO == at.before.Lflag&unix.ECHO })
	at.press("fg\n")
	at.wait("its screen again", func() bool { return strings.Count(at.said(), "\x1b[?1049h") == 2 })
	at.wait("a terminal for top", func() bool { return at.state().Lflag&unix.ICANON == 0 })
	at.press("?")
	at.until("PgUp")
	at.press("x")
	at.until("/seen")
	at.press("q")
	at.wait("the shell's terminal", func() bool { return strings.Count(at.said(), "\x1b[?1049l") == 2 })
	at.press("exit\n")
	at.ends(0)
}

// Without a shell there is nothing to go back to.
func TestTopCannotBeStoppedAlone(t *testing.T) {
	at := runAt(t, 80, 24, nil, "top", "--listen", liveAt(t, "", some))
	at.until("/seen")
	at.press("\x1a")
	// What is typed while the terminal changes hands is the shell's, or nobody's.
	at.wait("its screen again", func() bool { return strings.Count(at.said(), "\x1b[?1049h") == 2 })
	at.press("?")
	at.until("PgUp")
	at.press("q")
	at.ends(0)
}

func TestTopWithoutColours(t *testing.T) {
	listen := liveAt(t, "", some)
	for _, env := range []string{"NO_COLOR=1", "TERM=vt100"} {
		t.Run(env, func(t *testing.T) {
			at := runAt(t, 80, 24, []string{env}, "top", "--listen", listen)
			at.until("/seen")
			at.press("q")
			at.ends(0)
			if is := regexp.MustCompile(`\x1b\[([349]\d|[34]8;[0-9;]*)m`).FindString(at.said()); is != "" {
				t.Errorf("there is a colour: %q", is)
			}
		})
	}
}

func TestTopInASCII(t *testing.T) {
	at := runAt(t, 80, 24, []string{"LC_ALL=C"}, "top", "--listen", liveAt(t, "", some))
	at.until("/seen")
	at.press("q")
	at.ends(0)
	if i := strings.IndexFunc(at.said(), func(r rune) bool { return r > '~' }); i >= 0 {
		t.Errorf("not ASCII: %.40q", at.said()[i:])
	}
}

// A terminal that cannot be drawn on gets the text.
func TestTopAtADumbTerminal(t *testing.T) {
	listen := liveAt(t, "", some)
	for _, env := range []string{"TERM=dumb", "TERM="} {
		at := runAt(t, 80, 24, []string{env}, "top", "--listen", listen)
		at.until("/seen")
		if err := at.cmd.Wait(); err != nil || strings.Contains(at.said(), "\x1b") || !strings.Contains(at.said(), "cannot be drawn on") {
			t.Errorf("%s: %v\n%q", env, err, at.said())
		}
	}
}

// The daemon goes and comes: the last picture stays.
func TestTopOfADaemonThatGoes(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusOK)
	listen := liveAt(t, "", func(w http.ResponseWriter) {
		w.WriteHeader(int(status.Load()))
		some(w)
	})
	at := runAt(t, 120, 24, nil, "top", "--listen", listen)
	at.until("/seen")
	status.Store(http.StatusServiceUnavailable)
	at.until("No answer since ")
	at.until("/seen")
	status.Store(http.StatusOK)
	at.until("All is well")
	at.press("q")
	at.ends(0)
}

// What never answered is no reason to take the terminal.
func TestTopWithoutADaemonAtATerminal(t *testing.T) {
	at := runAt(t, 80, 24, nil, "top", "--listen", "127.0.0.1:1")
	at.until("tailflux: top: no answer from 127.0.0.1:1")
	at.cmd.Wait()
	if code := at.cmd.ProcessState.ExitCode(); code != 1 || strings.Contains(at.said(), "\x1b") {
		t.Errorf("exit code %d: %q", code, at.said())
	}
}
