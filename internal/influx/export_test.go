package influx

import (
	"context"
	"net"
	"net/http"
)

// AnswerOf is the error for an answer.
func AnswerOf(status int, body []byte) error {
	code, text := message(body)
	return &AnswerError{Status: status, Code: code, Message: text}
}

// Between puts something between a client and the kernel on each of its connections.
func Between(c *Client, wrap func(net.Conn) net.Conn) {
	t := c.http.Transport.(*http.Transport)
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		made, err := dial(ctx, network, address)
		if err == nil {
			own := made.(*bodyConn)
			own.Conn = wrap(own.Conn)
		}
		return made, err
	}
}
