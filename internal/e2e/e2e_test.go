// Package e2e looks at tailflux from outside: the built program, a real
// influxd, and, behind the build tag e2e, real nginx, logrotate and wrk.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "tailflux-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "tailflux")
		args := []string{"build", "-o", binary}
		if raceEnabled {
			args = append(args, "-race")
		}
		build := exec.Command("go", append(args, "../../cmd/tailflux")...)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build tailflux:", err)
			return 1
		}
		return m.Run()
	}())
}

const (
	database = "nginx"
	arrival  = time.Minute // for what must happen soon, on a busy machine
)

// bench is one tailflux with its files, beside an influxd.
type bench struct {
	t   *testing.T
	dir string
	db  *influxdtest.Server
	url string // of the server that it writes to
}

func newBench(t *testing.T, db *influxdtest.Server) *bench {
	t.Helper()
	return &bench{t: t, dir: t.TempDir(), db: db, url: db.URL()}
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// write appends to a file of the bench and returns its path.
func (b *bench) write(name, text string) string {
	b.t.Helper()
	f, err := os.OpenFile(b.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.path(name)
}

// start runs tailflux.
func (b *bench) start(args ...string) *tailfluxtest.Daemon {
	b.t.Helper()
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: binary, Args: args, URL: b.url, State: b.path("state"), Output: b.path("tailflux.log"),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		d.Kill()
		if b.t.Failed() {
			b.t.Logf("tailflux logged:\n%s", d.Log())
		}
	})
	return d
}

// once runs tailflux --once and fails unless it exits with 0.
func (b *bench) once(args ...string) *tailfluxtest.Daemon {
	b.t.Helper()
	d := b.start(append([]string{"--once"}, args...)...)
	if err := d.Wait(); err != nil {
		b.t.Fatal(err)
	}
	return d
}

// delivered waits until so many lines were read and none is in flight.
func (b *bench) delivered(d *tailfluxtest.Daemon, lines int64) tailfluxtest.Report {
	b.t.Helper()
	r, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool {
		return r.Lines.Read >= lines && r.Lines.InFlight == 0
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) points(where string) int64 {
	b.t.Helper()
	n, err := b.db.Count(b.t.Context(), database, "nginx_access", where)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// sum adds an integer field up.
func (b *bench) sum(field string) int64 {
	b.t.Helper()
	series, err := b.db.Query(context.Background(), database, fmt.Sprintf("SELECT sum(%q) FROM nginx_access", field))
	if err != nil {
		b.t.Fatal(err)
	}
	var total int64
	for _, s := range series {
		for _, row := range s.Values {
			n, err := row[1].(json.Number).Int64()
			if err != nil {
				b.t.Fatal(err)
			}
			total += n
		}
	}
	return total
}

// combined is a line in the combined format.
func combined(status, bytes int) string {
	return fmt.Sprintf("192.0.2.7 - - [20/Nov/2026:10:00:00 +0000] \"GET /a HTTP/1.1\" %d %d \"-\" \"curl/8.5.0\"\n", status, bytes)
}

func lines(n int) string { return strings.Repeat(combined(200, 1), n) }
