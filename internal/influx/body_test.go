package influx_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

// recorder keeps how long each write to a connection was. It is no connection of the
// kernel's, so it gets the pieces of a body one by one.
type recorder struct {
	net.Conn
	mu     *sync.Mutex
	writes *[]int
}

func (r recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	*r.writes = append(*r.writes, len(p))
	r.mu.Unlock()
	return r.Conn.Write(p)
}

// Behind the head of a request its pieces go to the kernel as they are, uncopied. If this
// fails with a newer Go, net/http copies bodies in another way.
func TestPiecesAreWrittenWhole(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	c := newClient(t, s.URL, nil)
	var mu sync.Mutex
	var writes []int
	influx.Between(c, func(to net.Conn) net.Conn { return recorder{to, &mu, &writes} })
	body := [][]byte{make([]byte, 300_000), make([]byte, 7), make([]byte, 40_000)}
	for range 2 {
		if err := c.Write(t.Context(), body); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	want := []int{0, 300_000, 7, 40_000, 0, 300_000, 7, 40_000}
	for i, length := range want {
		if i < len(writes) && length == 0 {
			writes[i] = 0 // a head, however long
		}
	}
	if !slices.Equal(writes, want) {
		t.Errorf("writes of %d bytes, want %d", writes, want)
	}
}

// way is how a client reaches a server.
type way struct {
	name   string
	listen func(t *testing.T) (l net.Listener, change func(*influx.Config))
}

// ways are a connection that gets bodies whole, a socket that does, and one that reads them.
var ways = []way{
	{"tcp", func(t *testing.T) (net.Listener, func(*influx.Config)) {
		l := listen(t, "tcp", "127.0.0.1:0")
		return l, func(c *influx.Config) { c.URL = "http://" + l.Addr().String() }
	}},
	{"unix", func(t *testing.T) (net.Listener, func(*influx.Config)) {
		l := listen(t, "unix", filepath.Join(t.TempDir(), "s"))
		return l, func(c *influx.Config) { c.URL = "unix:" + l.Addr().String() }
	}},
	{"tls", func(t *testing.T) (net.Listener, func(*influx.Config)) {
		_, _, own := pair(t, t.TempDir(), "server")
		l := listen(t, "tcp", "127.0.0.1:0")
		trusted := x509.NewCertPool()
		leaf, err := x509.ParseCertificate(own.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		trusted.AddCert(leaf)
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{own}}), func(c *influx.Config) {
			c.URL, c.TLS = "https://"+l.Addr().String(), &tls.Config{RootCAs: trusted}
		}
	}},
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// eachWay runs a test with a client that reaches serve in each way; serve gets one
// connection after the other, and its error is the test's.
func eachWay(t *testing.T, serve func(c net.Conn, in *bufio.Reader) error, try func(t *testing.T, c *influx.Client)) {
	for _, by := range ways {
		t.Run(by.name, func(t *testing.T) {
			l, change := by.listen(t)
			var serving sync.WaitGroup
			serving.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					if err := serve(c, bufio.NewReader(c)); err != nil {
						t.Error(err)
					}
					c.Close()
				}
			})
			c := newClient(t, "", change)
			try(t, c)
			c.Close()
			l.Close()
			serving.Wait()
		})
	}
}

// A server that reads slowly gets all of it, on one connection.
func TestSlowServer(t *testing.T) {
	sums := make(chan [sha256.Size]byte, 1)
	var connections atomic.Int32
	eachWay(t, func(c net.Conn, in *bufio.Reader) error {
		connections.Add(1)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return nil //nolint:nilerr // the client closed it
			}
			sum, buf := sha256.New(), make([]byte, 100_000)
			for {
				n, err := req.Body.Read(buf)
				sum.Write(buf[:n])
				if err == io.EOF {
					break
				}
				if err != nil {
					return fmt.Errorf("read the body: %w", err)
				}
				time.Sleep(100 * time.Microsecond)
			}
			sums <- [sha256.Size]byte(sum.Sum(nil))
			if _, err := io.WriteString(c, noContent); err != nil {
				return err
			}
		}
	}, func(t *testing.T, c *influx.Client) {
		connections.Store(0)
		for i := range 3 {
			body := pieces(6<<20 + i)
			want := sha256.Sum256(join(body))
			if err := c.Write(t.Context(), body); err != nil {
				t.Fatal(err)
			}
			overwrite(body)
			if got := <-sums; got != want {
				t.Errorf("Write %d: what arrived differs from what was sent", i)
			}
		}
		if n := connections.Load(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

// givenUp is a server that answers in the midst of a body. When Write has returned it
// reads what comes for so long.
func givenUp(answer string, started, returned, over chan struct{}, long time.Duration) func(net.Conn, *bufio.Reader) error {
	const most = 16 << 20 // that the buffers of the sockets may hold
	return func(c net.Conn, in *bufio.Reader) error {
		defer func() { over <- struct{}{} }()
		if _, err := http.ReadRequest(in); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, in, 64<<10); err != nil {
			return err
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return err
		}
		started <- struct{}{}
		<-returned
		_ = c.SetReadDeadline(time.Now().Add(long))
		rest, _ := io.ReadAll(in) // an error is the end, too
		if bytes.IndexByte(rest, 0) >= 0 {
			return errors.New("content of the buffers' next use arrived")
		}
		if len(rest) > most {
			return errors.New("more arrived than was sent when Write returned")
		}
		return nil
	}
}

const givenUpSize = 32 << 20

// When Write has returned, its pieces are the caller's: what still arrives is of their old
// content, and not all of it.
func TestWriteIsCancelled(t *testing.T) {
	started, returned, over := make(chan struct{}, 1), make(chan struct{}), make(chan struct{}, 1)
	eachWay(t, givenUp("", started, returned, over, time.Minute), func(t *testing.T, c *influx.Client) {
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-started
				cancel()
			}()
			body := pieces(givenUpSize)
			err := c.Write(ctx, body)
			overwrite(body)
			returned <- struct{}{}
			<-over
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Write = %v, want %v", err, context.Canceled)
			}
		}
	})
}

// lateClose is a connection that net/http closes late.
type lateClose struct {
	net.Conn
	when <-chan struct{}
}

func (c lateClose) Close() error {
	<-c.when
	return c.Conn.Close()
}

// With an early answer it is so, too, although net/http may close the connection later.
func TestWriteIsAnsweredEarly(t *testing.T) {
	const answer = "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 19\r\n\r\n{\"error\":\"so much\"}"
	started, returned, over := make(chan struct{}, 1), make(chan struct{}), make(chan struct{}, 1)
	eachWay(t, givenUp(answer, started, returned, over, time.Second/2), func(t *testing.T, c *influx.Client) {
		when := make(chan struct{})
		influx.Between(c, func(to net.Conn) net.Conn { return lateClose{to, when} })
		body := pieces(givenUpSize)
		err := c.Write(t.Context(), body)
		overwrite(body)
		<-started
		returned <- struct{}{}
		<-over
		close(when)
		if answerOf(t, err).Status != http.StatusRequestEntityTooLarge {
			t.Errorf("Write = %v, want the answer", err)
		}
	})
}

// A server that closes the connection in the midst of a body is one that cannot be reached.
func TestServerClosesInTheMiddle(t *testing.T) {
	eachWay(t, func(_ net.Conn, in *bufio.Reader) error {
		_, err := io.CopyN(io.Discard, in, 1<<20)
		return err
	}, func(t *testing.T, c *influx.Client) {
		body := pieces(32 << 20)
		err := c.Write(t.Context(), body)
		overwrite(body)
		var answer *influx.AnswerError
		if err == nil || errors.As(err, &answer) {
			t.Errorf("Write = %v, want an error of the connection", err)
		}
	})
}
