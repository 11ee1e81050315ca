package parse_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/internal/parse"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
	"github.com/tailflux/tailflux/internal/tagvalues"
)

const (
	good    = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"`
	maxLine = 4 << 10
)

// stage is a parser with what it needs around it.
type stage struct {
	parser *parse.Parser
	stats  *stats.Stats
	lines  *flow.Pool // for chunks
	gen    *flow.Generation
	log    *bytes.Buffer
}

func newStage(t testing.TB, format string, blocks, blockSize int) *stage {
	t.Helper()
	s, _ := openStage(t, format, t.TempDir(), 10_000, blocks, blockSize)
	return s
}

// openStage is a stage whose tag values are in dir, with paths folded. A format
// that begins with ^ is a regexp.
func openStage(t testing.TB, format, dir string, limit, blocks, blockSize int, change ...func(*accesslog.Schema)) (*stage, *tagvalues.Values) {
	t.Helper()
	compile := logformat.CompileFormat
	if strings.HasPrefix(format, "^") {
		compile = logformat.CompileRegexp
	}
	f, err := compile(format)
	if err != nil {
		t.Fatal(err)
	}
	st := stats.New(time.Now())
	tags := []string{"method", "status", "scheme", "path"}
	state, err := statedir.Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	state.Close() // another stage may open it
	values, err := tagvalues.Open(state, tags, limit, st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { values.Close() })
	schema := accesslog.Schema{
		Measurement: "nginx_access", Host: "web1", Source: "web", Tags: tags, Values: values, Fold: true,
		Fields: []string{"bytes_sent", "body_bytes_sent", "request_time", "upstream_response_time"},
	}
	for _, c := range change {
		c(&schema)
	}
	source := &flow.Source{Index: st.AddSource("web", "access.log"), Name: "web"}
	log := &bytes.Buffer{}
	p := parse.New(fixed(t, f, schema), maxLine, flow.NewPool(blocks, blockSize), st, slog.New(slog.NewTextHandler(log, nil)))
	return &stage{parser: p, stats: st, lines: flow.NewPool(1000, 1<<20), gen: &flow.Generation{Source: source, ID: 1, FirstLine: 1}, log: log}, values
}

// shaper is a function that shapes.
type shaper func(source *flow.Source, read []byte) (*shape.Lines, error)

func (s shaper) Lines(at flow.Position, read []byte) (*shape.Lines, int64, error) {
	lines, err := s(at.Generation.Source, read)
	return lines, math.MaxInt64, err
}

func (s shaper) Missed(shape.Miss) (*shape.Lines, int64, error) { return nil, 0, nil }

// fixed shapes the lines of every source in the same way.
func fixed(t testing.TB, f *logformat.Format, schema accesslog.Schema) shaper {
	t.Helper()
	lines, err := shape.Of(f, schema)
	if err != nil {
		t.Fatal(err)
	}
	return func(*flow.Source, []byte) (*shape.Lines, error) { return lines, nil }
}

// chunk makes one of text, which begins at line and offset.
func (s *stage) chunk(t testing.TB, text string, line, offset int64) flow.Chunk {
	t.Helper()
	room, err := s.lines.Room(t.Context(), len(text))
	if err != nil {
		t.Fatal(err)
	}
	copy(room, text)
	c := flow.Chunk{Start: flow.Position{Generation: s.gen, Offset: offset, Line: line}}
	c.Data, c.Block = s.lines.Cut(len(text))
	c.End = c.Start
	c.End.Offset += int64(len(text))
	c.End.Line += int64(strings.Count(text, "\n"))
	return c
}

// run parses chunks and returns the batches.
func (s *stage) run(t testing.TB, chunks ...flow.Chunk) (batches []flow.Batch) {
	t.Helper()
	in, out := make(chan flow.Chunk, len(chunks)), make(chan flow.Batch, 1000)
	for _, c := range chunks {
		s.stats.Read(time.Now(), c.Lines(), int64(len(c.Data)))
		in <- c
	}
	close(in)
	if err := s.parser.Run(t.Context(), in, out); err != nil {
		t.Fatal(err)
	}
	for b := range out {
		batches = append(batches, b)
	}
	return batches
}

// Every line of a chunk is in the batches once and in order, as a point or with
// a reason.
func TestEveryLineOnce(t *testing.T) {
	long := strings.Replace(good, "curl", strings.Repeat("x", maxLine), 1)
	bad := strings.Replace(good, "20/Nov", "31/Feb", 1)
	text := strings.Join([]string{good, "", "nonsense", good, long, bad, good, ""}, "\n")
	s := newStage(t, "combined", 4, 64<<10)
	batches := s.run(t, s.chunk(t, text, 41, 1000))
	if len(batches) != 1 {
		t.Fatalf("%d batches, want 1", len(batches))
	}
	b := batches[0]
	want := []flow.Skip{{Line: 1, Reason: "empty"}, {Line: 2, Reason: "no match"}, {Line: 4, Reason: "too long"}, {Line: 5, Reason: "bad time"}}
	if !slices.Equal(b.Skipped, want) {
		t.Errorf("skipped %v, want %v", b.Skipped, want)
	}
	point := "nginx_access,host=web1,method=GET,path=/a,source=web,status=200 body_bytes_sent=5i 17951688000000000%d\n"
	if got, want := string(b.Points), fmt.Sprintf(point+point+point, 41, 44, 47); got != want || b.NumPoints != 3 {
		t.Errorf("%d points:\n%swant\n%s", b.NumPoints, got, want)
	}
	if string(b.Lines) != text || b.Start.Line != 41 || b.End.Line != 48 || b.Start.Offset != 1000 || b.End.Offset != 1000+int64(len(text)) {
		t.Errorf("batch from %+v to %+v with %d bytes of lines", b.Start, b.End, len(b.Lines))
	}
}

// Points that do not fit in one block go on in the next, and the batches join
// without a gap.
func TestSmallBlocks(t *testing.T) {
	const n = 1000
	s := newStage(t, "combined", 100, 4<<10)
	batches := s.run(t, s.chunk(t, strings.Repeat(good+"\r\nbad\n", n/2), 1, 0))
	if len(batches) < 10 {
		t.Fatalf("%d batches: the blocks are not small", len(batches))
	}
	var points, skipped int
	at := batches[0].Start
	for i, b := range batches {
		if b.Start != at {
			t.Fatalf("batch %d starts at %+v, want %+v", i, b.Start, at)
		}
		at = b.End
		points += b.NumPoints
		skipped += len(b.Skipped)
		if int64(b.NumPoints+len(b.Skipped)) != b.NumLines() || int64(len(b.Lines)) != b.End.Offset-b.Start.Offset ||
			bytes.Count(b.Points, []byte("\n")) != b.NumPoints {
			t.Errorf("batch %d: %d points and %d skipped in %d lines", i, b.NumPoints, len(b.Skipped), b.NumLines())
		}
		b.Release()
	}
	if points != n/2 || skipped != n/2 || at.Line != n+1 {
		t.Errorf("%d points and %d skipped to line %d", points, skipped, at.Line)
	}
}

// A point longer than a block is rejected and stops nobody.
func TestPointLongerThanABlock(t *testing.T) {
	s := newStage(t, "combined", 4, 512)
	long := strings.Replace(good, "/a", "/"+strings.Repeat("b", 600), 1)
	for _, text := range []string{long + "\n", good + "\n" + long + "\n" + good + "\n"} {
		var points, skipped int
		for _, b := range s.run(t, s.chunk(t, text, 1, 0)) {
			points += b.NumPoints
			for _, skip := range b.Skipped {
				if skip.Reason != "too long" {
					t.Errorf("reason %q", skip.Reason)
				}
				skipped++
			}
			b.Release()
		}
		if want := strings.Count(text, "\n") - 1; skipped != 1 || points != want {
			t.Errorf("%d points and %d skipped, want %d and 1", points, skipped, want)
		}
	}
}

// Of a line that fits in no block only the head is there.
func TestTooLong(t *testing.T) {
	s := newStage(t, "combined", 4, 64<<10)
	c := s.chunk(t, good+"\n", 7, 100) // it would match
	c.TooLong = 1 << 20
	c.End.Offset = c.Start.Offset + c.TooLong
	batches := s.run(t, c)
	if len(batches) != 1 || batches[0].TooLong != 1<<20 || batches[0].End != c.End || batches[0].NumPoints != 0 ||
		!slices.Equal(batches[0].Skipped, []flow.Skip{{Line: 0, Reason: "too long"}}) {
		t.Errorf("batches %+v", batches)
	}
}

// A line may be as long as the limit, and not a byte longer.
func TestLongestLine(t *testing.T) {
	s := newStage(t, "combined", 4, 64<<10)
	longest := strings.Replace(good, "curl", strings.Repeat("c", maxLine-len(good)+len("curl")), 1)
	for _, longer := range []string{strings.Replace(longest, "c", "cc", 1), longest + "\r"} { // CR counts: the reader cannot know it
		batches := s.run(t, s.chunk(t, longest+"\n"+longer+"\n", 1, 0))
		if len(batches) != 1 || batches[0].NumPoints != 1 || !slices.Equal(batches[0].Skipped, []flow.Skip{{Line: 1, Reason: flow.TooLong}}) {
			t.Errorf("batches %+v, want a point and a line that is too long", batches)
		}
	}
}

// Where lines end with CR LF the CR is no part of them, whatever the format: no
// value has it, no line is rejected for it. It counts as a byte of the file. It is
// said once.
func TestLinesThatEndWithCRLF(t *testing.T) {
	const field = `http_user_agent="curl"`
	for _, tt := range []struct{ name, format, line string }{
		{"combined", "combined", good},
		{"a last variable without quotes", "$remote_addr [$time_local] $status $http_user_agent", `192.0.2.7 [20/Nov/2026:10:00:00 +0000] 200 curl`},
		{"JSON", "json", `{"time_local":"20/Nov/2026:10:00:00 +0000","status":"200","http_user_agent":"curl"}`},
		{"a log_format in JSON", `{"time":"$time_local","agent":"$http_user_agent"}`, `{"time":"20/Nov/2026:10:00:00 +0000","agent":"curl"}`},
		{"a regexp", `^\[(?P<time_local>[^]]+)\] (?P<http_user_agent>.*)`, `[20/Nov/2026:10:00:00 +0000] curl`},
		{"a regexp that the scanner cannot have", `^\[(?P<time_local>[^]]+)\] (?P<http_user_agent>(?:c|cu)rl|curl)$`, `[20/Nov/2026:10:00:00 +0000] curl`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := openStage(t, tt.format, t.TempDir(), 10, 4, 64<<10, func(c *accesslog.Schema) { c.Fields = []string{"http_user_agent"} })
			text := tt.line + "\r\n" + "\r\n" + tt.line + "\n" + tt.line + "\r\n"
			b := s.run(t, s.chunk(t, text, 11, 1000))[0]
			points := strings.Split(string(b.Points), "\n")
			if want := []flow.Skip{{Line: 1, Reason: flow.Empty}}; len(points) != 4 || !slices.Equal(b.Skipped, want) {
				t.Fatalf("points %q, skipped %v, want three and %v", points, b.Skipped, want)
			}
			for i, line := range []string{"11", "13", "14"} {
				if !strings.Contains(points[i], " "+field+" ") || !strings.HasSuffix(points[i], line) {
					t.Errorf("point %q, want the field %s and line %s", points[i], field, line)
				}
			}
			if b.End.Line != 15 || b.End.Offset != 1000+int64(len(text)) || string(b.Lines) != text {
				t.Errorf("the batch ends at %+v with the lines %q", b.End, b.Lines)
			}
		})
	}
}

// That lines end with CR LF is said once for each source, and only if they do.
func TestCRLFIsSaidOnce(t *testing.T) {
	s := newStage(t, "combined", 4, 64<<10)
	format, err := logformat.CompileFormat("combined")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s.parser = parse.New(fixed(t, format, accesslog.Schema{Measurement: "m", Host: "h", Source: "s"}), maxLine, flow.NewPool(16, 64<<10), s.stats,
		slog.New(slog.NewTextHandler(&log, nil)))
	other := &flow.Generation{Source: &flow.Source{Index: s.stats.AddSource("shop", "shop.log"), Name: "shop", Path: "shop.log"}, ID: 1, FirstLine: 1}
	of := func(c flow.Chunk) flow.Chunk {
		c.Start.Generation, c.End.Generation = other, other
		return c
	}
	long := s.chunk(t, "head\r\n", 1, 0) // within a line: that is no end
	long.TooLong = 1 << 20
	s.run(t, long, s.chunk(t, good+"\n", 2, 0), of(s.chunk(t, good+"\r\n", 1, 0)), s.chunk(t, strings.Repeat("odd\r\n", 1000), 3, 0),
		s.chunk(t, good+"\r\n", 1, 0), of(s.chunk(t, good+"\r\n", 1, 0)))
	said := regexp.MustCompile(`(?m)CR LF.* source=(\S+)`).FindAllStringSubmatch(log.String(), -1)
	if len(said) != 2 || said[0][1] != "shop" || said[1][1] != "web" {
		t.Errorf("logged\n%s\nwant that lines end with CR LF, once of shop and once of web", &log)
	}
}

// Lines that a rule leaves out are skipped without a reason, and counted.
func TestFiltered(t *testing.T) {
	s, _ := openStage(t, "combined", t.TempDir(), 10, 4, 64<<10, func(c *accesslog.Schema) {
		c.Drop = []accesslog.Rule{{{Variable: "path", Match: "/healthz"}}}
	})
	health := strings.Replace(good, "/a", "/healthz", 1)
	batches := s.run(t, s.chunk(t, good+"\n"+health+"\nbad\n"+health+"\n", 1, 0))
	want := []flow.Skip{{Line: 1, Filtered: true}, {Line: 2, Reason: flow.NoMatch}, {Line: 3, Filtered: true}}
	if len(batches) != 1 || batches[0].NumPoints != 1 || !slices.Equal(batches[0].Skipped, want) {
		t.Errorf("batches %+v, want one point and %v skipped", batches, want)
	}
	if books := s.stats.Snapshot(time.Now()).Books; books.Filtered != 2 || books.InFlight != 2 {
		t.Errorf("books %+v, want 2 filtered and 2 in flight", books)
	}
}

// What is noted of lines without a point is bounded in each batch.
func TestManySkipped(t *testing.T) {
	const n = 10_000
	s := newStage(t, "combined", 4, 64<<10)
	lines := int64(0)
	for _, b := range s.run(t, s.chunk(t, strings.Repeat("\n", n), 1, 0)) {
		if len(b.Skipped) > 4096 {
			t.Errorf("%d lines skipped in one batch", len(b.Skipped))
		}
		lines += b.NumLines()
	}
	if lines != n {
		t.Errorf("%d lines, want %d", lines, n)
	}
}

// The shape of a source is asked for until it is known. Lines before that are
// rejected.
func TestShapeIsAskedForUntilItIsKnown(t *testing.T) {
	s := newStage(t, "combined", 4, 64<<10)
	format, err := logformat.CompileFormat("combined")
	if err != nil {
		t.Fatal(err)
	}
	known := fixed(t, format, accesslog.Schema{Measurement: "nginx_access", Host: "web1", Source: "web"})
	var asked []string
	s.parser = parse.New(shaper(func(source *flow.Source, read []byte) (*shape.Lines, error) {
		if asked = append(asked, string(read)); len(asked) <= 2 {
			return nil, nil
		}
		return known(source, read)
	}), maxLine, flow.NewPool(4, 64<<10), s.stats, slog.New(slog.DiscardHandler))
	batches := s.run(t, s.chunk(t, "\n", 1, 0), s.chunk(t, "what\n", 2, 1), s.chunk(t, good+"\n", 3, 6), s.chunk(t, good+"\n", 4, 100))
	if len(batches) != 4 || batches[0].NumPoints != 0 || batches[0].Skipped[0].Reason != "empty" || batches[1].NumPoints != 0 ||
		batches[1].Skipped[0].Reason != "no match" || batches[2].NumPoints != 1 || batches[3].NumPoints != 1 {
		t.Errorf("batches %+v", batches)
	}
	if want := []string{"\n", "what\n", good + "\n"}; !slices.Equal(asked, want) {
		t.Errorf("asked with %q, want %q", asked, want)
	}
}

// That most lines are rejected is logged once for each time that it begins, with
// the format that they look like.
func TestMostLinesAreRejected(t *testing.T) {
	s := newStage(t, "combined", 4, 1<<20)
	format, err := logformat.CompileFormat("combined")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s.parser = parse.New(fixed(t, format, accesslog.Schema{Measurement: "m", Host: "h", Source: "s"}), maxLine, flow.NewPool(16, 1<<20), s.stats,
		slog.New(slog.NewTextHandler(&log, nil)))
	thousand := func(line string) flow.Chunk { return s.chunk(t, good+"\n"+strings.Repeat(line+"\n", 1000), 1, 0) }
	const timed = `192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] http "GET /a HTTP/1.1" 200 5 "-" "curl" "-" 0.100 0.100`
	s.run(t, thousand(good), thousand("bad"), thousand("worse"), thousand(good), thousand(timed))
	warnings := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(warnings) != 2 || strings.Contains(warnings[0], "format=") || !strings.Contains(warnings[1], "format=timed") {
		t.Errorf("logged\n%s", &log)
	}
}

// While nothing is released, Run waits for a block, and ends with its context.
func TestWaitsForABlock(t *testing.T) {
	s := newStage(t, "combined", 2, 4<<10)
	in, out := make(chan flow.Chunk, 1), make(chan flow.Batch, 1000)
	in <- s.chunk(t, strings.Repeat(good+"\n", 1000), 1, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.parser.Run(ctx, in, out); err == nil {
		t.Error("Run ended well without a free block")
	}
}

// The last line of a file may have no newline there, but has one in its chunk.
func TestEndOfUnterminatedLine(t *testing.T) {
	s := newStage(t, "combined", 4, 64<<10)
	c := s.chunk(t, good+"\n", 7, 100)
	c.End.Offset--
	if b := s.run(t, c); len(b) != 1 || b[0].End != c.End || b[0].NumPoints != 1 {
		t.Errorf("batches %+v, want one to %+v", b, c.End)
	}
}

// The objects of a JSON log may have different keys: each line's own time and
// request are taken.
func TestJSON(t *testing.T) {
	s := newStage(t, "json", 4, 64<<10)
	for _, tt := range []struct{ line, want string }{
		{
			`{"time_local":"20/Nov/2026:10:00:00 +0000","request":"GET /a?b HTTP/1.1","status":"200","bytes_sent":7}`,
			"nginx_access,host=web1,method=GET,path=/a,source=web,status=200 bytes_sent=7i 1795168800000000001\n",
		},
		{
			`{"msec":"1795168800.123","status":404,"request_method":"POST","uri":"/x \"y\"","scheme":"https","request_time":0.5}`,
			`nginx_access,host=web1,method=POST,path=/x\ "y",scheme=https,source=web,status=404 request_time=0.5 1795168800123000001` + "\n",
		},
		{
			`{"time_iso8601":"2026-11-20T10:00:00+00:00","request_uri":"/z?q","upstream_response_time":"0.010, 0.020"}`,
			"nginx_access,host=web1,path=/z,source=web upstream_response_time=0.030 1795168800000000001\n",
		},
	} {
		batches := s.run(t, s.chunk(t, tt.line+"\n", 1, 0))
		if got := string(batches[0].Points); got != tt.want {
			t.Errorf("%s\ngave %+v\n%swant\n%s", tt.line, batches[0].Skipped, got, tt.want)
		}
	}
}
