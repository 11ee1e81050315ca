package logformat_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// markTwins are a matcher with marks and one without, and lines of their format.
type markTwins struct {
	name        string
	with, plain *logformat.Matcher
	lines       [][]byte
}

// allMarkTwins are those of all presets that are no JSON, of formats beyond them, and of
// patterns.
func allMarkTwins(t testing.TB) (all []markTwins) {
	add := func(name string, f *logformat.Format, lines [][]byte) {
		all = append(all, markTwins{name, f.NewMatcher(), f.NewMatcher().WithoutMarks(), lines})
	}
	for _, name := range logformat.Presets() {
		if f := mustFormat(t, name); f.Kind() == "scanner" {
			add(name, f, append(logLines(20, timedFormat), generatedLines(name)...))
		}
	}
	timed := logLines(20, timedFormat)
	add("the tutorials' pattern", mustRegexp(t, lineage), timed)
	add("the same from end to end", mustRegexp(t, "^"+lineage+"$"), timed)
	for _, format := range []string{
		`escape=json '` + jsonFormat + `'`,
		`$remote_addr|$server_name|$request_method|$status "$http_user_agent" $upstream_addr $upstream_status, $request_time`,
		`"$time_local" "$request_method $request_uri" $status $remote_addr`,
		`[$time_local] $status - "$http_user_agent" "$http_referer" $http_x end`,
		`escape=none '$remote_addr [$time_local] "$request" $status "$http_user_agent" "$http_x"'`,
	} {
		var lines [][]byte
		bare := format
		if i := bytes.IndexByte([]byte(format), '\''); i >= 0 {
			bare = format[i+1 : len(format)-1]
		}
		lines = logLines(20, bare)
		add(format, mustFormat(t, format), lines)
	}
	return all
}

// generatedLines are lines of the generator's format of that name, if it has one.
func generatedLines(name string) (lines [][]byte) {
	g, err := nginxlog.New(nginxlog.Options{Format: name})
	if err != nil {
		return nil
	}
	for i := range 40 {
		line := g.Append(nil, time.Date(2026, 11, 20, 10, 0, i/10, 0, time.UTC))
		lines = append(lines, bytes.TrimSuffix(line, []byte("\n")))
	}
	return lines
}

// agree matches line with marks and without. It stands where nothing is behind it.
func (w *markTwins) agree(t testing.TB, line []byte) {
	t.Helper()
	line = line[:len(line):len(line)]
	want, wantOK := w.plain.Match(line)
	got, ok := w.with.Match(line)
	same := ok == wantOK && len(got) == len(want)
	for i := range want {
		same = same && string(got[i]) == string(want[i]) && (got[i] == nil) == (want[i] == nil) &&
			(len(got[i]) == 0 || bytes.IndexByte(line, '\\') >= 0 || &got[i][0] == &want[i][0] && cap(got[i]) >= cap(want[i])) // so as much may be read behind it
	}
	if !same {
		t.Fatalf("%s: Match(%q)\n= %q, %v\nwithout marks %q, %v", w.name, line, got, ok, want, wantOK)
	}
}

// changed is line with something in it otherwise.
func changed(r *rand.Rand, line []byte) []byte {
	line = bytes.Clone(line)
	for range 1 + r.IntN(3) {
		if len(line) == 0 {
			break
		}
		i, some := r.IntN(len(line)), []string{`"`, " ", `\`, "[", "]", "-", ",", ":", " : ", ", ", `""`, "\x00", "\xc3\xa9", "\t", "\r", "0", `" "`, `" 2`}
		if at := bytes.IndexAny(line[i:], `" []`); at >= 0 && r.IntN(2) == 0 { // beside a mark
			i += at
		}
		in := some[r.IntN(len(some))]
		switch r.IntN(6) {
		case 0:
			line = append(line[:i:i], line[i+1:]...)
		case 1:
			line = append(line[:i:i], append([]byte(in), line[i:]...)...)
		case 2:
			line = append(line[:i:i], append([]byte(in), line[i+1:]...)...)
		case 3:
			line = line[:i]
		case 4: // torn: another line goes on
			line = append(line[:i:i], line[r.IntN(len(line)):]...)
		case 5: // two values in each other's place
			if k := bytes.IndexByte(line[i:], ' '); k > 0 {
				line = append(line[:i:i], append(bytes.Clone(line[i+k:]), line[i:i+k]...)...)
			}
		}
	}
	return line
}

// With marks and without, lines of all formats, and what becomes of them, are cut alike,
// at each place in memory.
func TestMarks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	buffer := make([]byte, 4096)
	for _, w := range allMarkTwins(t) {
		for _, line := range w.lines {
			w.agree(t, line)
			for range 60 {
				odd := changed(r, line)
				from := r.IntN(65)
				copy(buffer[from:], odd)
				w.agree(t, buffer[from:from+len(odd)])
			}
		}
		for size := range 201 {
			for from := range 8 {
				for i := range buffer[:from+size] {
					buffer[i] = `" -0a["]`[r.IntN(8)]
				}
				w.agree(t, buffer[from:from+size])
			}
		}
	}
}

// FuzzMarks holds matchers with marks against those without, on lines of one format,
// changed in some way, and on others.
func FuzzMarks(f *testing.F) {
	all := allMarkTwins(f)
	f.Add(uint64(1), []byte(timedLine))
	for _, line := range oddLines {
		f.Add(uint64(len(line)), []byte(line))
	}
	f.Fuzz(func(t *testing.T, seed uint64, text []byte) {
		line, _, _ := bytes.Cut(text, []byte("\n"))
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range all {
			w := &all[i]
			w.agree(t, line)
			w.agree(t, changed(r, line))
			w.agree(t, changed(r, w.lines[r.IntN(len(w.lines))]))
		}
	})
}
