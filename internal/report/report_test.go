package report_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/live"
	"github.com/tailflux/tailflux/internal/report"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

var start = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

// known is what a log holds, by whoever wrote it.
type known struct {
	lines, torn                      int64
	statuses, paths, methods, agents map[string]int64
	failing, refused                 map[string]int64 // paths, and their errors
	bytes                            int64
	from, to                         time.Time
}

// write makes up a log, a line each step, and says what is in it.
func write(t *testing.T, format string, lines int, step time.Duration, torn float64) (log []byte, k known) {
	t.Helper()
	g, err := nginxlog.New(nginxlog.Options{Format: format, Garbage: 0.02, Torn: torn})
	if err != nil {
		t.Fatal(err)
	}
	k = known{statuses: map[string]int64{}, paths: map[string]int64{}, methods: map[string]int64{}, agents: map[string]int64{}, failing: map[string]int64{}, refused: map[string]int64{}}
	for i := range lines {
		at := start.Add(time.Duration(i) * step)
		log = g.Append(log, at)
		is := g.Last()
		k.lines++
		if is.Kind == nginxlog.Torn {
			k.torn++
			continue
		}
		if k.from.IsZero() {
			k.from = at
		}
		k.to = at
		k.statuses[fmt.Sprint(is.Status)]++
		k.bytes += is.BodyBytesSent
		if strings.Contains(format, "timed") || format == "json" {
			k.bytes += is.BytesSent - is.BodyBytesSent
		}
		if is.Method != "" {
			k.methods[is.Method]++
			k.paths[is.Path]++
			switch is.Status / 100 {
			case 4:
				k.refused[is.Path]++
			case 5:
				k.failing[is.Path]++
			}
		}
		if is.UserAgent != "" && format != "common" {
			k.agents[is.UserAgent]++
		}
	}
	return log, k
}

// options are those of files, without a configuration.
func options(files ...string) report.Options {
	c := config.Default()
	c.Fold = false // as the log has them
	return report.Options{
		Config: &c, Source: config.Source{Name: "access.log", Format: "auto"}, Files: files,
		Progress: func(report.Progress) {},
	}
}

func file(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func counts(rows []live.Row) map[string]int64 {
	all := map[string]int64{}
	for _, r := range rows {
		all[r.Name] = r.Requests
	}
	return all
}

func requestsOf(r live.Row) int64 { return r.Requests }

// check compares a report with what is in its log.
func check(t *testing.T, r *report.Report, k known) {
	t.Helper()
	requests := k.lines - k.torn
	if want := (report.Lines{Read: k.lines, Requests: requests, Rejected: k.torn}); r.Lines != want {
		t.Errorf("lines are %+v, want %+v", r.Lines, want)
	}
	if r.Total.Requests != requests || r.Total.Bytes != k.bytes {
		t.Errorf("%d requests, %d bytes; want %d, %d", r.Total.Requests, r.Total.Bytes, requests, k.bytes)
	}
	second := func(at time.Time) int64 { return at.Unix() }
	if second(r.From) != second(k.from) || second(r.To) != second(k.to) {
		t.Errorf("from %v to %v, want %v to %v", r.From, r.To, k.from, k.to)
	}
	sum := 0.0
	for _, n := range r.Slots.Requests {
		if !math.IsNaN(float64(n)) {
			sum += float64(n)
		}
	}
	if int64(sum) != requests {
		t.Errorf("slots have %v requests, want %d", sum, requests)
	}
	if got := counts(r.Top.Methods); !maps.Equal(got, k.methods) {
		t.Errorf("methods are %v, want %v", got, k.methods)
	}
	for _, list := range []struct {
		name string
		rows []live.Row
		want map[string]int64
		of   func(live.Row) int64
	}{
		{"statuses", r.Top.Statuses, k.statuses, requestsOf},
		{"paths", r.Top.Paths, k.paths, requestsOf},
		{"agents", r.Top.Agents, k.agents, requestsOf},
		{"failing", r.Top.Failing, k.failing, func(r live.Row) int64 { return r.ServerErrors }},
		{"refused", r.Top.ClientErrors, k.refused, func(r live.Row) int64 { return r.ClientErrors }},
	} {
		want := slices.Sorted(maps.Values(list.want))
		slices.Reverse(want)
		for i, is := range list.rows {
			if n := list.of(is); n != list.want[is.Name] || n != want[i] {
				t.Errorf("%s: %q has %d, want %d; the %d. most are %d", list.name, is.Name, n, list.want[is.Name], i+1, want[i])
			}
		}
		if len(list.rows) != min(25, len(want)) {
			t.Errorf("%d %s, want %d", len(list.rows), list.name, len(want))
		}
	}
	of := func(class string) (n int64) {
		for status, requests := range k.statuses {
			if status[:1] == class {
				n += requests
			}
		}
		return n
	}
	if r.Total.ClientErrors != of("4") || r.Total.ServerErrors != of("5") {
		t.Errorf("%d and %d errors, want %d and %d", r.Total.ClientErrors, r.Total.ServerErrors, of("4"), of("5"))
	}
}

// Everything that is counted is what whoever wrote the log knows.
func TestCountsAreThoseOfTheLog(t *testing.T) {
	for _, format := range nginxlog.Names() {
		for _, torn := range []float64{0, 0.01} {
			t.Run(fmt.Sprintf("%s torn %v", format, torn), func(t *testing.T) {
				log, k := write(t, format, 20_000, 250*time.Millisecond, torn)
				r, err := report.Read(options(file(t, "access.log", log)))
				if err != nil {
					t.Fatal(err)
				}
				check(t, r, k)
				timed := format == "timed" || format == "json"
				if has := !math.IsNaN(float64(r.Total.P95)); has != timed {
					t.Errorf("it has times: %v, want %v", has, timed)
				}
			})
		}
	}
}

func packed(t *testing.T, with string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if with == "zstd" {
		var err error
		if w, err = zstd.NewWriter(&b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// However the bytes come, the report is the same.
func TestWaysToReadALog(t *testing.T) {
	log, k := write(t, "timed", 6000, time.Second, 0.01)
	third := bytes.IndexByte(log[len(log)/3:], '\n') + len(log)/3 + 1
	half := bytes.IndexByte(log[len(log)/2:], '\n') + len(log)/2 + 1
	stdin := func(r io.Reader) report.Options {
		o := options(report.StandardInput)
		o.Stdin = r
		return o
	}
	for name, o := range map[string]report.Options{
		"plain":                    options(file(t, "access.log", log)),
		"gzip":                     options(file(t, "access.log.1.gz", packed(t, "gzip", log))),
		"gzip under another name":  options(file(t, "access.log.1", packed(t, "gzip", log))),
		"zstd":                     options(file(t, "access.log.1.zst", packed(t, "zstd", log))),
		"two members":              options(file(t, "a.gz", append(packed(t, "gzip", log[:half]), packed(t, "gzip", log[half:])...))),
		"without the last newline": options(file(t, "access.log", log[:len(log)-1])),
		"standard input":           stdin(bytes.NewReader(log)),
		"a byte at once":           stdin(iotest.OneByteReader(bytes.NewReader(log))),
		"standard input, gzip":     stdin(bytes.NewReader(packed(t, "gzip", log))),
		"standard input, zstd":     stdin(iotest.HalfReader(bytes.NewReader(packed(t, "zstd", log)))),
		"several":                  options(file(t, "c", log[:third]), file(t, "b.gz", packed(t, "gzip", log[third:half])), file(t, "a", log[half:])),
		"the newest first":         options(file(t, "a", log[half:]), file(t, "b", log[:half])),
		"CR LF":                    options(file(t, "dos.log", bytes.ReplaceAll(log, []byte("\n"), []byte("\r\n")))),
		"NULs between lines":       options(file(t, "hole.log", slices.Concat(make([]byte, 5000), log[:half], make([]byte, 300<<10), log[half:], make([]byte, 9)))),
		"a NUL for a newline":      options(file(t, "nul.log", slices.Concat(log[:half-1], []byte{0}, log[half:]))),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := report.Read(o)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, k)
		})
	}
}

// The same file twice, by whatever name, is read once.
func TestAFileIsReadOnce(t *testing.T) {
	log, k := write(t, "combined", 500, time.Second, 0)
	path := file(t, "access.log", log)
	link, hard := filepath.Join(t.TempDir(), "link"), filepath.Join(t.TempDir(), "hard")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, hard); err != nil {
		t.Fatal(err)
	}
	r, err := report.Read(options(path, link, path, hard))
	if err != nil || len(r.Files) != 1 {
		t.Fatalf("%d files, %v", len(r.Files), err)
	}
	check(t, r, k)
}

// Files are read in the order of their last changes.
func TestOldestFirst(t *testing.T) {
	dir := t.TempDir()
	line := func(i int) []byte {
		return fmt.Appendf(nil, "192.0.2.1 - - [20/Nov/2026:10:00:%02d +0000] \"GET /%d HTTP/1.1\" 200 1 \"-\" \"-\"\n", i, i)
	}
	var files []string
	for i, name := range []string{"b", "c", "a"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, line(i), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, start, start.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	o := options(report.StandardInput, files[2], files[0], files[1])
	o.Stdin = bytes.NewReader(line(9))
	r, err := report.Read(o)
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, f := range r.Files {
		read = append(read, f.Name)
	}
	if diff := cmp.Diff(append(files, "standard input"), read); diff != "" {
		t.Error(diff)
	}
}

// A machine whose clock was not set yet writes lines of long ago. They count like all others,
// whatever came before or comes after.
func TestClocksThatWereNeverSet(t *testing.T) {
	at := func(times ...string) (log string) {
		for _, time := range times {
			log += strings.Replace(line, "20/Nov/2026:10:00:00", time, 1)
		}
		return log
	}
	const now = "29/Nov/2026:20:00:00"
	for _, times := range [][]string{
		{"01/Jan/1970:00:00:00"},
		{"01/Jan/1970:00:00:10"},
		{"01/Jan/1970:00:00:10", now},
		{now, "01/Jan/1970:00:00:00"},
		{"01/Jan/1970:00:00:00", "01/Jan/1970:00:00:01", "01/Jan/1970:00:20:00"},
		{"01/Jan/1980:00:00:07", now},
		{"01/Jan/1990:00:00:07", now},
		{"01/Jan/2000:00:00:07", now},
		{now, "01/Jan/1970:00:00:00", "31/Dec/2261:23:59:59"},
		{"31/Dec/1969:23:59:59", now},
	} {
		r, err := report.Read(options(file(t, "access.log", []byte(at(times...)))))
		if err != nil {
			t.Fatalf("%v: %v", times, err)
		}
		charts := int64(0)
		for _, n := range r.Slots.Requests {
			if n > 0 {
				charts += int64(n)
			}
		}
		want := int64(len(times))
		if times[0] == "31/Dec/1969:23:59:59" {
			want-- // rejected: no point can have such a time
		}
		if l := r.Lines; l.Requests != want || l.Requests+l.Rejected != int64(len(times)) || r.Total.Requests != want || charts != want || r.Top.Paths[0].Requests != want {
			t.Errorf("%v: lines %+v, %d requests in all, %d in charts, paths %+v, want %d", times, l, r.Total.Requests, charts, r.Top.Paths, want)
		}
		if r.Total.Older+r.Total.Ahead > 0 || r.From.After(r.To) || r.From.IsZero() {
			t.Errorf("%v: from %s to %s, %+v", times, r.From, r.To, r.Total)
		}
	}
}
