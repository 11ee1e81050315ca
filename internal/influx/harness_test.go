package influx_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tailflux/tailflux/internal/influx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "s3cr3t, & %s"

// newClient returns a client for a server; change may be nil.
func newClient(t *testing.T, url string, change func(*influx.Config)) *influx.Client {
	t.Helper()
	c := influx.Config{URL: url, Database: "db", Timeout: 30 * time.Second, InFlight: 2, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	client, err := influx.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// received is what a server was asked for.
type received struct {
	method, uri, body string
	length            int64 // of the body, as told before it; -1 if not
	header            http.Header
}

// server answers with answer and keeps what it was asked.
type server struct {
	*httptest.Server
	mu  sync.Mutex
	all []received
}

func newServer(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: read the body: %v", r.Method, r.RequestURI, err)
		}
		s.mu.Lock()
		s.all = append(s.all, received{r.Method, r.RequestURI, string(body), r.ContentLength, r.Header})
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// asked is what was asked so far, as "METHOD URI".
func (s *server) asked() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.all {
		all = append(all, r.method+" "+r.uri)
	}
	return all
}

func (s *server) last() received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[len(s.all)-1]
}

// pieces are a body of n bytes, in pieces of different lengths.
func pieces(n int) (all [][]byte) {
	rest := bytes.Repeat([]byte("m v=1i\n"), n/7+1)[:n]
	for size := 1; len(rest) > 0; size = size*3 + 1 {
		size = min(size, len(rest))
		all = append(all, rest[:size:size])
		rest = rest[size:]
	}
	return all
}

// overwrite does to pieces what the owner of the buffers does next: it fills
// them with something else. It copies, which the race detector sees; it does not
// see clear.
func overwrite(pieces [][]byte) {
	zeros := make([]byte, 64<<10)
	for _, piece := range pieces {
		for len(piece) > 0 {
			piece = piece[copy(piece, zeros):]
		}
	}
}

// checkSecret checks that an error does not tell the password.
func checkSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{password, "s3cr3t", "czNjcjN0"} { // plain, escaped, base64
		if strings.Contains(text, secret) {
			t.Errorf("%q tells the password", text)
		}
	}
}

// answerOf is the answer in an error of Write.
func answerOf(t *testing.T, err error) *influx.AnswerError {
	t.Helper()
	var answer *influx.AnswerError
	if !errors.As(err, &answer) {
		t.Fatalf("Write = %v (%T), want an AnswerError", err, err)
	}
	return answer
}

// rawServer gives each connection, counted from 1, to serve, and closes it then.
func rawServer(t *testing.T, serve func(n int, c *net.TCPConn, in *bufio.Reader)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				serve(n, c.(*net.TCPConn), bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

func prepare(ctx context.Context, c *influx.Client) error {
	_, err := c.Prepare(ctx)
	return err
}
