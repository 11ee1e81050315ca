package page

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// What clients of streams may cost.
const (
	maxStreams   = 40
	writeTimeout = 5 * time.Second // of one frame; whoever takes longer is dropped
	frameEvery   = time.Second
	retry        = 2 * time.Second // until a browser asks again
)

// frames makes the frame of each second once, for all who watch, and compresses it once. A
// compressed frame refers to none before it and ends at a byte, so that it can follow any
// other one in a stream.
type frames struct {
	make func() []byte // the JSON

	mu       sync.Mutex // guards what follows
	second   int64
	plain    []byte
	deflated []byte // nil: nobody wants it
	writer   *flate.Writer
}

// get returns the frame of a second, which nobody may change.
func (f *frames) get(second int64, deflated bool) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if second > f.second || f.plain == nil {
		f.second, f.plain, f.deflated = second, event("now", f.make()), nil
	}
	if !deflated {
		return f.plain
	}
	if f.deflated == nil {
		f.deflated = f.deflate(f.plain)
	}
	return f.deflated
}

func (f *frames) deflate(text []byte) []byte {
	var b bytes.Buffer
	if f.writer == nil {
		f.writer, _ = flate.NewWriter(&b, flate.DefaultCompression) // a level that there is
	} else {
		f.writer.Reset(&b)
	}
	_, _ = f.writer.Write(text) // into memory
	_ = f.writer.Flush()
	return b.Bytes()
}

// gzipHeader begins a gzip stream without a name and a time, as RFC 1952 has it. The
// stream ends when the connection does.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// serveStream sends a frame at once and then at each full second. A client that was busy
// with an earlier one gets the newest one then, and none in between.
func (p *Page) serveStream(w http.ResponseWriter, r *http.Request) {
	s, ok := p.open(w, r)
	if !ok {
		return
	}
	defer s.close()
	zipped := acceptsGzip(r)
	hello := fmt.Appendf(nil, "retry: %d\n\n", retry.Milliseconds())
	w.Header().Set("Vary", "Accept-Encoding")
	if zipped {
		w.Header().Set("Content-Encoding", "gzip")
		var f frames
		hello = slices.Concat(gzipHeader, f.deflate(hello))
	}
	if s.send(hello) != nil {
		return
	}
	for {
		now := time.Now()
		if s.send(p.frames.get(now.Unix(), zipped)) != nil {
			return
		}
		now = time.Now()
		if !s.wait(r.Context(), now.Truncate(frameEvery).Add(frameEvery).Sub(now)) {
			return
		}
	}
}

// stream is a client that gets events.
type stream struct {
	page    *Page
	w       http.ResponseWriter
	control *http.ResponseController
	timer   *time.Timer
}

// open begins a stream, or says why there is none.
func (p *Page) open(w http.ResponseWriter, r *http.Request) (s *stream, ok bool) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // an nginx before it passes each event on
	full := func() {
		h.Set("Retry-After", "30")
		http.Error(w, fmt.Sprintf("%d clients watch already, which is the limit: close one, or ask /live", maxStreams), http.StatusServiceUnavailable)
	}
	if r.Method == http.MethodHead { // the page asks so why it has no stream
		if len(p.streams) == maxStreams {
			full()
		}
		return nil, false
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" { // it could read nothing of it, but would take all streams
		http.Error(w, "a page of another site may open no stream", http.StatusForbidden)
		return nil, false
	}
	select {
	case p.streams <- struct{}{}:
	default:
		full()
		return nil, false
	}
	s = &stream{page: p, w: w, control: http.NewResponseController(w), timer: time.NewTimer(0)}
	_ = s.control.SetReadDeadline(time.Time{}) // that of the request, which would end the stream
	return s, true
}

func (s *stream) close() {
	s.timer.Stop()
	<-s.page.streams
}

// send sends events at once. After an error the client is gone, or too slow.
func (s *stream) send(events []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !isUnsupported(err) {
		return err
	}
	if _, err := s.w.Write(events); err != nil {
		return err
	}
	return s.control.Flush()
}

// isUnsupported reports whether a deadline could not be set because the ResponseWriter has
// none, like those of tests.
func isUnsupported(err error) bool { return errors.Is(err, http.ErrNotSupported) }

// wait reports whether the client is still there after some time.
func (s *stream) wait(ctx context.Context, d time.Duration) bool {
	s.timer.Reset(d)
	select {
	case <-s.timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
