package influx_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
)

// pair is a certificate and its key, for a server or a client.
func pair(t *testing.T, dir, name string) (cert, key string, ready tls.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ready, err = tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key, ready
}

// influxOver answers as InfluxDB does, on a listener; want is checked on each request.
func influxOver(t *testing.T, l net.Listener, secure *tls.Config, want func(r *http.Request)) (url string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want(r)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		if r.URL.Path != "/query" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"results":[{"statement_id":0,"series":[{"name":"m","columns":["name","time","duration","default"],"values":[["autogen",1795168800000000007,"24h0m0s",true]]}]}]}`)
	}))
	s.Config.ErrorLog = nil
	if l != nil {
		s.Listener.Close()
		s.Listener = l
	}
	if secure == nil {
		s.Start()
	} else {
		s.TLS = secure
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// accessed is a client made of what an operator has configured.
func accessed(t *testing.T, db config.InfluxDB) (*influx.Client, error) {
	t.Helper()
	c := config.Config{InfluxDB: db}
	access, err := c.Access()
	if err != nil {
		return nil, err
	}
	return newClient(t, db.URL, func(c *influx.Config) {
		c.Username, c.Password, c.Token, c.TLS, c.Headers = db.Username, access.Password, access.Token, access.TLS, access.Headers
	}), nil
}

// tryAll writes, asks and prepares: all go the same way.
func tryAll(t *testing.T, c *influx.Client) error {
	t.Helper()
	if err := prepare(t.Context(), c); err != nil {
		return err
	}
	if w, err := c.Retention(t.Context()); err != nil || w.Past != 24*time.Hour {
		t.Errorf("Retention = %v, %v", w, err)
	}
	return c.Write(t.Context(), pieces(1000))
}

// Whoever signs the server's certificate must be known, and a certificate is shown.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	ca, _, server := pair(t, dir, "server")
	cert, key, _ := pair(t, dir, "client")
	clients := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil || !clients.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	plain := influxOver(t, nil, &tls.Config{Certificates: []tls.Certificate{server}}, func(*http.Request) {})
	mutual := influxOver(t, nil, &tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}, func(*http.Request) {})
	other, _, _ := pair(t, dir, "other")
	for name, tt := range map[string]struct {
		db   config.InfluxDB
		want string // in the error
	}{
		"known":              {config.InfluxDB{URL: plain, CAFile: ca}, ""},
		"unknown":            {config.InfluxDB{URL: plain}, "is not trusted (influxdb.ca_file)"},
		"signed by another":  {config.InfluxDB{URL: plain, CAFile: other}, "is not trusted (influxdb.ca_file)"},
		"anything goes":      {config.InfluxDB{URL: plain, Insecure: true}, ""},
		"client is known":    {config.InfluxDB{URL: mutual, CAFile: ca, ClientCertFile: cert, ClientKeyFile: key}, ""},
		"client has nothing": {config.InfluxDB{URL: mutual, CAFile: ca}, "certificate required"},
		"with a token too":   {config.InfluxDB{URL: mutual, CAFile: ca, ClientCertFile: cert, ClientKeyFile: key, Headers: []string{"X-A: b"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := accessed(t, tt.db)
			if err == nil {
				err = tryAll(t, c)
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("= %v, want %q", err, tt.want)
			}
		})
	}
}

// A token, headers and a user name are sent with each request, through a socket too.
func TestTokenHeadersSocket(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	seen := http.Header{}
	host := ""
	keep := func(r *http.Request) {
		host = r.Host
		for _, name := range []string{"Authorization", "X-Scope-Orgid", "User-Agent"} {
			seen.Add(name, r.Header.Get(name))
		}
	}
	tcp := influxOver(t, nil, nil, keep)
	influxOver(t, l, nil, keep)
	socket := "unix:" + filepath.Join(dir, "s")
	for name, tt := range map[string]struct {
		db                      config.InfluxDB
		authorization, org, who string
	}{
		"token":           {config.InfluxDB{URL: tcp, TokenFile: token}, "Token s3cr3t", "", "tailflux"},
		"headers":         {config.InfluxDB{URL: tcp, Headers: []string{"X-Scope-Orgid: web", "User-Agent: me"}}, "", "web", "me"},
		"host":            {config.InfluxDB{URL: tcp, Headers: []string{"Host: db.example"}}, "", "", "tailflux"},
		"user":            {config.InfluxDB{URL: tcp, Username: "u"}, "Basic dTo=", "", "tailflux"},
		"user, headers":   {config.InfluxDB{URL: tcp, Username: "u", Headers: []string{"X-Scope-Orgid: web"}}, "Basic dTo=", "web", "tailflux"},
		"socket":          {config.InfluxDB{URL: socket}, "", "", "tailflux"},
		"socket, token":   {config.InfluxDB{URL: socket, TokenFile: token}, "Token s3cr3t", "", "tailflux"},
		"socket and user": {config.InfluxDB{URL: socket, Username: "u"}, "Basic dTo=", "", "tailflux"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(seen)
			c, err := accessed(t, tt.db)
			if err != nil {
				t.Fatal(err)
			}
			if err := tryAll(t, c); err != nil {
				t.Fatal(err)
			}
			if stamps, err := c.Timestamps(t.Context(), influx.Series{Measurement: "m"}, 0, 1); err == nil || len(stamps) > 0 {
				t.Errorf("Timestamps = %v, %v, want that a name is no time", stamps, err)
			}
			if len(seen["Authorization"]) != 5 { // ping, create, retention, write, select
				t.Errorf("%d requests", len(seen["Authorization"]))
			}
			for key, want := range map[string]string{"Authorization": tt.authorization, "X-Scope-Orgid": tt.org, "User-Agent": tt.who} {
				for _, got := range seen[key] {
					if got != want {
						t.Errorf("%s: %q, want %q", key, got, want)
					}
				}
			}
			if name == "host" && host != "db.example" {
				t.Errorf("Host: %q", host)
			}
		})
	}
	gone := "unix:" + filepath.Join(dir, "gone")
	if c, err := accessed(t, config.InfluxDB{URL: gone}); err != nil || c.Write(t.Context(), pieces(1)) == nil ||
		!strings.Contains(c.Write(t.Context(), pieces(1)).Error(), "no socket at "+gone+" (influxdb.url)") {
		t.Errorf("Write through no socket = %v", c.Write(t.Context(), pieces(1)))
	}
}
