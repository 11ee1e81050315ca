// The log was rotated and compressed with gzip or zstd.

package tail_test

import (
	"compress/gzip"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

func TestFileIsRotatedAndCompressedWhileStopped(t *testing.T) {
	t.Parallel()
	for _, end := range []string{".gz", ".zst"} {
		t.Run(end[1:], func(t *testing.T) {
			rotated := func(files string, packed ...string) func(*testing.T, string, *os.File) {
				return func(t *testing.T, path string, file *os.File) {
					t.Helper()
					add(t, file, "a3\n")
					for next := range strings.SplitSeq(files, "") {
						rotate(t, path, next+"1\n"+next+"2\n")
					}
					for _, n := range packed {
						compress(t, path+n, end)
					}
				}
			}
			a, b, c := []string{"a3"}, []string{"b1", "b2"}, []string{"c1", "c2"}
			restarts(t,
				stopped{name: "once", meanwhile: rotated("b", ".1"), want: [][]string{a, b}},
				stopped{name: "twice, the older one compressed", meanwhile: rotated("bc", ".2"), want: [][]string{a, b, c}},
				stopped{name: "twice, the newer one compressed", meanwhile: rotated("bc", ".1"), want: [][]string{a, b, c}},
				stopped{name: "twice, both compressed", meanwhile: rotated("bc", ".2", ".1"), want: [][]string{a, b, c}},
				stopped{
					name: "three times, the last one not", meanwhile: rotated("bcd", ".3", ".2"),
					want: [][]string{a, b, c, {"d1", "d2"}},
				},
				stopped{
					name: "with a last line without newline", before: "a1\nla",
					meanwhile: func(t *testing.T, path string, file *os.File) {
						add(t, file, "st")
						rotate(t, path, "b1\nhalf")
						compress(t, path+".1", end)
						rotate(t, path, "c1\n")
						compress(t, path+".1", end)
					},
					want: [][]string{{"last"}, {"b1", "half"}, {"c1"}},
				},
				stopped{
					name: "with a line over a block", before: "a1\n" + strings.Repeat("x", 2*blockSize),
					meanwhile: func(t *testing.T, path string, file *os.File) {
						add(t, file, strings.Repeat("x", 2*blockSize)+"\na3\n")
						rotate(t, path, "b1\n")
						compress(t, path+".1", end)
					},
					want: [][]string{{strings.Repeat("x", longHead), "a3"}, {"b1"}},
				},
				stopped{
					name: "by date and the extension kept",
					meanwhile: func(t *testing.T, path string, file *os.File) {
						add(t, file, "a3\n")
						later()
						to := strings.TrimSuffix(path, ".log") + "-20261122.log"
						rename(t, path, to)
						compress(t, to, end)
						later()
						create(t, path, "b1\n")
					},
					want: [][]string{a, {"b1"}},
				},
				stopped{
					name: "and the plain file is still there",
					meanwhile: func(t *testing.T, path string, file *os.File) {
						rotated("b")(t, path, file)
						copyTo(t, path+".1", path+".9")
						compress(t, path+".9", end)
						rename(t, path+".9"+end, path+".1"+end)
					},
					want: [][]string{a, b},
				},
			)
		})
	}
}

// It is compressed between two runs, and read in both.
func TestFileIsCompressedAfterAKillWhileItIsRead(t *testing.T) {
	t.Parallel()
	for _, end := range []string{".gz", ".zst"} {
		t.Run(end[1:], func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				text, lines := numbered("a", 1, 5*blockSize/100)
				file := create(t, path, "a\n")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, "a")
				d.stop()
				add(t, file, text)
				rotate(t, path, "b1\n")
				d.prepare()
				d.eventually("a full channel", func() bool { return d.stats.Snapshot(time.Now()).Books.Read > 0 && len(d.chunks) > 0 })
				c := <-d.chunks
				d.receive(c)
				d.acknowledge()
				n := int(c.Lines())
				go d.drain()
				d.want(1, lines...)
				d.want(2, "b1")
				d.kill()
				rotate(t, path, "c1\n")
				compress(t, path+".2", end)
				d.start()
				d.wantAll(lines[n:], []string{"b1"}, []string{"c1"})
				d.kill()
				d.start()
				d.wantAll(lines[n:], []string{"b1"}, []string{"c1"})
				d.stop()
				d.start()
				d.wantNothing()
				d.stop()
			})
		})
	}
}

// The way to where reading goes on is long; another log is read meanwhile.
func TestCheckpointIsFarInsideACompressedFile(t *testing.T) {
	t.Parallel()
	const far = 20 << 20 // more than is skipped at once
	for _, end := range []string{".gz", ".zst"} {
		for _, known := range []bool{true, false} {
			name := map[bool]string{true: "known", false: "unknown"}[known]
			t.Run(end[1:]+", what is before it "+name, func(t *testing.T) {
				both(t, func(t *testing.T, wakeups bool) {
					path, other := logFile(t), logFile(t)
					file := create(t, path, "first\n"+strings.Repeat(strings.Repeat("x", 1023)+"\n", far>>10))
					create(t, other, "")
					d := newDaemon(t, wakeups, path, other)
					d.options.fromEnd = true
					d.start()
					d.looked()
					last := "a1"
					if !known { // the head of a long line does not identify the place in the file
						last = strings.Repeat("y", 2*blockSize)
					}
					add(t, file, last+"\n")
					d.want(1, last[:min(len(last), longHead)])
					d.stop()
					add(t, file, "a2\nlast")
					rotate(t, path, "b1\n")
					compress(t, path+".1", end)
					for _, ends := range []func(){d.kill, d.stop} {
						d.start()
						d.want(1, "a2", "last")
						d.want(2, "b1")
						if at := d.file(1).start; at.Line != 2 || at.Offset != far+6+int64(len(last))+1 {
							t.Errorf("goes on at offset %d, line %d, want %d and 2", at.Offset, at.Line, far+6+len(last)+1)
						}
						ends()
					}
					d.start()
					d.wantNothing()
					d.stop()
				})
			})
		}
	}
}

// All of it comes, and /monitor reports that the end is missing.
func TestCompressedFileHasNoEnd(t *testing.T) {
	both(t, func(t *testing.T, wakeups bool) {
		path := logFile(t)
		text, lines := numbered("a", 1, 10*blockSize/100)
		file := create(t, path, "a\n")
		d := newDaemon(t, wakeups, path)
		d.start()
		d.want(1, "a")
		d.stop()
		add(t, file, text)
		rotate(t, path, "b1\n")
		compress(t, path+".1", ".gz")
		info, err := os.Stat(path + ".1.gz")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path+".1.gz", info.Size()-6); err != nil { // of the sum and the length
			t.Fatal(err)
		}
		d.start()
		d.want(1, lines...)
		d.want(2, "b1")
		d.eventually("trouble", func() bool { return strings.Contains(d.source().Trouble, "unpack: unexpected EOF") })
		d.still()
		d.stop()
	})
}

// What comes before the damage is read, and /monitor reports the damage.
func TestCompressedFileIsDamaged(t *testing.T) {
	t.Parallel()
	for _, end := range []string{".gz", ".zst"} {
		t.Run(end[1:], func(t *testing.T) {
			both(t, func(t *testing.T, wakeups bool) {
				path := logFile(t)
				text, lines := numbered("a", 1, 10*blockSize/100)
				file := create(t, path, "a\n")
				d := newDaemon(t, wakeups, path)
				d.start()
				d.want(1, "a")
				d.stop()
				add(t, file, text)
				rotate(t, path, "b1\n")
				compress(t, path+".1", end)
				info, err := os.Stat(path + ".1" + end)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(path+".1"+end, info.Size()-6); err != nil {
					t.Fatal(err)
				}
				d.start()
				d.want(2, "b1")
				d.eventually("trouble", func() bool { return strings.Contains(d.source().Trouble, "unpack: unexpected EOF") })
				whole := unpackable(t, path+".1"+end) - len("a\n")
				if got := d.got(1); whole < len(text)/2 || !slices.Equal(got, lines[:strings.Count(text[:whole], "\n")]) {
					t.Errorf("%d lines from %.20q on, want those of the first %d bytes of %d", len(got), got, whole, len(text))
				}
				d.want(1, d.got(1)...)
				d.kill()
			})
		})
	}
}

// unpackable is how many bytes a damaged file holds before the damage.
func unpackable(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader
	if strings.HasSuffix(path, ".gz") {
		in, err = gzip.NewReader(f)
	} else {
		var z *zstd.Decoder
		if z, err = zstd.NewReader(f); err == nil {
			defer z.Close()
		}
		in = z
	}
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, in)
	if err == nil {
		t.Fatalf("%s is not damaged", path)
	}
	return int(n)
}
