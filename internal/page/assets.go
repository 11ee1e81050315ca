package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// The page as it is written: no step before the compiler makes it.
//
//go:embed web/*.html web/*.js web/*.css web/*.svg
var web embed.FS

// Files are the scripts and the styles of the page, of which reports have some, too.
func Files() fs.FS {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // they are embedded
	}
	return files
}

// types are those of the files in web; the machine's own list may differ.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// assets are the files of the page, ready to be sent.
type assets struct {
	hash  string // of all of them, which is in their paths
	files map[string]asset
	index asset
}

type asset struct {
	contentType string
	etag        string
	plain       []byte
	gzip        func() []byte // made when somebody asks
}

// openAssets reads the embedded files. In index.html, and in it alone, HASH stands for the
// hash of all: the scripts name each other by relative paths, which have it too.
func openAssets() assets {
	a := assets{files: map[string]asset{}}
	sum := sha256.New()
	texts := map[string][]byte{}
	entries, err := fs.ReadDir(web, "web")
	if err != nil {
		panic(err) // they are embedded
	}
	for _, entry := range entries {
		text, err := fs.ReadFile(web, "web/"+entry.Name())
		if err != nil {
			panic(err)
		}
		texts[entry.Name()] = text
		_, _ = sum.Write([]byte(entry.Name() + "\n" + strconv.Itoa(len(text)) + "\n"))
		_, _ = sum.Write(text)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	for name, text := range texts {
		if name == "index.html" {
			a.index = newAsset(name, bytes.ReplaceAll(text, []byte("HASH"), []byte(a.hash)))
			continue
		}
		a.files[name] = newAsset(name, text)
	}
	return a
}

func newAsset(name string, text []byte) asset {
	sum := sha256.Sum256(text)
	return asset{
		contentType: types[path.Ext(name)], etag: hex.EncodeToString(sum[:])[:16], plain: text,
		gzip: sync.OnceValue(func() []byte { return compressed(text) }),
	}
}

func compressed(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that there is
	_, _ = w.Write(text)                                  // into memory
	_ = w.Close()
	return b.Bytes()
}

// serveIndex serves the page, which a browser must ask for again each time.
func (a *assets) serveIndex(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	a.index.serve(w, r)
}

// serve serves a file, which a browser need never ask for again: another one has another
// path.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	file, ok := a.files[r.PathValue("name")]
	if !ok || r.PathValue("hash") != a.hash {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	file.serve(w, r)
}

func (f asset) serve(w http.ResponseWriter, r *http.Request) {
	body, etag, h := f.plain, `"`+f.etag+`"`, w.Header()
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		body, etag = f.gzip(), `"`+f.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client is gone
}

// matches reports whether If-None-Match has an entity tag.
func matches(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == etag || one == "*" {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether a client takes gzip, which one with q=0 does not.
func acceptsGzip(r *http.Request) bool {
	others := false
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, parameters, _ := strings.Cut(one, ";")
		_, weight, _ := strings.Cut(strings.ReplaceAll(parameters, " ", ""), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		wanted := err != nil || q > 0
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return wanted
		case "*":
			others = wanted
		}
	}
	return others
}
