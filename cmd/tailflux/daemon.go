package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/escape"
)

// daemonWithin is how long an answer of the daemon may take.
const daemonWithin = 5 * time.Second

// daemon is the tailflux that listens at an address.
type daemon struct {
	address string
	client  http.Client
}

// openDaemon returns the one that listens there, as a configuration says.
func openDaemon(listen string) (*daemon, error) {
	address, err := reachable(listen)
	if err != nil {
		return nil, err
	}
	// No proxy, and an address that a URL would have to escape.
	return &daemon{address, http.Client{Timeout: daemonWithin, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}}, nil
}

func (d *daemon) close() { d.client.CloseIdleConnections() }

// get returns the answer to GET path, of at most so many bytes, if it is 200. The token may
// be empty. Else the error says what it was; one with a status is a [statusError].
func (d *daemon) get(ctx context.Context, path, token string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://tailflux"+path, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s: %w", d.address, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case resp.StatusCode != http.StatusOK: // which says enough
		const brief = 4 << 10
		reason := strings.ReplaceAll(strings.TrimSpace(string(body[:min(len(body), brief)])), "\n", "; ")
		return nil, statusError{resp.StatusCode, fmt.Errorf("%s of %s: %s: %s", path, d.address, resp.Status, escape.Unprintable(reason, escape.Hex))}
	case err != nil:
		return nil, fmt.Errorf("%s of %s: %w", path, d.address, err)
	case int64(len(body)) > most:
		return nil, fmt.Errorf("%s of %s: the answer has more than %d bytes", path, d.address, most)
	}
	return body, nil
}

// statusError is an answer that is not 200.
type statusError struct {
	status int
	error
}

// reachable is the address at which this machine reaches a server that listens there.
func reachable(listen string) (string, error) {
	if listen == "" {
		return "", errors.New(`listen: got "", want an address such as 127.0.0.1:9193: nobody can be asked without one`)
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	if port == "0" {
		return "", fmt.Errorf("listen: got %s, want a port that is known before: nobody knows where to ask", listen)
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.Unmap().IsUnspecified() {
		host = "127.0.0.1" // all addresses, of IPv4 too
	}
	return net.JoinHostPort(host, port), nil
}
