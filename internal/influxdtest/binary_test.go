package influxdtest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// fakeGo puts a "go" in front of PATH whose install writes a file in two
// halves, and returns the log of its calls and the cache it builds into.
func fakeGo(t *testing.T, exit string) (calls, cache string) {
	t.Helper()
	dir := t.TempDir()
	calls, cache = filepath.Join(dir, "calls"), filepath.Join(dir, "cache")
	script := `#!/bin/sh
echo "$@ in $PWD GOFLAGS=$GOFLAGS GOWORK=$GOWORK CGO_ENABLED=$CGO_ENABLED" >>` + calls + `
mkdir -p "$GOBIN"
printf first >"$GOBIN/influxd"
sleep 0.5
printf second >>"$GOBIN/influxd"
chmod +x "$GOBIN/influxd"
echo last words >&2
exit ` + exit + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("TAILFLUX_CACHE", cache)
	t.Setenv("TAILFLUX_INFLUXD", "")
	return calls, cache
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// cached is what a build leaves behind, the lock aside.
func cached(t *testing.T, cache string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(cache, "bin", "*[^k]"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestBinaryIsBuiltOnce(t *testing.T) {
	calls, cache := fakeGo(t, "0")
	t.Setenv("GOFLAGS", "-mod=mod -race")
	t.Setenv("GOOS", "plan9")

	want := filepath.Join(cache, "bin", "influxd-"+influxdtest.Version)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var progress bytes.Buffer
			path, err := influxdtest.Binary(t.Context(), &progress)
			if err != nil || path != want {
				t.Errorf("Binary() = %s, %v, want %s", path, err, want)
				return
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != "firstsecond" {
				t.Errorf("%s holds %q, %v", path, b, err)
			}
			if !strings.Contains(progress.String(), "building") {
				t.Errorf("progress says %q", &progress)
			}
		})
	}
	wg.Wait()

	const wantCall = "install -ldflags=-X main.version=1.8.10 github.com/influxdata/influxdb/cmd/influxd@v1.8.10" +
		" in / GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0\n"
	if got := read(t, calls); got != wantCall {
		t.Errorf("go was called with\n%swant\n%s", got, wantCall)
	}
	if got := cached(t, cache); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}

	var progress bytes.Buffer // and now it is there
	if path, err := influxdtest.Binary(t.Context(), &progress); err != nil || path != want || progress.Len() > 0 {
		t.Errorf("Binary() = %s, %v, progress %q", path, err, &progress)
	}
}

func TestBinaryBuildFails(t *testing.T) {
	_, cache := fakeGo(t, "7")
	_, err := influxdtest.Binary(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "last words") {
		t.Errorf("Binary() = %v, want what go said", err)
	}
	if got := cached(t, cache); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

func TestBinaryWaitHearsItsContext(t *testing.T) {
	_, cache := fakeGo(t, "0")
	if err := os.MkdirAll(filepath.Join(cache, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(cache, "bin", "influxd-"+influxdtest.Version+".lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := influxdtest.Binary(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Binary() = %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestBinaryOfOnesOwn(t *testing.T) {
	own := filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(own, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TAILFLUX_INFLUXD", own)
	if path, err := influxdtest.Binary(t.Context(), nil); err != nil || path != own {
		t.Errorf("Binary() = %s, %v, want %s", path, err, own)
	}
	t.Setenv("TAILFLUX_INFLUXD", own+"-not")
	if _, err := influxdtest.Binary(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "TAILFLUX_INFLUXD") {
		t.Errorf("Binary() = %v, want an error naming the variable", err)
	}
}
