package tail_test

import (
	"fmt"
	"os"
	"testing"
)

// What is said of lines names the file that they are in, and not the log from which that
// was rotated: whoever looks for NUL bytes in the log finds none.
func TestWhatIsSaidOfARotatedFileNamesIt(t *testing.T) {
	t.Parallel()
	const nuls = "\x00\x00\x00\x00\x00"
	for _, c := range []struct {
		name, is  string // the file, behind the path
		meanwhile func(t *testing.T, path string, file *os.File)
	}{
		{"the log itself", "", func(t *testing.T, _ string, file *os.File) { add(t, file, nuls+"a2\n") }},
		{"its rest", ".1", func(t *testing.T, path string, file *os.File) {
			add(t, file, nuls+"a2\n")
			rotate(t, path, "b1\n")
		}},
		{"a compressed rest", ".1.gz", func(t *testing.T, path string, file *os.File) {
			add(t, file, nuls+"a2\n")
			rotate(t, path, "b1\n")
			compress(t, path+".1", ".gz")
		}},
		{"rotated unnoticed", ".1", func(t *testing.T, path string, _ *os.File) {
			rotate(t, path, nuls+"b1\n")
			rotate(t, path, "c1\n")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				file := create(t, path, "a1\n")
				d := newDaemon(t, wakeups, path)
				d.options.holes = true
				d.start()
				d.want(1, "a1")
				d.stop()
				c.meanwhile(t, path, file)
				d.start()
				defer d.stop()
				if want := fmt.Sprintf("NUL bytes in the log are skipped\" source=s0 file=%s%s offset=", path, c.is); !d.poll(func() bool { return d.logged(want) == 1 }) {
					t.Errorf("the log says\n%s\nwant %q", &d.log, want)
				}
			})
		})
	}
}
