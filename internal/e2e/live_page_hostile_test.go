//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// hostile is what a client may send where a path, an agent, a referrer or a host belongs.
var hostile = []string{
	`<script>document.title='pwned';alert(1)</script>`,
	`<img/src=x/onerror=alert(2)>`,
	`"><svg/onload=alert(3)>`,
	`</td></table></pre></script><h1/id=pwned>pwned</h1>`,
	`<style>*{display:none}</style><base/href=//evil.example/>`,
	`javascript:alert(4)`,
	`${alert(5)}{{7*7}}`,
	`&lt;b&gt;&#60;script&#62;`,
	"\x1b[2J\x1b[31mred\x1b]0;pwned\x07",
	"\u202egpj.exe\u2066\u2067\u200f",
	"e" + strings.Repeat("\u0301\u0316", 150),
	"\xff\xfe\xc0\xaf",
	"\u2028\u2029\u0085",
	"__proto__",
	"constructor",
	strings.Repeat("W", 6000),
}

const hostileSite = `
    log_format shown '$remote_addr [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_host" $request_time';
    access_log access.log shown;
    server { listen 127.0.0.1:%[1]d; location / { return 503; } }`

// What clients send is text on the page, wherever it stands: it is no markup, runs nothing,
// asks for nothing, and moves nothing out of its place.
func testPageHostile(t *testing.T, w *watched) {
	b := newBench(t, w.db)
	port := freePort(t)
	n := serve(b, 1, port, fmt.Sprintf(hostileSite, port))
	sent := 0
	for _, text := range hostile {
		for _, request := range []string{
			"GET /" + text + " HTTP/1.1\r\nHost: site\r\n",
			"GET / HTTP/1.1\r\nHost: site\r\nUser-Agent: " + text + "\r\n",
			"GET / HTTP/1.1\r\nHost: site\r\nUser-Agent: bot " + text + "\r\n",
			"GET / HTTP/1.1\r\nHost: site\r\nReferer: " + text + "\r\n",
			"GET / HTTP/1.1\r\nHost: site\r\nReferer: http://" + text + "/\r\n",
			"GET / HTTP/1.1\r\nHost: " + text + "\r\n",
		} {
			for range 3 {
				rawly(t, n, request+"Connection: close\r\n\r\n")
				sent++
			}
		}
	}
	n.stop()
	text, err := os.ReadFile(b.path("access.log"))
	if err != nil {
		t.Fatal(err)
	}
	log, logged := string(text), int64(bytes.Count(text, []byte("\n")))
	if logged < int64(sent) {
		t.Errorf("nginx has logged %d lines of %d requests", logged, sent)
	}
	at := time.Now().Format("02/Jan/2006:15:04:05 -0700")
	million := strings.Repeat("<b>W", 1<<18)
	b.write("access.log", "127.0.0.1 ["+at+"] \"GET /long HTTP/1.1\" 200 1 \"-\" \""+million+"\" \"site\" 0.001\n")
	for i, text := range hostile {
		b.write("access.log", fmt.Sprintf("%s no line %d of its format [%s]\n", strings.NewReplacer("\n", "", "\r", "").Replace(text), i, text))
	}
	d := b.start("--path", b.path("access.log"), "--name", "web", "--start", "beginning", "--max-line", "2MiB",
		"--format", `$remote_addr [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_host" $request_time`)
	b.delivered(d, logged+1+int64(len(hostile)))
	of := *w
	of.daemon = d
	for _, on := range []screen{desk, {width: 390, height: 844, phone: true}} {
		p := of.see(t, on, "")
		p.until("document.querySelector('[data-table=agents] tbody tr')")
		p.run("document.querySelectorAll('.more:not([hidden])').forEach((n) => n.click())")
		p.run("document.querySelector('#tail').scrollIntoView()")
		time.Sleep(300 * time.Millisecond) // the stream of requests is open
		b.write("access.log", log)         // what was sent comes once more
		p.until("document.querySelectorAll('[data-table=tail] tbody tr').length > 30")
		p.until("document.querySelectorAll('[data-table=rejects] > li').length === %d", len(hostile))
		wantText(t, p, on.width)
	}
}

// wantText fails if anything that was sent has become more than text.
func wantText(t *testing.T, p *tab, width int64) {
	t.Helper()
	// None of these is in the page as it was loaded, but its scripts, style and title.
	if got := eval[string](p, `[...document.querySelectorAll('script, style, img, base, iframe, object, embed, b b, #pwned, h1, [onload], [onerror], meta, link, a')]
		.filter((n) => !['SCRIPT', 'LINK', 'META'].includes(n.tagName) || n.textContent)
		.filter((n) => !(n.tagName === 'H1' && n.textContent === 'tailflux') && !(n.tagName === 'A' && (!n.href || n.href.startsWith(location.origin + '/')))).map((n) => n.outerHTML).join()`); got != "" {
		t.Errorf("text has become %s", got)
	}
	if got := eval[string](p, "document.title"); strings.Contains(got, "pwned") || !strings.HasSuffix(got, "tailflux") {
		t.Errorf("the title is %q", got)
	}
	text := eval[string](p, "document.body.textContent")
	for _, want := range []string{hostile[0], hostile[1], hostile[3], hostile[7], "__proto__", "constructor", `\xE2\x80\xAEgpj.exe\xE2\x81\xA6\xE2\x81\xA7\xE2\x80\x8F`, `\x1B[31mred`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	tables := eval[map[string]string](p, "Object.fromEntries([...document.querySelectorAll('[data-table]')].map((n) => [n.dataset.table, n.textContent]))")
	for _, table := range []string{"paths", "agents", "referrers", "hosts", "tail", "rejects", "failing", "bots"} {
		if !strings.Contains(tables[table], "<img/src=x/onerror=alert(2)>") {
			t.Errorf("the table %s has no hostile text, and so shows nothing: %.300s", table, tables[table])
		}
	}
	// What is invisible, or would turn the order of letters round, is written out, in what comes
	// up when a name is pointed at too.
	if out := eval[[]string](p, `[...document.querySelectorAll('[data-table], [data-table] [title]')].flatMap((n) => [n.textContent, n.title])
		.filter((text) => /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/.test(text)).map((text) => JSON.stringify(text.slice(0, 80)))`); len(out) > 0 {
		t.Errorf("it is shown as it came: %q", out)
	}
	wantNoSideways(t, p, width)
	if out := eval[[]string](p, `[...document.querySelectorAll('[data-table] tbody tr, .rejects li')].filter((n) => n.getBoundingClientRect().height > 160).map((n) => n.getBoundingClientRect().height + ' ' + n.textContent.slice(0, 80))`); len(out) > 0 {
		t.Errorf("rows of a table are as high as %q", out)
	}
	// What a row has stays in it: no line of combining characters or text from right to left
	// covers its neighbours.
	if out := eval[[]string](p, `[...document.querySelectorAll('[data-table] tbody td, [data-table] tbody th')].filter((n) => n.scrollWidth > n.clientWidth + 1 && getComputedStyle(n).overflow === 'visible' && !n.closest('.scroll')).map((n) => n.textContent.slice(0, 80))`); len(out) > 0 {
		t.Errorf("cells flow over: %q", out)
	}
}

// rawly sends a request as it is, and reads the answer.
func rawly(t *testing.T, n *nginx, request string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // nginx may refuse what it is sent, and logs that too
}
