package doctor_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/doctor"
)

// illness is what is done to a healthy machine, and what is found then.
type illness struct {
	name  string
	root  bool // it can be done, or seen, by root only
	harm  func(*clinic)
	wants []want
}

func (i illness) test(t *testing.T) {
	if i.root {
		asRoot(t)
	}
	c := newClinic(t)
	i.harm(c)
	c.finds(i.wants...)
}

// also adds a source for logs in the same directory.
func (c *clinic) also(glob, format string) {
	also := c.opts.Config.Sources[0]
	also.Name, also.Path, also.Format = "also", c.dir+"/logs/"+glob, format
	c.opts.Config.Sources = append(c.opts.Config.Sources, also)
}

func TestWell(t *testing.T) {
	newClinic(t).finds()
}

// What is wrong with a log is said, and nothing else.
func TestLogs(t *testing.T) {
	for _, tt := range []illness{
		{"missing", false, func(c *clinic) { c.must(os.Rename(c.log, filepath.Join(c.dir, "logs", "www"))) }, []want{{"error file", "LOG is not there", "ls -l DIR/logs"}}},
		{"a name a letter apart", false, func(c *clinic) { c.opts.Config.Sources[0].Path = c.dir + "/logs/acces.log" }, []want{{"error file", "acces.log is not there", "did you mean LOG?"}}},
		{"no directory either", false, func(c *clinic) { c.opts.Config.Sources[0].Path = c.dir + "/logs/x/access.log" }, []want{
			{"error file", "x/access.log is not there", "no directory DIR/logs/x"}, {"note logrotate", "no rule of logrotate is for DIR/logs/x/access.log", ""},
		}},
		{"a glob that matches nothing", false, func(c *clinic) { c.opts.Config.Sources[0].Path = c.dir + "/logs/*.txt" }, []want{{"error file", "no file matches DIR/logs/*.txt", "ls -l DIR/logs"}}},
		{"of another group", true, func(c *clinic) { c.must(os.Chmod(c.log, 0o640)); c.must(os.Chown(c.log, 33, 4)) }, []want{
			{"error file", "LOG: \"nobody\" may not read it (-rw-r----- www-data adm)", "usermod -aG adm nobody, or SupplementaryGroups=adm"},
		}},
		{"for its owner alone", true, func(c *clinic) { c.must(os.Chmod(c.log, 0o600)) }, []want{{"error file", "(-rw------- root root)", "setfacl -m u:nobody:r LOG"}}},
		{"a directory on the way", true, func(c *clinic) { c.must(os.Chmod(c.dir+"/logs", 0o700)) }, []want{{"error file", "\"nobody\" may not enter DIR/logs (drwx------ root root)", "chmod o+x DIR/logs"}}},
		{"a directory that can be entered and not listed", true, func(c *clinic) { c.must(os.Chmod(c.dir+"/logs", 0o711)) }, []want{{"warning directory", "\"nobody\" may not list DIR/logs", "setfacl -m u:nobody:rx DIR/logs"}}},
		{"lines of no format", false, func(c *clinic) { c.write(c.log, "hello\n") }, []want{{"error format", "LOG: no line is in the configured format", "tailflux explain"}}},
		{"lines of another format", false, func(c *clinic) { c.opts.Config.Sources[0].Format = "timed" }, []want{
			{"error format", "they look like combined", "tailflux explain"},
		}},
		{"some lines of no format", false, func(c *clinic) { c.write(c.log, strings.Repeat(lines(9, time.Now(), time.Second)+"hello\n", 100)) }, []want{{"warning format", "LOG: 900 of its newest 1,000 lines become points", "explain"}}},
		{"the format was changed", false, func(c *clinic) { c.write(c.log, strings.Repeat("hello\n", 300)+lines(400, time.Now(), time.Second)) }, []want{{"note format", "400 of its newest 700 lines", ""}}},
		{"one file of a glob", false, func(c *clinic) {
			c.write(c.dir+"/logs/odd.log", "hello\n")
			c.opts.Config.Sources[0].Path = c.dir + "/logs/*.log"
		}, []want{{"warning format", "odd.log: no line is in the configured format", ""}}},
		{"a path that a shell would take apart", false, func(c *clinic) {
			c.opts.Config.Sources[0].Path = c.dir + "/logs/it's mine.log"
			c.write(c.opts.Config.Sources[0].Path, "hello\n")
		}, []want{{"error format", "it's mine.log: no line is in the configured format", `tail -n 3 'DIR/logs/it'\''s mine.log' | tailflux explain`}}},
		{"a glob that matches the log of another source", false, func(c *clinic) { c.also("*.log", "timed") }, nil},
		{"two globs that match a log", false, func(c *clinic) {
			c.opts.Config.Sources[0].Path = c.dir + "/logs/acc*.log"
			c.also("*.log", "timed")
		}, nil},
		{"two globs, of which the first does not fit", false, func(c *clinic) {
			c.opts.Config.Sources[0].Path, c.opts.Config.Sources[0].Format = c.dir+"/logs/*.log", "timed"
			c.also("acc*.log", "combined")
		}, []want{{"error format", "LOG: no line is in the configured format", "tailflux explain"}}},
		{"two sources of one file", false, func(c *clinic) {
			c.must(os.Symlink(c.log, c.dir+"/logs/current"))
			again := c.opts.Config.Sources[0]
			again.Name, again.Path = "again", c.dir+"/logs/current"
			c.opts.Config.Sources = append(c.opts.Config.Sources, again)
		}, []want{{"error same-file", "/logs/current is the same file as LOG, which is read as source \"web\"", "leave one of the two out"}}},
		{"from the future", false, func(c *clinic) { c.write(c.log, lines(1000, time.Now().Add(2*time.Hour), time.Second)) }, []want{{"warning line-time", "LOG: its newest line is 119 minutes ahead", "timezone"}}},
		{"what can never come", false, func(c *clinic) { c.opts.Config.Fields = []string{"request_tme"} }, []want{{"warning points", "fields: the format has nothing for request_tme", ""}}},
		{"never reopened", false, func(c *clinic) {
			c.must(os.Rename(c.log, c.log+".1"))
			c.write(c.log, "")
			c.must(os.Chtimes(c.log, time.Now(), time.Now().Add(-time.Hour)))
		}, []want{{"error reopen", "LOG is empty, and LOG.1 was written 59 minutes after", "nginx -s reopen"}}},
		{"no rule of logrotate", false, func(c *clinic) { c.rotate = "/x {\n}\n" }, []want{{"note logrotate", "no rule of logrotate is for LOG", "docs/following.md"}}},
		{"no logrotate", false, func(c *clinic) { c.opts.Logrotate = c.dir + "/none" }, []want{{"note logrotate", "(no such file or directory)", ""}}},
		{"rules without a reader", false, func(c *clinic) { c.rotate += "include DIR/none.d\n" }, nil},
	} {
		t.Run(tt.name, tt.test)
	}
}

// Each trap of a rule is said.
func TestRotation(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
		wants          []want
	}{
		{"nocreate", "create 0640 root nogroup", "nocreate", []want{{"note logrotate", "logrotate.conf:1: nocreate: there is no log from the rotation", "create 0640"}}},
		{"copytruncate", "postrotate", "copytruncate\npostrotate", []want{{"warning logrotate", "copytruncate itself loses the lines", "nginx -s reopen"}}},
		{"copy", "postrotate", "copy\npostrotate", []want{{"warning logrotate", "copy leaves the log as it is", ""}}},
		{"nobody tells nginx", "postrotate\n\t\tnginx -s reopen\n\tendscript\n", "", []want{{"error logrotate", "nothing tells nginx to reopen its logs (no postrotate): it goes on writing to access.log.1", "nginx -s reopen in postrotate"}}},
		{"nobody tells nginx, dated", "postrotate\n\t\tnginx -s reopen\n\tendscript\n", "dateext\ndateformat -%Y\n", []want{{"error logrotate", "it goes on writing to access.log-20", ""}}},
		{"a script before is none after", "postrotate", "prerotate", []want{{"error logrotate", "no postrotate", ""}}},
		{"compressed at once", "delaycompress", "", []want{{"warning logrotate", "compress without delaycompress", "add delaycompress"}}},
		{"none is kept", "rotate 14", "rotate 0", []want{{"warning logrotate", "rotate 0 deletes the log at once", ""}}},
		{"two rules", "LOGS/*.log {", "LOGS/access.log {\n}\nLOGS/*.log {", []want{{"warning logrotate", "is in two rules", "leave one"}, {"error logrotate", "no postrotate", ""}, {"warning logrotate", "rotate 0", ""}}},
		{"names without a date", "daily", "dateext\ndateformat -%b\nextension .log", []want{{"warning rotated-names", "rotated logs are called access-", "dateformat -%Y%m%d"}}},
		{"names with half a date before the extension", "daily", "dateext\ndateformat -%Y-%m\nextension .log", []want{{"warning rotated-names", "rotated logs are called access-20", ""}}},
		{"names that are known", "daily", "dateext\ndateformat .%s\nextension .log", nil},
		{"compressed with xz", "daily", "compresscmd /usr/bin/xz", []want{{"warning rotated-names", "compressed as .xz, which tailflux cannot read", "zstd"}}},
		{"compressed with zstd", "daily", "compresscmd zstd", nil},
		{"olddir elsewhere", "daily", "olddir /srv/old", []want{{"warning rotated-names", "olddir /srv/old: tailflux looks in the log's directory", "olddir in "}}},
		{"olddir above", "daily", "olddir ../old", []want{{"warning rotated-names", "DIR/old", ""}}},
		{"olddir below", "daily", "olddir old", nil},
		{"hourly", "daily", "hourly\ndateext", nil},
		{"as the log is", "create 0640 root nogroup", "create", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t)
			c.rotate = strings.Replace(c.rotate, tt.from, tt.to, 1)
			if os.Geteuid() != 0 {
				c.rotate = strings.ReplaceAll(c.rotate, "create 0640 root nogroup", "create 0644")
			}
			c.finds(tt.wants...)
		})
	}
}

// The log is readable, and the next one will not be.
func TestNextLog(t *testing.T) {
	asRoot(t)
	for create, wants := range map[string][]want{
		"create 0640 www-data adm":     {{"error next-log", "after the next rotation \"nobody\" may not read LOG: DIR/logrotate.conf:1 makes it -rw-r----- www-data adm", "usermod -aG adm nobody"}},
		"create 0600":                  {{"error next-log", "makes it -rw------- root root", "create 0640 root GROUP in DIR/logrotate.conf"}},
		"create 0640 www-data root":    {{"error next-log", "makes it -rw-r----- www-data root", "create 0640 www-data GROUP"}},
		"create 0640 nobody adm":       nil,
		"create 0640 www-data nogroup": nil,
		"create 0644 www-data adm":     nil,
		"create 0640 33 65534":         nil,
	} {
		t.Run(create, func(t *testing.T) {
			c := newClinic(t)
			c.rotate = strings.Replace(c.rotate, "create 0640 root nogroup", create, 1)
			c.finds(wants...)
		})
	}
}

func TestOldDirectoryThatIsClosed(t *testing.T) {
	asRoot(t)
	c := newClinic(t)
	c.rotate = strings.Replace(c.rotate, "daily", "olddir old", 1)
	c.must(os.Mkdir(c.dir+"/logs/old", 0o700))
	c.finds(want{"warning rotated-names", "\"nobody\" may not look into olddir DIR/logs/old (drwx------ root root)", "chmod o+rx"})
}

func TestLogThatIsAMount(t *testing.T) {
	asRoot(t)
	c := newClinic(t)
	host := filepath.Join(c.dir, "host.log")
	c.write(host, lines(10, time.Now(), time.Second))
	if err := syscall.Mount(host, c.log, "", syscall.MS_BIND, ""); err != nil {
		t.Skip("not permitted to mount a file:", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(c.log, syscall.MNT_DETACH) })
	c.finds(want{"error mount", "LOG is a mount of one file", "mount its directory"})
}

func TestFewOpenFiles(t *testing.T) {
	c := newClinic(t)
	for i := range 30 {
		c.write(fmt.Sprintf("%s/logs/site%d.log", c.dir, i), lines(5, time.Now(), time.Second))
	}
	c.opts.Config.Sources[0].Path = c.dir + "/logs/*.log"
	c.opts.OpenFiles = 100
	c.finds(want{"warning open-files", "31 logs may need 126 open files, and 100 may be", "LimitNOFILE="})
}

func TestState(t *testing.T) {
	for _, tt := range []illness{
		{"not there yet", false, func(c *clinic) { c.opts.Config.StateDir = c.state + "/new" }, nil},
		{"cannot be made", true, func(c *clinic) { c.opts.Config.StateDir = c.dir + "/new/state" }, []want{{"error state-dir", "DIR/new/state is not there, and \"nobody\" may not make it (DIR: drwxr-xr-x", "install -d -o nobody"}}},
		{"of another user", true, func(c *clinic) { c.must(os.Chown(c.state, 33, 33)) }, []want{{"error state-dir", "\"nobody\" may not write to STATE (drwxr-x--- www-data www-data)", "chown -R nobody STATE"}}},
		{"a file", false, func(c *clinic) { c.opts.Config.StateDir = c.log }, []want{{"error state-dir", "LOG is no directory", ""}}},
		{"open to all", false, func(c *clinic) {
			c.must(os.Chmod(c.state, 0o755))
			c.write(c.state+"/rejects.jsonl", "{}\n")
			c.own(c.state + "/rejects.jsonl")
		}, []want{{"warning state-dir", "everybody may look into STATE", "chmod 0750 STATE"}}},
		{"a file of another user", true, func(c *clinic) { c.write(c.state+"/lock", ""); c.must(os.Chmod(c.state+"/lock", 0o600)) }, []want{{"error state-files", "\"nobody\" may not write to STATE/lock (-rw------- root root)", "chown nobody STATE/lock"}}},
		{"a damaged checkpoint", false, func(c *clinic) { c.write(c.state+"/checkpoint", "x"); c.own(c.state + "/checkpoint") }, []want{{"error state-files", "checkpoint", "docs/state-directory.md"}}},
		{"damaged formats", false, func(c *clinic) { c.write(c.state+"/formats.json", "x"); c.own(c.state + "/formats.json") }, []want{{"error state-files", "formats.json", "docs/state-directory.md"}}},
		{"a file that was set aside", false, func(c *clinic) { c.write(c.state+"/checkpoint.bad", "x") }, []want{{"note state-files", "STATE/checkpoint.bad", ""}}},
		{"little space", false, func(c *clinic) { c.opts.Config.RejectsMaxBytes = 1 << 50 }, []want{{"warning space", "is left for STATE, and the reject file may take 2.3 PB", "rejects_max_bytes"}}},
		{"read-only", true, func(c *clinic) {
			c.must(syscall.Mount("none", c.state, "tmpfs", syscall.MS_RDONLY, ""))
			c.t.Cleanup(func() { _ = syscall.Unmount(c.state, syscall.MNT_DETACH) })
			c.opts.User = doctor.Self()
		}, []want{{"error state-dir", "STATE is on a read-only file system", "mount it for writing"}}},
		{"full", true, func(c *clinic) {
			c.must(syscall.Mount("none", c.state, "tmpfs", 0, "size=4M,mode=0770"))
			c.t.Cleanup(func() { _ = syscall.Unmount(c.state, syscall.MNT_DETACH) })
			c.own(c.state)
		}, []want{{"error space", "4.2 MB is left for STATE", "df -h STATE"}}},
	} {
		t.Run(tt.name, tt.test)
	}
}

func TestConfiguration(t *testing.T) {
	c := newClinic(t)
	c.opts.Config.InfluxDB.Insecure = true
	c.opts.Misnomers = []config.Misnomer{{Name: "TAILFLUX_INFLUX_PORT", Meant: "use the flag"}}
	c.finds(want{"warning configuration", "certificates are not used", ""}, want{"warning environment", "TAILFLUX_INFLUX_PORT has no effect", "use the flag"})
}

func TestFilesOfTheConfiguration(t *testing.T) {
	asRoot(t)
	c := newClinic(t)
	password := c.dir + "/password"
	c.write(password, "secret\n")
	c.must(os.Chmod(password, 0o600))
	c.must(os.Chmod(c.conf, 0o640))
	c.opts.Config.InfluxDB.Username, c.opts.Config.InfluxDB.PasswordFile = "u", password
	c.finds(want{"error configuration", "the configuration: DIR/tailflux.yaml: \"nobody\" may not read it", ""}, want{"error configuration", "influxdb.password_file: DIR/password: \"nobody\" may not read it (-rw------- root root)", "setfacl -m u:nobody:r"})
}

func TestListen(t *testing.T) {
	asRoot(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for at, wants := range map[string][]want{
		taken.Addr().String(): {{"error listen", fmt.Sprintf("(pid %d) has %s", os.Getpid(), taken.Addr()), "ss -ltnp"}},
		"192.0.2.1:9193":      {{"error listen", "192.0.2.1:9193 is no address of this machine", "127.0.0.1:9193"}},
		"127.0.0.1:81":        {{"error listen", "\"nobody\" may not listen on port 81: it is below 1024", "9193"}},
		"":                    nil,
	} {
		t.Run(at, func(t *testing.T) {
			c := newClinic(t)
			c.opts.Config.Listen = at
			c.finds(wants...)
		})
	}
}

// Who has the state directory is asked how it is.
func TestRunning(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		wants  []want
	}{
		{"ready", http.StatusOK, nil},
		{"not ready", http.StatusServiceUnavailable, []want{{"warning running", fmt.Sprintf("a tailflux with this state_dir is running, pid %d, and is not ready: influxdb: refused", os.Getpid()), ""}}},
		{"elsewhere", 0, []want{{"warning running", "and does not answer at 127.0.0.1:", "systemctl restart tailflux"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClinic(t)
			lock(t, c)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte("influxdb:\n refused\n"))
			}))
			defer server.Close()
			c.opts.Config.Listen = strings.TrimPrefix(server.URL, "http://")
			if tt.status == 0 {
				server.Close()
			}
			c.finds(tt.wants...)
		})
	}
}

// lock does as a running tailflux.
func lock(t *testing.T, c *clinic) {
	t.Helper()
	f, err := os.Create(c.state + "/lock")
	c.must(err)
	c.own(c.state + "/lock")
	t.Cleanup(func() { f.Close() })
	c.must(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
}

// Two that follow one log are found, whatever their state directories are.
func TestAnotherOneFollowsTheLog(t *testing.T) {
	c := newClinic(t)
	sleep, err := exec.LookPath("sleep")
	c.must(err)
	program, err := os.ReadFile(sleep)
	c.must(err)
	twin := filepath.Join(c.dir, "tailflux")
	c.must(os.WriteFile(twin, program, 0o755))
	log, err := os.Open(c.log)
	c.must(err)
	defer log.Close()
	other := exec.Command(twin, "60")
	other.ExtraFiles = []*os.File{log}
	c.must(other.Start())
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	for at := fmt.Sprintf("/proc/%d/comm", other.Process.Pid); ; {
		if name, _ := os.ReadFile(at); string(name) == "tailflux\n" {
			break
		}
		time.Sleep(time.Millisecond)
	}
	c.finds(want{"error twin", fmt.Sprintf("another tailflux (pid %d) follows LOG too", other.Process.Pid), "pgrep"})
}

// The start names a remedy, too, where there is one.
func TestLogsAtTheStart(t *testing.T) {
	c := newClinic(t)
	source := func(name, path string) config.Source { return config.Source{Name: name, Path: path} }
	c.opts.Config.Sources = []config.Source{
		source("well", c.log), source("near", c.dir+"/logs/acess.log"), source("far", c.dir+"/logs/shop"), source("glob", c.dir+"/logs/none*"), source("elsewhere", c.dir+"/none/access.log"),
	}
	all := doctor.Logs(c.opts.Config)
	if len(all) != 1 || all[0].Subject != "near" || all[0].Remedy != "did you mean "+c.log+"?" {
		t.Errorf("Logs = %+v", all)
	}
}

// What nginx holds back is not seen yet.
func TestBuffers(t *testing.T) {
	for params, wants := range map[string][]want{
		"combined":                        nil,
		"combined buffer=32k":             {{"warning buffer", "DIR/nginx.conf:3: access_log LOG buffer=32k without flush=", "add flush=1s"}},
		"combined buffer=64k flush=1m":    {{"note buffer", "buffer=64k flush=1m", "flush=1s"}},
		"combined buffer=64k flush=1d":    {{"note buffer", "flush=1d", ""}},
		"combined buffer=32k flush=1s":    nil,
		"combined gzip=1 flush=5s":        nil,
		"combined if=$loggable":           nil,
		"combined buffer=32k flush=500ms": nil,
	} {
		t.Run(params, func(t *testing.T) {
			c := newClinic(t)
			c.write(c.opts.Nginx, "http {\n  server {\n    access_log "+c.log+" "+params+";\n    access_log /other.log combined buffer=1m;\n  }\n}\n")
			c.finds(wants...)
		})
	}
}
