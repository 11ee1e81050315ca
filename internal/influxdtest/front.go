package influxdtest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Act is what a Front does with a write.
type Act string

// The acts. If the Front itself answers, nothing is stored.
const (
	Pass      Act = "pass"
	Page      Act = "200, a page"
	Redirect  Act = "302"
	BadQuery  Act = "400, about the request"
	Login     Act = "401"
	Forbidden Act = "403"
	NotFound  Act = "404"
	Large     Act = "413 when the body is over MaxBody, else pass"
	Busy      Act = "429, Retry-After: 1"
	Broken    Act = "500"
	Throttled Act = "503"
	Hang      Act = "hang"
	Reset     Act = "reset in the middle of the body"
	Cut       Act = "pass the first half of the body, and the server's answer to that"
	Lost      Act = "store, then reset instead of an answer"
	LostLate  Act = "store, then hang"
	Trickle   Act = "store, then answer byte by byte"
)

// Acts lists all acts.
var Acts = []Act{
	Pass, Page, Redirect, BadQuery, Login, Forbidden, NotFound, Large, Busy, Broken, Throttled,
	Hang, Reset, Cut, Lost, LostLate, Trickle,
}

// MaxBody is the limit of the act Large, in bytes.
const MaxBody = 2000

// trickle is the time between two bytes.
const trickle = 5 * time.Millisecond

// Front stands in front of a server, as a faulty proxy does. Requests other than
// writes pass through.
type Front struct {
	URL string

	server  *httptest.Server
	target  *httputil.ReverseProxy
	address string // of the target
	over    chan struct{}

	mu   sync.Mutex // guards next and done
	next func() Act
	done map[Act]int
}

// NewFront returns a front of the server at target. next chooses what happens to
// each write; it is called by one goroutine at a time. The caller must call
// Close.
func NewFront(target string, next func() Act) (*Front, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("front: %w", err)
	}
	f := &Front{address: to.Host, over: make(chan struct{}), next: next, done: map[Act]int{}}
	f.target = httputil.NewSingleHostReverseProxy(to)
	f.target.Transport = &http.Transport{DisableKeepAlives: true}
	f.target.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	f.server = httptest.NewServer(f)
	f.URL = f.server.URL
	return f, nil
}

// Close ends the front and all its hanging requests.
func (f *Front) Close() {
	close(f.over)
	f.server.Close()
}

// Done returns how often an act was played.
func (f *Front) Done(act Act) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done[act]
}

// ServeHTTP implements [http.Handler].
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/write" {
		f.target.ServeHTTP(w, r)
		return
	}
	f.mu.Lock()
	act := f.next()
	f.done[act]++
	f.mu.Unlock()
	if act == Reset {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		reset(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.play(act, w, r, body)
}

func (f *Front) play(act Act, w http.ResponseWriter, r *http.Request, body []byte) {
	answer := func(status int, text string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	switch act {
	case Page:
		answer(http.StatusOK, "<html>partial write</html>")
	case Redirect:
		w.Header().Set("Location", "/elsewhere")
		answer(http.StatusFound, "")
	case BadQuery:
		answer(http.StatusBadRequest, `{"error":"database is required"}`)
	case Login:
		answer(http.StatusUnauthorized, `{"error":"authorization failed"}`)
	case Forbidden:
		answer(http.StatusForbidden, `{"error":"not authorized"}`)
	case NotFound:
		answer(http.StatusNotFound, `{"error":"database not found"}`)
	case Busy:
		w.Header().Set("Retry-After", "1")
		answer(http.StatusTooManyRequests, "")
	case Broken:
		answer(http.StatusInternalServerError, `{"error":"partial write: field type conflict dropped=1"}`)
	case Throttled:
		answer(http.StatusServiceUnavailable, `{"error":"request throttled"}`)
	case Large:
		if len(body) > MaxBody {
			answer(http.StatusRequestEntityTooLarge, `{"error":"Request Entity Too Large"}`)
			return
		}
		f.pass(w, r, body)
	case Hang:
		f.hang(r.Context())
	case Cut:
		f.cut(w, r, body)
	case Lost, LostLate, Trickle:
		stored := httptest.NewRecorder()
		f.pass(stored, r, body)
		switch act {
		case Lost:
			reset(w)
		case LostLate:
			f.hang(r.Context())
		default:
			slowly(w, stored)
		}
	default:
		f.pass(w, r, body)
	}
}

func (f *Front) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	f.target.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
}

// cut passes half of the body, as when a connection breaks on the way, but only
// in one direction.
func (f *Front) cut(w http.ResponseWriter, r *http.Request, body []byte) {
	conn, err := new(net.Dialer).DialContext(r.Context(), "tcp", f.address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: front\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n",
		r.RequestURI, r.Header.Get("Content-Encoding"), len(body))
	_, _ = conn.Write(body[:len(body)/2])
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// hang waits until the client has disconnected or the front is closed.
func (f *Front) hang(client context.Context) {
	select {
	case <-client.Done():
	case <-f.over:
	}
}

// reset ends the connection at once.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// slowly sends a recorded answer byte by byte.
func slowly(w http.ResponseWriter, stored *httptest.ResponseRecorder) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	text := "HTTP/1.1 " + strconv.Itoa(stored.Code) + " Slow\r\nConnection: close\r\n"
	if body := stored.Body.String(); body != "" {
		text += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	} else {
		text += "\r\n"
	}
	tick := time.NewTicker(trickle)
	defer tick.Stop()
	for i := range len(text) {
		<-tick.C
		if _, err := conn.Write([]byte{text[i]}); err != nil {
			return
		}
	}
}
