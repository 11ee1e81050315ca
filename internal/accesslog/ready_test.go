package accesslog_test

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// What formats have, and what their points are asked to have.
var (
	formats = [][]string{
		{"msec", "request", "status", "scheme", "host", "remote_addr", "upstream_status"},
		{"msec", "request", "status", "request_method", "uri", "args", "server_protocol"},
		{"msec", "request_uri", "status", "request_method", "http_host", "https", "server_name"},
	}
	tagSets = [][]string{
		{"method", "status", "scheme", "path"},
		{},
		{"path"},
		{"path", "status_class"},
		{"method", "status"},
		{"status", "scheme", "upstream_status", "vhost", "protocol", "status_class", "method"},
		{"client", "path", "vhost", "status_class", "upstream_tries"},
		{"remote_addr", "method", "query", "protocol", "path", "host"},
		{"uri", "request_method", "server_protocol", "status"},
		{"https", "http_host", "server_name", "status", "method", "path", "request"},
	}
)

// twins are an encoder of a format and one that looks for each tag, of two sources each.
type twins struct {
	quick, slow [2]*accesslog.Encoder
	values      [2]*limit                   // of the quick ones, and of the slow ones
	series      map[accesslog.Series]string // the tags that each stands for
}

func newTwins(t testing.TB, names []string, s accesslog.Schema, most int) (w twins) {
	t.Helper()
	w.series = map[accesslog.Series]string{}
	of := func(n int, encoders *[2]*accesslog.Encoder) {
		w.values[n] = &limit{max: most, seen: map[string]bool{}}
		s.Values = w.values[n]
		e, err := accesslog.New(names, s)
		if err != nil {
			t.Fatal(err)
		}
		encoders[0] = e
	}
	of(0, &w.quick)
	of(1, &w.slow)
	accesslog.WithoutReady(w.slow[0])
	w.quick[1], w.slow[1] = w.quick[0].For("the other"), w.slow[0].For("the other")
	return w
}

// check encodes a line of a source and reports whether both did the same.
func (w *twins) check(t testing.TB, source int, captures [][]byte, number int64, rollups int) {
	t.Helper()
	quick, slow := w.quick[source], w.slow[source]
	got, outcome := quick.Append(nil, captures, number)
	want, wanted := slow.Append(nil, captures, number)
	if !bytes.Equal(got, want) || outcome != wanted || quick.Omitted() != slow.Omitted() {
		t.Fatalf("source %d, line %q:\n%s%v, want\n%s%v", source, captures, got, outcome, want, wanted)
	}
	if got, want := w.values[0].refused, w.values[1].refused; got != want {
		t.Fatalf("source %d, line %q: values were refused %d times, want %d", source, captures, got, want)
	}
	if outcome != accesslog.Point {
		return
	}
	series := slices.Clone(quick.Series(captures))
	slow.Series(captures)
	for i := range rollups {
		got, want := quick.AppendRollupTags(nil, i, captures), slow.AppendRollupTags(nil, i, captures)
		if !bytes.Equal(got, want) {
			t.Fatalf("source %d, line %q, rollup %d has %s, want %s", source, captures, i, got, want)
		}
		if other, ok := w.tagsOf(series[i], got); !ok {
			t.Fatalf("source %d, line %q, rollup %d: the tags %s have the series of %s", source, captures, i, got, other)
		}
	}
}

// tagsOf reports whether a series had the same tags before, if it has any of the numbers that
// are never given twice.
func (w *twins) tagsOf(s accesslog.Series, tags []byte) (before string, ok bool) {
	if !s.IsKnown() || len(tags) == 0 || bytes.Contains(tags, []byte("=other")) || bytes.Contains(tags, []byte("xx")) {
		return "", true
	}
	before, known := w.series[s]
	w.series[s] = string(tags)
	return before, !known || before == string(tags)
}

// Points and what rollups get are the same whether tags are ready or not: for any tags, of
// several sources in turn, whatever lines come, and however many values are admitted.
func FuzzReady(f *testing.F) {
	for set := range tagSets {
		for format := range formats {
			f.Add(uint8(set), uint8(format), uint8(5), "GET /a HTTP/1.1|200|https|h|192.0.2.1|200\nGET /a?b HTTP/1.1|200|https|h|192.0.2.1|200\nGET /a?b#c HTTP/2.0|404|https|h|192.0.2.1|200")
			f.Add(uint8(set), uint8(format), uint8(200), "GET /a|200\nGET /a HTTP/1.1 |200|\nGET /a  HTTP/1.1\nGET  HTTP/1.1\nGET HTTP/1.1\nGET /HTTP/1.1\n HTTP/1.1\nGET /a HTTP/1. \nGET /a HTTP/ .1\nGET /a b HTTP/1.1|-")
			f.Add(uint8(set), uint8(format), uint8(2), "/a|200|GET|/b|x=1|HTTP/1.1\n/b|200|GET|/a|x=1|HTTP/1.0\n-|20|GET|/a\n-|20\x00|GET|/a\n-|-|-|-|-|-\n|||||")
			f.Add(uint8(set), uint8(format), uint8(200), "GET /1234567 HTTP/1.1|200|https\nGET /123?567 HTTP/1.1|200|https\nGET /12345678901?a HTTP/1.1|200|https\nGET /12345678901#? HTTP/1.1|200|http\nGET http://x/y HTTP/1.1\nGET *#/ HTTP/1.1\nget /a HTTP/1.1\nGET ?/a HTTP/1.1\nGET /a ?b HTTP/1.1\nGET /a  HTTP/1.1\nGET /a#b HTTP/1.1\nGET /a#b?c HTTP/1.1")
			f.Add(uint8(set), uint8(format), uint8(200), `GET /\x20/\xD0 HTTP/1.1|200|a,b= c|\x00`+"\nGET /"+strings.Repeat("1/", 90)+" HTTP/1.1\nGET /"+strings.Repeat("ab", 90)+" HTTP/1.1")
		}
	}
	f.Fuzz(func(t *testing.T, set, format, most uint8, log string) {
		names := formats[int(format)%len(formats)]
		s := accesslog.Schema{
			Measurement: "m,n", Host: "h", Source: "s o", Tags: tagSets[int(set)%len(tagSets)], Fields: []string{"query", "upstream_status"},
			Fold: format&16 > 0, KeepQuery: format&32 > 0, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			Rollups: [][]string{{"path", "method", "status"}, {"status_class", "path"}, {}},
		}
		if format&64 > 0 {
			s.Mask = []string{"remote_addr", "host"}
		}
		if format&128 > 0 {
			s.Escape = "json"
		}
		w := newTwins(t, names, s, int(most))
		number := int64(0)
		for range 4 {
			for line := range strings.Lines(log) {
				number++
				all := [][]byte{[]byte("1795168800.123")}
				for value := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "|") {
					in := []byte(value + behind + " HTTP/1.1")
					if number%2 == 0 {
						in = in[:len(value):len(value)]
					}
					all = append(all, in[:len(value)])
				}
				for len(all) < len(names) {
					all = append(all, []byte("-"))
				}
				w.check(t, int(number/3%2), all[:len(names)], number, len(s.Rollups))
			}
		}
	})
}

// The same of realistic lines in each format, more than are remembered, with most paths
// beyond the limit and with none.
func TestReadyTagsAreTheSame(t *testing.T) {
	for _, format := range nginxlog.Names() {
		for _, most := range []int{20, 100_000} {
			s := standard
			s.Fold = most > 20
			s.Rollups = [][]string{{"method", "status"}, {"path", "status_class"}, {"status_class"}}
			names, lines := realistic(t, format, 20_000)
			w := newTwins(t, names, s, most)
			for i, captures := range lines {
				w.check(t, i/100%2, captures, int64(i), len(s.Rollups))
			}
		}
	}
}
