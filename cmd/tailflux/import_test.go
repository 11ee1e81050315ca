package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// imported runs import and wants so many points to be there afterwards.
func (in *installation) imported(want int64, files ...string) (out string) {
	in.t.Helper()
	code, out := in.run("import", files...)
	if code != 0 {
		in.t.Errorf("import: exit code %d:\n%s", code, out)
	}
	if n := in.points(); n != want {
		in.t.Errorf("%d points, want %d; import said\n%s", n, want, out)
	}
	return out
}

// wait waits for so many points.
func (in *installation) wait(n int64) {
	in.t.Helper()
	for end := time.Now().Add(time.Minute); in.points() < n; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			in.t.Fatalf("%d points, want %d", in.points(), n)
		}
	}
}

// want wants so many points to be there.
func (in *installation) want(n int64) {
	in.t.Helper()
	if got := in.points(); got != n {
		in.t.Errorf("%d points, want %d", got, n)
	}
}

// elsewhere is a file in another directory.
func (in *installation) elsewhere(name, text string) (path string) {
	in.t.Helper()
	path = filepath.Join(in.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		in.t.Fatal(err)
	}
	return path
}

// old makes five rotated logs of a hundred lines each, the oldest three
// compressed.
func (in *installation) old() (files []string) {
	in.t.Helper()
	for i := range 5 {
		in.write(lines(100*i, 100))
		name := fmt.Sprintf("access.log.%d", 5-i)
		in.shell(fmt.Sprintf("mv access.log %s; touch -d @%d %s", name, start.Add(time.Duration(100*i)*time.Second).Unix(), name))
	}
	in.shell("gzip access.log.5 access.log.3")
	in.zstd("access.log.4")
	for _, name := range []string{".1", ".5.gz", ".2", ".4.zst", ".3.gz"} {
		files = append(files, in.log+name)
	}
	return files
}

func (in *installation) zstd(name string) {
	in.t.Helper()
	path := filepath.Join(filepath.Dir(in.log), name)
	text, err := os.ReadFile(path)
	if err != nil {
		in.t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err == nil {
		err = os.WriteFile(path+".zst", z.EncodeAll(text, nil), 0o644)
	}
	if err != nil {
		in.t.Fatal(err)
	}
	in.shell(fmt.Sprintf("touch -r %[1]s %[1]s.zst; rm %[1]s", name))
}

func TestImport(t *testing.T) {
	in := newInstallation(t)
	files := in.old()
	in.imported(500, files...)
	if out := in.imported(500, files...); strings.Count(out, "was imported before") != 5 {
		t.Errorf("the second time it said\n%s", out)
	}
	for _, file := range files {
		if code, v := in.verify(file); code != 0 || v.Approximate || v.Expected != 100 || v.Found != 100 {
			t.Errorf("verify: exit code %d, %+v", code, v)
		}
	}
	in.state = t.TempDir() // lost
	in.imported(500, files...)
}

// A file and copies of it, in one go.
func TestImportOfCopies(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 30) + "junk\n")
	in.shell("cp access.log copy; gzip -k copy")
	copied := filepath.Join(filepath.Dir(in.log), "copy")
	in.imported(30, in.log, copied, copied+".gz")
	entries, err := os.ReadFile(filepath.Join(in.state, "rejects.jsonl"))
	if n := strings.Count(string(entries), "\n"); err != nil || n != 1 {
		t.Errorf("%d reject entries, want 1; %v", n, err)
	}
	saved, err := checkpoint.Read(in.state)
	if err != nil || len(saved["web"].Imports) != 1 {
		t.Errorf("the checkpoint has %+v, %v; want one import", saved["web"], err)
	}
}

// What was followed is not imported, but for what was there before the start.
func TestImportOfWhatWasFollowed(t *testing.T) {
	in := newInstallation(t, "--start", "end")
	in.write(lines(0, 30))
	stop := in.daemon()
	in.write(lines(30, 20))
	in.wait(20)
	in.shell("mv access.log access.log.1")
	in.write(lines(50, 10))
	in.wait(30)
	stop()
	in.imported(60, in.log, in.log+".1")
	in.imported(60, in.log, in.log+".1")
	if code, v := in.verify(in.log + ".1"); code != 0 || v.Lines != 50 || v.Found != 50 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
	in.shell("gzip access.log.1")
	in.imported(60, in.log+".1.gz")
	if code, v := in.verify(in.log); code != 0 || v.Found != 10 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
}

// If the log was read beyond the end of its copy, there is nothing to import from the copy.
func TestImportOfAnEarlierCopy(t *testing.T) {
	in := newInstallation(t, "--start", "beginning")
	in.write(lines(0, 30))
	in.shell("cp access.log copy; gzip -k copy")
	in.write(lines(30, 20))
	in.daemon()()
	copied := filepath.Join(filepath.Dir(in.log), "copy")
	in.imported(50, copied, copied+".gz")
}

// The log was written to, and read, after logrotate had copied it and before it
// truncated it.
func TestImportOfACopyThatLacksLines(t *testing.T) {
	in := newInstallation(t, "--start", "beginning")
	in.write(lines(0, 50))
	stop := in.daemon()
	in.wait(50)
	in.shell("head -n 45 access.log > access.log.1; : > access.log")
	in.until(func(r tailfluxtest.Report) bool { return r.Sources[0].Truncations == 1 })
	in.write(lines(50, 10))
	in.wait(60)
	stop()
	in.imported(60, in.log+".1")
	if code, v := in.verify(in.log + ".1"); code != 0 || v.Lines != 45 || v.Found != 45 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
}

// What is left of a log that was cut was read before.
func TestImportOfALogThatWasCut(t *testing.T) {
	in := newInstallation(t, "--start", "beginning")
	in.write(lines(0, 50))
	stop := in.daemon()
	in.wait(50)
	if err := os.Truncate(in.log, int64(len(lines(0, 30)))); err != nil {
		t.Fatal(err)
	}
	in.until(func(r tailfluxtest.Report) bool { return r.Sources[0].Truncations == 1 })
	in.write(lines(50, 10))
	in.wait(60)
	stop()
	in.imported(60, in.log)
}

// A file that tailflux did not find again, with unread lines, has come back.
func TestImportOfWhatWasLost(t *testing.T) {
	in := newInstallation(t, "--start", "end") // in a window of 5 min, verify takes lines of the next log for this one's
	in.write(lines(0, 30))
	stop := in.daemon()
	in.write(lines(30, 20))
	in.wait(20)
	stop()
	in.write(lines(50, 10))
	lost := in.elsewhere("found", "")
	in.shell("mv access.log " + lost)
	in.write(lines(60, 10))
	in.daemon()()
	in.want(30)
	if code, v := in.verify(lost); code != 1 || v.Pending != 0 || v.Earlier != 30 || v.Expected != 30 || v.Missing != 10 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
	in.imported(70, lost)
	in.imported(70, lost)
	in.shell("gzip " + lost)
	in.imported(70, lost+".gz")
	if code, v := in.verify(lost + ".gz"); code != 0 || v.Approximate || v.Lines != 60 || v.Found != 60 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
}

// Neither what is imported nor what was is read by tailflux as a log that it has
// not seen.
func TestTailfluxGoesOnAfterAnImport(t *testing.T) {
	in := newInstallation(t, "--start", "end")
	in.write(lines(0, 30))
	in.daemon()()
	in.write(lines(30, 20))
	in.shell("mv access.log access.log.2")
	in.write(lines(50, 10)) // while tailflux is stopped
	in.shell("mv access.log access.log.1")
	in.write(lines(60, 10))
	in.imported(10, in.log+".1")
	stop := in.daemon()
	in.wait(40)
	in.until(func(r tailfluxtest.Report) bool { return r.Sources[0].LagBytes == 0 && r.Lines.InFlight == 0 })
	stop()
	in.daemon()() // which looks at all files once more
	if n := in.points(); n != 40 {
		t.Errorf("%d points, want 20 of access.log.2, 10 of access.log.1 and 10 of access.log", n)
	}
	in.imported(70, in.log, in.log+".1", in.log+".2")
}

// Tailflux goes on behind what was imported of the log that it follows, whatever
// start says.
func TestImportOfTheLogThatIsFollowed(t *testing.T) {
	for _, start := range []string{"end", "beginning"} {
		t.Run(start, func(t *testing.T) {
			in := newInstallation(t, "--start", start)
			text := lines(0, 31)
			in.write(text[:len(text)-10])
			in.imported(30, in.log)
			in.write(text[len(text)-10:])
			in.daemon()()
			in.write(lines(31, 9))
			in.daemon()()
			if n := in.points(); n != 40 {
				t.Errorf("%d points, want 40", n)
			}
			in.imported(40, in.log)
			if code, v := in.verify(in.log); code != 0 || v.Lines != 40 || v.Found != 40 || v.Earlier != 0 {
				t.Errorf("verify: exit code %d, %+v", code, v)
			}
		})
	}
}

// What was sent of it and not acknowledged is sent again by the other one.
func TestTailfluxGoesOnAfterAnImportThatWasInterrupted(t *testing.T) {
	for _, rotated := range []bool{false, true} {
		t.Run(fmt.Sprintf("rotated %t", rotated), func(t *testing.T) {
			in := newInstallation(t, "--start", "beginning")
			in.write(lines(0, 10))
			in.daemon()()
			in.shell("mv access.log access.log.1")
			const n = 150_000
			in.write(lines(10, n))
			d := in.start("import", in.log)
			in.wait(n / 10)
			d.Kill()
			if at := in.points(); at >= n {
				t.Fatal("it was done before it was killed")
			}
			if rotated {
				in.shell("mv access.log.1 access.log.2; mv access.log access.log.1")
				in.write(lines(10+n, 10))
			} else {
				in.write(lines(10+n, 10))
			}
			stop := in.daemon()
			in.wait(n + 20)
			stop()
			in.want(n + 20)
			in.imported(n+20, in.log, in.log+".1")
			for _, file := range []string{in.log, in.log + ".1"} {
				if code, v := in.verify(file); code != 0 || v.Approximate || v.Found != v.Lines {
					t.Errorf("verify: exit code %d, %+v", code, v)
				}
			}
		})
	}
}

// What is imported of the log that is followed, and goes on under another name, is
// not all of it.
func TestTailfluxGoesOnWithALogThatWasImportedAndRotated(t *testing.T) {
	for name, rotate := range map[string]string{
		"create":       "mv access.log access.log.1",
		"compress":     "mv access.log access.log.1; gzip access.log.1",
		"copytruncate": "cp access.log access.log.1; : > access.log",
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstallation(t, "--start", "beginning")
			in.write(lines(0, 30))
			in.daemon()()
			in.shell("mv access.log access.log.2")
			in.write(lines(30, 10))
			in.imported(40, in.log)
			if name == "copytruncate" { // of a log that is followed
				in.daemon()()
			}
			in.write(lines(40, 10))
			in.shell(rotate)
			in.write(lines(50, 10))
			stop := in.daemon()
			in.wait(60)
			stop()
			in.want(60)
		})
	}
}

// What is missing of a file that is being followed does not keep tailflux from
// finding it again.
func TestTailfluxFindsItsFileAfterAnImportOfItsBeginning(t *testing.T) {
	in := newInstallation(t, "--start", "end")
	in.write(lines(0, 30))
	in.daemon()()
	in.imported(30, in.log)
	in.write(lines(30, 20))
	in.shell("mv access.log access.log.1")
	in.write(lines(50, 10))
	in.daemon()()
	if n := in.points(); n != 60 {
		t.Errorf("%d points, want 60", n)
	}
}

// What lies beside an imported file is not read because of that.
func TestTailfluxDoesNotSearchWhereFilesWereImportedFrom(t *testing.T) {
	in := newInstallation(t, "--start", "beginning")
	in.write(lines(0, 50))
	in.daemon()()
	file := in.elsewhere("access.log.2", lines(1000, 10))
	in.imported(60, file)
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "access.log.1"), []byte(lines(2000, 10)), 0o644); err != nil {
		t.Fatal(err)
	}
	in.shell("mv access.log access.log.1")
	in.write(lines(50, 10))
	in.daemon()()
	in.want(70)
}

func TestImportOfWhatCannotBeRead(t *testing.T) {
	in := newInstallation(t)
	files := in.old()
	in.shell("truncate -s -20 access.log.3.gz; touch access.log.9")
	code, out := in.run("import", append(files, in.log+".9")...)
	if code != 1 || !strings.Contains(out, "could not be read to the end") || !strings.Contains(out, "unexpected EOF") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if n := in.points(); n < 400 || n >= 500 {
		t.Errorf("%d points, want those of four files, and some of the fifth", n)
	}
	if code, out := in.run("import", in.log+".none", in.log+".1"); code != 1 || !strings.Contains(out, "no such file") || !strings.Contains(out, "was imported before") {
		t.Errorf("of one that is not there, and another one: exit code %d:\n%s", code, out)
	}
	if code, out := in.run("import", filepath.Dir(in.log)); code != 1 || !strings.Contains(out, "is a directory: name the logs in it") || !strings.Contains(out, "nothing of a file is imported") {
		t.Errorf("of a directory: exit code %d:\n%s", code, out)
	}
}

// A compressed file was cut, as when the disk was full, and the log is beside it. What can be
// unpacked of it was read.
func TestImportOfADamagedCopy(t *testing.T) {
	for _, followed := range []bool{true, false} {
		for _, end := range []string{"gz", "zst"} {
			for _, once := range []bool{true, false} {
				t.Run(fmt.Sprintf("followed %t, %s, in one command %t", followed, end, once), func(t *testing.T) {
					const all = 30_000 // some blocks of either format
					in := newInstallation(t, "--start", "beginning")
					in.write(lines(0, all))
					if followed {
						stop := in.daemon()
						in.wait(all)
						stop()
					}
					in.shell("mv access.log access.log.1; cp access.log.1 access.log.2")
					if end == "gz" {
						in.shell("gzip access.log.2")
					} else {
						in.zstd("access.log.2")
					}
					original, damaged := in.log+".1", in.log+".2."+end
					info, err := os.Stat(damaged)
					if err != nil {
						t.Fatal(err)
					}
					in.shell(fmt.Sprintf("truncate -s %d %s", info.Size()/2, damaged))
					files := [][]string{{original}, {damaged}}
					if once {
						files = [][]string{{original, damaged}}
					}
					for _, files := range files {
						code, out := in.run("import", files...)
						if hasDamaged := files[len(files)-1] == damaged; hasDamaged != (code == 1) || hasDamaged != strings.Contains(out, "damaged copy") {
							t.Errorf("import of %s: exit code %d:\n%s", files, code, out)
						}
					}
					in.want(all)
					if code, v := in.verify(original); code != 0 {
						t.Errorf("verify: exit code %d, %+v", code, v)
					}
				})
			}
		}
	}
}

func TestImportIsInterrupted(t *testing.T) {
	in := newInstallation(t)
	const n = 150_000
	in.write(lines(0, n))
	in.shell("mv access.log access.log.1")
	d := in.start("import", in.log+".1")
	in.wait(n / 10)
	d.Kill()
	if at := in.points(); at == n {
		t.Fatal("it was done before it was killed")
	}
	in.imported(n, in.log+".1")
	if code, v := in.verify(in.log + ".1"); code != 0 || v.Found != n {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}
}

// Logrotate renames the files that are still to be imported.
func TestImportWhileFilesAreRenamed(t *testing.T) {
	in := newInstallation(t)
	const n = 500_000 // read for a second: the files are renamed meanwhile
	in.write(lines(0, n))
	in.shell("mv access.log access.log.3; touch -d yesterday access.log.3")
	in.write(lines(n, 20))
	in.shell("mv access.log access.log.2")
	in.write(lines(n+20, 10))
	in.shell("mv access.log access.log.1")
	d := in.start("import", in.log+".1", in.log+".2", in.log+".3")
	in.wait(1)
	in.shell("for i in 3 2 1; do mv access.log.$i access.log.$((i+1)); done")
	if err := d.Wait(); d.ExitCode() != 1 || !strings.Contains(d.Log(), "it was renamed") {
		t.Errorf("%v:\n%s", err, d.Log())
	}
	in.imported(n+30, in.log+".2", in.log+".3", in.log+".4")
}

// No source of a glob has the name of the glob itself.
func TestImportOfAGlob(t *testing.T) {
	in := newInstallation(t, "--start", "beginning")
	in.log = filepath.Join(filepath.Dir(in.log), "*.log")
	file := in.elsewhere("access.log.1", lines(100, 10))
	for _, command := range []string{"import", "verify"} {
		if code, out := in.run(command, file); code != 2 || !strings.Contains(out, "(one of web:... (once") {
			t.Errorf("%s: exit code %d: %s", command, code, out)
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(in.log), "shop.log"), []byte(lines(0, 30)), 0o644); err != nil {
		t.Fatal(err)
	}
	in.deliver()
	for _, command := range []string{"import", "verify"} {
		if code, out := in.run(command, file); code != 2 || !strings.Contains(out, "(one of web:shop)\n") {
			t.Errorf("%s: exit code %d: %s", command, code, out)
		}
	}
	in.imported(40, "--source", "web:shop", file)
	for name, want := range map[string]string{
		"web:nosuch": "import: source web:nosuch is none that was followed; use one of web:shop\n",
		"web":        "import: source web is none that was followed; use one of web:shop\n",
		"nosuch":     "import: source nosuch is not configured; use one of web:shop\n",
	} {
		if code, out := in.run("import", "--source", name, file); code != 2 || !strings.Contains(out, want) {
			t.Errorf("--source %s: exit code %d: %swant %s", name, code, out, want)
		}
	}
}

// A source that is not there is named, and those that are.
func TestImportOfASourceThatIsNotConfigured(t *testing.T) {
	in := newInstallation(t)
	file := in.elsewhere("access.log.1", lines(0, 1))
	code, out := in.run("import", "--source", "nosuch", file)
	says(t, code, 2, out, "import: source nosuch is not configured; use one of web\n")
}

func TestImportAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root")
	}
	in := newInstallation(t)
	in.write(lines(0, 30))
	if err := os.Chown(in.state, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if code, out := in.run("import", in.log); code != 2 || !strings.Contains(out, "runuser -u ") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if written, err := os.ReadDir(in.state); err != nil || len(written) > 0 {
		t.Errorf("%v in the state directory, %v", written, err)
	}
}

// Root who tries it once does not take the state from the daemon's user.
func TestOnceAsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root")
	}
	in := newInstallation(t)
	if err := os.Chown(in.state, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		in.write(lines(30*i, 30))
		in.deliver()
	}
	written, err := os.ReadDir(in.state)
	if err != nil || len(written) < 7 {
		t.Errorf("%v in the state directory, %v", written, err)
	}
	for _, file := range written {
		if info, err := file.Info(); err != nil || info.Sys().(*syscall.Stat_t).Uid != 65534 {
			t.Errorf("%s is root's, %v", file.Name(), err)
		}
	}
}

func TestImportWhileTailfluxRuns(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 30))
	stop := in.daemon()
	if code, out := in.run("import", in.log); code != 2 || !strings.Contains(out, "another tailflux uses it") {
		t.Errorf("exit code %d: %s", code, out)
	}
	stop()
}
