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

// A fileError is why a file cannot be used that a key names.
type fileError struct {
	key string
	err error
}

func (e fileError) Error() string { return e.key + ": " + e.err.Error() }
func (e fileError) Unwrap() error { return e.err }

// UnusablePath is why what is at the path of the source of an index cannot be followed.
func UnusablePath(source int, err error) error {
	return fileError{pathOf(source), err}
}

func pathOf(source int) string { return fmt.Sprintf("sources[%d].path", source) }

// Access reads the files that are named under influxdb. The errors name all that
// cannot be used. Each call reads the files again.
func (c *Config) Access() (a Access, err error) {
	db := c.InfluxDB
	var errs [4]error
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
			errs[3] = fileError{"influxdb.client_cert_file", fmt.Errorf("got %s, and influxdb.client_key_file %s, want a certificate and its key in PEM: %w",
				db.ClientCertFile, db.ClientKeyFile, err)}
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
			return "", fileError{key, fmt.Errorf("got %s, which has blanks or characters that are not ASCII, want the token alone, such as openssl rand -hex 32 makes one",
				c.HTTP.TokenFile)}
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
		return "", fileError{key, fmt.Errorf("%w, want a file with %s", err, want)}
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	if len(text) == 0 {
		return "", fileError{key, fmt.Errorf("got the empty file %s, want %s in it", file, want)}
	}
	if want == "a token" && bytes.ContainsAny(text, "\r\n\x00") {
		return "", fileError{key, fmt.Errorf("got %s, which has several lines, want the token alone", file)}
	}
	return string(text), nil
}

func authorities(file string) (*x509.CertPool, error) {
	const key = "influxdb.ca_file"
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fileError{key, fmt.Errorf("%w, want a file with certificates in PEM", err)}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fileError{key, fmt.Errorf("got %s, which has no certificate in PEM (-----BEGIN CERTIFICATE-----)", file)}
	}
	return pool, nil
}
