package grafanatest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// world is what all tests look at: an influxd that tailflux has filled.
type world struct {
	dir, binary  string
	db           *influxdtest.Server
	known        *known
	began, ended time.Time        // tailflux read the known traffic between these
	sites        map[string]*site // the others, by database
}

// Databases. In that of known traffic rollups have a policy of their own, in the others
// they are where all else is.
const knownDB = "known"

// the is made by the first test that needs it.
var the *world

func TestMain(m *testing.M) {
	code := m.Run()
	if the != nil {
		if err := the.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func (w *world) close() error {
	err := w.db.Stop()
	_ = os.RemoveAll(w.dir) // of the system's directory for such things
	return err
}

// filled is the world with the known traffic.
func filled(t *testing.T) *world {
	t.Helper()
	if the != nil {
		return the
	}
	dir, err := os.MkdirTemp("", "tailflux-grafana-") //nolint:usetesting // it outlives this test
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dir: dir, binary: filepath.Join(dir, "tailflux")}
	run(t, "go", "build", "-o", w.binary, "../../cmd/tailflux")
	influxd, err := influxdtest.Binary(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if w.db, err = influxdtest.Start(context.Background(), influxdtest.Options{Binary: influxd, Dir: filepath.Join(dir, "influxd")}); err != nil {
		t.Fatal(err)
	}
	the = w
	w.began = time.Now()
	w.readKnown(t)
	w.happen(t)
	return w
}

// happen writes points about tailflux itself, and notes the runs there were.
func (w *world) happen(t *testing.T) {
	t.Helper()
	k := w.known
	k.own = k.ownPoints()
	var lines []string
	for _, p := range k.own {
		lines = append(lines, p.line())
		k.events = append(k.events, p.events()...)
	}
	w.write(t, knownDB, "tailflux_rollups", lines)
	for _, host := range []string{web1, web1, web2, web2} { // two runs each
		k.events = append(k.events, event{w.began.UTC(), host, "", "started", 1, true})
	}
	w.ended = time.Now().Add(time.Second).UTC()
}

// write writes points.
func (w *world) write(t *testing.T, database, policy string, lines []string) {
	t.Helper()
	url := w.db.URL() + "/write?rp=" + policy + "&db=" + database
	for part := range slices.Chunk(lines, 10_000) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(strings.Join(part, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Fatalf("write: %s", resp.Status)
		}
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// endOfKnown is a moment ago, and in the middle of a window of ten seconds. All of it is old
// enough to be shown: what came in the last seconds is not there yet.
func endOfKnown() time.Time {
	return time.Now().UTC().Truncate(10 * time.Second).Add(-23 * time.Second)
}

// readKnown lets a tailflux on each host read what there is up to the gap, and, after
// the logs have grown, what there is since.
func (w *world) readKnown(t *testing.T) {
	t.Helper()
	w.known = newKnown(endOfKnown())
	for _, host := range []string{web1, web2} {
		config := w.configure(t, host)
		for part := range 2 {
			for _, o := range origins {
				if o.host == host {
					appendLines(t, w.log(o.source), w.known.lines[o.source][part])
				}
			}
			w.once(t, host, "--config", config)
		}
	}
}

// log is the file of a source, which may have a name that is a glob.
func (w *world) log(source string) string {
	return filepath.Join(w.dir, regexp.MustCompile(`\W`).ReplaceAllString(source, "_")+".log")
}

// configure writes the configuration of a host.
func (w *world) configure(t *testing.T, host string) (file string) {
	t.Helper()
	text := fmt.Sprintf("host: %q\ninfluxdb: {database: %s}\nretention: {rollups: 2y}\ndrop: [{path: /healthz}]\n"+
		"tags: [method, status, scheme, path, upstream_addr]\nsources:\n", host, knownDB)
	for _, o := range origins {
		if o.host == host {
			text += fmt.Sprintf("  - name: %q\n    path: %s\n    %s\n", o.source, w.log(o.source), o.config)
		}
	}
	file = filepath.Join(w.dir, host+".yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func appendLines(t *testing.T, path string, lines []string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
		_ = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// once runs tailflux to the end of the logs.
func (w *world) once(t *testing.T, state string, args ...string) {
	t.Helper()
	d, err := tailfluxtest.Start(tailfluxtest.Options{
		Binary: w.binary, Args: append([]string{"--once"}, args...), URL: w.db.URL(),
		State: filepath.Join(w.dir, "state-"+state), Output: filepath.Join(w.dir, state+".out"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Wait(); err != nil {
		t.Fatal(err)
	}
}
