package parse_test

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/influxdata/influxdb1-client/models"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A golden is a file of testdata/formats: a format that people use, lines in it,
// and the points of these lines.
//
//	# what it is, and where it is from
//	format: $remote_addr …
//	    more of it
//	kind: scanner
//
//	# what is odd about the line
//	< the line; or <q and the line in Go's quotes
//	> its point; or ! and why it is rejected
//
// In place of format: may stand regexp:, and after it timezone:. The kind, the
// points and the reasons are written by -update.
type golden struct {
	head     []string // comments
	key      string   // format or regexp
	format   string
	timezone string
	cases    []goldenCase
}

type goldenCase struct {
	comments []string
	text     string // as it stands in the file, with <
	line     []byte
}

func readGolden(t *testing.T, text string) (g golden) {
	t.Helper()
	var comments []string
	format := false // goes on
	for i, line := range strings.Split(text, "\n") {
		key, value, _ := strings.Cut(line, ":")
		switch {
		case format && strings.HasPrefix(line, "    "):
			g.format += "\n" + line
			continue
		case strings.HasPrefix(line, "#"):
			comments = append(comments, line)
		case strings.HasPrefix(line, "<"):
			c := goldenCase{comments: comments, text: line, line: []byte(strings.TrimPrefix(line[1:], " "))}
			if quoted, ok := strings.CutPrefix(line, "<q "); ok {
				unquoted, err := strconv.Unquote(quoted)
				if err != nil {
					t.Fatalf("line %d: %v", i+1, err)
				}
				c.line = []byte(unquoted)
			}
			g.cases = append(g.cases, c)
			comments = nil
		case key == "format" || key == "regexp":
			g.head, g.key, g.format, comments = comments, key, strings.TrimPrefix(value, " "), nil
			format = true
			continue
		case key == "timezone":
			g.timezone = strings.TrimSpace(value)
		case line == "" || key == "kind" || line[0] == '>' || line[0] == '!':
		default:
			t.Fatalf("line %d: what is %q?", i+1, line)
		}
		format = false
	}
	return g
}

// write makes the file of the answers.
func (g *golden) write(kind string, answers []string) string {
	var b strings.Builder
	for _, line := range g.head {
		b.WriteString(line + "\n")
	}
	fmt.Fprintf(&b, "%s: %s\n", g.key, g.format)
	if g.timezone != "" {
		fmt.Fprintf(&b, "timezone: %s\n", g.timezone)
	}
	fmt.Fprintf(&b, "kind: %s\n", kind)
	for i, c := range g.cases {
		b.WriteString("\n")
		for _, line := range c.comments {
			b.WriteString(line + "\n")
		}
		b.WriteString(c.text + "\n" + answers[i] + "\n")
	}
	return b.String()
}

func (g *golden) compile(t *testing.T) *logformat.Format {
	t.Helper()
	compile := logformat.CompileFormat
	if g.key == "regexp" {
		compile = logformat.CompileRegexp
	}
	f, err := compile(g.format)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// answers are what the stage makes of the lines: "> " and the point, or "! " and
// the reason. All that the format has is a tag or a field, but for the request
// and the times, which are there in other form.
func (g *golden) answers(t *testing.T, f *logformat.Format) (answers []string) {
	t.Helper()
	schema := accesslog.Schema{
		Measurement: "nginx", Host: "web1", Source: "web", Escape: f.Escape(), Fold: true,
		Tags:   []string{"method", "status", "scheme", "path"},
		Fields: []string{"protocol", "vhost", "upstream_tries"},
	}
	if g.timezone != "" {
		zone, err := time.LoadLocation(g.timezone)
		if err != nil {
			t.Fatal(err)
		}
		schema.Zone = zone
	}
	elsewhere := []string{
		"status", "scheme", "request", "request_method", "request_uri", "uri", "args", "server_protocol", "host",
		"method", "path", "query", "protocol", "msec", "time_iso8601", "time_local",
	}
	for _, name := range f.Names() {
		if !slices.Contains(elsewhere, name) {
			schema.Fields = append(schema.Fields, name)
		}
	}
	st := stats.New(time.Now())
	source := &flow.Source{Index: st.AddSource("web", "access.log"), Name: "web"}
	p := parse.New(fixed(t, f, schema), 64<<10, flow.NewPool(4, 1<<20), st, slog.New(slog.DiscardHandler))
	s := &stage{parser: p, stats: st, lines: flow.NewPool(4, 1<<20), gen: &flow.Generation{Source: source, ID: 1, FirstLine: 1}}
	var text []byte
	for _, c := range g.cases {
		text = append(append(text, c.line...), '\n')
	}
	for _, b := range s.run(t, s.chunk(t, string(text), 1, 0)) {
		points := bytes.SplitAfter(b.Points, []byte{'\n'})
		for i := range int32(b.NumLines()) {
			if at := slices.IndexFunc(b.Skipped, func(skip flow.Skip) bool { return skip.Line == i }); at >= 0 {
				why := string(b.Skipped[at].Reason)
				if b.Skipped[at].Filtered {
					why = "left out"
				}
				answers = append(answers, "! "+why)
				continue
			}
			answers = append(answers, "> "+strings.TrimSuffix(string(points[0]), "\n"))
			points = points[1:]
		}
		b.Release()
	}
	return answers
}

// checkPoint asks InfluxDB's own reader about a point.
func checkPoint(t *testing.T, point string, number int) {
	t.Helper()
	points, err := models.ParsePointsString(point)
	if err != nil || len(points) != 1 {
		t.Errorf("InfluxDB reads %d points in %s: %v", len(points), point, err)
		return
	}
	if points[0].UnixNano()%int64(time.Millisecond) != int64(number) {
		t.Errorf("line %d is at %d", number, points[0].UnixNano())
	}
}

// sameCapture tells an absent capture from an empty one.
func sameCapture(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

// twins compares the scanner with the regular expression it is made of.
func twins(t *testing.T, f *logformat.Format, line []byte) {
	t.Helper()
	fast, ok := f.NewMatcher().Match(line)
	slow, slowOK := f.NewSlowMatcher().Match(line)
	if ok != slowOK || !slices.EqualFunc(fast, slow, sameCapture) {
		t.Errorf("of %q the scanner makes %q, %v, the regexp %q, %v", line, fast, ok, slow, slowOK)
	}
}

// reported are the cases of parsing that users of other programs reported.
var reported = []string{
	"nginxlog-exporter #217", "nginxlog-exporter #274", "nginxlog-exporter #224", "beats #30697", "vrl #226",
	"telegraf #14292", "telegraf #3991", "logstash #7779", "telegraf #6765", "telegraf #3020",
}

// Formats of nginx's documentation, of distributions, of ingress controllers and
// of those who asked elsewhere, and what becomes of their lines.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/formats/*.txt")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d formats, want 25 or more: %v", len(files), err)
	}
	origin := regexp.MustCompile(`https://\S+|[a-z] #\d+`)
	var all strings.Builder
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
			g := readGolden(t, string(text))
			if !origin.MatchString(strings.Join(g.head, "\n")) {
				t.Error("the file does not say where the format is from")
			}
			f := g.compile(t)
			answers := g.answers(t, f)
			if len(answers) != len(g.cases) || len(answers) == 0 {
				t.Fatalf("%d answers to %d lines", len(answers), len(g.cases))
			}
			for i, answer := range answers {
				twins(t, f, g.cases[i].line)
				if point, ok := strings.CutPrefix(answer, "> "); ok {
					checkPoint(t, point, i+1)
				}
			}
			got := g.write(f.Kind(), answers)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(text), got); diff != "" {
				t.Errorf("the file (-), and what is made of its lines (+):\n%s", diff)
			}
		})
	}
	for _, issue := range reported {
		if !strings.Contains(all.String(), issue) {
			t.Errorf("no file has a case of %s", issue)
		}
	}
}

// lineage is the pattern that tutorials hand down, its groups named as the issue
// of the pattern compiler has them.
const lineage = `(?P<remote_addr>[\d\.]+)\s+(?P<_>[^ \[]+)\s+(?P<remote_user>[^ \[]+)\s+\[(?P<time_local>[^\]]+)\]\s+` +
	`(?P<scheme>[a-z]+)\s+\"(?P<request>[^"]+)\"\s+(?P<status>\d{3})\s+(?P<bytes_sent>\d+)\s+\"(?P<http_referer>[^"]+)\"\s+` +
	`\"(?P<http_user_agent>.*?)\"\s+\"(?P<gzip_ratio>[\d\.-]+)\"\s+(?P<upstream_response_time>[\d\.-]+)\s+(?P<request_time>[\d\.-]+)`

// Of the generator's lines that the lineage's pattern matches, the scanner takes
// 99.9 % and more, and gives what the standard library gives. (The pattern is not
// anchored: of an IPv6 address it matches the end.)
func TestLineageTakesTheScanner(t *testing.T) {
	const lines, enough = 8_000, 99.9
	f, err := logformat.CompileRegexp(lineage)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []nginxlog.Options{{}, {Garbage: 0.01, Torn: 0.001}, {Garbage: 0.2}} {
		o.Format = "timed"
		g, err := nginxlog.New(o)
		if err != nil {
			t.Fatal(err)
		}
		fast, slow := f.NewMatcher(), f.NewSlowMatcher()
		var buf []byte
		at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
		matched, taken := 0, 0
		for range lines {
			buf = g.Append(buf[:0], at)
			at = at.Add(time.Millisecond)
			line := bytes.TrimSuffix(buf, []byte{'\n'})
			want, ok := slow.Match(line)
			before := fast.Slow
			got, fastOK := fast.Match(line)
			if ok != fastOK || !slices.EqualFunc(got, want, sameCapture) {
				t.Fatalf("of %q the scanner makes %q, the regexp %q", line, got, want)
			}
			if !ok {
				continue
			}
			matched++
			if fast.Slow == before {
				taken++
			}
		}
		percent := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
		t.Logf("garbage %v, torn %v: %d lines; %d match, the scanner takes %.3f %% of them",
			o.Garbage, o.Torn, lines, matched, percent(taken, matched))
		if percent(taken, matched) < enough || matched < lines/2 {
			t.Errorf("garbage %v, torn %v: the scanner takes %d of %d lines that match, want %v %%", o.Garbage, o.Torn, taken, matched, enough)
		}
	}
}

// named are the golden files of formats that have a name.
func named(t *testing.T) map[string]golden {
	t.Helper()
	files, err := filepath.Glob("testdata/formats/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]golden{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		g := readGolden(t, string(text))
		words := strings.Fields(g.format)
		if g.key == "format" && len(words) > 0 && slices.Contains(logformat.Presets(), words[len(words)-1]) {
			all[strings.TrimSuffix(filepath.Base(file), ".txt")] = g
		}
	}
	return all
}

// samples are the lines of a golden file that its format takes, at least 20 of them.
func (g *golden) samples(t *testing.T) (lines [][]byte) {
	t.Helper()
	answers := g.answers(t, g.compile(t))
	for len(lines) < 20 {
		for i, c := range g.cases {
			if strings.HasPrefix(answers[i], "> ") || answers[i] == "! left out" {
				lines = append(lines, c.line)
			}
		}
	}
	return lines
}

// Formats that have a name are found by their lines alone, in a wrapper or not. None is
// taken for another one, and none is chosen for lines of two.
func TestNamedFormatsAreFound(t *testing.T) {
	all := named(t)
	for _, preset := range logformat.Presets() {
		if !slices.ContainsFunc(slices.Collect(maps.Values(all)), func(g golden) bool { return strings.HasSuffix(g.format, preset) }) {
			t.Errorf("no file has lines of %s", preset)
		}
	}
	for name, g := range all {
		lines := g.samples(t)
		if got, err := logformat.Detect(lines); err != nil || got != strings.TrimSpace(g.format) {
			t.Errorf("lines of %s are taken for %q, %v", name, got, err)
		}
		if got, ok := logformat.Nearest(lines[0]); !ok || got != strings.TrimSpace(g.format) {
			t.Errorf("a line of %s is nearest to %q", name, got)
		}
		for other, h := range all {
			isJSON := g.compile(t).Kind() == "json" && h.compile(t).Kind() == "json"
			if strings.HasPrefix(g.format, "docker ") && strings.HasPrefix(h.format, "docker ") {
				continue // of two streams, the standard output counts
			}
			if h.format == g.format || isJSON && (g.format == "json" || h.format == "json") {
				continue // whatever is JSON of a kind is JSON
			}
			if got, err := logformat.Detect(append(slices.Clone(lines), h.samples(t)...)); err == nil {
				t.Errorf("lines of %s and of %s are taken for %q", name, other, got)
			}
		}
	}
}
