package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// There are more logs than files that may be open. As many as possible are followed, each
// other one is reported, and InfluxDB and whoever asks for /healthz get their connections.
func TestMoreLogsThanFilesThatMayBeOpen(t *testing.T) {
	t.Parallel()
	b := newBench(t, influxdtest.New(t, influxdtest.Options{}))
	const logs = 80
	for i := range logs {
		b.write(fmt.Sprintf("site%c%c.log", 'a'+i/26, 'a'+i%26), fmt.Sprintf(`192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] "GET /%d HTTP/1.1" 200 8073 "-" "-"`+"\n", i))
	}
	limited := b.write("tailflux", "#!/bin/sh\nulimit -n 64\nexec "+binary+` "$@"`+"\n")
	if err := os.Chmod(limited, 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: limited, URL: b.db.URL(), State: b.path("state"), Output: b.path("tailflux.log"),
		Args: []string{"--path", b.path("site*.log"), "--format", "combined", "--start", "beginning"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Kill()
		if t.Failed() {
			t.Log(d.Log())
		}
	})
	seen, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return len(r.Sources) == logs && r.Lines.Written >= 32 })
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, s := range seen.Sources {
		if strings.Contains(s.Trouble, "limit of open files") {
			refused++
		}
	}
	if int64(refused) != logs-seen.Lines.Written {
		t.Errorf("%d lines of %d logs are written, and %d logs are reported", seen.Lines.Written, logs, refused)
	}
	resp, err := http.Get(d.URL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %s", resp.Status)
	}
}
