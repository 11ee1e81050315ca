package logfile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/tailflux/tailflux/internal/logfile"
)

// twoLines is what is in all of these.
const twoLines = "one\ntwo\n"

// As the tools write it.
var (
	inXz       = unhex("fd377a585a000004e6d6b4460200210116000000742fe5a30100076f6e650a74776f0a0051ab9eaf5775704900012008bb19d9bb1fb6f37d010000000004595a")
	inBzip2    = unhex("425a6839314159265359a7142b77000002c180001002018480200021800c0238f51b8bb9229c2848538a15bb80")
	inLz4      = unhex("04224d186440a7080000806f6e650a74776f0a000000002701c483")
	inCompress = unhex("1f9d906fdc945140e7ce1b05") // of nothing but codes of nine bits
	noBzip2    = unhex("425a683917724538509000000000")
)

func unhex(digits string) string {
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func inGzip(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func inZstd(text string) string {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

// skippable is a frame that means nothing, as pzstd writes them before the others.
func skippable(length int) string {
	return "\x5a\x2a\x4d\x18" + string([]byte{byte(length), byte(length >> 8), byte(length >> 16), 0}) + strings.Repeat("\x28", length)
}

// frame is a frame of zstd with a descriptor and a raw block.
func frame(descriptor string) string {
	return "\x28\xb5\x2f\xfd" + descriptor + "\x41\x00\x00" + twoLines
}

const (
	window64M = "\x00\x80"
	window1G  = "\x00\xa0"
	single1G  = "\xa0\x00\x00\x00\x40"
)

func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// inTar is the header of a file in a tar archive, as far as it counts here.
func inTar(magic string) string { return strings.Repeat("a", 257) + magic + strings.Repeat("a", 300) }

func isArchive(name string) string {
	return "PATH is an archive (" + name + ") and no log: if there is a log in it that was not read, unpack that, and tailflux import delivers it"
}

// What is in a file is told by its first bytes and not by its name. What cannot be
// read is refused, by name and with the command that unpacks it.
func TestNameOfAFileLies(t *testing.T) {
	const hole = "\x00\x00\x00\x00\x00\x00\x00\x00"
	for what, tt := range map[string]struct{ name, text, want, refused string }{
		"plain, called as by gzip":                {"access.log.1.gz", twoLines, twoLines, ""},
		"plain, called as by xz":                  {"access.log.1.xz", twoLines, twoLines, ""},
		"gzip without an ending":                  {"access.log.1", inGzip(twoLines), twoLines, ""},
		"zstd without an ending":                  {"access.log.1", inZstd(twoLines), twoLines, ""},
		"zstd, called as by gzip":                 {"access.log.1.gz", inZstd(twoLines), twoLines, ""},
		"gzip, called as by zstd":                 {"access.log.1.zst", inGzip(twoLines), twoLines, ""},
		"gzip, several members":                   {"access.log.1", inGzip("one\n") + inGzip("two\n"), twoLines, ""},
		"zstd behind a frame to be skipped":       {"access.log.1", skippable(4) + inZstd(twoLines), twoLines, ""},
		"zstd behind two that are long":           {"access.log.1", skippable(1000) + skippable(70_000) + inZstd(twoLines), twoLines, ""},
		"nothing but a frame to be skipped":       {"access.log.1", skippable(4), "", ""},
		"nothing, called as by gzip":              {"access.log.1.gz", "", "", ""},
		"gzip of nothing":                         {"access.log.1", inGzip(""), "", ""},
		"a hole, and a log":                       {"access.log", hole + twoLines, hole + twoLines, ""},
		"a hole, and gzip":                        {"access.log", hole + inGzip(""), hole + inGzip(""), ""},
		"too little of xz to tell":                {"access.log.1.xz", inXz[:5], inXz[:5], ""},
		"too little of gzip to tell":              {"access.log.1.gz", inGzip("")[:2], inGzip("")[:2], ""},
		"a log in which somebody is called BZh9":  {"access.log", "BZh91AY - [20/Nov/2026]\n", "BZh91AY - [20/Nov/2026]\n", ""},
		"bzip2 of nothing":                        {"a.bz2", noBzip2, "", "PATH is compressed with bzip2, which tailflux cannot read: unpack it first: bzip2 -dk PATH"},
		"xz":                                      {"access.log.2.xz", inXz, "", "PATH is compressed with xz, which tailflux cannot read: unpack it first: xz -dk PATH"},
		"xz, called as by gzip":                   {"access.log.2.gz", inXz, "", "PATH is compressed with xz, which tailflux cannot read: unpack it first: xz -dc <PATH >PATH.unpacked"},
		"bzip2":                                   {"access.log.2.bz2", inBzip2, "", "PATH is compressed with bzip2, which tailflux cannot read: unpack it first: bzip2 -dk PATH"},
		"lz4":                                     {"a.lz4", inLz4, "", "PATH is compressed with lz4, which tailflux cannot read: unpack it first: lz4 -d PATH PLAIN"},
		"lz4 behind a frame to be skipped":        {"a", skippable(9) + inLz4, "", "PATH is compressed with lz4, which tailflux cannot read: unpack it first: lz4 -dc <PATH >PATH.unpacked"},
		"compress":                                {"a.Z", inCompress, "", "PATH is compressed with compress, which tailflux cannot read: unpack it first: gzip -dk PATH"},
		"gzip of gzip":                            {"a.gz", inGzip(inGzip(twoLines)), "", "PATH is compressed twice, with gzip and then with gzip: unpack it once: gzip -dk PATH"},
		"gzip of xz":                              {"a.gz", inGzip(inXz), "", "PATH is compressed twice, with xz and then with gzip: unpack it once: gzip -dk PATH"},
		"tar":                                     {"access.log.1.tar", inTar("ustar\x0000"), "", isArchive("tar")},
		"tar as GNU has it, in gzip":              {"access.log.1.tar.gz", inGzip(inTar("ustar  \x00")), "", isArchive("tar")},
		"tar in zstd":                             {"access.log.1", inZstd(inTar("ustar\x0000")), "", isArchive("tar")},
		"a log with the word of tar at its place": {"access.log", inTar(`ustar\x0000`) + "\n", inTar(`ustar\x0000`) + "\n", ""},
		"zip":                                    {"access.log.1", "PK\x03\x04" + twoLines, "", isArchive("zip")},
		"7z":                                     {"access.log.1.7z", "7z\xbc\xaf\x27\x1c" + twoLines, "", isArchive("7z")},
		"zstd with more memory than there is":    {"a.zst", frame(window1G), "", "PATH needs 1024 MiB of memory to be unpacked, and tailflux gives it 128 MiB (it was made with zstd --ultra or --long): unpack it first: zstd -dk --long=30 PATH"},
		"zstd whose first frame needs all of it": {"a", frame(single1G), "", "PATH needs 1024 MiB of memory to be unpacked, and tailflux gives it 128 MiB (it was made with zstd --ultra or --long): unpack it first: zstd -dc --long=30 <PATH >PATH.unpacked"},
		"zstd with the memory that a command gives": {"a.zst", frame(window64M), twoLines, ""},
	} {
		t.Run(what, func(t *testing.T) {
			path := write(t, tt.name, tt.text)
			refused := strings.NewReplacer("PATH", path, "PLAIN", strings.TrimSuffix(path, filepath.Ext(path))).Replace(tt.refused)
			l, err := logfile.OpenLog(path)
			if _, packed := errors.AsType[logfile.PackedError](err); packed != (tt.refused != "") || packed && err.Error() != refused {
				t.Fatalf("OpenLog: %v, want %s", err, refused)
			}
			if err != nil {
				return
			}
			defer l.Close()
			if got, err := io.ReadAll(l); string(got) != tt.want || err != nil {
				t.Errorf("it reads %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// The daemon has less memory than a command.
func TestZstdNeedsMoreMemoryThanTheDaemonHas(t *testing.T) {
	path := write(t, "access.log.1.zst", frame(window64M))
	o, err := logfile.Sibling{Path: path}.Open()
	if err == nil {
		o.Close()
	}
	const want = "needs 64 MiB of memory to be unpacked, and tailflux gives it 32 MiB (it was made with zstd --ultra or --long): unpack it first: zstd -dk "
	if _, packed := errors.AsType[logfile.PackedError](err); !packed || err.Error() != path+" "+want+path {
		t.Errorf("Open: %v, want that it %s", err, want)
	}
	// A later frame needs it. What is before it is read.
	first := strings.Repeat(twoLines, 1000)
	l, err := logfile.OpenLog(write(t, "access.log.1.zst", inZstd(first)+frame(window1G)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got, err := io.ReadAll(l)
	if _, packed := errors.AsType[logfile.PackedError](err); string(got) != first || !packed || !strings.Contains(err.Error(), "needs more than 128 MiB") {
		t.Errorf("it reads %d bytes, %v; want those of the first frame, and what the second one needs", len(got), err)
	}
}

// What is compressed cannot be followed, and no format is detected from it.
func TestFollowedFileIsCompressed(t *testing.T) {
	for text, want := range map[string]string{
		inGzip(twoLines): " is compressed with gzip, and only plain text can be followed: " +
			"if nginx writes it, remove the parameter gzip of its access_log; tailflux import reads what is in it",
		inZstd(twoLines): " is compressed with zstd, and only plain text can be followed: tailflux import reads what is in it",
		inXz:             " is compressed with xz, which tailflux cannot read: unpack it first: xz -dc <PATH >PATH.unpacked",
		twoLines:         "",
		"":               "",
	} {
		path := write(t, "access.log", text)
		got := ""
		if o, err := logfile.OpenPlain(path); err == nil {
			o.Close()
		} else {
			got = strings.TrimPrefix(err.Error(), path)
		}
		if want = strings.ReplaceAll(want, "PATH", path); got != want {
			t.Errorf("OpenPlain: %q, want %q", got, want)
		}
		if lines, err := logfile.FirstLines(path, 9); (err == nil) != (want == "") || len(lines) != strings.Count(text, "\n") && err == nil {
			t.Errorf("FirstLines of %q = %q, %v", text, lines, err)
		}
	}
}

// Whoever writes a compressed file goes on after it was read to its end.
func TestCompressedFileGrows(t *testing.T) {
	text := strings.Repeat("a line that is there\n", 20_000)
	for name, in := range map[string]func(string) string{"gzip": inGzip, "zstd": inZstd} {
		t.Run(name, func(t *testing.T) {
			first, second := in(text), in("more\n"+text)
			path := write(t, "access.log.1", first)
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			grow := func(part string) {
				t.Helper()
				if _, err := f.WriteString(part); err != nil {
					t.Fatal(err)
				}
			}
			o, err := logfile.Sibling{Path: path}.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			var got strings.Builder
			// read reads on as far as it can, and once more, as a follower does.
			read := func() (err error) {
				p := make([]byte, 64<<10)
				for range 2 {
					for n := -1; n != 0; {
						n, err = o.Content.ReadAt(p, int64(got.Len()))
						if errors.Is(err, logfile.ErrSkipping) {
							n = -1
							continue
						}
						got.Write(p[:n])
					}
				}
				return err
			}
			want := func(when, want string, end error) {
				t.Helper()
				if err := read(); got.String() != want || !errors.Is(err, end) {
					t.Fatalf("%s: %d bytes, %v; want %d and %v", when, got.Len(), err, len(want), end)
				}
			}
			want("whole", text, io.EOF)
			grow(in("more\n"))
			want("one more", text+"more\n", io.EOF)
			grow(second[:20])
			_ = read()
			if err := read(); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(text+"more\nmore\n"+text, got.String()) {
				t.Fatalf("half of one: %d bytes, %v; want that it ends too early", got.Len(), err)
			}
			grow(second[20:])
			want("all of it", text+"more\nmore\n"+text, io.EOF)
			grow(in("end\n"))
			want("and the end", text+"more\nmore\n"+text+"end\n", io.EOF)
		})
	}
}
