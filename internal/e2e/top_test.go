//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"
)

// What clients make a real nginx log comes to the terminal as text, whether nginx escapes
// it or not.
func TestTopOfWhatClientsSend(t *testing.T) {
	hostile := map[string]string{
		"script": "<script>alert(1)</script>", "ANSI": "\x1b[31mred\x1b]0;owned\x07", "C1": "\u009b2J", "bidi": "\u202egpj.exe\u2066",
		"combining": "e\u0301\u0302\u0303", "not UTF-8": "\xff\xfe\x9b", "large": strings.Repeat("\x1b[31m\u202e", 150_000),
	}
	for _, escaping := range []string{"default", "none"} {
		t.Run(escaping, func(t *testing.T) {
			b := &bench{t: t, dir: t.TempDir()}
			port := freePort(t)
			n := serve(b, 1, port, fmt.Sprintf(`
    log_format as_it_is escape=%s '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
    access_log access.log as_it_is;
    large_client_header_buffers 8 2m;
    server { listen 127.0.0.1:%d; location / { return 200 "seen\n"; } }`, escaping, port))
			for _, text := range hostile {
				send(t, port, "/path/"+strings.Map(pathRune, text[:min(len(text), 500)]), "example.com", "ref"+text[:min(len(text), 500)], text)
			}
			send(t, port, "/well", "example.com", "-", "x")
			time.Sleep(100 * time.Millisecond)
			n.stop()
			for _, flags := range [][]string{{}, {"--json"}} {
				cmd := exec.CommandContext(t.Context(), binary, append([]string{"top", "--once", "--path", b.path("access.log"), "--format", "combined", "--max-line", "64KiB"}, flags...)...)
				out, err := cmd.CombinedOutput()
				if err != nil || !strings.Contains(string(out), "/well") || !strings.Contains(string(out), "/path/") {
					t.Fatalf("%v\n%.2000s", err, out)
				}
				for _, r := range string(out) {
					if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.M)) {
						t.Fatalf("it has written %U:\n%.2000q", r, out)
					}
				}
				if len(out) > 200_000 {
					t.Errorf("it has written %d bytes", len(out))
				}
			}
		})
	}
}

// pathRune is a rune as nginx takes it in a path.
func pathRune(r rune) rune {
	if r <= ' ' || r == 0x7f {
		return -1
	}
	return r
}

// send makes one request, in any bytes.
func send(t *testing.T, port int, path, host, referrer, agent string) {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(arrival))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nReferer: %s\r\nUser-Agent: %s\r\nConnection: close\r\n\r\n", path, host, referrer, agent)
	if answer, err := io.ReadAll(conn); err != nil || len(answer) == 0 {
		t.Fatalf("%v %q", err, answer)
	}
}
