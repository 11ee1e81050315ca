package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/statedir"
)

// findHolder finds the process that has locked the state directory. It does not try the
// lock: a daemon that starts in that moment would be refused.
func (d *doctor) findHolder(dir string) {
	info, err := os.Stat(filepath.Join(dir, statedir.Lock))
	if err != nil {
		return
	}
	is, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	text, err := os.ReadFile(filepath.Join(d.Proc, "locks"))
	if err != nil {
		return
	}
	at := fmt.Sprintf("%02x:%02x:%d", unix.Major(is.Dev), unix.Minor(is.Dev), is.Ino)
	for line := range strings.Lines(string(text)) {
		// 1: FLOCK  ADVISORY  WRITE 4242 fd:01:1234 0 EOF
		if f := strings.Fields(line); len(f) > 5 && f[1] == "FLOCK" && f[5] == at {
			d.running = true
			d.holder, _ = strconv.Atoi(f[4]) // -1 or 0 where it is in another namespace
		}
	}
}

// twins are other processes called tailflux that have one of the logs open.
func (d *doctor) twins() {
	logs := map[string]os.FileInfo{}
	for _, s := range d.Config.Sources {
		for _, path := range d.paths(s) {
			if info, err := os.Stat(path); err == nil {
				logs[path] = info
			}
		}
	}
	names, _ := filepath.Glob(filepath.Join(d.Proc, "[0-9]*", "comm")) // the pattern is right
	for _, name := range names {
		comm, err := os.ReadFile(name)
		pid, err2 := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil || err2 != nil || strings.TrimSpace(string(comm)) != "tailflux" || pid == os.Getpid() || pid == d.holder {
			continue
		}
		if log := d.opens(pid, logs); log != "" {
			d.say(Error, "twin", fmt.Sprintf("another tailflux (pid %d) follows %s too: each line becomes a second point where host or source differ, and two checkpoints speak of one log",
				pid, log),
				"stop one of them: pgrep -a tailflux")
		}
	}
}

// opens is the one of the logs that a process has open, or "".
func (d *doctor) opens(pid int, logs map[string]os.FileInfo) string {
	fds, _ := filepath.Glob(filepath.Join(d.Proc, strconv.Itoa(pid), "fd", "*")) // none of another user
	for _, fd := range fds {
		info, err := os.Stat(fd)
		if err != nil {
			continue
		}
		for path, log := range logs {
			if os.SameFile(info, log) {
				return path
			}
		}
	}
	return ""
}

// listener is the process that has a port, or 0.
func (d *doctor) listener(port int) (pid int, name string) {
	inodes := []string{}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		text, err := os.ReadFile(filepath.Join(d.Proc, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			const listening = "0A"
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				inodes = append(inodes, "socket:["+f[9]+"]")
			}
		}
	}
	fds, _ := filepath.Glob(filepath.Join(d.Proc, "[0-9]*", "fd", "*"))
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && slices.Contains(inodes, to) {
			of := filepath.Dir(filepath.Dir(fd))
			comm, _ := os.ReadFile(filepath.Join(of, "comm"))
			pid, _ = strconv.Atoi(filepath.Base(of))
			return pid, strings.TrimSpace(string(comm))
		}
	}
	return 0, ""
}
