package checkpoint_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// Whatever makes saving fail is logged once, and nothing is lost once it is over.
func TestSaveFails(t *testing.T) {
	for _, tt := range []struct {
		name     string
		obstruct func(dir string) error
		clear    func(dir string) error
		want     string
	}{
		{
			"the directory was moved away",
			func(dir string) error { return os.Rename(dir, dir+".gone") },
			func(dir string) error { return os.Rename(dir+".gone", dir) },
			"no such file or directory",
		},
		{
			"the directory was removed",
			os.RemoveAll,
			func(dir string) error { return os.Mkdir(dir, 0o700) },
			"no such file or directory",
		},
		{
			"the new file cannot be made",
			func(dir string) error { return os.Mkdir(filepath.Join(dir, fresh), 0o700) },
			func(dir string) error { return os.Remove(filepath.Join(dir, fresh)) },
			"is a directory",
		},
		{
			"the new file cannot be written",
			func(dir string) error { return os.Symlink("/dev/full", filepath.Join(dir, fresh)) },
			func(dir string) error { return os.Remove(filepath.Join(dir, fresh)) },
			"no space left on device",
		},
		{
			"the predecessor cannot be replaced",
			func(dir string) error {
				path := filepath.Join(dir, previous)
				return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700))
			},
			func(dir string) error { return os.Remove(filepath.Join(dir, previous)) },
			"file exists",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			o, g := open(t, dir), generation(web, 1)
			o.source(web)
			o.Begin(at(g, 0), logfile.Sum{}, file(1))
			o.save()
			for outage := 1; outage <= 2; outage++ {
				done := 1000 * int64(outage)
				if err := tt.obstruct(dir); err != nil {
					t.Fatal(err)
				}
				o.save() // nothing has changed
				o.logged(outage-1, outage-1)
				for i := range int64(3) {
					o.Acknowledge(at(g, done+10*i), []byte("x\n"))
					o.Secure()
					err := o.Save()
					if err == nil || !strings.HasPrefix(err.Error(), "save "+filepath.Join(dir, latest)+": ") || !strings.Contains(err.Error(), tt.want) {
						t.Fatalf("Save = %v, want %q", err, tt.want)
					}
					o.logged(outage, outage-1)
					if got := o.stats.Snapshot(time.Now()).Checkpoint; got.Trouble != err.Error() || !got.Saves {
						t.Errorf("stats are %+v, want it saved once, and %v", got, err)
					}
				}
				if err := tt.clear(dir); err != nil {
					t.Fatal(err)
				}
				o.save()
				o.logged(outage, outage)
				if got := o.stats.Snapshot(time.Now()).Checkpoint.Trouble; got != "" {
					t.Errorf("stats have %q when it is over", got)
				}
				want := checkpoint.Source{Path: web.Path, Open: []checkpoint.Generation{reading(1, done+20, "x\n")}}
				o.want(web, want)
				open(t, copied(t, dir)).want(web, want)
			}
		})
	}
}

// When a save fails, the save before it is there, and the next start can save again.
func TestFailedSaveLeavesTheOneBeforeIt(t *testing.T) {
	for _, name := range []string{fresh, previous} {
		o, g := begun(t)
		o.Acknowledge(at(g, 100), nil)
		o.save()
		path := filepath.Join(o.dir, name)
		if err := errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			o.Acknowledge(at(g, 200), nil)
			if err := o.Save(); err == nil {
				t.Errorf("Save with a directory named %s = nil", name)
			}
		}
		o = o.crash()
		if got := o.offset(); got != 100 {
			t.Errorf("continues at %d, want 100", got)
		}
		o.logged(1, 0) // what was in the way was renamed
		o.Acknowledge(at(g, 200), nil)
		o.save()
		if o = o.crash(); o.offset() != 200 {
			t.Errorf("continues at %d, want 200", o.offset())
		}
	}
}

// Who reads must not wait for a broken disk with every chunk: what could not be
// saved before it was used is left to the next Save.
func TestSecureTriesOnce(t *testing.T) {
	o, _ := begun(t)
	inTheWay := filepath.Join(o.dir, fresh)
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Begin(at(generation(web, 2), 0), logfile.Sum{}, file(2))
	o.Secure()
	o.logged(1, 0)
	if !strings.Contains(o.log.String(), "new_file=true") {
		t.Errorf("logged %s\nwant new_file=true", o.log)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if o.changed(o.Secure) {
		t.Error("Secure tries once more")
	}
	o.logged(1, 0)
	if !o.changed(o.save) {
		t.Error("Save does nothing")
	}
	o.logged(1, 1)
	if got := o.crash().source(web).Open; len(got) != 2 {
		t.Errorf("there are %d open generations after a restart, want 2", len(got))
	}
}

// An outage is worse when there is a new file, which is logged once more, and only
// once.
func TestNewFileDuringAnOutageIsLogged(t *testing.T) {
	o, g := begun(t)
	inTheWay := filepath.Join(o.dir, fresh)
	for outage := range 2 {
		if err := os.Mkdir(inTheWay, 0o700); err != nil {
			t.Fatal(err)
		}
		logged := func(errors, newFile int) {
			t.Helper()
			o.logged(2*outage+errors, outage)
			if got := strings.Count(o.log.String(), "new_file=true"); got != outage+newFile {
				t.Errorf("new_file=true %d times, want %d:\n%s", got, outage+newFile, o.log)
			}
		}
		fail := func(offset int64) {
			t.Helper()
			o.Acknowledge(at(g, offset), nil)
			if err := o.Save(); err == nil {
				t.Error("Save = nil")
			}
		}
		fail(100)
		logged(1, 0)
		fail(200)
		logged(1, 0)
		for i := range int64(2) {
			id := 2 + 2*int64(outage) + i
			o.Begin(at(generation(web, id), 0), logfile.Sum{}, file(id))
			o.Secure()
			logged(2, 1)
			fail(300 + 100*i)
			logged(2, 1)
		}
		if err := os.Remove(inTheWay); err != nil {
			t.Fatal(err)
		}
		o.save()
		o.logged(2*outage+2, outage+1)
	}
}

// A real disk, and too small. Wherever it is full, the last good save is there.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("not permitted to mount a small file system:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	o, g := open(t, dir), generation(web, 1)
	o.source(web)
	o.Begin(at(g, 0), logfile.Sum{}, file(1))
	for id := int64(2); id <= 30; id++ { // so that it needs several blocks
		o.NoteCopy("web", delivered(id, 0, ""))
	}
	o.save()
	o.Acknowledge(at(g, 10), nil)
	o.save()
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		t.Fatal(err)
	}
	size, block, all := len(contents(t, dir)[latest]), int(disk.Bsize), int(disk.Bfree)
	need := (size + block - 1) / block
	if need < 2 || all <= need {
		t.Fatalf("a checkpoint needs %d blocks and %d are free, want at least 2 and one more than that", need, all)
	}
	saved, outages := int64(10), 0
	filler := filepath.Join(dir, "filler")
	for free := range need + 1 { // blocks
		if err := os.WriteFile(filler, make([]byte, (all-free)*block), 0o600); err != nil {
			t.Fatal(err)
		}
		for i := range int64(2) {
			o.Acknowledge(at(g, saved+10*(i+1)), nil)
			err := o.Save()
			if enough := free == need; enough != (err == nil) || err != nil && !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("with %d of %d blocks free, Save = %v", free, need, err)
			}
			if got := o.stats.Snapshot(time.Now()).Checkpoint.Trouble; (got == "") != (err == nil) {
				t.Errorf("with %d of %d blocks free, stats have %q, Save = %v", free, need, got, err)
			}
			want := saved
			if err == nil {
				want += 10 * (i + 1)
			}
			after := open(t, copied(t, dir))
			if got := after.offset(); got != want {
				t.Errorf("with %d of %d blocks free: continues at %d, want %d", free, need, got, want)
			}
			after.logged(0, 0)
		}
		saved += 20
		if free < need {
			outages++
			o.logged(outages, outages-1)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if err := o.Save(); err != nil {
			t.Fatalf("when there is room again, Save = %v", err)
		}
		o.logged(outages, outages)
	}
	// It is full when it starts, too.
	if err := os.WriteFile(filler, make([]byte, all*block), 0o600); err != nil {
		t.Fatal(err)
	}
	o = o.crash()
	if got := o.offset(); got != saved {
		t.Errorf("continues at %d, want %d", got, saved)
	}
	o.logged(0, 0)
}

// A pipe that nobody reads stands for a disk that does not answer. Delivery
// continues; only a save waits.
func TestNobodyButASaveWaitsForTheDisk(t *testing.T) {
	o, g := begun(t)
	path := filepath.Join(o.dir, fresh)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 200 { // more than a pipe holds
		o.RotatedTo("web", fmt.Sprintf("/%d%s", i, strings.Repeat("x", 1000)))
	}
	results := make(chan error, 2)
	go func() { results <- o.Save() }()
	disk, err := os.Open(path) // waits for that
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	if _, err := io.ReadFull(disk, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	working := make(chan struct{})
	go func() {
		defer close(working)
		o.Acknowledge(at(g, 100), []byte("x\n"))
		o.Describe(g, file(1))
		o.Leave(at(g, 200))
		o.Stay(g)
		o.Forget(generation(web, 4))
		o.RotatedTo("web", "/old")
		o.NoteCopy("web", delivered(2, 0, ""))
		o.Lose("web", 3)
		o.Secure() // has nothing to do
		if o.Fresh() || len(o.Waiting()) != 1 || o.offset() != 100 {
			t.Error("nothing is known while a save is under way")
		}
		o.Begin(at(generation(web, 3), 0), logfile.Sum{}, file(3))
	}()
	select {
	case <-working:
	case <-time.After(10 * time.Second):
		t.Fatal("a slow save holds up everything")
	}
	go func() { results <- o.Save() }()
	select {
	case err := <-results:
		t.Errorf("Save = %v while the disk does not answer", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := os.Remove(path); err != nil { // for the second one
		t.Fatal(err)
	}
	disk.Close()
	first, second := <-results, <-results
	if !errors.Is(first, syscall.EPIPE) || second != nil {
		t.Errorf("Save = %v, %v, want %v and a good one", first, second, syscall.EPIPE)
	}
	known := o.source(web)
	if len(known.Open) != 2 || len(known.Directories) != 201 {
		t.Errorf("there are %d open generations and %d directories, want 2 and 201", len(known.Open), len(known.Directories))
	}
	o.crash().want(web, known)
}

// What was acknowledged counts once the logs are on the disk, and nobody but Save waits for that.
func TestAcknowledgedCountsOnceLogsAreSynced(t *testing.T) {
	o, g := begun(t)
	onDisk := func() int64 {
		all, err := checkpoint.Read(o.dir)
		if err != nil {
			t.Fatal(err)
		}
		return all[web.Name].Open[0].Offset
	}
	synced := 0
	if !o.SyncLogs(func() {
		synced++
		o.Acknowledge(at(g, 300), nil) // which may not be on the disk when this returns
		o.Begin(at(generation(web, g.ID+1), 0), logfile.Sum{}, logfile.File{})
		o.Secure()
		if got := onDisk(); got != 0 {
			t.Errorf("a save says that %d bytes were delivered, and the log is being synced", got)
		}
	}) {
		t.Error("nothing is saved, it says")
	}
	o.Acknowledge(at(g, 200), nil)
	o.save()
	if got := onDisk(); synced != 1 || got != 200 {
		t.Errorf("synced %d times, offset %d, want once, and 200", synced, got)
	}
	if checkpoint.InMemory(nil).SyncLogs(func() {}) {
		t.Error("a checkpoint in memory is saved, it says")
	}
}

// A head that has grown counts once the log is on the disk, too: a shorter file would be another
// log. The first one is saved before what is read is used.
func TestHeadCountsOnceLogsAreSynced(t *testing.T) {
	o, g := begun(t)
	o.SyncLogs(func() {})
	want := file(1).Head
	for _, text := range []string{"a1\na2\na3\na4\n", "a1\na2\na3\na4\na5\n"} {
		f := file(1)
		f.Head = logfile.SumOf([]byte(text))
		o.Describe(g, f)
		second := generation(web, int64(len(text)))
		o.Begin(at(second, 0), logfile.Sum{}, logfile.File{}) // which must be saved
		o.Secure()
		all, err := checkpoint.Read(o.dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := all[web.Name].Open[0].Head; got != want {
			t.Errorf("%q is on the disk before the log: a head of %d bytes, want %d", text, got.Length, want.Length)
		}
	}
	o.save()
	if got := o.crash().source(web).Open[0].Head; got != logfile.SumOf([]byte("a1\na2\na3\na4\na5\n")) {
		t.Errorf("after a save the head has %d bytes", got.Length)
	}
}

// A head that has become shorter, because its file was cut, counts at once, and is no position.
func TestHeadBecomesShorter(t *testing.T) {
	o, g := begun(t)
	o.SyncLogs(func() {})
	o.Acknowledge(at(g, 100), nil)
	f := file(1)
	f.Head = logfile.SumOf([]byte("a1\na2\na3\na4\n")) // and had grown
	o.Describe(g, f)
	for _, head := range []logfile.Sum{logfile.SumOf([]byte("a")), {}} {
		f.Head = head
		o.Describe(g, f)
		if got := o.source(web).Open[0].Head; got != head {
			t.Errorf("a head of %d bytes, want %d", got.Length, head.Length)
		}
	}
	o.save()
	if got := o.source(web).Open[0]; got.Offset != 100 || got.Line != g.FirstLine+10 || got.Head.Length != 0 {
		t.Errorf("at offset %d, line %d, a head of %d bytes, want 100, %d and none", got.Offset, got.Line, got.Head.Length, g.FirstLine+10)
	}
}
