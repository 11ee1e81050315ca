package logformat_test

import (
	"testing"

	"github.com/tailflux/tailflux/internal/logformat"
	"github.com/tailflux/tailflux/mock/nginxlog"
)

// Logs that lie beside access logs are recognised by any first line of a record.
func TestOther(t *testing.T) {
	for name, lines := range map[string][]string{
		"nginx's error log": {
			`2026/11/20 10:00:00 [error] 4242#4242: *17 open() "/srv/www/favicon.ico" failed (2: No such file or directory), client: 192.0.2.7, server: _, request: "GET /favicon.ico HTTP/1.1", host: "a"`,
			`2026/11/20 10:00:00 [notice] 1#1: using the "epoll" event method`,
			`2026/11/20 10:00:00 [crit] 31#31: *5 SSL_do_handshake() failed (SSL: error:141CF06C) while SSL handshaking, client: 192.0.2.7, server: 0.0.0.0:443`,
			`2026/11/20 10:00:00 [emerg] 7#7: bind() to 0.0.0.0:80 failed (98: Address already in use)`,
			`2026/11/20 10:00:00 [warn] 29#29: *3 [lua] a.lua:1: hello`,
		},
		"php-fpm's log": {
			`[20-Nov-2026 10:00:00] NOTICE: fpm is running, pid 1`,
			`[20-Nov-2026 10:00:00.123456] WARNING: pid 7, fpm_children_bury(), line 261: [pool www] child 12 exited on signal 9`,
			`[20-Nov-2026 10:00:00] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it`,
		},
		"php-fpm's slow log": {
			`[20-Nov-2026 10:00:00]  [pool www] pid 1234`,
			`script_filename = /srv/www/index.php`,
			`[0x00007f1c2a41f0c0] sleep() /srv/www/index.php:3`,
		},
		"PHP's error log": {`[20-Nov-2026 10:00:00 UTC] PHP Warning:  Undefined variable $a in /srv/www/a.php on line 3`, `[20-Nov-2026 10:00:00 Europe/Berlin] hello`},
		"a program's own log": {
			`{"time":"2026-11-28T12:44:21.77Z","level":"INFO","msg":"started","version":"devel"}`,
			`{"level":"error","time":"2026-11-20T10:00:00Z","message":"entryPoint \"x\" doesn't exist"}`,
		},
		"Apache's error log": {`[Fri Nov 20 10:00:00.123456 2026] [core:error] [pid 17] [client 192.0.2.7:1] AH00126: Invalid URI`},
	} {
		for _, line := range lines {
			if got, ok := logformat.Other([]byte(line)); !ok || got != name {
				t.Errorf("Other(%q) = %q, %v, want %s", line, got, ok, name)
			}
		}
	}
	for _, line := range []string{"", "hello", `2026/11/20 10:00:00 192.0.2.7 "GET / HTTP/1.1" 200`, `[20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200`, combinedLine, timedLine, jsonLine} {
		if got, ok := logformat.Other([]byte(line)); ok {
			t.Errorf("Other(%q) = %q", line, got)
		}
	}
	for _, name := range nginxlog.Names() {
		for _, line := range generated(t, name, 100, 0.1) {
			if got, ok := logformat.Other(line); ok {
				t.Errorf("%s: Other(%q) = %q", name, line, got)
			}
		}
	}
}
