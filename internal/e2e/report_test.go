//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/tailflux/tailflux/internal/report"
)

// Requests that attack whoever looks at a log go through nginx, and tailflux report makes a
// page of it: Chromium runs nothing of them, complains of nothing, and draws the charts.
func TestReportOfHostileRequests(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir()}
	port := freePort(t)
	n := serve(b, 1, port, fmt.Sprintf(`
    large_client_header_buffers 4 2m;
    log_format whole escape=json '{"time":"$time_iso8601","request":"$request","status":$status,"bytes_sent":$bytes_sent,"request_time":$request_time,"host":"$http_host","http_referer":"$http_referer","http_user_agent":"$http_user_agent","remote_addr":"$remote_addr"}';
    server {
        listen 127.0.0.1:%d default_server;
        access_log combined.log combined;
        access_log json.log whole;
        return 500 no;
    }`, port))
	attacks := []string{
		`<script>document.title="owned"</script>`, `</script><img/src=x/onerror=document.title="owned">`, `"><svg/onload=document.title="owned">`,
		"\x1b[31mred\x1b]0;owned\x07", "a\u202egnp.exe\u2066\u200f", `{{.Data}}<!--`, strings.Repeat("<b>", 1<<20/3),
	}
	for range 20 {
		for _, attack := range attacks {
			n.knock(knock{send: "GET /p" + attack[:min(len(attack), 9000)] + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"})
			n.knock(knock{send: "GET /q HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUser-Agent: " + attack + "\r\nReferer: https://r.example/" + attack[:min(len(attack), 9000)] + "\r\n\r\n"})
			n.knock(knock{send: "GET /r HTTP/1.1\r\nHost: " + attack[:min(len(attack), 9000)] + "\r\nConnection: close\r\n\r\n"})
		}
	}
	n.stop()
	for _, log := range []string{"combined.log", "json.log"} {
		t.Run(log, func(t *testing.T) {
			out, err := exec.Command(binary, "report", "--json", b.path(log)).Output()
			var r report.Report
			if err == nil {
				err = json.Unmarshal(out, &r)
			}
			// A line over max_line is rejected: those with the longest agent.
			if long := r.Reasons["too long"]; err != nil || r.Lines.Read != int64(20*3*len(attacks)) || r.Lines.Rejected != long || long != 20 {
				t.Fatalf("%+v, %v, %v", r.Lines, r.Reasons, err)
			}
			page, err := exec.Command(binary, "report", b.path(log)).Output()
			if err != nil || len(page) > 2<<20 {
				t.Fatalf("%d bytes, %v", len(page), err)
			}
			dom, said := inChromium(t, "file://"+b.write(log+".html", string(page)))
			if strings.Contains(said, "CONSOLE") {
				t.Errorf("the console has %s", said)
			}
			elements := map[string]int{}
			for d := range dom.Descendants() {
				if d.Type == html.ElementNode {
					elements[d.Data]++
				}
				if d.Type == html.TextNode && d.Parent.Data == "title" && d.Data != log {
					t.Errorf("the title is %q", d.Data)
				}
				if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
					if at := strings.IndexFunc(d.Data, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }); at >= 0 {
						t.Errorf("it shows %.100q", d.Data)
					}
				}
			}
			if elements["script"] != 2 || elements["img"]+elements["svg"] > 0 || elements["canvas"] < 3 {
				t.Errorf("elements of the page: %v", elements)
			}
		})
	}
}

// inChromium is what Chromium has made of a page, and what it said.
func inChromium(t *testing.T, url string) (dom *html.Node, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*arrival)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--no-proxy-server",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=5000", "--dump-dom", url)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium, which make e2e-deps installs: %v\n%s", err, &stderr)
	}
	dom, err := html.Parse(&stdout)
	if err != nil {
		t.Fatal(err)
	}
	return dom, stderr.String()
}

// A rejected line is longer than a phone is wide: it is scrolled, and not the page.
func TestReportOnAPhone(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir()}
	line := "192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"x\"\n"
	log := b.write("access.log", strings.Repeat(line, 30)+strings.Replace(line, "+0000] ", "+0000]", 1))
	page, err := exec.Command(binary, "report", "--format", "combined", log).Output()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) }))
	defer server.Close()
	const width = 390
	p := startBrowser(t).open(t, screen{width: width, height: 844, phone: true})
	p.load(server.URL)
	p.until("document.querySelector('[data-table=rejects] pre')")
	if got := eval[int64](p, "document.documentElement.scrollWidth"); got > width {
		t.Errorf("the page is %d wide on %d", got, width)
	}
	if !eval[bool](p, "(() => { const pre = document.querySelector('[data-table=rejects] pre'); pre.scrollLeft = 50; return pre.scrollLeft === 50; })()") {
		t.Error("the line cannot be scrolled")
	}
}
