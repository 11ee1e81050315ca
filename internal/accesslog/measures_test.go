package accesslog_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/accesslog"
)

func TestMeasures(t *testing.T) {
	names := []string{"msec", "status", "bytes_sent", "request_length", "request_time", "upstream_response_time", "upstream_status"}
	const none = -1
	for name, tt := range map[string]struct {
		captures string
		sizes    [3]int64
		times    [2]int64
		tries    int64
	}{
		"plain":                {"1795168800.123|200|1234|77|0.123|0.100|200", [3]int64{1234, none, 77}, [2]int64{123, 100}, 1},
		"zero":                 {"1795168800.123|200|0|0|0.000|0.000|200", [3]int64{0, none, 0}, [2]int64{0, 0}, 1},
		"absent":               {"1795168800.123|304|-|||-|-", [3]int64{none, none, none}, [2]int64{none, none}, 0},
		"list":                 {"1795168800.123|200|1|1|1.500|0.010, 0.020 : 1.100|502, 502 : 200", [3]int64{1, none, 1}, [2]int64{1500, 1130}, 3},
		"list with nothing":    {"1795168800.123|502|1|1|0.001|-, -|502, 502", [3]int64{1, none, 1}, [2]int64{1, none}, 2},
		"part of a list":       {"1795168800.123|200|1|1|0.001|-, 0.250|502, 200", [3]int64{1, none, 1}, [2]int64{1, 250}, 2},
		"no number in a list":  {"1795168800.123|200|1|1|0.001|x, 0.250|200", [3]int64{1, none, 1}, [2]int64{1, none}, 2},
		"long":                 {"1795168800.123|200|123456789012345|1|3600.004|0.1|200", [3]int64{123456789012345, none, 1}, [2]int64{3600004, 100}, 1},
		"finer than a ms":      {"1795168800.123|200|1|1|0.0014999|0.0015|200", [3]int64{1, none, 1}, [2]int64{1, 2}, 1},
		"whole seconds":        {"1795168800.123|200|1|1|2|10|200", [3]int64{1, none, 1}, [2]int64{2000, 10000}, 1},
		"tunnel":               {"1795168800.123|101|1|1|3600.004|3600.000|101", [3]int64{1, none, 1}, [2]int64{none, none}, 1},
		"negative":             {"1795168800.123|200|-1|1|-0.001|-1.000|200", [3]int64{none, none, 1}, [2]int64{none, none}, 1},
		"no numbers":           {"1795168800.123|200|1.5|x|abc|1e3|200", [3]int64{none, none, none}, [2]int64{none, none}, 1},
		"more than fits":       {"1795168800.123|200|99999999999999999999|1|99999999999.000|0.100|200", [3]int64{none, none, 1}, [2]int64{none, 100}, 1},
		"as much as counts":    {"1795168800.123|200|1125899906842624|1|0.001|0.1|200", [3]int64{1 << 50, none, 1}, [2]int64{1, 100}, 1},
		"a byte more":          {"1795168800.123|200|1125899906842625|1|0.001|0.1|200", [3]int64{none, none, 1}, [2]int64{1, 100}, 1},
		"18 digits":            {"1795168800.123|200|999999999999999999|1|0.001|0.1|200", [3]int64{none, none, 1}, [2]int64{1, 100}, 1},
		"as HAProxy goes on":   {"1795168800.123|200|+243|1|+0.030|0.100|200", [3]int64{243, none, 1}, [2]int64{30, 100}, 1},
		"one digit after that": {"1795168800.123|200|1|1|12.3|0.1|200", [3]int64{1, none, 1}, [2]int64{12300, 100}, 1},
	} {
		e, err := accesslog.New(names, accesslog.Schema{Measurement: "m"})
		if err != nil {
			t.Fatal(err)
		}
		captures := split(tt.captures)
		if outcome := e.Judge(captures, 7); outcome != accesslog.Point {
			t.Fatalf("%s: Judge = %v", name, outcome)
		}
		before := e.Basics(captures)
		want := accesslog.Measures{At: 1_795_168_800_123_000_000, Sizes: tt.sizes, Times: tt.times, Tries: tt.tries, Class: int(captures[1][0] - '0')}
		if diff := cmp.Diff(&want, e.Measures(captures)); diff != "" {
			t.Errorf("%s: Measures (-want +got):\n%s", name, diff)
		}
		basics := accesslog.Basics{Class: want.Class, Time: want.Times[0], Bytes: want.Sizes[0]}
		if basics.Bytes < 0 {
			basics.Bytes = want.Sizes[1]
		}
		if after := e.Basics(captures); before != basics || after != basics {
			t.Errorf("%s: Basics = %+v, and %+v after Measures, want %+v", name, before, after, basics)
		}
	}
}

// The tags of a rollup are those that a point would have, and admitted with them.
func TestRollupTags(t *testing.T) {
	var asked []string
	s := accesslog.Schema{
		Measurement: "m", Host: "h", Source: "s", Tags: []string{"path"}, Fold: true,
		Rollups: [][]string{{"status", "method"}, {"status_class", "path"}, {"vhost"}, {}},
		Values: admitter(func(tag int, value []byte) bool {
			asked = append(asked, string(rune('0'+tag))+string(value))
			return string(value) != "/full/:id"
		}),
	}
	if diff := cmp.Diff([]string{"status", "method", "status_class", "vhost"}, s.RollupTags()); diff != "" {
		t.Errorf("RollupTags (-want +got):\n%s", diff)
	}
	e, err := accesslog.New([]string{"msec", "status", "request"}, s)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string][4]string{
		"1795168800.123|404|GET /a/12?q HTTP/1.1": {",method=GET,status=404", ",path=/a/:id,status_class=4xx"},
		"1795168800.123|200|GET /full/1 HTTP/1.1": {",method=GET,status=200", ",path=other,status_class=2xx"},
		"1795168800.123|-|GET /b HTTP/1.1":        {",method=GET", ",path=/b"},
		"1795168800.123|2xx|-":                    {",status=2xx", ""},
		"1795168800.123|000|POST /c,d\\ HTTP/1.1": {",method=POST,status=000", `,path=/c\,d?,status_class=0xx`},
	} {
		captures := split(line)
		if outcome := e.Judge(captures, 1); outcome != accesslog.Point {
			t.Fatalf("Judge(%q) = %v", line, outcome)
		}
		for range 2 { // also from memory
			for i, want := range want {
				if got := string(e.AppendRollupTags([]byte("x"), i, captures)); got != "x"+want {
					t.Errorf("AppendRollupTags(%d) of %q = %q, want %q", i, line, got, "x"+want)
				}
			}
		}
	}
	for _, a := range asked {
		if a[0] == '3' {
			t.Errorf("asked whether to admit %q, of which there are few", a)
		}
	}
}

// A value that is not admitted is counted once a line, however many rollups have it.
func TestAskedOnceALine(t *testing.T) {
	for name, tt := range map[string]struct {
		raw  bool
		path string
		want []string // of the first line, and of each one after it
	}{
		"refused":           {false, "/full/1", []string{"/full/:id", "/full/:id"}},
		"refused, raw":      {true, "/full/1", []string{"/full/:id", "/full/:id"}},
		"admitted":          {false, "/a", []string{"/a", ""}},
		"admitted, raw":     {true, "/a", []string{"/a", ""}},
		"too long to keep":  {false, "/" + strings.Repeat("b", 300), []string{"/" + strings.Repeat("b", 300), "/" + strings.Repeat("b", 300)}},
		"long, and is kept": {true, "/" + strings.Repeat("b", 100), []string{"/" + strings.Repeat("b", 100), ""}},
	} {
		asked := ""
		e, err := accesslog.New([]string{"msec", "status", "request"}, accesslog.Schema{
			Measurement: "m", Tags: []string{"path"}, Fold: true,
			Rollups: [][]string{{"path"}, {"path", "status_class"}},
			Values: admitter(func(_ int, value []byte) bool {
				asked += string(value)
				return string(value) != "/full/:id"
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		captures := split("1795168800.123|404|GET " + tt.path + " HTTP/1.1")
		for line := range 3 {
			asked = ""
			if tt.raw {
				_, _ = e.Append(nil, captures, int64(line))
			} else {
				e.Judge(captures, int64(line))
			}
			e.Series(captures)
			e.AppendRollupTags(nil, 1, captures)
			e.AppendRollupTags(nil, 0, captures)
			if want := tt.want[min(line, 1)]; asked != want {
				t.Errorf("%s, line %d: asked %q, want %q", name, line, asked, want)
			}
		}
	}
}

// Lines have the same Series only if they have the same tags, and mostly then.
func TestSeries(t *testing.T) {
	e, err := accesslog.New([]string{"msec", "status", "request"}, accesslog.Schema{
		Measurement: "m", Host: "h", Source: "s", Tags: []string{"path"}, Fold: true,
		Rollups: [][]string{{"path", "status"}, {}, {"path", "status", "method", "protocol", "status_class"}},
		Values:  admitter(func(_ int, value []byte) bool { return string(value) != "/full" }),
	})
	if err != nil {
		t.Fatal(err)
	}
	series := func(line string) (s accesslog.Series, tags string) {
		captures := split("1795168800.123|" + line)
		e.Judge(captures, 1)
		all := e.Series(captures)
		if all[2].IsKnown() {
			t.Errorf("%s: five tags have a series", line)
		}
		if !all[0].IsKnown() {
			t.Fatalf("%s: there is no series", line)
		}
		return all[0], string(e.AppendRollupTags(nil, 0, captures))
	}
	first, _ := series("404|GET /a/12 HTTP/1.1")
	for line, same := range map[string]bool{
		"404|GET /a/12 HTTP/1.1":     true,
		"404|POST /a/13?q HTTP/1.1":  true, // folded to the same
		"404|GET /a/:id HTTP/1.1":    true,
		"200|GET /a/12 HTTP/1.1":     false,
		"-|GET /a/12 HTTP/1.1":       false,
		"404|GET /a/12/b HTTP/1.1":   false,
		"404|GET /a HTTP/1.1":        false,
		"404|GET /full HTTP/1.1":     false,
		"404|-":                      false,
		"GET|GET /404/b/12 HTTP/1.1": false,
	} {
		if got, tags := series(line); (got == first) != same {
			t.Errorf("%s, whose tags are %s: the series is %v, want that to be %t for the first one, %v", line, tags, got, same, first)
		}
	}
	captures := split("1795168800.123|404|GET /" + strings.Repeat("b", 300) + " HTTP/1.1")
	if e.Judge(captures, 1); e.Series(captures)[0].IsKnown() {
		t.Error("a path of 301 bytes has a series")
	}
	one, two := e.For("x"), e.For("y")
	a, b := split("1795168800.123|404|GET /a/12 HTTP/1.1"), split("1795168800.123|404|GET /a HTTP/1.1")
	one.Judge(a, 1)
	two.Judge(b, 1)
	if got := one.Series(a)[0]; got != first {
		t.Errorf("another source has %v for the same line, want %v", got, first)
	}
	if got, same := two.Series(b)[0], one.Series(a)[0]; got == same {
		t.Errorf("two sources have the same series for other lines")
	}
}

func TestJudgeIsAppendWithoutAPoint(t *testing.T) {
	e, err := accesslog.New([]string{"msec", "status"}, accesslog.Schema{Measurement: "m", Drop: []accesslog.Rule{{{Variable: "status", Match: "204"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"1795168800|200", "1795168800|204", "x|200", "-|204", "-|-"} {
		_, want := e.Append(nil, split(line), 1)
		if got := e.Judge(split(line), 1); got != want {
			t.Errorf("Judge(%q) = %v, Append says %v", line, got, want)
		}
	}
}

// split is a line with bars between its captures.
func split(line string) [][]byte { return bytes.Split([]byte(line), []byte{'|'}) }

type admitter func(tag int, value []byte) bool

func (a admitter) Admit(tag int, value []byte) bool { return a(tag, value) }
