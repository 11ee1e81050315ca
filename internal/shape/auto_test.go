package shape_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
)

const (
	times     = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl" 0.030 0.010` + "\n"
	jsonLine  = `{"time_iso8601":"2026-11-20T10:00:00+00:00","request":"GET /a HTTP/1.1","status":200}` + "\n"
	errorLine = "2026/11/20 10:00:00 [error] 4242#4242: *17 open() failed\n"
)

// What is examined is what will be read: the end of a log, unless it is read from its
// beginning.
func TestExaminedIsWhatWillBeRead(t *testing.T) {
	for _, tt := range []struct {
		name, log, start string
		followed, once   bool
		want             string // a variable of the format; "" is that the start is refused
	}{
		{name: "the end", log: strings.Repeat(combined, 300) + strings.Repeat(timed, 50), start: "end", want: "gzip_ratio"},
		{name: "the very end", log: strings.Repeat(timed, 300) + strings.Repeat(jsonLine, 6), start: "end", want: "time_iso8601"},
		{name: "one odd line at the end", log: strings.Repeat(timed, 5) + "odd\n", start: "end", want: "gzip_ratio"},
		{name: "half a line at the end", log: strings.Repeat(timed, 5) + "192.0", start: "end", want: "gzip_ratio"},
		{name: "the beginning", log: strings.Repeat(timed, 50) + strings.Repeat(combined, 300), start: "beginning", want: "gzip_ratio"},
		{name: "the very beginning", log: strings.Repeat(timed, 6) + strings.Repeat(combined, 300), start: "beginning", want: "gzip_ratio"},
		{name: "once", log: strings.Repeat(timed, 50) + strings.Repeat(combined, 300), start: "end", once: true, want: "gzip_ratio"},
		{name: "it was followed", log: strings.Repeat(combined, 50) + strings.Repeat(timed, 300), start: "beginning", followed: true, want: "gzip_ratio"},
		{name: "nothing at the end", log: strings.Repeat(combined, 300) + strings.Repeat("odd\n", 100), start: "end"},
		{name: "an error log", log: strings.Repeat(errorLine, 3), start: "end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.config.Sources[0].Start, h.followed = tt.start, tt.followed
			h.write(tt.log)
			s, err := h.open(tt.once)
			if (err == nil) != (tt.want != "") {
				t.Fatalf("Open: %v", err)
			}
			if err != nil {
				if strings.Contains(tt.log, "[error]") != strings.Contains(err.Error(), "this is nginx's error log") {
					t.Errorf("Open: %v", err)
				}
				return
			}
			if names := h.names(s, "torn\n"); !strings.Contains(names, tt.want) {
				t.Errorf("variables %q, want %s", names, tt.want)
			}
		})
	}
}

// auto in so many words judges a kept choice anew, by what the log says now; but not when
// lines are to be read again in it, after a crash.
func TestAutoInSoManyWordsForgets(t *testing.T) {
	for _, tt := range []struct {
		name        string
		log         string
		clean, anew bool
		want        string
	}{
		{"it says something else", strings.Repeat(times, 5), true, true, "$request_time $upstream"},
		{"it is not in so many words", strings.Repeat(times, 5), true, false, "combined"},
		{"lines are read again", strings.Repeat(times, 5), false, true, "combined"},
		{"it says the same", strings.Repeat(times, 5) + combined, true, true, "combined"},
		{"no lines", "", true, true, "combined"},
		{"no known format", "odd\n", true, true, "combined"},
	} {
		for _, glob := range []bool{false, true} {
			h := newHouse(t)
			if glob {
				h.config.Sources[0].Path = filepath.Join(filepath.Dir(h.source.Path), "*.log")
			}
			h.config.Sources[0].Start = "end"
			settings, err := h.begin("h")
			if err == nil {
				s := h.mustOpen()
				h.names(s, combined)
				err = s.Sync(t.Context())
			}
			if err == nil && tt.clean {
				err = settings.Delivered(true)
			}
			if err != nil {
				t.Fatal(err)
			}
			h.config.Sources[0].Anew = tt.anew
			h.write(tt.log)
			if err := h.mustOpen().Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if format, _ := h.kept(); !strings.Contains(format, tt.want) {
				t.Errorf("%s, glob %v: formats.json has %q, want %q", tt.name, glob, format, tt.want)
			}
		}
	}
}

// Only if no file of a glob fits is that refused at the start.
func TestGlobIsRefusedOnlyIfNoneFits(t *testing.T) {
	for _, tt := range []struct {
		logs string
		want string // "" is that it starts
	}{
		{"combined", ""},
		{"combined error odd", ""},
		{"odd empty", ""},
		{"error empty", ""},
		{"combined timed json", ""},
		{"odd", "no known format matches"},
		{"error", "this is nginx's error log"},
		{"error odd", "no known format matches"},
	} {
		h := newHouse(t)
		h.config.Sources[0].Path = filepath.Join(filepath.Dir(h.source.Path), "*.log")
		h.put(strings.Fields(tt.logs)...)
		_, err := h.open(false)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Open = %v, want %q", tt.logs, err, tt.want)
		}
	}
}

// A file that several globs match is judged for each of them, and of the first whose format
// it fits.
func TestFileOfTwoGlobs(t *testing.T) {
	for _, tt := range []struct {
		globs, formats [2]string
		log            string
		left           [2]bool
	}{
		{[2]string{"combined*.log", "*.log"}, [2]string{"combined", "timed"}, "combined", [2]bool{false, true}},
		{[2]string{"*.log", "combined*.log"}, [2]string{"timed", "combined"}, "combined", [2]bool{true, false}},
		{[2]string{"*.log", "combined*.log"}, [2]string{"timed", "auto"}, "combined", [2]bool{true, false}},
		{[2]string{"own*.log", "*.log"}, [2]string{"t=$msec s=$status", "auto"}, "own", [2]bool{false, true}},
		{[2]string{"odd.log", "*.log"}, [2]string{"combined", "auto"}, "odd", [2]bool{true, true}}, // no glob, and whether it fits is for others to say
	} {
		h := newHouse(t)
		dir := filepath.Dir(h.source.Path)
		h.config.Sources = append(h.config.Sources, h.config.Sources[0])
		for i := range tt.globs {
			s := &h.config.Sources[i]
			s.Name, s.Path, s.Format = string(rune('a'+i)), filepath.Join(dir, tt.globs[i]), tt.formats[i]
		}
		h.put(tt.log)
		s, err := h.open(false)
		if err != nil {
			t.Errorf("%v: Open = %v", tt.globs, err)
			continue
		}
		for i := range tt.globs {
			if why, _ := s.LeaveOut(i, filepath.Join(dir, tt.log+".log")); (why != "") != tt.left[i] {
				t.Errorf("%v: LeaveOut(%d) = %q", tt.globs, i, why)
			}
		}
	}
}

// put makes files of such lines, which are called after them.
func (h *house) put(kinds ...string) {
	h.t.Helper()
	lines := map[string]string{"combined": combined, "timed": timed, "json": jsonLine, "error": errorLine, "odd": "odd\n", "few": "odd\n", "own": "t=1795168800.123 s=200\n"}
	for _, kind := range kinds {
		text := strings.Repeat(lines[kind], 30)
		if kind == "few" {
			text = lines[kind]
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(h.source.Path), kind+".log"), []byte(text), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
}

// A file of a glob is left out that is another log, or of which no line fits.
func TestFilesOfAGlobThatAreLeftOut(t *testing.T) {
	for _, tt := range []struct {
		format, file   string
		once, followed bool
		left, refused  bool
	}{
		{format: "auto", file: "combined"},
		{format: "auto", file: "empty"},
		{format: "auto", file: "error", left: true},
		{format: "auto", file: "error", once: true, left: true},
		{format: "auto", file: "error", followed: true, left: true},
		{format: "auto", file: "odd", left: true, refused: true},
		{format: "auto", file: "odd", followed: true},
		{format: "auto", file: "few"},
		{format: "auto", file: "few", once: true, left: true, refused: true},
		{format: "combined", file: "combined"},
		{format: "combined", file: "error", left: true},
		{format: "combined", file: "timed", left: true, refused: true},
		{format: "combined", file: "timed", followed: true},
		{format: "combined", file: "timed", once: true}, // its lines are rejected, and it ends with 1
		{format: "timed", file: "few"},
	} {
		h := newHouse(t)
		dir := filepath.Dir(h.source.Path)
		h.config.Sources[0].Path, h.config.Sources[0].Format = filepath.Join(dir, "*.log"), tt.format
		h.source.Path = filepath.Join(dir, tt.file+".log")
		h.put("combined", tt.file)
		h.followed = tt.followed
		s, err := h.open(tt.once)
		if err != nil {
			t.Fatal(err)
		}
		why, refused := s.LeaveOut(0, h.source.Path)
		if (why != "") != tt.left || refused != tt.refused {
			t.Errorf("%+v: LeaveOut = %q, %v", tt, why, refused)
		}
	}
}

// When the checkpoint is gone lines have numbers from 1 again: a choice holds for all.
func TestLinesAreNumberedAnew(t *testing.T) {
	h := newHouse(t)
	kept := `{"web":{"path":"` + h.source.Path + `","format":"timed","from":500,"before":[{"format":"combined"}]}}`
	for _, fresh := range []bool{false, true} {
		if err := os.WriteFile(h.dir.Path(statedir.Formats), []byte(kept), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := shape.Open(shape.Options{Config: &h.config, State: h.dir, Host: "h", Fresh: fresh, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		lines, until, err := s.Lines(h.at(1), []byte(timed))
		if err != nil || lines == nil {
			t.Fatal(lines, err)
		}
		isTimed := strings.Contains(strings.Join(lines.Format.Names(), " "), "gzip_ratio")
		if isTimed != fresh || until > 500 != fresh {
			t.Errorf("fresh %v: line 1 is read with %q, up to %d", fresh, lines.Format.Names(), until)
		}
	}
}

// Imported lines have numbers of their own: they are read in any format that the source
// has, and in others, of which nothing is kept.
func TestImportedLinesOfAnotherFormat(t *testing.T) {
	h := newHouse(t)
	kept := `{"web":{"path":"` + h.source.Path + `","format":"timed","from":500,"before":[{"format":"combined"}]}}`
	if err := os.WriteFile(h.dir.Path(statedir.Formats), []byte(kept), 0o600); err != nil {
		t.Fatal(err)
	}
	s := h.mustOpen()
	at := h.at(1)
	at.Generation = &flow.Generation{Source: h.source, ID: -1, FirstLine: 1}
	lines, _, err := s.Lines(at, []byte(combined))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{combined, timed} {
		if _, _, matched := lines.Append(nil, []byte(strings.TrimSpace(line)), 1); !matched {
			t.Errorf("%q is not read", line)
		}
	}
	lines, _, err = s.Missed(shape.Miss{At: at, Read: []byte(jsonLine), Row: 1})
	if err != nil || lines == nil || lines.Format.Kind() != "json" {
		t.Errorf("a line of JSON: %v, %v", lines, err)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(h.dir.Path(statedir.Formats)); err != nil || string(text) != kept {
		t.Errorf("formats.json is %s, %v", text, err)
	}
}

// That lines are of no known format is said once, after some in a row.
func TestLinesOfNoKnownFormatAreSaidOnce(t *testing.T) {
	h := newHouse(t)
	s := h.mustOpen()
	h.names(s, combined)
	for line := range int64(1000) {
		if _, _, err := s.Missed(shape.Miss{At: h.at(2 + line), Read: []byte("odd\n"), Row: 1 + int(line%7), Newest: true, Fitted: true}); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(h.log.String(), "no longer of the format"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}
