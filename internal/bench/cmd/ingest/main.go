// Ingest posts ready-made batches to an influxd, so that nothing but the store
// is measured: its own ceiling on this machine. Prints one result.Run.
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/bench/internal/lp"
	"github.com/tailflux/tailflux/internal/bench/internal/result"
	"github.com/tailflux/tailflux/internal/bench/internal/store"
)

func main() {
	var in ingest
	log := flag.String("log", "", "access log in the timed format")
	flag.StringVar(&in.url, "url", "http://127.0.0.1:29401", "influxd")
	flag.StringVar(&in.db, "db", "bench", "database")
	flag.IntVar(&in.batch, "batch", 5000, "points per request")
	flag.IntVar(&in.conc, "conc", 1, "requests in flight")
	flag.IntVar(&in.gzip, "gzip", 0, "compression level, 0 for none")
	flag.IntVar(&in.storePID, "storepid", 0, "process id of influxd, for its CPU")
	name := flag.String("name", "store alone", "name in the result")
	out := flag.String("o", "", "also append the result to this file")
	flag.Parse()
	run, err := in.run(*log)
	if err == nil {
		run.Name = *name
		err = run.Emit(*out)
	}
	if err == nil && run.Status != result.OK {
		err = errors.New(run.Status)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ingest:", err)
		os.Exit(1)
	}
}

type ingest struct {
	url, db           string
	batch, conc, gzip int
	storePID          int
}

func (in *ingest) run(log string) (run result.Run, err error) {
	if in.batch < 1 || in.conc < 1 {
		return run, errors.New("-batch and -conc must be positive")
	}
	batches, points, err := in.prepare(log)
	if err != nil {
		return run, err
	}
	st := store.New(in.url, in.db, false)
	if err := st.WaitReady(30 * time.Second); err != nil {
		return run, err
	}
	if err := st.Reset(points); err != nil {
		return run, err
	}
	run.Lines = points
	cpu := store.CPU(in.storePID)
	start := time.Now()
	slowest, err := in.post(batches)
	if err != nil {
		return run, err
	}
	run.WallS = time.Since(start).Seconds()
	run.StoreCPUS = store.CPU(in.storePID) - cpu
	run.LinesPerS = float64(points) / run.WallS
	run.MaxPostMS = float64(slowest.Microseconds()) / 1e3
	if run.Points, _, err = st.Points(); err != nil {
		return run, err
	}
	if run.Stored, err = st.Stored(); err != nil {
		return run, err
	}
	run.Judge()
	return run, nil
}

// prepare encodes, and packs, the whole log.
func (in *ingest) prepare(log string) (batches [][]byte, points int64, err error) {
	data, err := os.ReadFile(log)
	if err != nil {
		return nil, 0, err
	}
	var enc lp.Encoder
	var cur []byte
	for line := range bytes.Lines(data) {
		var ok bool
		if cur, ok = enc.Append(cur, bytes.TrimSuffix(line, []byte{'\n'})); !ok {
			return nil, 0, fmt.Errorf("not a timed line: %q", line)
		}
		if points++; points%int64(in.batch) == 0 {
			batches, cur = append(batches, cur), nil
		}
	}
	if len(cur) > 0 {
		batches = append(batches, cur)
	}
	if in.gzip == 0 {
		return batches, points, nil
	}
	for i, b := range batches {
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, in.gzip)
		if err != nil {
			return nil, 0, err
		}
		z.Write(b) // to memory: cannot fail
		z.Close()
		batches[i] = packed.Bytes()
	}
	return batches, points, nil
}

// post sends the batches and returns the time of the slowest request.
func (in *ingest) post(batches [][]byte) (slowest time.Duration, err error) {
	target := in.url + "/write?precision=ns&db=" + url.QueryEscape(in.db)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: in.conc, DisableCompression: true}}
	todo := make(chan []byte, len(batches))
	for _, b := range batches {
		todo <- b
	}
	close(todo)
	var mu sync.Mutex // guards slowest and err
	var wg sync.WaitGroup
	for range in.conc {
		wg.Go(func() {
			for b := range todo {
				start := time.Now()
				e := in.postOne(client, target, b)
				took := time.Since(start)
				mu.Lock()
				slowest, err = max(slowest, took), errors.Join(err, e)
				mu.Unlock()
				if e != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return slowest, err
}

func (in *ingest) postOne(client *http.Client, target string, body []byte) error {
	req, err := http.NewRequest(http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if in.gzip != 0 {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusNoContent {
		err = fmt.Errorf("write: %s: %s", resp.Status, answer)
	}
	return err
}
