// The daemon is stopped, something happens to the log, and the daemon is started again.

package tail_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/tail"
)

func TestNothingHappensWhileStopped(t *testing.T) {
	restarts(t,
		stopped{name: "whole lines", meanwhile: func(*testing.T, string, *os.File) {}},
		stopped{name: "half a line", before: "a1\nhal", meanwhile: func(*testing.T, string, *os.File) {}},
		stopped{name: "less than a line", before: "hal", meanwhile: func(*testing.T, string, *os.File) {}},
		stopped{name: "touched", meanwhile: func(t *testing.T, path string, _ *os.File) { touch(t, path) }},
	)
}

func TestFileGrowsWhileStopped(t *testing.T) {
	restarts(t,
		stopped{
			name:      "by lines",
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, "a3\na4\n") },
			want:      [][]string{{"a3", "a4"}},
		},
		stopped{
			name: "by the rest of a line", before: "a1\nhal",
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, "f\na3\n") },
			want:      [][]string{{"half", "a3"}},
		},
		stopped{
			name: "by the rest of its first line", before: "hal",
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, "f\na2\n") },
			want:      [][]string{{"half", "a2"}},
		},
		stopped{
			name: "by the rest of a line over a block", before: "a1\n" + strings.Repeat("x", 2*blockSize),
			meanwhile: func(t *testing.T, _ string, file *os.File) { add(t, file, strings.Repeat("x", blockSize)+"\na3\n") },
			want:      [][]string{{strings.Repeat("x", longHead), "a3"}},
		},
	)
}

func TestHalfLineIsFinishedAfterTheRestart(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\nha")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		d.start()
		d.wantNothing()
		add(t, file, "l")
		d.kill()
		d.start()
		d.wantNothing()
		add(t, file, "f\na3\n")
		d.want(1, "half", "a3")
		if at := d.file(1).start; at.Line != 2 || at.Offset != 3 {
			t.Errorf("goes on at offset %d, line %d, want 3 and 2", at.Offset, at.Line)
		}
		d.stop()
	})
}

func TestFileIsRotatedWhileStopped(t *testing.T) {
	once := func(t *testing.T, path string, file *os.File) {
		t.Helper()
		add(t, file, "a3\n")
		rotate(t, path, "b1\nb2\n")
	}
	twice := func(t *testing.T, path string, file *os.File) {
		t.Helper()
		once(t, path, file)
		rotate(t, path, "c1\n")
	}
	text, lines := numbered("a", 3, 3*blockSize/100) // many chunks
	more, moreLines := numbered("b", 1, 3*blockSize/100)
	restarts(t,
		stopped{name: "once", meanwhile: once, want: [][]string{{"a3"}, {"b1", "b2"}}},
		stopped{
			name:      "once with nothing unread",
			meanwhile: func(t *testing.T, path string, _ *os.File) { rotate(t, path, "b1\n") },
			want:      [][]string{nil, {"b1"}},
		},
		stopped{
			name:      "once and the new one is empty",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "a3\n"); rotate(t, path, "") },
			want:      [][]string{{"a3"}, nil},
		},
		stopped{
			name: "once and there is no new one",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				rename(t, path, path+".1")
				add(t, file, "a4\n")
			},
			want: [][]string{{"a3", "a4"}},
		},
		stopped{name: "twice", meanwhile: twice, want: [][]string{{"a3"}, {"b1", "b2"}, {"c1"}}},
		stopped{
			name: "three times",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, text)
				rotate(t, path, more)
				rotate(t, path, "c1\nc2\n")
				rotate(t, path, "d1\n")
			},
			want: [][]string{lines, moreLines, {"c1", "c2"}, {"d1"}},
		},
		stopped{
			name: "before it has a whole line", before: "hal",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "f\na2\n"); rotate(t, path, "b1\n") },
			want:      [][]string{{"half", "a2"}, {"b1"}},
		},
		stopped{
			name:   "by date",
			before: "a1\n",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a2\n")
				for i, day := range []string{"20261122", "20261123", "20261124-1795478400"} {
					later()
					rename(t, path, path+"-"+day)
					later()
					create(t, path, string(rune('b'+i))+"1\n")
				}
			},
			want: [][]string{{"a2"}, {"b1"}, {"c1"}, {"d1"}},
		},
		stopped{
			name: "by date and the extension kept",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				stem := strings.TrimSuffix(path, ".log")
				later()
				rename(t, path, stem+"-20261122.log")
				later()
				create(t, path, "b1\n")
				later()
				rename(t, path, stem+"-20261123.log")
				later()
				create(t, path, "c1\n")
			},
			want: [][]string{{"a3"}, {"b1"}, {"c1"}},
		},
		stopped{
			name: "into a directory below",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				add(t, file, "a3\n")
				dir := mkdir(t, filepath.Join(filepath.Dir(path), "archive"))
				later()
				rename(t, path, filepath.Join(dir, "access.log.2"))
				later()
				create(t, path, "b1\n")
				later()
				rename(t, path, filepath.Join(dir, "access.log.1"))
				later()
				create(t, path, "c1\n")
			},
			want: [][]string{{"a3"}, {"b1"}, {"c1"}},
		},
	)
}

func TestFileIsRotatedWhileStoppedIntoADirectoryThatIsKnown(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path, dir := logFile(t), t.TempDir()
		to := filepath.Join(dir, "access.log")
		create(t, path, "a1\n").Close()
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		rename(t, path, to+".1")
		later()
		b := create(t, path, "b1\n")
		d.want(2, "b1")
		d.left(to + ".1")
		d.stop()
		add(t, b, "b2\n")
		rename(t, to+".1", to+".2")
		later()
		rename(t, path, to+".1")
		later()
		create(t, path, "c1\n")
		shift(t, to)
		later()
		rename(t, path, to+".1")
		later()
		create(t, path, "d1\n")
		d.start()
		d.wantAll(nil, []string{"b2"}, []string{"c1"}, []string{"d1"})
		d.stop()
	})
}

// Two files are read beside each other at that moment.
func TestKilledWhileTheOldFileIsStillWritten(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		a := create(t, path, "a1\na2\n")
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = rotateWait
		d.start()
		d.want(1, "a1", "a2")
		d.acknowledge()
		b := rotate(t, path, "b1\n")
		d.want(2, "b1")
		add(t, a, "a3\n")
		d.want(1, "a1", "a2", "a3")
		d.kill()
		add(t, b, "b2\n")
		add(t, a, "a4\nhal")
		d.start()
		d.want(1, "a3", "a4")
		d.want(2, "b1", "b2")
		add(t, a, "f\n")
		d.want(1, "a3", "a4", "half")
		d.kill()
		rotate(t, path, "c1\n")
		d.start()
		d.wantAll([]string{"a3", "a4", "half"}, []string{"b1", "b2"}, []string{"c1"})
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

func TestFileIsTruncatedWhileStopped(t *testing.T) {
	restarts(t,
		stopped{
			name:      "and there is no copy",
			meanwhile: func(t *testing.T, _ string, file *os.File) { truncate(t, file, 0); add(t, file, "b1\n") },
			want:      [][]string{nil, {"b1"}},
			lost:      1, // what was written after the stop is unknown
		},
		stopped{
			name: "with half a line unread", before: "a1\nhalf",
			meanwhile: func(t *testing.T, _ string, file *os.File) { truncate(t, file, 0); add(t, file, "b1\n") },
			want:      [][]string{nil, {"b1"}},
			lost:      1, lostBytes: 4,
		},
		stopped{
			name: "and is larger again", before: "a1\nhalf",
			meanwhile: func(t *testing.T, _ string, file *os.File) { truncate(t, file, 0); add(t, file, "b1\nb2\nb3\nb4\n") },
			want:      [][]string{nil, {"b1", "b2", "b3", "b4"}},
			lost:      1, lostBytes: 4,
		},
		stopped{
			name: "and rotated",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				truncate(t, file, 0)
				add(t, file, "b1\n")
				rotate(t, path, "c1\n")
			},
			want: [][]string{nil, {"b1"}, {"c1"}},
			lost: 1,
		},
	)
}

// What was read and not acknowledged is known to be lost.
func TestFileIsTruncatedAfterAKill(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "a1\na2\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1", "a2")
		d.kill()
		truncate(t, file, 0)
		add(t, file, "b1\n")
		d.start()
		d.wantAll(nil, []string{"b1"})
		if s := d.source(); s.Lost != 1 || s.LostBytes != 6 {
			t.Errorf("lost %d generations with %d bytes, want 1 with 6", s.Lost, s.LostBytes)
		}
		d.stop()
	})
}

func TestFileIsDeletedWhileStopped(t *testing.T) {
	restarts(t,
		stopped{
			name: "and nothing is there", before: "a1\nhalf",
			meanwhile: func(t *testing.T, path string, _ *os.File) {
				remove(t, path)
				create(t, filepath.Join(filepath.Dir(path), "error.log"), "")
			},
			lost: 1, lostBytes: 4,
		},
		stopped{
			name:      "and recreated",
			meanwhile: func(t *testing.T, path string, _ *os.File) { remove(t, path); create(t, path, "b1\nb2\nb3\n") },
			want:      [][]string{nil, {"b1", "b2", "b3"}},
			lost:      1,
		},
		stopped{
			name:      "and recreated with the same inode number",
			meanwhile: func(t *testing.T, path string, file *os.File) { recreate(t, path, file, "b1\nb2\nb3\n") },
			want:      [][]string{nil, {"b1", "b2", "b3"}},
			lost:      1,
		},
		stopped{
			name: "before it has a whole line and recreated with the same inode number", before: "half",
			meanwhile: func(t *testing.T, path string, file *os.File) { recreate(t, path, file, "b1\nb2\nb3\n") },
			want:      [][]string{nil, {"b1", "b2", "b3"}},
			lost:      1, lostBytes: 4,
		},
		stopped{
			name: "and its number is used again by the file after the next",
			meanwhile: func(t *testing.T, path string, file *os.File) {
				recreate(t, path, file, "b1\n")
				rotate(t, path, "c1\n")
			},
			want: [][]string{nil, {"b1"}, {"c1"}},
			lost: 1,
		},
	)
}

// The volume on which the log is comes after tailflux, and the log was rotated meanwhile.
func TestVolumeIsMountedAfterTheStart(t *testing.T) {
	for _, mountpoint := range []string{"is not there", "is empty"} {
		for _, glob := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, glob %v", mountpoint, glob), func(t *testing.T) {
				both(t, func(t *testing.T, wakeups bool) {
					volume := filepath.Join(t.TempDir(), "volume")
					if err := os.Mkdir(volume, 0o755); err != nil {
						t.Fatal(err)
					}
					path := filepath.Join(volume, "access.log")
					file := create(t, path, "a1\n")
					d := newDaemon(t, wakeups, path)
					if glob {
						d.paths = nil
						d.options.Globs = []tail.Glob{{Name: "s0", Pattern: filepath.Join(volume, "*.log")}}
					}
					d.start()
					d.want(1, "a1")
					d.stop()
					add(t, file, "a2\n")
					rotate(t, path, "b1\n")
					elsewhere := volume + ".away"
					rename(t, volume, elsewhere)
					if mountpoint == "is empty" {
						if err := os.Mkdir(volume, 0o755); err != nil {
							t.Fatal(err)
						}
					}
					d.start()
					d.still()
					if s := d.source(); s.Lost > 0 {
						t.Errorf("%d generations are called lost before the volume is there", s.Lost)
					}
					_ = os.Remove(volume)
					rename(t, elsewhere, volume)
					d.want(1, "a2")
					d.want(2, "b1")
					d.stop()
					if s := d.source(); s.Lost > 0 {
						t.Errorf("%d generations are lost", s.Lost)
					}
				})
			})
		}
	}
}

// recreate deletes a file and makes another one with its inode number.
func recreate(t *testing.T, path string, file *os.File, text string) {
	t.Helper()
	number := func(path string) uint64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	old := number(path)
	file.Close()
	remove(t, path)
	for i := range 100 {
		name := filepath.Join(filepath.Dir(path), fmt.Sprint("other", i))
		create(t, name, text).Close()
		if number(name) == old {
			rename(t, name, path)
			return
		}
	}
	t.Skip("the file system does not use inode numbers again")
}

func TestFileIsReplacedWhileStoppedByOneThatBeginsAlikeForAKilobyte(t *testing.T) {
	t.Parallel()
	head := strings.Repeat("x", 1023) + "\n"
	for _, c := range []struct{ name, after string }{
		{"and is larger", head + "b2\nb3\n"},
		{"and is as large", head + "b2\n"},
		{"and is smaller", head},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				create(t, path, head+"a2\n")
				d := newDaemon(t, wakeups, path)
				d.books.once = false // some lines of the two files are alike
				d.start()
				d.want(1, head[:1023], "a2")
				d.stop()
				create(t, path+".new", c.after)
				rename(t, path+".new", path)
				d.start()
				d.wantAll(nil, strings.Split(strings.TrimSuffix(c.after, "\n"), "\n"))
				if s := d.source(); s.Lost != 1 {
					t.Errorf("%d generations lost, want 1", s.Lost)
				}
				d.stop()
			})
		})
	}
}

func TestSymlinkIsSwappedWhileStopped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		names [3]string
	}{
		{"to a file of any name", [3]string{"one", "two"}},
		{"to files of a date", [3]string{"access.20261122.log", "access.20261123.log", "access.20261124.log"}},
		{"to files of a date below", [3]string{"logs/web-2026-11-22", "logs/web-2026-11-23", "logs/web-2026-11-24"}},
		{"to files of a date elsewhere", [3]string{"../logs/web-2026-11-22", "../logs/web-2026-11-23", "../logs/web-2026-11-24"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				mkdir(t, filepath.Join(filepath.Dir(path), "logs"))
				mkdir(t, filepath.Join(filepath.Dir(path), "..", "logs"))
				swap := func(to, text string) *os.File {
					later()
					file := create(t, filepath.Join(filepath.Dir(path), to), text)
					link(t, file.Name(), path+".new")
					rename(t, path+".new", path)
					return file
				}
				a := swap(c.names[0], "a1\n")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, "a1")
				d.stop()
				add(t, a, "a2\n")
				swap(c.names[1], "b1\n")
				want := [][]string{{"a2"}, {"b1"}}
				if c.names[2] != "" {
					swap(c.names[2], "c1\n")
					want = append(want, []string{"c1"})
				}
				d.start()
				d.wantAll(want...)
				d.kill()
				d.start()
				d.wantAll(want...)
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// As a line, when the file is left, and once.
func TestFileIsRotatedWhileStoppedAndItsLastLineHasNoNewline(t *testing.T) {
	restarts(t,
		stopped{
			name: "half of it known", before: "a1\nla",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "st"); rotate(t, path, "b1\n") },
			want:      [][]string{{"last"}, {"b1"}},
		},
		stopped{
			name:      "after another one",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "a3\nlast"); rotate(t, path, "b1\n") },
			want:      [][]string{{"a3", "last"}, {"b1"}},
		},
		stopped{
			name:      "of a file that nobody has seen",
			meanwhile: func(t *testing.T, path string, _ *os.File) { rotate(t, path, "b1\nlast"); rotate(t, path, "c1\n") },
			want:      [][]string{nil, {"b1", "last"}, {"c1"}},
		},
	)
}

// The same log in another file: restored from a copy, or on a file system that has
// another device number since the machine was started.
func TestFileIsAnotherOneWithTheSameContentAfterTheRestart(t *testing.T) {
	replace := func(t *testing.T, path string) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		create(t, path+".new", string(text))
		rename(t, path+".new", path)
	}
	restarts(t,
		stopped{
			name:      "with nothing unread",
			meanwhile: func(t *testing.T, path string, _ *os.File) { replace(t, path) },
			want:      [][]string{nil},
		},
		stopped{
			name:      "with more in it",
			meanwhile: func(t *testing.T, path string, file *os.File) { add(t, file, "a3\n"); replace(t, path) },
			want:      [][]string{{"a3"}},
		},
	)
}

// A log whose time is yet to come, because the clock was wrong, does not hide those
// that come after it.
func TestFileWithATimeToComeIsRotatedWhileStopped(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		later := time.Now().Add(30 * 24 * time.Hour)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
		time.Sleep(600 * time.Millisecond) // it is seen
		rotate(t, path, "b1\n")
		d.want(2, "b1")
		d.stop()
		rotate(t, path, "c1\n")
		rotate(t, path, "d1\n")
		d.start()
		d.eventually("the lines", func() bool { return d.hasSent("c1") && d.hasSent("d1") })
		d.stop()
	})
}

// The file at the path is the one that was read, yet another one was there meanwhile.
func TestFileIsRotatedWhileStoppedAndComesBack(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		a := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a1")
		d.stop()
		rotate(t, path, "b1\n")
		rename(t, path, path+".2")
		rename(t, path+".1", path)
		add(t, a, "a2\n")
		d.start()
		d.want(1, "a2")
		d.want(2, "b1")
		d.stop()
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// The last of the files may still be written to. It is the one that is shown, and the one
// that is rotated when another one comes.
func TestFilesAreRotatedWhileStoppedAndNothingIsAtThePath(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		a := create(t, path, "a1\n")
		d := newDaemon(t, wakeups, path)
		d.options.RotateWait = time.Minute
		d.start()
		d.want(1, "a1")
		b := rotate(t, path, "b1\n")
		d.want(2, "b1")
		d.acknowledge()
		d.kill()
		later()
		shift(t, path)
		rename(t, path, path+".1")
		add(t, b, "b2\nb3\n")
		add(t, a, "a2\n")
		d.start()
		d.want(1, "a2")
		d.want(2, "b2", "b3")
		d.eventually("the last one", func() bool { s := d.source(); return s.Offset == 9 && s.Size == 9 && s.Rotations == 0 })
		later()
		create(t, path, "c1\n")
		d.want(3, "c1")
		d.eventually("the rotation", func() bool { return d.source().Rotations == 1 })
		d.stop()
	})
}

// The other one has all that was read, too, and is no copy.
func TestFileIsCompressedWhileStoppedAndTheNextOneBeginsAlike(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		file := create(t, path, "begin\n")
		d := newDaemon(t, wakeups, path)
		d.books.once = false
		d.start()
		d.want(1, "begin")
		d.stop()
		add(t, file, "a2\n")
		rotate(t, path, "begin\nb2\n")
		compress(t, path+".1", ".gz")
		for _, end := range []func(){d.kill, d.stop} {
			d.start()
			d.wantAll([]string{"a2"}, []string{"begin", "b2"})
			end()
		}
		d.start()
		d.wantNothing()
		d.stop()
	})
}

// What is left is a copy of the file before, which was read.
func TestFileIsDeletedWhileStoppedAndACopyOfAnotherOneBeginsAlike(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		create(t, path, "begin\na2\n")
		d := newDaemon(t, wakeups, path)
		d.books.once = false
		d.options.RotateWait = time.Minute
		d.start()
		d.want(1, "begin", "a2")
		rotate(t, path, "begin\n")
		d.want(2, "begin")
		d.acknowledge()
		d.kill()
		copyTo(t, path+".1", path+".8")
		remove(t, path)
		later()
		create(t, path, "c1\n")
		d.start()
		d.want(3, "c1")
		d.still()
		if s := d.source(); s.Lost != 1 || s.LostBytes != 0 {
			t.Errorf("lost %d generations with %d bytes, want 1 of which all was read", s.Lost, s.LostBytes)
		}
		d.stop()
	})
}

// Raw points were further than a rollup when it was killed, and the log is shorter when it is
// started again: what was written behind what is left is delivered, to raw points as well.
func TestLogIsShortenedWhileStopped(t *testing.T) {
	for _, shortened := range []bool{false, true} {
		t.Run(fmt.Sprint(shortened), func(t *testing.T) {
			path := logFile(t)
			first := strings.Repeat("x", 2*logfile.HeadBytes) // else another head tells that it is another log
			file := create(t, path, first+"\na2\na3\na4\n")
			d := newDaemon(t, false, path)
			d.books = nil // lines that are gone had the numbers of those that came next
			d.start()
			c := d.sink.checkpoint
			c.Deliver([]string{checkpoint.Lines, checkpoint.Raw, "site"})
			d.want(1, first, "a2", "a3", "a4")
			d.sink.acknowledge(everything)
			if err := c.Save(); err != nil {
				t.Fatal(err)
			}
			g := d.files[0].generation
			d.kill()
			if got := c.From(g, checkpoint.Raw); got != 5 {
				t.Fatalf("raw points go on from line %d, want 5", got)
			}
			if shortened {
				if err := file.Truncate(int64(len(first)) + 4); err != nil {
					t.Fatal(err)
				}
			}
			appendTo(t, path, "b3\nb4\nb5\n")
			d.start()
			from := int64(5)
			if shortened {
				d.want(1, first, "a2", "b3", "b4", "b5")
				from = 1
			} else {
				d.want(1, first, "a2", "a3", "a4", "b3", "b4", "b5")
			}
			if got := d.sink.checkpoint.From(g, checkpoint.Raw); got != from {
				t.Errorf("raw points go on from line %d, want %d", got, from)
			}
			if told := strings.Contains(d.log.String(), "shorter than what was delivered"); told != shortened {
				t.Errorf("told %v, want %v; the log:\n%s", told, shortened, &d.log)
			}
			d.stop()
		})
	}
}
