package live

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// perSecond is how many requests a watcher gets at most, and waiting how many may wait for it.
const (
	perSecond = 50
	waiting   = 64
)

// tail is who watches requests.
type tail struct {
	watchers atomic.Pointer[[]*watcher] // nil: nobody does
	mu       sync.Mutex                 // is held to change it
}

type watcher struct {
	filter Filter
	text   []byte // of the filter, in small letters
	to     chan Request

	// For the goroutine that owns the board.
	second int64 // in which
	sent   int   // so many were sent
}

// Watch returns the requests that a filter lets through, at most 50 a second, until stop is
// called; then no more come. With many lines a second only those of the sample are shown. Who
// does not receive misses what does not fit into a small buffer. The channel is never closed.
func (b *Board) Watch(f Filter) (requests <-chan Request, stop func()) {
	w := &watcher{filter: f, text: []byte(strings.ToLower(f.Text)), to: make(chan Request, waiting)}
	t := &b.tail
	t.change(func(all []*watcher) []*watcher { return append(all, w) })
	return w.to, func() {
		t.change(func(all []*watcher) []*watcher {
			return slices.DeleteFunc(all, func(other *watcher) bool { return other == w })
		})
	}
}

func (t *tail) change(to func([]*watcher) []*watcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*watcher
	if was := t.watchers.Load(); was != nil {
		all = slices.Clone(*was)
	}
	if all = to(all); len(all) == 0 {
		t.watchers.Store(nil)
		return
	}
	t.watchers.Store(&all)
}

// show shows a line to those who watch.
func (t *tail) show(all []*watcher, d *accesslog.Description, at int64, source string, basics accesslog.Basics) {
	second := time.Now().Unix()
	var r *Request
	for _, w := range all {
		if w.second != second {
			w.second, w.sent = second, 0
		}
		if w.sent >= perSecond || len(w.to) == cap(w.to) || !w.wants(d, source, basics.Class) {
			continue
		}
		if r == nil {
			r = requestOf(d, at, source, basics.Time, basics.Bytes)
		}
		w.to <- *r // there is room: nobody else sends
		w.sent++
	}
}

func (w *watcher) wants(d *accesslog.Description, source string, class int) bool {
	f := &w.filter
	if f.Class != "" && f.Class != classNames[class] || f.Source != "" && f.Source != source {
		return false
	}
	if len(w.text) == 0 {
		return true
	}
	for _, in := range [...][]byte{d.Method, d.Path, d.Host, d.Client, d.Agent} {
		if bytes.Contains(bytes.ToLower(in), w.text) {
			return true
		}
	}
	return false
}

func requestOf(d *accesslog.Description, at int64, source string, ms, size int64) *Request {
	r := &Request{
		Time: time.Unix(0, at).UTC(), Source: source,
		Client: string(d.Client), Method: string(d.Method), Path: string(d.Path), Host: string(d.Host), Status: string(d.Status),
		Agent: string(d.Agent), Bytes: None(), Seconds: None(),
	}
	if size >= 0 {
		r.Bytes = Number(size)
	}
	if ms >= 0 {
		r.Seconds = Number(float64(ms) / 1000)
	}
	return r
}
