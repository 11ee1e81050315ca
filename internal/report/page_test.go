package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/tailflux/tailflux/internal/page"
	"github.com/tailflux/tailflux/internal/report"
)

// assets stand in for those of the live page.
var assets = fstest.MapFS{
	"uplot.css": {Data: []byte(".u { color: red }\n")},
	"style.css": {Data: []byte("body > p { content: '<'; }\n")},
	"uplot.js":  {Data: []byte("var uPlot = function () {};\nexport default uPlot;\n")},
	"charts.js": {Data: []byte("import uPlot from './uplot.js';\nexport function timeChart(element) {\n  return uPlot(element);\n}\n")},
	"format.js": {Data: []byte("export const none = '–';\nexport const count = (n) => `${n}`, rate = count;\n")},
}

// pageOf is the page of a log, and what a browser makes of it.
func pageOf(t *testing.T, o report.Options) (text string, root *html.Node) {
	t.Helper()
	r, err := report.Read(o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WritePage(&b, assets, "v1.2.3", o.FullAddresses); err != nil {
		t.Fatal(err)
	}
	if root, err = html.Parse(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	return b.String(), root
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf is the text of an element, as it is shown.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func find(root *html.Node, is func(*html.Node) bool) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			return n
		}
	}
	return nil
}

// figure is what a tile says.
func figure(root *html.Node, name string) string {
	n := find(root, func(n *html.Node) bool { return attribute(n, "data-figure") == name })
	if n == nil {
		return ""
	}
	return textOf(n)
}

// cells are those of a table, by the names of its rows.
func cells(root *html.Node, id string) map[string][]string {
	table := find(root, func(n *html.Node) bool { return attribute(n, "data-table") == id && n.Data == "table" })
	if table == nil {
		return nil
	}
	all := map[string][]string{}
	name := ""
	for n := range table.Descendants() {
		switch {
		case n.Data == "th" && attribute(n, "scope") == "row":
			name = textOf(n)
			all[name] = nil
		case n.Data == "td":
			all[name] = append(all[name], textOf(n))
		}
	}
	return all
}

// withCommas is a number as the page has it.
func withCommas(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// What the page shows is what whoever wrote the log knows, and what its data say.
func TestThePageShowsTheCounts(t *testing.T) {
	for _, format := range []string{"combined", "timed", "json"} {
		log, k := write(t, format, 8000, 20*time.Second, 0.01)
		text, root := pageOf(t, options(file(t, "access.log", log)))
		for name, want := range map[string]int64{"requests": k.lines - k.torn, "read": k.lines, "rejected": k.torn} {
			if got := figure(root, name); got != withCommas(want) {
				t.Errorf("%s: %s is %q, want %d", format, name, got, want)
			}
		}
		statuses := cells(root, "statuses")
		for status, want := range k.statuses {
			found := false
			for name, cells := range statuses {
				if name == status || strings.HasPrefix(name, status+" ") {
					found = cells[0] == withCommas(want)
				}
			}
			if !found {
				t.Errorf("%s: status %s with %d requests is not in %v", format, status, want, statuses)
			}
		}
		sum := int64(0)
		for _, cells := range cells(root, "days") {
			var n int64
			_, _ = fmt.Sscan(strings.ReplaceAll(cells[0], ",", ""), &n)
			sum += n
		}
		if sum != k.lines-k.torn {
			t.Errorf("%s: days have %d requests, want %d", format, sum, k.lines-k.torn)
		}
		if len(cells(root, "hours")) != 24 {
			t.Errorf("%s: hours are %v", format, cells(root, "hours"))
		}
		if timed := format != "combined"; (figure(root, "p95") != "") != timed || (cells(root, "slowest") != nil) != timed || strings.Contains(text, `data-chart="times"`) != timed {
			t.Errorf("%s: p95 is %q, the slowest are %v", format, figure(root, "p95"), cells(root, "slowest"))
		}
		var data report.Report
		script := find(root, func(n *html.Node) bool { return attribute(n, "id") == "report" })
		if err := json.Unmarshal([]byte(script.FirstChild.Data), &data); err != nil {
			t.Fatal(err)
		}
		if data.Total.Requests != k.lines-k.torn || data.Lines.Read != k.lines || math.IsNaN(float64(data.Total.P95)) != (format == "combined") {
			t.Errorf("%s: the data are %+v, %+v", format, data.Total, data.Lines)
		}
	}
}

// The page is one file that asks for nothing, and a browser runs nothing in it but its own
// script.
func TestThePageNeedsNothing(t *testing.T) {
	log, _ := write(t, "timed", 500, time.Second, 0.01)
	r, err := report.Read(options(file(t, "access.log", log)))
	if err != nil {
		t.Fatal(err)
	}
	for _, assets := range []fs.FS{assets, page.Files()} {
		var b bytes.Buffer
		if err := r.WritePage(&b, assets, "v1.2.3", false); err != nil {
			t.Fatal(err)
		}
		needsNothing(t, b.String())
	}
}

func needsNothing(t *testing.T, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	sum := func(n *html.Node) string {
		of := sha256.Sum256([]byte(n.FirstChild.Data))
		return "'sha256-" + base64.StdEncoding.EncodeToString(of[:]) + "'"
	}
	policy := attribute(find(root, func(n *html.Node) bool { return attribute(n, "http-equiv") == "Content-Security-Policy" }), "content")
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if slices.Contains([]string{"src", "srcset", "action", "style", "data", "background", "poster", "manifest"}, a.Key) || strings.HasPrefix(a.Key, "on") ||
				a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
		switch {
		case n.Data == "style" && n.Type == html.ElementNode:
			if !strings.Contains(policy, "style-src "+sum(n)+";") {
				t.Errorf("%s is not the hash of the style in %s", sum(n), policy)
			}
		case n.Data == "script" && attribute(n, "type") == "module":
			if !strings.Contains(policy, "script-src "+sum(n)+";") {
				t.Errorf("%s is not the hash of the script in %s", sum(n), policy)
			}
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
	head, _, _ := strings.Cut(text, "<body")
	_, script, _ := strings.Cut(text, `<script type="module">`)
	for _, asks := range []string{"url(", "@import", "\nimport ", "\nexport ", "fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "<!--"} {
		if strings.Contains(head, asks) || strings.Contains(script, asks) {
			t.Errorf("the page has %q", asks)
		}
	}
}

// skeleton are the elements of a page with their attributes, without what only differs in
// text.
func skeleton(root *html.Node) (all []string) {
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		is := n.Data
		for _, a := range n.Attr {
			if a.Key == "title" || a.Key == "data-share" || a.Key == "datetime" || a.Key == "content" {
				a.Val = ""
			}
			is += " " + a.Key + "=" + a.Val
		}
		all = append(all, is)
	}
	return all
}

// Whatever stands in a line is text: the page of a log with it has the elements of one with
// plain words in its place, shows what it was, and shows nothing that cannot be seen.
func TestWhatALineHasIsText(t *testing.T) {
	attacks := []string{
		`<script>alert(1)</script>`,
		`</script><script>alert(1)</script>`,
		`</td></tr></table><img src=x onerror=alert(1)>`,
		`' onmouseover='alert(1)`,
		`<!--<script>`,
		`--!><svg/onload=alert(1)>`,
		`]]><![CDATA[<b>`,
		`</title></style></textarea><iframe src=//evil.example>`,
		`{{.Data}}${alert(1)}`,
		`javascript:alert(1)`,
		`&lt;b&gt;&amp;&#60;i&#62;`,
		"\x1b[31mred\x1b]0;title\x07",
		"a\u202egnp.exe\u2066\u2069\u200b\u200f",
		"\u2028\u2029</script>",
		"\ufeff\u00ad",
		"\xff\xfe<b>\xc0",
		`\x1B[31mred\x07`, // as nginx writes them
		`a\xE2\x80\xAEgnp.exe\xE2\x81\xA6`,
		`\x22><script>alert(1)</script>\x22`,
		`\x5Cx3Cscript\x00\x0D\x0A<b>`,
		strings.Repeat("A<i>", 5000),
		strings.Repeat("\u202e", 5000),
	}
	made := func(attack string) string {
		var b strings.Builder
		quoted := strings.ReplaceAll(attack, `"`, `\x22`)
		for range 5 {
			fmt.Fprintf(&b, "%s - u [20/Nov/2026:10:00:00 +0000] \"GET /p%s HTTP/1.1\" 500 10 \"https://r.example/%s\" \"Agent/1 %s\"\n", "192.0.2.1", strings.ReplaceAll(quoted, " ", "+"), quoted, quoted)
		}
		b.WriteString(quoted + " is no line\n")
		fmt.Fprintf(&b, "%s \"GET / HTTP/1.1\" no\n", quoted)
		return b.String()
	}
	o := func(attack string) report.Options {
		in := options(file(t, "access.log", []byte(made(attack))))
		in.Source.Format = "combined"
		return in
	}
	_, plain := pageOf(t, o("words"))
	want := skeleton(plain)
	for _, attack := range attacks {
		text, root := pageOf(t, o(attack))
		if diff := cmp.Diff(want, skeleton(root)); diff != "" {
			t.Errorf("%.60q changes the page: %s", attack, diff)
		}
		for n := range root.Descendants() {
			shown := ""
			switch {
			case n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style":
				shown = n.Data
			case n.Type == html.ElementNode:
				shown = attribute(n, "title")
			case n.Type == html.CommentNode:
				t.Errorf("%.60q is a comment: %q", attack, n.Data)
			}
			if at := strings.IndexFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }); at >= 0 || len(shown) > 2500 {
				t.Errorf("%.60q is shown as %.100q, %d bytes", attack, shown, len(shown))
			}
		}
		if len(text) > 200_000 {
			t.Errorf("%.60q makes a page of %d bytes", attack, len(text))
		}
		if strings.ContainsAny(text, "\x1b\x07\u202e\u2066\u200f\u2028\ufeff") {
			t.Errorf("%.60q is in the page as it is", attack)
		}
		for name := range cells(root, "agents") {
			if rest, ok := strings.CutPrefix(name, "Agent/1"); !ok || !strings.HasPrefix(attack, `' on`) && strings.HasPrefix(attack, "<") && !strings.Contains(rest, attack[:min(len(attack), 20)]) {
				t.Errorf("%.60q is shown as %q", attack, name)
			}
		}
	}
}

// JSON may have anything in a string, and a log that nginx has not written may have it, too.
func TestWhatAJSONLineHasIsText(t *testing.T) {
	made := func(attack string) report.Options {
		quoted, err := json.Marshal(attack)
		if err != nil {
			t.Fatal(err)
		}
		one := fmt.Sprintf(`{"time_iso8601":"2026-11-20T10:00:00+00:00","request_method":"GET","uri":%[1]s,"status":%[1]s,"host":%[1]s,"http_user_agent":%[1]s,"http_referer":%[1]s,"remote_addr":%[1]s}`+"\n", quoted)
		o := options(file(t, "access.log", []byte(strings.Repeat(one, 3)+"{"+string(quoted)+"\n")))
		o.Source.Format = "json"
		return o
	}
	_, words := pageOf(t, made("words"))
	for _, attack := range []string{"<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", `"><b>`, "\x1b[2J\u202e\u2028", "<!--", "{{.}}"} {
		text, root := pageOf(t, made(attack))
		if diff := cmp.Diff(skeleton(words), skeleton(root)); diff != "" {
			t.Errorf("%q changes the page: %s", attack, diff)
		}
		if strings.ContainsAny(text, "\x1b\u202e\u2028") {
			t.Errorf("%q is in the page as it is", attack)
		}
	}
}

// The name of a file is text, too.
func TestTheNameOfAFileIsText(t *testing.T) {
	log, _ := write(t, "combined", 50, time.Second, 0)
	_, plain := pageOf(t, options(file(t, "access.log", log)))
	for _, name := range []string{"<script>alert(1)<", "a\u202egol.log", "\x1b[31m", "&lt;", "\xff"} {
		_, root := pageOf(t, options(file(t, name, log)))
		if diff := cmp.Diff(skeleton(plain), skeleton(root)); diff != "" {
			t.Errorf("%q: %s", name, diff)
		}
		if title := textOf(find(root, func(n *html.Node) bool { return n.Data == "title" })); strings.ContainsFunc(title, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: the title is %q", name, title)
		}
	}
}

// Of an address only the network is shown, unless it is asked for.
func TestAddressesAreMasked(t *testing.T) {
	const text = `203.0.113.77 - - [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"` + "\n" +
		`2001:db8:1:2:3:4:5:6 - - [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"` + "\n"
	for _, full := range []bool{false, true} {
		o := options(file(t, "access.log", []byte(text)))
		o.FullAddresses = full
		page, _ := pageOf(t, o)
		for _, address := range []string{"203.0.113.77", "2001:db8:1:2:3:4:5:6"} {
			if strings.Contains(page, address) != full {
				t.Errorf("full addresses: %v; %s is shown: %v", full, address, !full)
			}
		}
	}
}

// A log without requests has a page that says so.
func TestThePageOfNothing(t *testing.T) {
	_, root := pageOf(t, options(file(t, "access.log", nil)))
	if got := figure(root, "requests"); got != "0" {
		t.Errorf("requests are %q", got)
	}
	if find(root, func(n *html.Node) bool { return attribute(n, "data-chart") != "" }) != nil || cells(root, "slots") != nil {
		t.Error("there are charts of nothing")
	}
}
