// The addresses of visitors are taken out of rotated logs, which may change them or be another file.

package tail_test

import (
	"fmt"
	"os"
	"slices"
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

func anonymous(text string) string { return strings.ReplaceAll(text, "192.0.2.", "192.0.0.0") }

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

// Of what nobody has read yet nothing is lost.
func TestLogIsAnonymisedBeforeAllIsRead(t *testing.T) {
	t.Parallel()
	text, lines, _ := visits(0, 100)
	more, unread, hidden := visits(100, 200)
	anonymous := anonymous(text) + hidden
	unreadAnonymous := strings.Split(strings.TrimSuffix(hidden, "\n"), "\n")
	for name, c := range map[string]struct {
		change func(t *testing.T, path string, old *os.File)
		want   []string // of the lines that nobody has read
	}{
		"copytruncate, and the copy is anonymised": {func(t *testing.T, path string, old *os.File) {
			copyFile(t, path, path+".1")
			truncate(t, old, 0)
			byAnother(t, path+".1", anonymous)
		}, unreadAnonymous},
		"in its place": {func(t *testing.T, path string, _ *os.File) {
			inItsPlace(t, path, anonymous)
		}, unreadAnonymous},
		"sed -i at the path": {func(t *testing.T, path string, old *os.File) {
			byAnother(t, path, anonymous)
			add(t, old, "late\n")
		}, append(slices.Clone(unread), "late")},
		"rotated, and sed -i": {func(t *testing.T, path string, _ *os.File) {
			rotate(t, path, "")
			byAnother(t, path+".1", anonymous)
		}, unread},
		"rotated, and in its place": {func(t *testing.T, path string, _ *os.File) {
			rotate(t, path, "")
			inItsPlace(t, path+".1", anonymous)
		}, unreadAnonymous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := logFile(t)
				old := create(t, path, text)
				d := newDaemon(t, false, path)
				d.start()
				d.wantOf(lines...)
				add(t, old, more)
				c.change(t, path, old)
				time.Sleep(10 * time.Second)
				want := slices.Concat(lines, c.want)
				d.wantOf(want...)
				appendTo(t, path, "b1\n")
				d.wantOf(append(want, "b1")...)
				if lost := d.source().Lost; lost > 0 {
					t.Errorf("%d generations are said to be lost", lost)
				}
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

// It takes a while to write a large one anew.
func TestLogIsAnonymisedSlowlyInItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		text, want, hidden := visits(0, 500)
		path := logFile(t)
		create(t, path, text)
		d := newDaemon(t, false, path)
		d.start()
		d.wantOf(want...)
		rotate(t, path, "")
		time.Sleep(time.Second)
		inItsPlace(t, path+".1", hidden[:2000])
		for at := 2000; at < len(hidden); at += 1000 {
			time.Sleep(300 * time.Millisecond)
			appendTo(t, path+".1", hidden[at:min(at+1000, len(hidden))])
		}
		time.Sleep(10 * time.Second)
		appendTo(t, path, "b1\n")
		d.wantOf(append(want, "b1")...)
		d.acknowledge()
		d.stop()
	})
}
