package explain_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/explain"
)

const combined = `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "GET /users/42?a=1 HTTP/1.1" 200 612 "-" "curl, \x22x\x22"`

// run explains lines with the default configuration.
func run(t *testing.T, lines string, o explain.Options) (out, notes string, all, rejected int) {
	t.Helper()
	c := config.Default()
	c.Host = "web1"
	var stdout, stderr bytes.Buffer
	o.Config, o.Out, o.Notes = &c, &stdout, &stderr
	o.Source.Name = "web"
	all, rejected, err := explain.Run(o, strings.NewReader(lines))
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return stdout.String(), stderr.String(), all, rejected
}

func TestLinesAreCounted(t *testing.T) {
	for _, tt := range []struct {
		lines         string
		detect        bool
		all, rejected int
	}{
		{"", false, 0, 0},
		{"", true, 0, 0},
		{combined, false, 1, 0},
		{combined + "\nx\n\n" + combined + "\n", false, 4, 2},
		{combined + "\n" + combined, true, 2, 0},
	} {
		o := explain.Options{Source: config.Source{Format: "combined"}, Detect: tt.detect}
		if _, _, all, rejected := run(t, tt.lines, o); all != tt.all || rejected != tt.rejected {
			t.Errorf("Run(%q), detect %t: %d lines, %d rejected, want %d and %d", tt.lines, tt.detect, all, rejected, tt.all, tt.rejected)
		}
	}
}

// A line that ends with CR LF is explained as it is read: without the CR.
func TestLinesThatEndWithCRLFAreExplainedWithoutIt(t *testing.T) {
	lines := combined + "\n" + combined + " odd\n"
	for _, o := range []explain.Options{{Detect: true}, {Source: config.Source{Format: "combined"}, JSON: true}} {
		want, _, _, _ := run(t, lines, o)
		if got, _, _, rejected := run(t, strings.ReplaceAll(lines, "\n", "\r\n"), o); got != want || rejected != 1 {
			t.Errorf("%d rejected, explained as\n%s\nwant\n%s", rejected, got, want)
		}
	}
}

// With JSON, standard output has nothing but an object for each line.
func TestJSONIsApartFromTheNotes(t *testing.T) {
	out, notes, _, _ := run(t, combined+"\n<&\n", explain.Options{JSON: true, Detect: true})
	decoder := json.NewDecoder(strings.NewReader(out))
	for _, matched := range []bool{true, false} {
		var object struct {
			Matched bool
			Point   *string
		}
		if err := decoder.Decode(&object); err != nil || object.Matched != matched || (object.Point != nil) != matched {
			t.Errorf("%+v, %v in\n%s", object, err, out)
		}
	}
	if err := decoder.Decode(&struct{}{}); err != io.EOF {
		t.Errorf("after two lines: %v, want the end", err)
	}
	if !strings.HasPrefix(notes, "format ") || strings.Contains(out, "\nformat ") {
		t.Errorf("notes %q, output\n%s", notes, out)
	}
}

// When no format fits all lines, the one that is used is the one that the warning
// names as the nearest.
func TestNearestFormatIsTheOneOfTheWarning(t *testing.T) {
	const ingress = `192.0.2.7 - - [04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200 5 "-" "curl" 100 0.100 [up] [] 10.0.0.1:80 5 0.100 200 abc`
	for _, lines := range []string{"odd\n", ingress + "\n" + combined[:70] + "\n", combined + "\n" + combined + " rt=0.1\n", `{"a":}` + "\n" + combined + "\n"} {
		out, _, _, _ := run(t, lines, explain.Options{Detect: true})
		format, warning, _ := strings.Cut(strings.TrimPrefix(out, "format "), ", the nearest\nwarning: ")
		if !strings.Contains(warning, "is closest to "+format+",") {
			t.Errorf("it uses %s, but warns\n%s", format, warning)
		}
	}
}

// Of two formats with two times in each other's place it is the one that run assumes.
func TestTwinsAreGuessedAsRunDoes(t *testing.T) {
	out, _, _, _ := run(t, combined+" 0.001 0.001\n", explain.Options{Detect: true})
	if want := "$request_time $upstream_response_time, detected\n"; !strings.Contains(out, want) {
		t.Errorf("explain says\n%s\nwant %q", out, want)
	}
}

// A format that is detected is no promise of points: what is missing is said.
func TestWhyNoPointsComeIsSaid(t *testing.T) {
	const haproxy = `192.0.2.7:33317 [20/Nov/2026:11:00:00.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 `
	for lines, want := range map[string]string{
		haproxy + `"GET /a HTTP/1.1"`:                                  "they have no zone: set timezone",
		haproxy + `{www.example.com} "GET /a HTTP/1.1"`:                "they have no zone: set timezone",
		"<134>Nov 20 11:00:00 lb1 h: " + haproxy + `"GET /a HTTP/1.1"`: "they have no zone: set timezone",
		combined: "",
	} {
		out, _, _, rejected := run(t, lines+"\n", explain.Options{Detect: true})
		if want != "" && (!strings.Contains(out, want) || rejected != 1) || want == "" && strings.Contains(out, "warning") {
			t.Errorf("explain says\n%s\nwant %q", out, want)
		}
	}
}

// In JSON an array of numbers is a list, as nginx writes one for several upstream
// servers; what is no number at last is named.
func TestArraysInTheirNumbersPlace(t *testing.T) {
	for values, want := range map[string]string{
		`"status":[200],"request_time":[0.1]`:                      "status=200 request_time=0.1 ",
		`"status":[502,200],"request_time":[0.1,0.2]`:              "status=200 request_time=0.300 ",
		`"status":"502, 200","request_time":"0.1, 0.2"`:            "status=200 request_time=0.300 ",
		`"request_time": 0.1, 0.2,"body_bytes_sent":[5,null,7]`:    " body_bytes_sent=12i,request_time=0.300 ",
		`"body_bytes_sent":[1,2]`:                                  " body_bytes_sent=3i ",
		`"status":200,"body_bytes_sent":[0.5]`:                     "left out: body_bytes_sent: ",
		`"status":200,"request_time":["a"],"body_bytes_sent":"1x"`: "left out: body_bytes_sent: ",
	} {
		out, _, _, rejected := run(t, `{"time":1795168800,`+values+"}\n", explain.Options{Source: config.Source{Format: "json"}})
		if !strings.Contains(out, want) || rejected > 0 {
			t.Errorf("%s: explain says\n%s\nwant %q", values, out, want)
		}
	}
}

// A line that a container's runtime has cut is explained as the daemon reads it: one
// point, with the number of the last piece; and what it leaves out is no reject.
func TestLinesInPiecesAreExplained(t *testing.T) {
	const cri = "2026-11-20T10:00:00.123456789Z "
	piece := func(text string) string { return cri + "stdout P " + text + "\n" }
	whole := func(text string) string { return cri + "stdout F " + text + "\n" }
	docker := func(log, stream string) string {
		text, _ := json.Marshal(log)
		return `{"log":` + string(text) + `,"stream":"` + stream + `","time":"2026-11-20T10:00:00Z"}` + "\n"
	}
	half, rest := combined[:40], combined[40:]
	for _, tt := range []struct {
		name, lines string
		want        string // p: a point, f: filtered, r: rejected
		number      int    // of the first point
	}{
		{"two", piece(half) + whole(rest) + whole(combined), "fpp", 2},
		{"three", whole(combined) + piece(half[:9]) + piece(half[9:]) + whole(rest), "pffp", 1},
		{"Docker", docker(half, "stdout") + docker(rest+"\n", "stdout") + docker(combined+"\n", "stdout"), "fpp", 2},
		{"an error between", docker(half, "stdout") + docker("oh\n", "stderr") + docker(rest+"\n", "stdout") + docker(combined+"\n", "stdout"), "ffpp", 3},
		{"an error", whole(combined) + cri + "stderr F oh\n", "pf", 1},
		{"no end", whole(combined) + piece(half), "pr", 1},
		{"another line before the end", piece(half) + combined + "\n" + whole(rest), "rpr", 2},
		{"no match", whole(combined) + piece("x") + whole("y"), "prr", 1},
	} {
		for _, o := range []explain.Options{{Source: config.Source{Format: "combined"}, JSON: true}, {Detect: true, JSON: true}} {
			out, _, all, rejected := run(t, tt.lines, o)
			if strings.HasPrefix(tt.name, "another") && o.Detect {
				continue // it has no line by which the format is known
			}
			decoder, got, first := json.NewDecoder(strings.NewReader(out)), "", ""
			for decoder.More() {
				var e struct {
					Matched bool
					Point   *string
				}
				if err := decoder.Decode(&e); err != nil {
					t.Fatal(err)
				}
				switch {
				case e.Point != nil:
					got += "p"
					first = cmp.Or(first, *e.Point)
				case e.Matched:
					got += "f"
				default:
					got += "r"
				}
			}
			if got != tt.want || all != len(tt.want) || rejected != strings.Count(tt.want, "r") || !strings.HasSuffix(first, fmt.Sprintf("%09d", tt.number)) {
				t.Errorf("%s, detect %t: %s, %d lines, %d rejected, the first point is %s, want %s and line %d", tt.name, o.Detect, got, all, rejected, first, tt.want, tt.number)
			}
		}
	}
}

// Keys of JSON that are of no variable do not vanish without a word.
func TestKeysThatAreReadAsNothingAreNamed(t *testing.T) {
	for line, want := range map[string]string{
		`{"time":1795168800,"status":200,"request":"GET /a HTTP/1.1","mystery":1}`:                         "note: keys that are read as nothing: mystery;",
		`{"time":1795168800,"status":200,"request":"GET /a HTTP/1.1","tls":{"sni":"a","v":1}}`:             "note: keys that are read as nothing: tls.sni, tls.v;",
		cri + `{"time":1795168800,"status":200,"request":"GET /a HTTP/1.1","own":"x"}`:                     "note: keys that are read as nothing: own;",
		`{"time":1795168800,"status":200,"request":"GET /a HTTP/1.1","Request_Time":0.1,"user_agent":"x"}`: "",
		combined: "",
	} {
		out, _, _, _ := run(t, line+"\n", explain.Options{Detect: true})
		if want == "" && strings.Contains(out, "read as nothing") || !strings.Contains(out, want) {
			t.Errorf("explain says\n%s\nwant %q", out, want)
		}
	}
}

const cri = "2026-11-20T10:00:00.123456789Z stdout F "

func TestColours(t *testing.T) {
	for colour, want := range map[bool]string{
		false: "format combined, detected\n",
		true:  "format \x1b[1mcombined\x1b[0m, detected\n",
	} {
		if got, _, _, _ := run(t, combined, explain.Options{Detect: true, Colour: colour}); !strings.HasPrefix(got, want) {
			t.Errorf("colour %t: got %q, want %q first", colour, got, want)
		}
	}
}

func TestFieldValue(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`9223372036854775807i`, `9223372036854775807`},
		{`0.120`, `0.120`},
		{`00.120`, `0.12`},
		{`007i`, `7`},
		{`5.`, `5`},
		{`"a\"\\<"`, `"a\"\\<"`},
	} {
		var got bytes.Buffer
		if err := explain.EncodeFieldValue(&got, tt.text); err != nil || got.String() != tt.want+"\n" {
			t.Errorf("fieldValue(%s) = %s, %v, want %s", tt.text, &got, err, tt.want)
		}
	}
}
