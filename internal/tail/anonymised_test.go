// The addresses of visitors are taken out of rotated logs, which may change them or be another file.

package tail_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// visits are lines with addresses, and what somebody makes of them.
func visits(from, to int) (text string, lines []string, hidden string) {
	for i := range to - from {
		lines = append(lines, fmt.Sprintf("192.0.2.%d - - GET /%d", i%256, from+i))
	}
	text = strings.Join(lines, "\n") + "\n"
	return text, lines, anonymous(text)
}

func anonymous(text string) string { return strings.ReplaceAll(text, "192.0.2.", "192.0.") }

// inItsPlace writes a file anew.
func inItsPlace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// byAnother is what sed -i does.
func byAnother(t *testing.T, path, text string) {
	t.Helper()
	create(t, path+"~", text)
	rename(t, path+"~", path)
}

func TestRotatedLogIsAnonymised(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(t *testing.T, path, text string){
		"in its place": inItsPlace,
		"sed -i":       byAnother,
		"sed -i, and compressed": func(t *testing.T, path, text string) {
			byAnother(t, path, text)
			compress(t, path, ".gz")
		},
		"written slowly": func(t *testing.T, path, text string) {
			remove(t, path)
			create(t, path, "")
			time.Sleep(300 * time.Millisecond)
			appendTo(t, path, text[:len(text)/2])
			time.Sleep(300 * time.Millisecond)
			appendTo(t, path, text[len(text)/2:])
		},
	} {
		for _, lines := range []int{1, 100} {
			if lines == 1 && name == "written slowly" {
				continue // half of it may be there, of which nobody can tell
			}
			for _, after := range []time.Duration{0, time.Second, 10 * time.Second, 30 * time.Minute} {
				if name == "in its place" && after < 10*time.Second {
					continue
				}
				for _, restart := range []bool{false, true} {
					t.Run(fmt.Sprint(name, lines, after, restart), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							path := logFile(t)
							text, want, hidden := visits(0, lines)
							create(t, path, text)
							d := newDaemon(t, false, path)
							d.start()
							d.wantOf(want...)
							later()
							rotate(t, path, "")
							if name == "in its place" { // else it is still open, and truncated
								appendTo(t, path, "b0\n")
								want = append(want, "b0")
							}
							time.Sleep(after)
							write(t, path+".1", hidden)
							time.Sleep(3 * time.Second)
							appendTo(t, path, "b1\n")
							want = append(want, "b1")
							d.wantOf(want...)
							d.acknowledge()
							if restart {
								d.stop()
								later()
								d.start()
								want = nil
							}
							time.Sleep(10 * time.Second)
							if _, err := os.Stat(path + ".1.gz"); err == nil {
								rename(t, path+".1.gz", path+".2.gz")
							} else {
								rename(t, path+".1", path+".2")
							}
							later()
							rotate(t, path, "c1\n")
							time.Sleep(10 * time.Second)
							want = append(want, "c1")
							d.wantOf(want...)
							d.still()
							d.acknowledge()
							d.stop()
							later()
							d.start()
							d.wantNothing()
							d.stop()
						})
					})
				}
			}
		}
	}
}

// manyVisits come while a daemon is stopped that has read a few; hidden is what the whole log is
// without addresses.
func manyVisits(t *testing.T) (d *daemon, path string, old *os.File, unread []string, hidden string) {
	t.Helper()
	text, lines, hidden := visits(0, 100)
	more, unread, moreHidden := visits(100, 50_000)
	path = logFile(t)
	old = create(t, path, text)
	d = newDaemon(t, false, path)
	d.start()
	d.wantOf(lines...)
	d.acknowledge()
	d.stop()
	later()
	add(t, old, more)
	return d, path, old, unread, hidden + moreHidden
}

// Not all of it was read yet: nothing is lost.
func TestLogIsAnonymisedBeforeAllIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, path, _, unread, hidden := manyVisits(t)
		d.prepare() // and InfluxDB is away
		time.Sleep(5 * time.Second)
		rotate(t, path, "b1\n")
		byAnother(t, path+".1", hidden)
		time.Sleep(5 * time.Second)
		go d.drain()
		d.wantOf(append(unread, "b1")...)
		d.acknowledge()
		d.stop()
	})
}

// A copy without addresses is there before the log is emptied, of which not all was read: what is
// unread is read from it, as any other log that nobody knows.
func TestLogIsEmptiedThatWasCopiedWithoutAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, path, old, _, hidden := manyVisits(t)
		create(t, path+".1", hidden)
		d.prepare()
		time.Sleep(5 * time.Second)
		truncate(t, old, 0)
		time.Sleep(5 * time.Second)
		go d.drain()
		time.Sleep(30 * time.Second)
		if got := d.collected(); got < 50_000 {
			t.Errorf("%d lines came of 50,000, also of the copy", got)
		}
		d.stop()
	})
}
