package influx_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

func TestQuote(t *testing.T) {
	for name, want := range map[string]string{"nginx": `"nginx"`, `a"b`: `"a\"b"`, `a\b`: `"a\\b"`, "a\nb": `"a\nb"`} {
		if got := influx.Quote(name); got != want {
			t.Errorf("Quote(%q) = %s, want %s", name, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8086", "ftp://h", "http://h:port", "http://u:" + "s3cr3t" + "@h:port", "http://h/%zz"} {
		_, err := influx.New(influx.Config{URL: url, Database: "db", Timeout: time.Second})
		if err == nil {
			t.Errorf("New(%q) = nil error", url)
			continue
		}
		checkSecret(t, fmt.Sprint(err))
	}
}
