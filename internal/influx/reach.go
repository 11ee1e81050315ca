package influx

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// unreachable says in an operator's words why a request got no answer: the address,
// the key that has it, and the cause. It wraps the error. Others are returned as they
// are.
func (c *Client) unreachable(err error) error {
	about, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	at, cause := c.config.URL+" (influxdb.url)", about.Err
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case about.Timeout():
		return fmt.Errorf("no answer from %s within %s: %w", at, c.config.Timeout, cause)
	case errors.Is(cause, http.ErrSchemeMismatch):
		return fmt.Errorf("%s speaks http, not https: %w", at, cause)
	case errors.Is(cause, syscall.ECONNREFUSED):
		return fmt.Errorf("no InfluxDB at %s: %w", at, syscall.ECONNREFUSED)
	case errors.As(cause, &dns):
		return fmt.Errorf("no InfluxDB at %s: %w", at, cause)
	case errors.Is(cause, syscall.ENOENT):
		return fmt.Errorf("no socket at %s: %w", at, syscall.ENOENT)
	case errors.Is(cause, syscall.EACCES):
		return fmt.Errorf("no right to use %s: %w", at, syscall.EACCES)
	case errors.As(cause, &cert):
		return fmt.Errorf("the certificate of %s is not trusted (influxdb.ca_file): %w", at, cause)
	}
	return fmt.Errorf("%s: %w", at, cause)
}

// hint is what an answer says about influxdb.url, if that does not seem to lead to
// InfluxDB.
func (c *Client) hint(status int, header http.Header, body []byte) string {
	switch {
	case status == http.StatusNotFound && strings.HasSuffix(c.base, "/write"):
		return "influxdb.url must not end in /write, tailflux adds it"
	case header.Get(versionHeader) != "":
		return c.about(status, body, false)
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		by := "something else"
		if server := header.Get("Server"); server != "" {
			by = server
		}
		return fmt.Sprintf("an HTML page from %s: does influxdb.url %s lead to InfluxDB?", by, c.base)
	}
	return c.about(status, body, false)
}
