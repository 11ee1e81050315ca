package page

import (
	"net/http"

	"github.com/tailflux/tailflux/internal/live"
)

// Config is what the page shows, and where it comes from.
type Config struct {
	Live     func() Board    // nil: the live figures are off; asked each time
	Pipeline func() []byte   // the JSON of /monitor
	Rejects  func() []Reject // the last ones, the newest first
	History  http.Handler    // answers GET /history; nil: nothing does
}

// Board has the figures of the last minutes. All of it may be asked by several at once.
type Board interface {
	// Snapshot is the last published one, which nobody changes.
	Snapshot() *live.Snapshot
	// Watch returns requests as they are read, a part of them when there are many. stop
	// ends that, and may be called once.
	Watch(filter live.Filter) (requests <-chan live.Request, stop func())
}

// Page serves the live page. It may be asked by several at once.
type Page struct {
	config  Config
	assets  assets
	live    shared
	frames  frames
	streams chan struct{} // holds one token for each stream
}

// New returns the page.
func New(c Config) *Page {
	p := &Page{config: c, assets: openAssets(), streams: make(chan struct{}, maxStreams)}
	p.live.make = p.now
	p.frames.make = p.live.get
	return p
}

// Mount adds the paths of the page.
func (p *Page) Mount(mux *http.ServeMux) {
	handle := func(pattern string, serve http.HandlerFunc) { mux.Handle(pattern, hardened(serve)) }
	handle("GET /{$}", p.assets.serveIndex)
	handle("GET /assets/{hash}/{name}", p.assets.serve)
	handle("GET /live", p.serveLive)
	handle("GET /live/stream", p.serveStream)
	handle("GET /live/tail", p.serveTail)
	if p.config.History != nil {
		handle("GET /history", p.config.History.ServeHTTP)
	}
}

// policy lets the page load scripts, style and figures of the daemon and nothing else, and
// lets nobody frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
