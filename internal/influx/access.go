package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	client "github.com/influxdata/influxdb1-client/v2"
)

// socketHost stands for a socket in URLs of requests.
const socketHost = "http://localhost"

// transport dials as the configuration says.
func transport(c Config) *http.Transport {
	socket, found := strings.CutPrefix(c.URL, "unix:")
	if !found {
		socket = ""
	}
	return &http.Transport{
		DialContext:         dialer(socket),
		MaxIdleConnsPerHost: c.InFlight,
		DisableCompression:  true,
		IdleConnTimeout:     idleTimeout,
		TLSClientConfig:     c.TLS.Clone(),
		ForceAttemptHTTP2:   true,
	}
}

// authorize says who we are.
func (c *Client) authorize(req *http.Request) {
	req.Header.Set("User-Agent", "tailflux")
	for name, values := range c.config.Headers {
		if name == "Host" {
			req.Host = values[0]
			continue
		}
		req.Header[name] = values
	}
	switch {
	case c.config.Token != "":
		req.Header.Set("Authorization", "Token "+c.config.Token)
	case c.config.Username != "":
		req.SetBasicAuth(c.config.Username, c.config.Password)
	}
}

// queryDirectly sends a statement where the official client cannot: through a socket,
// with a token or with headers.
func (c *Client) queryDirectly(ctx context.Context, about client.Query) (*client.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, min(c.config.Timeout, queryTimeout))
	defer cancel()
	params := url.Values{"q": {about.Command}, "db": {about.Database}}
	if about.Precision != "" {
		params.Set("epoch", about.Precision)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/query?"+params.Encode(), http.NoBody)
	if err != nil {
		return nil, withoutURL(err)
	}
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer client.Response
	decoder := json.NewDecoder(resp.Body)
	decoder.UseNumber()
	switch err := decoder.Decode(&answer); {
	case err != nil && (resp.StatusCode == http.StatusOK || !errors.Is(err, io.EOF)):
		return nil, fmt.Errorf("status %d, and no JSON: %w", resp.StatusCode, err)
	case resp.StatusCode != http.StatusOK && answer.Error() == nil:
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return &answer, nil
}
