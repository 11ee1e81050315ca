package influxdtest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// parentEnv makes the test binary a parent that starts influxd and waits to be
// killed.
const parentEnv = "INFLUXDTEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" {
		s, err := influxdtest.Start(context.Background(), influxdtest.Options{Dir: dir, Output: os.Stderr})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(s.PID())
		select {}
	}
	os.Exit(m.Run())
}

func query(t *testing.T, s *influxdtest.Server, db, q string) []influxdtest.Series {
	t.Helper()
	series, err := s.Query(t.Context(), db, q)
	if err != nil {
		t.Fatal(err)
	}
	return series
}

// write posts line protocol and returns the status.
func write(t *testing.T, s *influxdtest.Server, db, lines string) int {
	t.Helper()
	resp, err := http.Post(s.URL()+"/write?db="+db, "", strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func checkCount(t *testing.T, s *influxdtest.Server, where string, want int64) {
	t.Helper()
	got, err := s.Count(t.Context(), "db", "m", where)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("Count(%q) = %d, want %d", where, got, want)
	}
}

func TestDataOutlivesKillAndStop(t *testing.T) {
	s := influxdtest.New(t, influxdtest.Options{})
	url := s.URL()
	query(t, s, "", "CREATE DATABASE db")
	if got := write(t, s, "db", "m,k=a n=1i,x=0.5 1\nm,k=a n=2i 2\nm,k=b x=3 3\n"); got != http.StatusNoContent {
		t.Fatalf("write: status %d", got)
	}

	s.Kill()
	if pid := s.PID(); pid != 0 {
		t.Errorf("PID() = %d after Kill", pid)
	}
	if _, err := s.Query(t.Context(), "", "SHOW DATABASES"); err == nil {
		t.Error("a killed influxd answers")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkCount(t, s, "", 3)

	if err := s.Restart(t.Context()); err != nil { // from running
		t.Fatal(err)
	}
	checkCount(t, s, "", 3)
	checkCount(t, s, "k = 'a'", 2)
	checkCount(t, s, "k = 'c'", 0)
	if s.URL() != url {
		t.Errorf("URL() = %s after Restart, was %s", s.URL(), url)
	}

	series := query(t, s, "db", "SELECT n FROM m WHERE time = 2")
	if len(series) != 1 || len(series[0].Values) != 1 {
		t.Fatalf("got %v, want one row", series)
	}
	if got := fmt.Sprint(series[0].Name, series[0].Columns, series[0].Values[0]); got != "m[time n] [2 2]" {
		t.Errorf("got %s", got)
	}
	if n, ok := series[0].Values[0][1].(json.Number); !ok || n != "2" {
		t.Errorf("value is %T %v, want json.Number 2", series[0].Values[0][1], series[0].Values[0][1])
	}
}

func TestStopTwice(t *testing.T) {
	s := influxdtest.New(t, influxdtest.Options{})
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
	s.Kill()
}

func TestStopReportsACrash(t *testing.T) {
	s := influxdtest.New(t, influxdtest.Options{})
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := s.Query(t.Context(), "", "SHOW DATABASES"); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a killed influxd answers")
		}
	}
	time.Sleep(100 * time.Millisecond) // its listener is gone a moment before itself
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "by itself") {
		t.Errorf("Stop() = %v", err)
	}
}

func TestConfig(t *testing.T) {
	s := influxdtest.New(t, influxdtest.Options{Config: map[string]any{
		"http.max-body-size":              100,
		"data.max-values-per-tag":         1,
		"coordinator.write-timeout":       3 * time.Second,
		"http.max-concurrent-write-limit": 3,
	}})
	query(t, s, "", "CREATE DATABASE db")
	if got := write(t, s, "db", "m n=1i 1\n"+strings.Repeat("#", 100)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("long body: status %d", got)
	}
	if got := write(t, s, "db", "m,k=a n=1i 1"); got != http.StatusNoContent {
		t.Errorf("first tag value: status %d", got)
	}
	if got := write(t, s, "db", "m,k=b n=1i 1"); got != http.StatusBadRequest {
		t.Errorf("second tag value: status %d", got)
	}
}

func TestConfigRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		config map[string]any
		want   string
	}{
		{"unknown key", map[string]any{"http.max-values-per-tag": 1}, `"http.max-values-per-tag"`},
		{"key without its section", map[string]any{"max-body-size": 1}, `"max-body-size"`},
		{"type", map[string]any{"http.max-body-size": []int{1}}, "[]int"},
		{"value", map[string]any{"data.max-values-per-tag": "many"}, "refuses"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, err := influxdtest.Binary(t.Context(), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			s, err := influxdtest.Start(t.Context(), influxdtest.Options{Binary: path, Dir: t.TempDir(), Config: test.config})
			if err == nil {
				s.Kill()
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start: %v, want something about %s", err, test.want)
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	dir := t.TempDir()
	opts := influxdtest.Options{Dir: dir, Username: `ad"min`, Password: `it's\`}
	s := influxdtest.New(t, opts)
	query(t, s, "", "CREATE DATABASE db")
	if got := write(t, s, "db", "m n=1i 1"); got != http.StatusUnauthorized {
		t.Errorf("write without credentials: status %d", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	s = influxdtest.New(t, opts) // takes the data over, its users too
	query(t, s, "", "SHOW DATABASES")
}

func TestSurroundingsDoNotReachIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("INFLUXDB_HTTP_BIND_ADDRESS", l.Addr().String())
	t.Setenv("INFLUXDB_HTTP_AUTH_ENABLED", "true")
	s := influxdtest.New(t, influxdtest.Options{})
	query(t, s, "", "CREATE DATABASE db")
}

// onWrite calls itself with all that is written.
type onWrite func(text string)

func (f onWrite) Write(b []byte) (int, error) {
	f(string(b))
	return len(b), nil
}

func TestPortTakenMeanwhile(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	failed := false
	influxdtest.New(t, influxdtest.Options{
		Config: map[string]any{"bind-address": l.Addr().String()},
		Output: onWrite(func(text string) {
			if strings.Contains(text, "in use") {
				failed = true
				_ = l.Close()
			}
		}),
	})
	if !failed {
		t.Error("started at once on a port in use")
	}
}

func TestPortsStayTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	path, err := influxdtest.Binary(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	s, err := influxdtest.Start(t.Context(), influxdtest.Options{
		Binary: path,
		Dir:    t.TempDir(),
		Config: map[string]any{"bind-address": l.Addr().String()},
	})
	if err == nil {
		s.Kill()
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), "in use") {
		t.Errorf("Start: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	urls := make(chan string, 6)
	path, err := influxdtest.Binary(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for range cap(urls) {
		dir := t.TempDir()
		wg.Go(func() {
			s, err := influxdtest.Start(t.Context(), influxdtest.Options{Binary: path, Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			urls <- s.URL()
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestStartHearsItsContext(t *testing.T) {
	silent := filepath.Join(t.TempDir(), "influxd")
	if err := os.WriteFile(silent, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	s, err := influxdtest.Start(ctx, influxdtest.Options{Binary: silent, Dir: t.TempDir()})
	if err == nil {
		s.Kill()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start: %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Start took %s", took)
	}
}

func TestInfluxdDiesWithItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self)
	parent.Env = append(os.Environ(), parentEnv+"="+t.TempDir())
	parent.Stderr = t.Output()
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(out).ReadString('\n')
	_ = parent.Process.Kill()
	_ = parent.Wait()
	if readErr != nil {
		t.Fatalf("parent said %q: %v", line, readErr)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("influxd %d still runs 10 s after its parent was killed", pid)
		}
	}
}

// alive tells whether the process runs. One that nobody has reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
