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
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/influx"
)

const noContent = "HTTP/1.1 204 No Content\r\n\r\n"

// hang is a server that says nothing, on some path or all.
func hang(t *testing.T, path string) (url string) {
	t.Helper()
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, path) {
			<-over
		} else {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(func() {
		close(over)
		s.Close()
	})
	return s.URL
}

func TestTimeout(t *testing.T) {
	const timeout = 200 * time.Millisecond
	c := newClient(t, hang(t, ""), func(c *influx.Config) { c.Timeout = timeout })
	for name, try := range map[string]func(context.Context) error{
		"Write":   func(ctx context.Context) error { return c.Write(ctx, pieces(100)) },
		"Prepare": func(ctx context.Context) error { return prepare(ctx, c) },
		"Retention": func(ctx context.Context) error {
			_, err := c.Retention(ctx)
			return err
		},
	} {
		began := time.Now()
		err := try(t.Context())
		var timedOut net.Error
		if !errors.As(err, &timedOut) || !timedOut.Timeout() {
			t.Errorf("%s = %v, want a timeout", name, err)
		}
		if took := time.Since(began); took < timeout || took > 5*timeout {
			t.Errorf("%s took %s, want %s", name, took, timeout)
		}
	}
}

// When the context ends, nothing is waited for: neither an answer, nor the
// statement that cannot be cancelled.
func TestContextEnds(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		try        func(*influx.Client, context.Context) error
	}{
		{"Write", "/write", func(c *influx.Client, ctx context.Context) error { return c.Write(ctx, pieces(100)) }},
		{"Write that creates the database", "/query", func(c *influx.Client, ctx context.Context) error {
			if err := c.Write(ctx, pieces(100)); err == nil {
				return nil
			}
			return ctx.Err()
		}},
		{"Prepare", "/query", func(c *influx.Client, ctx context.Context) error { return prepare(ctx, c) }},
		{"Retention", "/query", func(c *influx.Client, ctx context.Context) error {
			_, err := c.Retention(ctx)
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, hang(t, tt.path), nil)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			if err := tt.try(c, ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("= %v, want %v", err, context.DeadlineExceeded)
			}
			if took := time.Since(began); took > 2*time.Second { // 5 s would be the statement's own
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestConnectionIsReset(t *testing.T) {
	url := rawServer(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		io.CopyN(io.Discard, in, 100_000)
		c.SetLinger(0) // a reset
	})
	c := newClient(t, url, nil)
	body := pieces(8 << 20)
	err := c.Write(t.Context(), body)
	overwrite(body)
	var answer *influx.AnswerError
	if err == nil || errors.As(err, &answer) || !strings.Contains(err.Error(), "(influxdb.url)") {
		t.Errorf("Write = %v, want an error of the connection", err)
	}
}

// A connection leads to a server that is sick, or to nobody, while the name of the server leads
// elsewhere by now: it is not kept alive by being tried again.
func TestTriedAgainOnAnotherConnection(t *testing.T) {
	for name, sick := range map[string]http.HandlerFunc{
		"answers":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"is silent":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"is forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	} {
		t.Run(name, func(t *testing.T) {
			type key struct{}
			var opened atomic.Int64
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Context().Value(key{}) == int64(1) {
					sick(w, r)
					return
				}
				w.WriteHeader(http.StatusNoContent)
			}))
			s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
				return context.WithValue(ctx, key{}, opened.Add(1))
			}
			s.Start()
			defer s.Close()
			c := newClient(t, s.URL, func(c *influx.Config) { c.Timeout = 200 * time.Millisecond })
			if err := c.Write(t.Context(), pieces(10)); err == nil {
				t.Error("the sick one took points")
			}
			if err := c.Write(t.Context(), pieces(10)); err != nil {
				t.Errorf("Write = %v, tried again on %d connections", err, opened.Load())
			}
			if err := c.Write(t.Context(), pieces(10)); err != nil || opened.Load() != 2 {
				t.Errorf("Write = %v on %d connections, want the second one to be kept", err, opened.Load())
			}
		})
	}
}

// A server that closes an idle connection just when it is used again: that is
// no outage, the body is sent again on another one.
func TestConnectionClosedWhileIdle(t *testing.T) {
	for _, tt := range []struct {
		name  string
		close func(c *net.TCPConn)
	}{
		{"closed", func(*net.TCPConn) {}},
		{"reset", func(c *net.TCPConn) { c.SetLinger(0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var connections atomic.Int32
			bodies := make(chan []byte, 10)
			url := rawServer(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
				connections.Store(int32(n))
				for i := 1; ; i++ {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if n == 1 && i == 2 {
						if tt.name == "closed" {
							io.Copy(io.Discard, req.Body) // else it would be a reset
						}
						tt.close(c)
						return
					}
					body, err := io.ReadAll(req.Body)
					if err != nil {
						return
					}
					bodies <- body
					io.WriteString(c, noContent)
				}
			})
			c := newClient(t, url, nil)
			for i := range 3 {
				body := pieces(20_000 + i)
				want := join(body)
				if err := c.Write(t.Context(), body); err != nil {
					t.Fatalf("Write %d = %v, want nil", i, err)
				}
				overwrite(body)
				if got := <-bodies; !bytes.Equal(got, want) {
					t.Errorf("Write %d: %d bytes arrived that differ from the %d sent", i, len(got), len(want))
				}
			}
			if n := connections.Load(); n != 2 {
				t.Errorf("%d connections, want 2", n)
			}
			c.Close()
		})
	}
}

// A server that hangs up without an answer each time is an error: not tried on
// and on in here.
func TestServerHangsUp(t *testing.T) {
	var connections atomic.Int32
	url := rawServer(t, func(n int, _ *net.TCPConn, in *bufio.Reader) {
		connections.Store(int32(n))
		if req, err := http.ReadRequest(in); err == nil {
			io.Copy(io.Discard, req.Body)
		}
	})
	if err := newClient(t, url, nil).Write(t.Context(), pieces(1000)); err == nil {
		t.Error("Write = nil without an answer")
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// An answer that ends before its time is an error, even where the beginning
// looks well.
func TestAnswerIsCut(t *testing.T) {
	for _, answer := range []string{"", "HTTP/1.1 2", "HTTP/1.1 204 No Cont", "HTTP/1.1 204 No Content\r\nDate: x", "HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nabc"} {
		url := rawServer(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
			if req, err := http.ReadRequest(in); err == nil {
				io.Copy(io.Discard, req.Body)
			}
			io.WriteString(c, answer)
		})
		if err := newClient(t, url, nil).Write(t.Context(), pieces(1000)); err == nil {
			t.Errorf("Write = nil after the answer %q", answer)
		}
	}
}

// An answer without end is not read to the end.
func TestEndlessAnswer(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for {
			if _, err := io.WriteString(w, strings.Repeat("no ", 10_000)); err != nil {
				return
			}
		}
	})
	began := time.Now()
	answer := answerOf(t, newClient(t, s.URL, nil).Write(t.Context(), pieces(10)))
	if took := time.Since(began); took > 20*time.Second { // 30 s is the limit of the whole request
		t.Errorf("Write took %s", took)
	}
	if answer.Status != 500 || len(answer.Message) > 8<<10 {
		t.Errorf("Write = %v", answer)
	}
}

// The answer comes while the body is on its way. The buffers are the caller's
// when Write has returned: what still arrives is of the old content. And no 204
// can acknowledge what was not sent.
func TestEarlyAnswer(t *testing.T) {
	for _, status := range []int{http.StatusRequestEntityTooLarge, http.StatusNoContent, http.StatusOK} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			const size = 16 << 20           // more than the buffers of both sockets hold
			returned := make(chan struct{}) // Write has, and the buffers are in use again
			arrived := make(chan int64)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				control := http.NewResponseController(w)
				control.EnableFullDuplex()
				if status != http.StatusNoContent {
					w.Header().Set("Content-Length", "0")
				}
				w.WriteHeader(status)
				control.Flush()
				<-returned
				buf := make([]byte, 64<<10)
				total := int64(0)
				for {
					n, err := r.Body.Read(buf)
					total += int64(n)
					if bytes.IndexByte(buf[:n], 0) >= 0 {
						t.Error("content of the buffers' next use arrived")
					}
					if err != nil {
						break
					}
				}
				arrived <- total
			}))
			defer s.Close()
			c := newClient(t, s.URL, nil)
			for range 5 {
				body := pieces(size)
				err := c.Write(t.Context(), body)
				overwrite(body)
				returned <- struct{}{}
				if total := <-arrived; total >= size {
					t.Fatal("all of the body arrived: the buffers of the sockets are too large for this test")
				}
				if err == nil {
					t.Error("Write = nil, but not all of the body was sent")
				}
				if status != http.StatusNoContent && answerOf(t, err).Status != status {
					t.Errorf("Write = %v", err)
				}
			}
		})
	}
}

// Neither an error nor the log tells the password.
func TestPasswordIsNotTold(t *testing.T) {
	var log bytes.Buffer
	credentials := func(c *influx.Config) {
		c.Username, c.Password, c.Timeout = "user", password, 100*time.Millisecond
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	}
	refused := httptest.NewServer(nil)
	refused.Close()
	unauthorized := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error":"authorization failed"}`)
	})
	redirected := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	})
	hangs := hang(t, "")
	for _, url := range []string{refused.URL, unauthorized.URL, redirected.URL, hangs} {
		c := newClient(t, url, credentials)
		for _, err := range []error{c.Write(t.Context(), pieces(10)), c.CreateDatabase(t.Context()), prepare(t.Context(), c)} {
			if err != nil {
				checkSecret(t, err.Error())
			}
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged, nothing proven")
	}
	checkSecret(t, log.String())
}
