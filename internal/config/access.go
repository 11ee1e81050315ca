package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Access is how tailflux shows who it is, and checks whom it talks to. Secrets are in
// it: it must not be printed.
type Access struct {
	Password string      // empty when no file is configured
	Token    string      // likewise
	TLS      *tls.Config // nil: the system's authorities, and no certificate
	Headers  http.Header // of each request
}

// Access reads the files that are named under influxdb. The errors name all that
// cannot be used. Each call reads the files again.
func (c *Config) Access() (a Access, err error) {
	db := c.InfluxDB
	var errs [5]error
	switch {
	case db.TokenFile != "" && db.Username != "":
		errs[4] = errors.New("influxdb.token_file beside influxdb.username: want one of the two")
	case db.ClientCertFile != "" && db.ClientKeyFile == "":
		errs[4] = fmt.Errorf("influxdb.client_cert_file: got %s without its key, want influxdb.client_key_file too", db.ClientCertFile)
	case db.ClientKeyFile != "" && db.ClientCertFile == "":
		errs[4] = fmt.Errorf("influxdb.client_key_file: got %s without its certificate, want influxdb.client_cert_file too", db.ClientKeyFile)
	}
	a.Password, errs[0] = readSecret("influxdb.password_file", db.PasswordFile, "a password")
	a.Token, errs[1] = readSecret("influxdb.token_file", db.TokenFile, "a token")
	a.Headers = http.Header{}
	for _, header := range db.Headers {
		name, value, _ := strings.Cut(header, ": ")
		a.Headers.Add(name, value)
	}
	if db.CAFile == "" && db.ClientCertFile == "" && !db.Insecure {
		return a, errors.Join(errs[:]...)
	}
	a.TLS = &tls.Config{InsecureSkipVerify: db.Insecure} //nolint:gosec // as somebody asked for, and is warned of
	if db.CAFile != "" {
		a.TLS.RootCAs, errs[2] = authorities(db.CAFile)
	}
	if db.ClientCertFile != "" && db.ClientKeyFile != "" {
		pair, err := tls.LoadX509KeyPair(db.ClientCertFile, db.ClientKeyFile)
		if err != nil {
			errs[3] = fmt.Errorf("influxdb.client_cert_file %s and influxdb.client_key_file %s, want a certificate and its key in PEM: %w", db.ClientCertFile, db.ClientKeyFile, err)
		}
		a.TLS.Certificates = []tls.Certificate{pair}
	}
	return a, errors.Join(errs[:]...)
}

// HTTPToken reads http.token_file; the token is empty when none is configured. Each
// call reads the file again.
func (c *Config) HTTPToken() (string, error) {
	const key = "http.token_file"
	token, err := readSecret(key, c.HTTP.TokenFile, "a token")
	if err != nil {
		return "", err
	}
	for _, b := range []byte(token) {
		if b <= ' ' || b > '~' { // a header could not bring it here
			return "", fmt.Errorf("%s: %s has blanks or characters that are not ASCII, want the token alone, such as openssl rand -hex 32 makes one", key, c.HTTP.TokenFile)
		}
	}
	return token, nil
}

// readSecret is the text in a file, without the newline that ends it.
func readSecret(key, file, want string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	if len(text) == 0 {
		return "", fmt.Errorf("%s: got the empty file %s, want %s in it", key, file, want)
	}
	if want == "a token" && bytes.ContainsAny(text, "\r\n\x00") {
		return "", fmt.Errorf("%s: %s has several lines, want the token alone", key, file)
	}
	return string(text), nil
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("influxdb.ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("influxdb.ca_file: %s has no certificate in PEM (-----BEGIN CERTIFICATE-----)", file)
	}
	return pool, nil
}
