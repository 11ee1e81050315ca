package logfile_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

func TestIsNoise(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	noise := func(n int) string {
		b := make([]byte, n)
		if _, err := random.Read(b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	text := strings.Repeat("1.2.3.4 - - [30/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n", 20)
	for _, tt := range []struct {
		name, head string
		want       bool
	}{
		{"random bytes", noise(logfile.HeadBytes), true},
		{"fewer of them than a block", noise(logfile.HeadBytes - 1), false},
		{"lines", text, false},
		{"very short lines", strings.Repeat("1\n", 600), false},
		{"gzip", "\x1f\x8b\x08" + noise(logfile.HeadBytes), false},
		{"zstd", "\x28\xb5\x2f\xfd" + noise(logfile.HeadBytes), false},
		{"half a line and a hole", "1.2.3\n" + strings.Repeat("\x00", logfile.HeadBytes), false},
		{"a hole and what came behind it", strings.Repeat("\x00", 1000) + text, false},
		{"lines with what TLS sends to a port of HTTP, unescaped", "1.2.3.4 [30/Nov/2026:12:00:00 +0000] " + noise(400) + "\n1.2.3.4 [30/Nov/2026:12:00:00 +0000] " + noise(600), false},
		{"a long decoded URI first", `{"uri":"/` + strings.Repeat("поиск", 110), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := logfile.Head(tt.head[:min(len(tt.head), logfile.HeadBytes)])
			if got := head.IsNoise(); got != tt.want {
				t.Errorf("IsNoise of %.40q = %v, want %v", head, got, tt.want)
			}
		})
	}
	missed := 0
	for range 1000 {
		if !logfile.Head(noise(logfile.HeadBytes)).IsNoise() {
			missed++
		}
	}
	if missed > 3 { // of 9,000 one
		t.Errorf("of 1,000 heads of random bytes %d are no noise", missed)
	}
}
