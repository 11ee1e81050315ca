package monitor

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// named lets a request pass that asks for this machine by an address, or by a name that
// nobody elsewhere can have. Otherwise a page of another site, whose name is made to lead
// here once it is loaded, could read every answer in the browser of somebody who may (DNS
// rebinding). Whoever shows the token in a header is no such page, and a probe is answered
// by any name, but without reasons.
func named(next http.Handler, hosts func() []string, token func() string) http.Handler {
	if hosts == nil {
		return next
	}
	self, _ := os.Hostname() // "" if it fails, which matches no host
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isOurs(r.Host, self, hosts()):
		case token != nil && token() != "" && same(bearer(r), token()):
		case isProbe(r):
			w = statusOnly{w}
		default:
			http.Error(w,
				fmt.Sprintf("%q is not known as a name of this machine: ask for its address, or add the name to http.hosts", r.Host),
				http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOurs reports whether a Host header is an address, a name without a dot, which no
// public name server answers for, or one of known.
func isOurs(header, self string, known []string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") {
		return true // HTTP/1.0 has none at all, and no browser asks so
	}
	return slices.ContainsFunc(append([]string{self}, known...), func(name string) bool {
		return strings.EqualFold(strings.TrimSuffix(name, "."), host)
	})
}

// statusOnly leaves out what an answer says beside its status.
type statusOnly struct{ http.ResponseWriter }

func (statusOnly) Write(text []byte) (int, error) { return len(text), nil }
