package monitor

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"html/template"
	"net/http"
	"strings"
	"time"
)

// guarded lets a request pass to a probe, or with the token: in the header Authorization,
// or once in the URL of a browser, which then has a cookie for it. What is not known to be
// a probe is not let pass, however its path is written.
func guarded(next http.Handler, token func() string) http.Handler {
	if token == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := token()
		switch {
		case isProbe(r) || want == "" || same(bearer(r), want):
			next.ServeHTTP(w, r)
		case r.URL.Path == "/" && same(r.URL.Query().Get("token"), want): // before the cookie, or the URL keeps the token
			begin(w, r, want)
		case hasCookie(r, want):
			next.ServeHTTP(w, r)
		default:
			unauthorized(w, r)
		}
	})
}

// isProbe reports whether a request is for what needs no token.
func isProbe(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

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

// cookieAge is how long a browser need not be given the token again.
const cookieAge = 30 * 24 * time.Hour

// cookie is that of a token. It does not have the token itself, and another token makes it
// worthless. Its name tells it from those of other ports, to which a browser sends it too.
func cookie(token string) (name, value string) {
	sum := func(what string) string {
		mac := hmac.New(sha256.New, []byte(token))
		_, _ = mac.Write([]byte("tailflux " + what))
		return hex.EncodeToString(mac.Sum(nil))
	}
	return "tailflux_" + sum("name")[:8], sum("value")
}

func hasCookie(r *http.Request, token string) bool {
	name, value := cookie(token)
	got, err := r.Cookie(name)
	return err == nil && same(got.Value, value)
}

// begin gives a browser the cookie, and has it forget the URL with the token.
func begin(w http.ResponseWriter, r *http.Request, token string) {
	name, value := cookie(token)
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(cookieAge.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	})
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", "./") // a proxy may have put the page below a path
	w.WriteHeader(http.StatusSeeOther)
}

// unauthorized asks for the token: a browser with a form, all others with a line.
func unauthorized(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("WWW-Authenticate", `Bearer realm="tailflux"`)
	h.Set("Cache-Control", "no-store")
	if r.URL.Path != "/" || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, "want the token of http.token_file: curl -H \"Authorization: Bearer $(cat FILE)\" ...", http.StatusUnauthorized)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'sha256-"+formStyleHash+"'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusUnauthorized)
	_ = form().Execute(w, map[string]any{ // the client is gone
		"Wrong": r.URL.Query().Has("token"),
		// The browser keeps the cookie back where a link on another site leads here; asked
		// again from here it sends it.
		"Refresh": r.Header.Get("Sec-Fetch-Site") == "cross-site" && !r.URL.Query().Has("token"),
		"Style":   template.CSS(formStyle),
	})
}
