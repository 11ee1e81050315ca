// Sink is a null store: it speaks enough of InfluxDB 1.x to be written to,
// counts the lines of line protocol, and keeps nothing, unless -keep says where.
//
//	POST /write            count, 204; understands gzip
//	GET  /ping             204
//	     /query            CREATE DATABASE, SHOW DATABASES; else an empty result
//	GET  /stats            counters as JSON (store.Stats)
//	POST /reset?target=N   counters to zero; note the time of the Nth point
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tailflux/tailflux/internal/bench/internal/store"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:29400", "listen address")
	keep := flag.String("keep", "", "file to which all points are written")
	flag.Parse()
	s := &sink{databases: []string{"_internal"}}
	if *keep != "" {
		var err error
		if s.kept, err = os.Create(*keep); err != nil {
			fmt.Fprintln(os.Stderr, "sink:", err)
			os.Exit(1)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /write", s.write)
	mux.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) { noContent(w) })
	mux.HandleFunc("/query", s.query)
	mux.HandleFunc("GET /stats", s.stats)
	mux.HandleFunc("POST /reset", s.reset)
	fmt.Fprintln(os.Stderr, "sink:", http.ListenAndServe(*addr, mux))
	os.Exit(1)
}

type sink struct {
	mu        sync.Mutex
	n         store.Stats
	target    int64
	databases []string
	kept      *os.File // nil: nothing is
}

var (
	buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}
	readers = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

func (s *sink) write(w http.ResponseWriter, r *http.Request) {
	wire := &counter{r: r.Body}
	body := io.Reader(wire)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z := readers.Get().(*gzip.Reader)
		defer readers.Put(z)
		if err := z.Reset(wire); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	if s.kept != nil {
		data, err := io.ReadAll(body)
		if err == nil {
			_, err = s.kept.Write(data) // one write a request, so they do not mix
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body = bytes.NewReader(data)
	}
	lines, size, err := countLines(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.n.Points += lines
	s.n.Requests++
	s.n.Bytes += size
	s.n.WireBytes += wire.n
	if s.n.DoneNS == 0 && s.n.Points >= s.target {
		s.n.DoneNS = time.Now().UnixNano()
	}
	s.mu.Unlock()
	noContent(w)
}

// countLines counts newlines, and a last line without one.
func countLines(r io.Reader) (lines, size int64, err error) {
	buf := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buf)
	last := byte('\n')
	for {
		n, err := r.Read(buf[:])
		if n > 0 {
			lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
			size += int64(n)
			last = buf[n-1]
		}
		if err == io.EOF {
			if last != '\n' {
				lines++
			}
			return lines, size, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// query answers what a client asks before it writes.
func (s *sink) query(w http.ResponseWriter, r *http.Request) {
	type series struct {
		Name    string     `json:"name"`
		Columns []string   `json:"columns"`
		Values  [][]string `json:"values"`
	}
	type result struct {
		ID     int      `json:"statement_id"`
		Series []series `json:"series,omitempty"`
	}
	var results []result
	s.mu.Lock()
	for i, statement := range strings.Split(r.FormValue("q"), ";") {
		res := result{ID: i}
		words := strings.Fields(statement)
		has := func(i int, word string) bool { return i < len(words) && strings.EqualFold(words[i], word) }
		switch {
		case has(0, "CREATE") && has(1, "DATABASE") && len(words) > 2:
			if name := strings.Trim(words[2], `"`); !slices.Contains(s.databases, name) {
				s.databases = append(s.databases, name)
			}
		case has(0, "SHOW") && has(1, "DATABASES"):
			dbs := series{Name: "databases", Columns: []string{"name"}}
			for _, name := range s.databases {
				dbs.Values = append(dbs.Values, []string{name})
			}
			res.Series = []series{dbs}
		}
		results = append(results, res)
	}
	s.mu.Unlock()
	reply(w, map[string]any{"results": results})
}

func (s *sink) stats(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	n := s.n
	s.mu.Unlock()
	reply(w, n)
}

func (s *sink) reset(w http.ResponseWriter, r *http.Request) {
	target, err := strconv.ParseInt(r.FormValue("target"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.n, s.target = store.Stats{}, target
	s.mu.Unlock()
	noContent(w)
}

func noContent(w http.ResponseWriter) {
	w.Header().Set("X-Influxdb-Version", "1.8.10")
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("X-Influxdb-Version", "1.8.10")
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

// counter counts the bytes read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
