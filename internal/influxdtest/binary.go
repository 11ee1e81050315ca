package influxdtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Version is the influxd that Binary provides: the last 1.x that the Go
// toolchain alone can build. VictoriaVersion is the VictoriaMetrics that
// VictoriaBinary provides.
const (
	Version         = "1.8.10"
	VictoriaVersion = "1.151.0"
)

// program is one that is built from its Go module.
type program struct {
	name, version string
	module        string // and package
	ldflags       string
	own           string // variable that names another one to use
	takes         string // about so long
}

var (
	influxd = program{
		name: "influxd", version: Version, module: "github.com/influxdata/influxdb/cmd/influxd",
		ldflags: "-X main.version=" + Version, // as releases have it; it appears in X-Influxdb-Version
		own:     "TAILFLUX_INFLUXD", takes: "about a minute",
	}
	victoria = program{
		name: "victoria-metrics", version: VictoriaVersion, module: "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
		ldflags: "-X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=victoria-metrics-v" + VictoriaVersion,
		own:     "TAILFLUX_VICTORIAMETRICS", takes: "less than a minute",
	}
)

// Binary returns the absolute path of an influxd.
//
// If $TAILFLUX_INFLUXD is set, it is that one, of any version. Otherwise it is
// the one in the cache: $TAILFLUX_CACHE, or .cache at the root of the module
// that contains the working directory. If the cache has none, it is built from
// the Go module registry first, which needs about a minute and is reported on
// progress (nil: not at all).
//
// Binary may be called by any number of processes at once: one builds, the
// others wait until ctx ends.
func Binary(ctx context.Context, progress io.Writer) (string, error) {
	return influxd.path(ctx, progress)
}

// VictoriaBinary is Binary for a VictoriaMetrics: $TAILFLUX_VICTORIAMETRICS, or from the
// same cache.
func VictoriaBinary(ctx context.Context, progress io.Writer) (string, error) {
	return victoria.path(ctx, progress)
}

func (p program) path(ctx context.Context, progress io.Writer) (string, error) {
	if own := os.Getenv(p.own); own != "" {
		path, err := exec.LookPath(own)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.own, err)
		}
		return filepath.Abs(path)
	}
	if progress == nil {
		progress = io.Discard
	}

	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "bin", p.name+"-"+p.version)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("cache %s: %w", p.name, err)
	}
	unlock, err := p.lock(ctx, path+".lock", progress)
	if err != nil {
		return "", fmt.Errorf("cache %s: %w", p.name, err)
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil { // built by another process while we waited
		return path, nil
	}
	if err := p.build(ctx, path, progress); err != nil {
		return "", fmt.Errorf("build %s %s: %w", p.name, p.version, err)
	}
	return path, nil
}

// cacheDir returns $TAILFLUX_CACHE, or .cache beside the nearest go.mod.
func cacheDir() (string, error) {
	if dir := os.Getenv("TAILFLUX_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".cache"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no place to keep servers: no go.mod at or above %s, TAILFLUX_CACHE not set", start)
		}
	}
}

// lock waits until this process alone holds the file. The file stays behind:
// removing it would let two processes lock two files of one name.
func (p program) lock(ctx context.Context, path string, progress io.Writer) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for waiting := false; ; {
		// Not the blocking form, which ignores ctx.
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, &fs.PathError{Op: "flock", Path: path, Err: err}
		}
		if !waiting {
			waiting = true
			fmt.Fprintf(progress, "another process is building %s, waiting for it\n", p.name)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// build makes path appear complete or not at all. The caller holds the lock.
func (p program) build(ctx context.Context, path string, progress io.Writer) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return err
	}
	gobin := path + ".build"
	if err := os.RemoveAll(gobin); err != nil { // of a build that was killed
		return err
	}
	defer os.RemoveAll(gobin)

	fmt.Fprintf(progress, "building %s %s from the Go module registry, %s…\n", p.name, p.version, p.takes)
	began := time.Now()
	cmd := exec.CommandContext(ctx, goTool, "install", "-ldflags="+p.ldflags, p.module+"@v"+p.version)
	cmd.Dir = "/" // in no module
	cmd.Env = buildEnv(gobin)
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("%w\n%s", err, lastLines(out.Bytes(), 20))
	}
	if err := os.Rename(filepath.Join(gobin, p.name), path); err != nil {
		return err
	}
	fmt.Fprintf(progress, "built %s %s in %s\n", p.name, p.version, time.Since(began).Round(time.Second))
	return nil
}

// buildEnv returns the environment without the settings that change how, or for
// which machine, Go programs are built: -race or -mod in GOFLAGS, a work file, a
// cross-compiling GOOS. An empty variable would mean what "go env -w" has saved,
// so each gets a value.
func buildEnv(gobin string) []string {
	return append(os.Environ(), // if a name occurs twice, the last one counts
		"CGO_ENABLED=0",
		"GO111MODULE=on",
		"GOARCH="+runtime.GOARCH,
		"GOBIN="+gobin,
		"GOFLAGS=-buildvcs=false",
		"GOOS="+runtime.GOOS,
		"GOWORK=off",
	)
}

// lastLines returns at most n lines from the end of b.
func lastLines(b []byte, n int) string {
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}
