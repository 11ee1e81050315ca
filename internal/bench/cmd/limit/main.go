// Limit reads a timed access log once and posts it to InfluxDB 1.x with as
// little work as we know how. It has no offsets, retries, rotation or counters:
// it is not a shipper, but the line a shipper is measured against.
//
//	read ──chunks──► scan and encode ──batches──► gzip, POST
//	one goroutine    one goroutine                -conc goroutines
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
	"sync/atomic"
	"time"

	"github.com/tailflux/tailflux/internal/bench/internal/lp"
)

const chunkSize = 256 << 10

func main() {
	var l limit
	log := flag.String("log", "", "access log in the timed format")
	base := flag.String("url", "http://127.0.0.1:29400", "where to write")
	db := flag.String("db", "bench", "database")
	flag.IntVar(&l.batch, "batch", 5000, "points per request")
	flag.IntVar(&l.conc, "conc", 1, "requests in flight")
	flag.IntVar(&l.gzip, "gzip", 0, "compression level, 0 for none")
	flag.BoolVar(&l.regexp, "regexp", false, "cut lines with the standard library's regexp instead of the scanner")
	flag.Parse()
	l.url = *base + "/write?precision=ns&db=" + url.QueryEscape(*db)
	start := time.Now()
	if err := l.run(*log); err != nil {
		fmt.Fprintln(os.Stderr, "limit:", err)
		os.Exit(1)
	}
	sec := func(ns *atomic.Int64) float64 { return time.Duration(ns.Load()).Seconds() }
	fmt.Printf("points %d, bad lines %d, wall %.3f s; busy: read %.3f, encode %.3f, gzip %.3f, post %.3f s\n",
		l.points.Load(), l.bad.Load(), time.Since(start).Seconds(), sec(&l.readNS), sec(&l.encodeNS), sec(&l.gzipNS), sec(&l.postNS))
}

type limit struct {
	url               string
	batch, conc, gzip int
	regexp            bool

	points, bad                      atomic.Int64
	readNS, encodeNS, gzipNS, postNS atomic.Int64 // time spent in each stage
}

// batch is line protocol and the number of its points.
type batch struct {
	buf    []byte
	points int
}

// run returns when every complete line is acknowledged, or with the first error.
func (l *limit) run(path string) error {
	if l.batch < 1 || l.conc < 1 {
		return errors.New("-batch and -conc must be positive")
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var (
		chunks     = make(chan []byte, 8)
		freeChunks = make(chan []byte, 10)
		batches    = make(chan batch, 4)
		freeBufs   = make(chan []byte, 6+l.conc)
		errs       = make(chan error, 1+l.conc)
	)
	go func() {
		defer close(chunks)
		if err := l.read(f, chunks, freeChunks); err != nil {
			errs <- err
		}
	}()
	go func() {
		defer close(batches)
		l.encode(chunks, freeChunks, batches, freeBufs)
	}()
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: l.conc,
		WriteBufferSize:     64 << 10,
		DisableCompression:  true,
	}}
	var wg sync.WaitGroup
	for range l.conc {
		wg.Go(func() {
			if err := l.post(client, batches, freeBufs); err != nil {
				errs <- err
			}
		})
	}
	go func() { wg.Wait(); errs <- nil }()
	return <-errs // the process ends here: nobody waits for the rest after an error
}

// read sends whole lines; what follows the last newline goes to the next chunk.
func (l *limit) read(f io.Reader, chunks chan<- []byte, free <-chan []byte) error {
	var rest []byte
	for {
		start := time.Now()
		buf := recycled(free, chunkSize)[:chunkSize]
		kept := copy(buf, rest)
		if kept == len(buf) {
			return fmt.Errorf("line longer than %d bytes", chunkSize)
		}
		n, err := f.Read(buf[kept:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		end := bytes.LastIndexByte(buf[:kept+n], '\n') + 1
		rest = append(rest[:0], buf[end:kept+n]...)
		l.readNS.Add(int64(time.Since(start)))
		chunks <- buf[:end]
	}
}

func (l *limit) encode(chunks <-chan []byte, freeChunks chan<- []byte, batches chan<- batch, freeBufs <-chan []byte) {
	enc := lp.Encoder{Regexp: l.regexp}
	fresh := func() batch { return batch{buf: recycled(freeBufs, l.batch*170)[:0]} }
	b := fresh()
	for chunk := range chunks {
		start := time.Now()
		for lines := chunk; len(lines) > 0; {
			end := bytes.IndexByte(lines, '\n')
			var ok bool
			if b.buf, ok = enc.Append(b.buf, lines[:end]); ok {
				b.points++
			} else {
				l.bad.Add(1)
			}
			lines = lines[end+1:]
			if b.points == l.batch {
				l.encodeNS.Add(int64(time.Since(start)))
				batches <- b
				start = time.Now()
				b = fresh()
			}
		}
		recycle(freeChunks, chunk)
		l.encodeNS.Add(int64(time.Since(start)))
	}
	if b.points > 0 {
		batches <- b
	}
}

func (l *limit) post(client *http.Client, batches <-chan batch, freeBufs chan<- []byte) error {
	var packed bytes.Buffer
	var z *gzip.Writer
	if l.gzip != 0 {
		var err error
		if z, err = gzip.NewWriterLevel(&packed, l.gzip); err != nil {
			return err
		}
	}
	for b := range batches {
		body := b.buf
		start := time.Now()
		if z != nil {
			packed.Reset()
			z.Reset(&packed)
			z.Write(body) // to memory: cannot fail
			z.Close()
			body = packed.Bytes()
		}
		zipped := time.Now()
		req, err := http.NewRequest(http.MethodPost, l.url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		if z != nil {
			req.Header.Set("Content-Encoding", "gzip")
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			return fmt.Errorf("write: %s: %s", resp.Status, answer)
		}
		l.gzipNS.Add(int64(zipped.Sub(start)))
		l.postNS.Add(int64(time.Since(zipped)))
		l.points.Add(int64(b.points))
		recycle(freeBufs, b.buf)
	}
	return nil
}

// recycled returns a used buffer if there is one.
func recycled(free <-chan []byte, size int) []byte {
	select {
	case buf := <-free:
		return buf
	default:
		return make([]byte, size)
	}
}

func recycle(free chan<- []byte, buf []byte) {
	select {
	case free <- buf:
	default:
	}
}
