package influxdtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Victoria is a VictoriaMetrics, single node, with its data. URL, Query and Range may be
// called from several goroutines; all else only from the one that owns it.
type Victoria struct {
	binary, dir string
	flags       []string
	url         string
	client      *http.Client
	proc        *process // nil when stopped or killed on purpose
	last        *process
}

// NewVictoria runs a VictoriaMetrics for the length of a test, with flags beside those that
// say where it listens and keeps its data. If it ended by itself, the test fails.
func NewVictoria(tb testing.TB, flags ...string) *Victoria {
	tb.Helper()
	binary, err := VictoriaBinary(tb.Context(), tb.Output())
	if err != nil {
		tb.Fatal(err)
	}
	port, err := freePorts(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	v := &Victoria{
		binary: binary, dir: tb.TempDir(), url: "http://" + loopback(port),
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	v.flags = append([]string{
		"-storageDataPath=" + filepath.Join(v.dir, "data"), "-httpListenAddr=" + loopback(port), "-memory.allowedBytes=64MiB", "-loggerLevel=WARN",
	}, flags...)
	if err := v.Restart(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := v.Stop(); err != nil {
			tb.Error(err)
		} else if tb.Failed() {
			tb.Logf("victoria-metrics:\n%s", v.last.lastWords())
		}
	})
	return v
}

// URL returns where it listens, "http://127.0.0.1:PORT". Restart keeps it.
func (v *Victoria) URL() string { return v.url }

// PID returns the process ID, 0 when it is not running.
func (v *Victoria) PID() int {
	if v.proc == nil {
		return 0
	}
	return v.proc.cmd.Process.Pid
}

// Stop sends SIGTERM, waits until it has ended, and keeps its data.
func (v *Victoria) Stop() error {
	p := v.proc
	if p == nil {
		return nil
	}
	v.proc = nil
	return p.stop("victoria-metrics")
}

// Kill ends it at once with SIGKILL, with which it forgets what it acknowledged last.
func (v *Victoria) Kill() {
	if p := v.proc; p != nil {
		v.proc = nil
		p.kill()
	}
}

// Restart runs it again on the same port and data and returns when it answers.
func (v *Victoria) Restart(ctx context.Context) error {
	if err := v.Stop(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	p, err := spawn(v.binary, v.dir, v.flags, []string{"HOME=" + v.dir, "PATH=" + os.Getenv("PATH")}, nil)
	if err != nil {
		return fmt.Errorf("start victoria-metrics: %w", err)
	}
	v.last = p
	if err := p.until(ctx, v.url, v.answers); err != nil {
		return fmt.Errorf("start victoria-metrics: %w", err)
	}
	v.proc = p
	return nil
}

// answers reports whether ours listens at the URL, and not that of another test.
func (v *Victoria) answers(ctx context.Context) bool {
	text, err := v.get(ctx, "/flags", nil)
	return err == nil && strings.Contains(string(text), v.dir)
}

// Sample is a value of a series at a time.
type Sample struct {
	Labels map[string]string
	At     time.Time
	Value  float64
}

// Query is what a MetricsQL expression gives at a time, after all that was written became
// visible. Series with NaN are left out.
func (v *Victoria) Query(ctx context.Context, at time.Time, expression string) ([]Sample, error) {
	return v.query(ctx, "/api/v1/query", url.Values{
		"query": {expression}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}, "nocache": {"1"},
	})
}

// Range is what it gives at each step of a range, both ends included.
func (v *Victoria) Range(ctx context.Context, from, to time.Time, step time.Duration, expression string) ([]Sample, error) {
	return v.query(ctx, "/api/v1/query_range", url.Values{
		"query": {expression}, "start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)}, "nocache": {"1"},
	})
}

func (v *Victoria) query(ctx context.Context, path string, q url.Values) (all []Sample, err error) {
	if _, err := v.get(ctx, "/internal/force_flush", nil); err != nil {
		return nil, err
	}
	text, err := v.get(ctx, path, q)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
				Values [][2]any
			}
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("query %s: %w", q.Get("query"), err)
	}
	for _, r := range answer.Data.Result {
		rows := r.Values
		if r.Value[1] != nil {
			rows = append(slices.Clone(rows), r.Value)
		}
		for _, row := range rows {
			at, ok := row[0].(float64)
			text, is := row[1].(string)
			value, err := strconv.ParseFloat(text, 64)
			if !ok || !is || err != nil {
				return nil, fmt.Errorf("query %s: got %v", q.Get("query"), row)
			}
			if !math.IsNaN(value) {
				all = append(all, Sample{r.Metric, time.UnixMilli(int64(math.Round(at * 1000))), value})
			}
		}
	}
	return all, nil
}

func (v *Victoria) get(ctx context.Context, path string, q url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path+"?"+q.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status + ": " + string(text))
	}
	return text, err
}
