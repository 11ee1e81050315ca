// Files of a glob whose names are one tag value in InfluxDB.

package tail_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailflux/tailflux/internal/tail"
)

const leftForItsTag = "its source has the tag of another one"

// Points of two logs with one tag overwrite each other, so one of them is left out, with a
// word; with Once the end says so.
func TestFilesOfAGlobHaveOneTag(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"caf\xe8.log", "caf\xe9.log", "caf?.log", "cafe.log"} {
		create(t, filepath.Join(dir, name), name+"\n").Close()
	}
	f := follow(t, options{Config: tail.Config{Once: true, Globs: []tail.Glob{{Name: "g", Pattern: filepath.Join(dir, "*.log")}}}})
	err := f.refused()
	if err == nil || strings.Count(err.Error(), "its source has the tag g:caf? in InfluxDB") != 2 {
		t.Errorf("Failed = %v, want that it names two files", err)
	}
	if err != nil && !strings.Contains(err.Error(), `caf\xE9.log: `) {
		t.Errorf("Failed = %v, want the names to be told apart", err)
	}
	if n := f.logged(leftForItsTag); n != 2 {
		t.Errorf("%d files are left out, want 2; the log:\n%s", n, &f.log)
	}
	if len(f.order) != 2 {
		t.Errorf("%d files were read, want 2", len(f.order))
	}
}

// The one that is known goes on after a restart, whatever the order of names; one that
// appears later is left out, too.
func TestKnownFileKeepsItsTag(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		const first, second = "b\x01.log", "b\x02.log"
		dir := t.TempDir()
		glob := []tail.Glob{{Name: "g", Pattern: filepath.Join(dir, "*.log")}}
		known := create(t, filepath.Join(dir, second), "b1\n")
		d := newDaemon(t, wakeups)
		d.options.Globs = glob
		d.start()
		d.want(1, "b1")
		create(t, filepath.Join(dir, first), "a1\n").Close()
		d.eventually("the other is left out", func() bool { return d.logged(leftForItsTag) == 1 })
		if s := d.stats.Snapshot(time.Now()).Globs[0]; s.Files != 1 || s.Trouble != "" {
			t.Errorf("of the glob, %+v is told, want one file", s)
		}
		d.stop()
		add(t, known, "b2\n")
		d.start()
		d.want(1, "b2")
		d.stop()
		if n := d.logged(leftForItsTag); n != 1 {
			t.Errorf("%d files are left out after the restart, want 1; the log:\n%s", n, &d.log)
		}
	})
}

// Two logs that were of two globs are of one glob after a reload, and have one tag there.
func TestReloadGivesOneTagToTwoLogs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &renamed{t: t, dir: t.TempDir(), state: stateDir(t), numbers: map[string]string{}}
		r.write("d\x01/x.log", 1)
		r.write("d\x02/x.log", 1)
		r.follow("a=d\x01/*.log", "b=d\x02/*.log")
		r.write("d\x01/x.log", 1)
		r.write("d\x02/x.log", 1)
		r.follow("g=d*/*.log")
		if len(r.read) != 3 || r.logged(leftForItsTag) != 1 {
			t.Errorf("%q is read, want all but a line of the log that is left out; the log:\n%s", r.read, &r.log)
		}
		r.reader.Close()
	})
}
