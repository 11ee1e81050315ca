package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/report"
)

const line = `192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 10 "-" "curl/8"` + "\n"

// A file that is not there is said before anything is read.
func TestNoReportWithoutFiles(t *testing.T) {
	dir := t.TempDir()
	good := file(t, "good.log", []byte(line))
	for _, tt := range []struct{ file, want string }{
		{filepath.Join(dir, "absent.log"), "absent.log: no such file or directory"},
		{filepath.Join(good, "below"), "not a directory"},
	} {
		if r, err := report.Read(options(good, tt.file)); r != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v, want %q", tt.file, r, err, tt.want)
		}
	}
}

// What cannot be read to its end is said, with the file; the others are read all the same,
// and what came before the damage is counted.
func TestAFileThatCannotBeReadToItsEnd(t *testing.T) {
	log, k := write(t, "combined", 4000, time.Second, 0)
	gz := packed(t, "gzip", log)
	flipped := slices.Clone(gz)
	flipped[len(flipped)/2] ^= 0xff
	for _, tt := range []struct {
		name string
		text []byte
		want string
		some bool // of it is counted
	}{
		{"cut.gz", gz[:len(gz)/2], "unexpected EOF", true},
		{"damaged.gz", flipped, "unpack: ", true},
		{"cut.zst", packed(t, "zstd", log)[:2000], "unexpected EOF", false},
		{"old.xz", []byte("\xfd7zXZ\x00 and more"), "is compressed with xz, which tailflux cannot read: unpack it first: xz -dk ", false},
		{"old.bz2", []byte("BZh91AY&SY and more"), "is compressed with bzip2, which tailflux cannot read", false},
		{"error.log", []byte(strings.Repeat("2026/11/20 10:00:00 [error] 1#1: *1 open() \"/a\" failed (2: No such file), client: 192.0.2.1\n", 30)), "error log, not an access log", false},
		{"prose", bytes.Repeat([]byte("Whatever this is, it is no access log.\n"), 30_000), "format auto: ", false},
		{"binary", bytes.Repeat([]byte{0x7f, 'E', 'L', 'F', 0, 1, 2, '\n', 0xff}, 10_000), "format auto: ", false},
		{"a line without end", bytes.Repeat([]byte{'x'}, 3<<20), "none of its 1 lines is in the format", false},
		{"empty lines", bytes.Repeat([]byte{'\n'}, 50), "none of its 50 lines is in the format", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := file(t, tt.name, tt.text)
			if err := os.Chtimes(bad, start, start); err != nil {
				t.Fatal(err)
			}
			r, err := report.Read(options(bad, file(t, "good.log", log)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), bad) == 0 {
				t.Fatalf("%v, want %s and %q", err, bad, tt.want)
			}
			if got := r.Files[1].Lines.Requests; got != k.lines {
				t.Errorf("%d requests in the good one, want %d", got, k.lines)
			}
			if some := r.Files[0].Lines.Requests > 0; some != tt.some {
				t.Errorf("%d requests in the bad one", r.Files[0].Lines.Requests)
			}
			if r.Files[0].Error == "" || r.Files[1].Error != "" {
				t.Errorf("errors of files: %q, %q", r.Files[0].Error, r.Files[1].Error)
			}
		})
	}
}

// A directory is among the logs that a wildcard names: it stops the others as little as a
// file that cannot be read.
func TestADirectoryAmongFiles(t *testing.T) {
	dir := t.TempDir()
	log, k := write(t, "combined", 100, time.Second, 0)
	for _, files := range [][]string{{dir, file(t, "good.log", log)}, {file(t, "good.log", log), dir}, {dir, file(t, "good.log", log), dir}} {
		r, err := report.Read(options(files...))
		if want := dir + " is a directory: name the logs in it, such as " + dir + "/access.log*"; err == nil || err.Error() != "report: "+want {
			t.Fatalf("%v, want %s", err, want)
		}
		if len(r.Files) != 2 || r.Files[0].Error != "" || r.Files[1].Error == "" || r.Files[1].Bytes != 0 || r.Lines.Requests != k.lines {
			t.Errorf("%+v, %+v", r.Files[0], r.Files[len(r.Files)-1])
		}
	}
	if r, err := report.Read(options(dir)); r == nil || err == nil || r.Lines.Read != 0 {
		t.Errorf("a directory alone: %v, %v", r, err)
	}
}

// An error of reading is not the end of the file.
func TestAnErrorOfReading(t *testing.T) {
	broken := errors.New("the disk is on fire")
	for _, before := range []int{0, 1, 300_000} {
		o := options(report.StandardInput)
		o.Stdin = io.MultiReader(strings.NewReader(strings.Repeat(line, before)), readError{broken})
		r, err := report.Read(o)
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "standard input") {
			t.Errorf("%d lines: %v", before, err)
		}
		if r.Lines.Requests != int64(before) {
			t.Errorf("%d requests, want %d", r.Lines.Requests, before)
		}
	}
}

type readError struct{ error }

func (e readError) Read([]byte) (int, error) { return 0, e.error }

// A file without lines is no mistake.
func TestNothingToReport(t *testing.T) {
	for name, text := range map[string][]byte{"empty": nil, "empty.gz": packed(t, "gzip", nil), "NULs": make([]byte, 10_000)} {
		r, err := report.Read(options(file(t, name, text)))
		if err != nil || r.Lines != (report.Lines{}) || r.Total.Requests != 0 {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		var out strings.Builder
		if err := r.WriteJSON(&out); err != nil || strings.Contains(out.String(), "0001-01-01") {
			t.Errorf("%s: %s, %v, want no times of requests", name, &out, err)
		}
	}
}

// The format may change in the middle of a file and from file to file, and need not be
// that of the first lines.
func TestLinesOfSeveralFormats(t *testing.T) {
	combined, a := write(t, "combined", 2000, time.Second, 0)
	timed, b := write(t, "timed", 2000, time.Second, 0)
	json, c := write(t, "json", 2000, time.Second, 0)
	half := bytes.IndexByte(combined[len(combined)/2:], '\n') + len(combined)/2 + 1
	odd := bytes.Repeat([]byte("!!!\n"), 900)
	requests := a.lines + b.lines + c.lines
	for _, tt := range []struct {
		name     string
		files    [][]byte
		rejected int64
		formats  [][]string
	}{
		{"in one file", [][]byte{slices.Concat(combined, timed, json)}, 0, [][]string{{"json", "timed", "combined"}}},
		{"back again", [][]byte{slices.Concat(timed, combined[:half], json, combined[half:])}, 0, [][]string{{"json", "combined", "timed"}}},
		{"in files", [][]byte{combined, timed, json}, 0, [][]string{{"combined"}, {"timed"}, {"json"}}},
		{"after others", [][]byte{slices.Concat(odd, combined), timed, json}, 900, [][]string{{"combined"}, {"timed"}, {"json"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var files []string
			for i, text := range tt.files {
				path := file(t, "access.log", text)
				if err := os.Chtimes(path, start, start.Add(time.Duration(i)*time.Hour)); err != nil {
					t.Fatal(err)
				}
				files = append(files, path)
			}
			r, err := report.Read(options(files...))
			if err != nil {
				t.Fatal(err)
			}
			if r.Lines.Requests != requests || r.Lines.Rejected != tt.rejected {
				t.Errorf("%+v, want %d requests, %d rejected", r.Lines, requests, tt.rejected)
			}
			var formats [][]string
			for _, f := range r.Files {
				formats = append(formats, f.Formats)
			}
			if diff := cmp.Diff(tt.formats, formats); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// In a flood of odd lines only one of ten is looked at: then as few requests are missed.
func TestAFormatAfterAFloodOfOthers(t *testing.T) {
	combined, k := write(t, "combined", 2000, time.Second, 0)
	const odd = 200_000
	r, err := report.Read(options(file(t, "access.log", slices.Concat(bytes.Repeat([]byte("!!!\n"), odd), combined))))
	if missed := r.Lines.Rejected - odd; err != nil || missed < 0 || missed > 9 || r.Lines.Requests != k.lines-missed {
		t.Errorf("%+v, %v", r.Lines, err)
	}
}

// A format that is given is the only one, and what the configuration says of lines holds.
func TestTheConfigurationHolds(t *testing.T) {
	log, k := write(t, "combined", 3000, time.Second, 0)
	for name, tt := range map[string]struct {
		change func(*report.Options)
		want   report.Lines
	}{
		"format": {func(o *report.Options) { o.Source.Format = "combined" }, report.Lines{Read: k.lines, Requests: k.lines}},
		"regexp": {func(o *report.Options) {
			o.Source = config.Source{Name: "web", Regexp: `^(?P<remote_addr>\S+) - \S+ \[(?P<time_local>[^\]]+)\] "(?P<request>[^"]*)" (?P<status>\d+)`}
		}, report.Lines{Read: k.lines, Requests: k.lines}},
		"drop": {func(o *report.Options) {
			o.Config.Drop = []config.DropRule{{{Variable: "status", Match: "200"}}}
		}, report.Lines{Read: k.lines, Requests: k.lines - k.statuses["200"], Filtered: k.statuses["200"]}},
		"another format": {func(o *report.Options) { o.Source.Format = "timed" }, report.Lines{Read: k.lines, Rejected: k.lines}},
		"short lines":    {func(o *report.Options) { o.Config.MaxLineBytes = 40 }, report.Lines{Read: k.lines, Rejected: k.lines}},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(file(t, "access.log", log))
			tt.change(&o)
			r, err := report.Read(o)
			if none := tt.want.Requests == 0; none != (err != nil) {
				t.Errorf("error %v", err)
			}
			if r.Lines != tt.want {
				t.Errorf("%+v, want %+v", r.Lines, tt.want)
			}
		})
	}
}

// The first lines that are no requests are shown, with the place that is wrong.
func TestRejectsAreShown(t *testing.T) {
	bad := []struct{ line, reason, shown, why string }{
		{`192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" abc 10 "-" "curl/8"`, "no match", `abc 10 "-"`, "$status"},
		{`192.0.2.1 - - [31/Feb/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 10 "-" "curl/8"`, "bad time", "31/Feb", "$time_local"},
		{"\x1b[31mred\u202e", "no match", "", "$remote_addr"},
		{`192.0.2.1 - ` + "\xff\xfe\xc3" + ` [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" abc 10`, "no match", `abc 10`, "$status"},
		{`192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" ` + "\xff\xfe 10", "no match", `\xFF\xFE 10`, "$status"},
		{`192.0.2.1 - ` + "\xff" + ` [31/Feb/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 10 "-" "curl/8"`, "bad time", "31/Feb", "$time_local"},
		{"", "empty", "", ""},
		{strings.Repeat("\U0001f600", 17<<10), "too long", "\U0001f600", "max_line is 65536 bytes"},
		{strings.Repeat("x", 70<<10), "too long", "x", "max_line is 65536 bytes"},
	}
	text := strings.Repeat(line, 3)
	for _, b := range bad {
		text += b.line + "\n"
	}
	text += strings.Repeat("more\n", 100)
	r, err := report.Read(options(file(t, "access.log", []byte(strings.Repeat(line, 1000)+text))))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int64{"no match": 104, "bad time": 2, "empty": 1, "too long": 2}; !cmp.Equal(r.Reasons, want) {
		t.Errorf("reasons are %v, want %v", r.Reasons, want)
	}
	if len(r.Rejects) != 20 {
		t.Errorf("%d are shown", len(r.Rejects))
	}
	for i, b := range bad {
		is := r.Rejects[i]
		if is.Reason != b.reason || is.LineNumber != int64(1004+i) || !strings.Contains(is.Why, b.why) {
			t.Errorf("line %d: %+v, want %q, %q", 1004+i, is, b.reason, b.why)
		}
		if at := []rune(is.Line); is.Caret > len(at) || !strings.HasPrefix(string(at[is.Caret:]), b.shown) {
			t.Errorf("line %d: %q, the caret is under %d, want it under %q", 1004+i, is.Line, is.Caret, b.shown)
		}
		if len(is.Line) > 400 || strings.ContainsAny(is.Line, "\x1b\u202e") || strings.Contains(is.Line, `\xF0`) {
			t.Errorf("line %d is shown as %q", 1004+i, is.Line)
		}
	}
}

// Lines are cut as everything else cuts them, wherever blocks end.
func TestLinesAreCutAsElsewhere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{line, "x\n", "\n", "\r\n", "\x00", "\x00\x00\x00", strings.Repeat("y", 300) + "\n", strings.Repeat("z", 70<<10), strings.TrimSuffix(line, "\n"), strings.Repeat("v", 400<<10) + "\n"}
	for round := range 30 {
		var b strings.Builder
		b.WriteString(strings.Repeat(line, 20))
		for range random.IntN(3000) {
			if b.WriteString(pieces[random.IntN(7)]); random.IntN(300) == 0 {
				b.WriteString(pieces[7+random.IntN(3)])
			}
		}
		text := b.String()
		want := map[string]int64{}
		requests := int64(0)
		lines := logfile.NewLineReader(strings.NewReader(text), 64<<10)
		for {
			one, long, err := lines.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			switch {
			case err != nil:
				t.Fatal(err)
			case long:
				want[string(flow.TooLong)]++
			case len(one) == 0:
				want[string(flow.Empty)]++
			case string(one)+"\n" == line:
				requests++
			default:
				want[string(flow.NoMatch)]++
			}
		}
		o := options(report.StandardInput)
		o.Stdin = &stutter{[]byte(text), random}
		r, err := report.Read(o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Reasons); diff != "" || r.Lines.Requests != requests {
			t.Fatalf("round %d: %d requests, want %d; %s", round, r.Lines.Requests, requests, diff)
		}
	}
}

// stutter gives any number of bytes at once.
type stutter struct {
	text   []byte
	random *rand.Rand
}

func (s *stutter) Read(p []byte) (int, error) {
	if len(s.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.text[:min(len(s.text), 1+s.random.IntN(200_000))])
	s.text = s.text[n:]
	return n, nil
}

// Lines of a container that are in pieces are joined, wherever a block ends.
func TestLinesInPieces(t *testing.T) {
	for _, each := range []int{40, 1} {
		var log strings.Builder
		whole := strings.TrimSuffix(line, "\n")
		const n = 9000
		for i := range n {
			at := fmt.Sprintf("2026-11-20T10:00:00.%09dZ stdout ", i)
			if i%each > 0 {
				log.WriteString(at + "F " + whole + "\n")
				continue
			}
			for _, piece := range []string{whole[:20], whole[20:50]} {
				log.WriteString(at + "P " + piece + "\n" + strings.Replace(at, "stdout", "stderr", 1) + "F not of this\n")
			}
			log.WriteString(at + "F " + whole[50:] + "\n")
		}
		o := options(file(t, "0.log", []byte(log.String())))
		if each == 1 {
			o.Source.Format = "cri combined" // nobody could find that out
		}
		r, err := report.Read(o)
		if err != nil {
			t.Fatal(err)
		}
		others := int64(4 * n / each)
		if want := (report.Lines{Read: n + others, Requests: n, Filtered: others}); r.Lines != want {
			t.Errorf("%+v, want %+v", r.Lines, want)
		}
	}
}
