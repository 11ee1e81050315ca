package logformat_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/nginxvar"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// parsedTwins are a matcher that goes by skeletons and one that parses each line.
type parsedTwins struct {
	format     *logformat.Format
	fast, slow *logformat.Matcher
	eager      bool // each skeleton is learned
}

func parsedTwinsOf(f *logformat.Format) *parsedTwins {
	return &parsedTwins{f, f.NewMatcher(), f.NewSlowMatcher(), true}
}

// jsonFormats are those in which keys are looked up in different ways.
func jsonFormats(t testing.TB) []*logformat.Format {
	return []*logformat.Format{
		mustFormat(t, "json"),
		mustFormat(t, "docker json"),
		mustFormat(t, "caddy"),
		mustFormat(t, "traefik_json"),
		logformat.CompileJSON("log", "a.b", "took"),
		logformat.CompileJSONIn(nginxvar.Dialect{Rename: map[string]string{
			"request.method": "request_method", "x": "status", "Code": "status", "cost.of.it": "my_cost", "log.uri": "uri", "up": "upstream_response_time",
		}}, "x", "log.uri"),
	}
}

// agree matches a line in both ways and reports every difference, and whether it was
// matched by a skeleton.
func (w *parsedTwins) agree(t testing.TB, line []byte) (bySkeleton bool) {
	t.Helper()
	if w.eager {
		w.fast.LearnNext()
	}
	before := bytes.Clone(line)
	got, gotOK := w.fast.Match(line)
	want, wantOK := w.slow.Match(line)
	if gotOK != wantOK || w.fast.Aside() != w.slow.Aside() {
		t.Fatalf("Match(%q) = %v, aside %v; want %v, aside %v", line, gotOK, w.fast.Aside(), wantOK, w.slow.Aside())
	}
	for i, name := range w.format.Names() {
		if !gotOK {
			break
		}
		if !bytes.Equal(got[i], want[i]) || (got[i] == nil) != (want[i] == nil) {
			t.Errorf("Match(%q): %s is %q (%v), want %q (%v)", line, name, got[i], got[i] == nil, want[i], want[i] == nil)
		}
		if len(got[i]) != cap(got[i]) && gotOK && w.fast.BySkeleton() {
			t.Errorf("Match(%q): %s can be appended to", line, name)
		}
		if got, want := w.fast.Numbers()[i], w.slow.Numbers()[i]; got != want {
			t.Errorf("Match(%q): %s is a number: %v, want %v", line, name, got, want)
		}
	}
	if gotOK {
		got, want := slices.Sorted(slices.Values(w.fast.Filled())), slices.Sorted(slices.Values(w.slow.Filled()))
		if !slices.Equal(got, want) {
			t.Errorf("Match(%q) has captures %v, want %v", line, got, want)
		}
	}
	if !bytes.Equal(line, before) {
		t.Fatalf("Match changed the line to %q", line)
	}
	return gotOK && w.fast.BySkeleton()
}

// Each pair of lines: the skeleton of the first is known when the second comes.
func TestSkeleton(t *testing.T) {
	formats := jsonFormats(t)
	for _, tt := range []struct {
		name, first, second string
		bySkeleton          bool // the second
	}{
		{"the same", `{"status":200}`, `{"status":200}`, true},
		{"other values", `{"status":200,"uri":"/a","x":1}`, `{"status":4,"uri":"","x":"y"}`, true},
		{"blanks", ` { "status" : 200 , "uri" : "/a" } `, ` { "status" : 404 , "uri" : "/b" } `, true},
		{"other blanks", `{"status":200}`, `{"status": 200}`, false},
		{"nothing in it", `{}`, `{}`, true},
		{"another key", `{"status":200,"host":"a"}`, `{"status":200,"args":"a"}`, false},
		{"a key more", `{"status":200}`, `{"status":200,"host":"a"}`, false},
		{"a key less", `{"status":200,"host":"a"}`, `{"status":200}`, false},
		{"more behind it", `{"status":200}`, `{"status":200}}`, false},
		{"cut", `{"status":200,"host":"a"}`, `{"status":200,"host":"a`, false},
		{"cut at a value", `{"status":200,"host":"a"}`, `{"status":200,"host":`, false},
		{"cut in a number", `{"status":200}`, `{"status":20`, false},
		{"string and number", `{"status":200,"uri":"/a"}`, `{"status":"200","uri":7}`, true},
		{"absent", `{"status":200,"uri":"/a","host":"b"}`, `{"status":null,"uri":true,"host":false}`, true},
		{"there again", `{"status":null,"uri":true}`, `{"status":200,"uri":"/a"}`, true},
		{"words that are none", `{"status":null}`, `{"status":nul}`, false},
		{"longer words", `{"status":null}`, `{"status":nullnull}`, false},
		{"not a number", `{"request_time":1}`, `{"request_time":NaN}`, false},
		{"infinite", `{"request_time":1}`, `{"request_time":-Inf}`, false},
		{"numbers as the parser has them", `{"request_time":1}`, `{"request_time":1.-e+5}`, true},
		{"a sign alone", `{"request_time":1}`, `{"request_time":+}`, false},
		{"a dash alone", `{"request_time":1}`, `{"request_time":-}`, false},
		{"nothing", `{"request_time":1}`, `{"request_time":}`, false},
		{"an escape", `{"uri":"/a","host":"b"}`, `{"uri":"/\"","host":"b"}`, false},
		{"a backslash at the end", `{"uri":"/a","host":"b"}`, `{"uri":"/a\","host":"b"}`, false},
		{"an escaped key", `{"stat\u0075s":200}`, `{"stat\u0075s":200}`, false},
		{"not UTF-8, and a tab", `{"uri":"/a"}`, "{\"uri\":\"/\xff\t\"}", true},
		{"an array", `{"status":[200]}`, `{"status":[200]}`, false},
		{"an array now", `{"status":200}`, `{"status":[200]}`, false},
		{"an object now", `{"status":200,"x":1}`, `{"status":200,"x":{"status":404}}`, false},
		{"objects", `{"x":{"status":1,"y":{}},"status":200}`, `{"x":{"status":2,"y":{}},"status":404}`, true},
		{"capital letters", `{"Status":200,"HOST":"a"}`, `{"Status":404,"HOST":"b"}`, true},
		{"a key twice", `{"host":"a","host":"b"}`, `{"host":"c","host":"d"}`, true},
		{"a key twice, absent", `{"host":"a","host":"b"}`, `{"host":"c","host":null}`, false},
		{"a key twice, a number", `{"host":"a","host":"b"}`, `{"host":1,"host":"b"}`, false},
		{"a name and an alias", `{"uri":"a","path":"b","path":"c"}`, `{"uri":"d","path":"e","path":"f"}`, true},
		{"aliases", `{"referrer":"a","referer":"b"}`, `{"referrer":"c","referer":"d"}`, true},
		{"a time", `{"time":"2018-03-04T13:49:52+00:00"}`, `{"time":"2019-03-04T13:49:52+00:00"}`, true},
		{"a time in another way", `{"time":"2018-03-04T13:49:52+00:00"}`, `{"time":1520171392.123}`, false},
		{"no time", `{"time":"2018-03-04T13:49:52+00:00"}`, `{"time":"yesterday"}`, false},
		{"a time after all", `{"time":"yesterday"}`, `{"time":"2018-03-04T13:49:52+00:00"}`, false},
		{"no time again", `{"time":"yesterday"}`, `{"time":"today"}`, true},
		{"an absent time", `{"time":"2018-03-04T13:49:52+00:00"}`, `{"time":null}`, true},
		{"two times", `{"time":"2018-03-04T13:49:52Z","ts":"2018-03-04T13:49:52Z"}`, `{"time":"2018-03-04T13:49:53Z","ts":"2018-03-04T13:49:54Z"}`, true},
		{"a list", `{"upstream_status":502, 200,"x":1}`, `{"upstream_status":502, 200 : -,"x":1}`, true},
		{"a list no more", `{"upstream_status":502, 200,"x":1}`, `{"upstream_status":502,"x":1}`, true},
		{"a dash for a list", `{"upstream_status":502, 200,"x":1}`, `{"upstream_status":-,"x":-}`, true},
		{"what begins with a dash", `{"upstream_status":-,"x":1}`, `{"upstream_status":-e3,"x":1}`, false},
		{"a list behind a tab", "{\"upstream_status\":1,\t\"x\":-}", "{\"upstream_status\":1,\t\"x\":-}", false},
		{"Docker's", `{"log":"{\"status\":200}\n","stream":"stdout","time":"2018-03-04T13:49:52Z"}`, `{"log":"{\"status\":404}\n","stream":"stdout","time":"2018-03-04T13:49:52Z"}`, true},
		{"Docker's key", `{"status":200,"log":"a"}`, `{"status":200,"log":"a"}`, false},
	} {
		w := parsedTwinsOf(mustFormat(t, "json"))
		w.agree(t, []byte(tt.first))
		if by := w.agree(t, []byte(tt.second)); by != tt.bySkeleton {
			t.Errorf("%s: %s by the skeleton of %s: %v, want %v", tt.name, tt.second, tt.first, by, tt.bySkeleton)
		}
		w.agree(t, []byte(tt.first))
		for _, f := range formats {
			w := parsedTwinsOf(f)
			for _, line := range []string{tt.first, tt.second, tt.first, tt.second, `{"status":1}`, tt.second} {
				w.agree(t, []byte(line))
			}
		}
	}
}

// Nearly all lines of a log are matched by skeletons, whatever is between them, and those of
// a log that has several kinds too.
func TestSkeletonsOfALog(t *testing.T) {
	g, err := nginxlog.New(nginxlog.Options{Format: "json", Garbage: 0.02, Torn: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	w, by := parsedTwinsOf(mustFormat(t, "json")), 0
	w.eager = false
	const lines = 5000
	for i := range lines {
		line := bytes.TrimSuffix(g.Append(nil, time.Unix(1795168800, 0).UTC()), []byte("\n"))
		if i%3 == 0 {
			line = bytes.Replace(line, []byte(`"scheme":`), []byte(`"schema":`), 1)
		}
		if w.agree(t, line) {
			by++
		}
	}
	if by < lines*9/10 {
		t.Errorf("%d of %d lines were matched by skeletons", by, lines)
	}
}

// Lines that have nothing in common are learned less and less often, and what comes then
// is learned nevertheless.
func TestSkeletonsOfLinesWithNothingInCommon(t *testing.T) {
	w := parsedTwinsOf(mustFormat(t, "json"))
	w.eager = false
	for i := range 5000 {
		w.agree(t, []byte(`{"status":200,"`+strings.Repeat("x", i%1000)+`":1}`))
	}
	by := 0
	for range 2000 {
		if w.agree(t, []byte(`{"uri":"/","host":"a"}`)) {
			by++
		}
	}
	if by < 900 {
		t.Errorf("%d of 2000 equal lines were matched by a skeleton", by)
	}
}

// FuzzSkeleton holds skeletons against the parser, line after line.
func FuzzSkeleton(f *testing.F) {
	formats := jsonFormats(f)
	for _, line := range oddLines {
		f.Add([]byte(line + "\n" + line))
	}
	f.Add([]byte(jsonLine + "\n" + strings.Replace(jsonLine, "200", "-", 1)))
	f.Add([]byte(`{"upstream_status":502, 200 : -,"x":-,"y":1}` + "\n" + `{"upstream_status":-,"x":1,"y":1, 2}`))
	f.Add([]byte(`{"x":{"status":1},"Code":"2","request":{"method":"GET"},"log":{"uri":"/"},"a":{"b":null}}` + "\n" + `{"x":"1","Code":true}`))
	f.Add([]byte(`{"time":"2018-03-04T13:49:52Z","ts":1520171392.123,"path":"a","uri":"b"}` + "\n" + `{"time":1520171392.1,"ts":"x","path":"a","uri":"b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := bytes.SplitN(text, []byte("\n"), 6)
		for _, f := range formats {
			w := parsedTwinsOf(f)
			for _, line := range slices.Concat(lines, lines) {
				w.agree(t, line)
			}
		}
	})
}
