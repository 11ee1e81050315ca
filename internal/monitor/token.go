package monitor

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// guarded lets a request pass to a probe, or with the token. What is not known to be a
// probe is none, however its path is written.
func guarded(next http.Handler, token func() string) http.Handler {
	if token == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		if want := token(); !probe && want != "" && !same(bearer(r), want) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tailflux"`)
			http.Error(w, "want the token of http.token_file: curl -H \"Authorization: Bearer $(cat FILE)\" ...", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bearer is the token that a request shows, or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// same takes a time that tells nothing of want, nor of its length.
func same(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
