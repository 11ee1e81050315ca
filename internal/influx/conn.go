package influx

import (
	"context"
	"io"
	"net"
)

// dialer makes the connections of a client: to a socket, if it is not "", in place of
// the address of the URL.
func dialer(socket string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if socket != "" {
			network, address = "unix", socket
		}
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &bodyConn{c}, nil
	}
}

// bodyConn is a connection that hands a body to the kernel in one writev, and not in
// copies of 32 KiB, each a system call that wakes the server.
//
// net/http copies a body of a known length through [io.Copy], which asks the connection
// to read from it. Where it does not, as over TLS and HTTP/2, the body is read as others are.
type bodyConn struct{ net.Conn }

// ReadFrom sends all that r has.
func (c *bodyConn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if body, ok := limited.R.(*onceBody); ok && limited.N == body.size {
			n, err := body.sendTo(c.Conn)
			limited.N -= n
			return n, err
		}
	}
	return io.Copy(c.Conn, r)
}
