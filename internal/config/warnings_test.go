package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/config"
)

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	open, closed := filepath.Join(dir, "open"), filepath.Join(dir, "closed")
	for path, mode := range map[string]os.FileMode{open: 0o644, closed: 0o640} {
		if err := os.WriteFile(path, []byte("secret\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ url, user, file, want string }{
		{"http://127.0.0.1:8086", "", "", ""},
		{"http://127.0.0.1:8086", "u", closed, ""},
		{"http://[::1]:8086", "u", closed, ""},
		{"http://localhost:8086", "u", closed, ""},
		{"http://db:8086", "", "", ""},
		{"https://db:8086", "u", closed, ""},
		{"http://db:8086", "u", closed, "influxdb.url: the password crosses the network unencrypted to db:8086"},
		{"http://127.0.0.1:8086", "u", open, "influxdb.password_file: everybody may read " + open},
	} {
		c := config.Default()
		c.InfluxDB.URL, c.InfluxDB.Username, c.InfluxDB.PasswordFile = tt.url, tt.user, tt.file
		if got := strings.Join(c.Warnings(), "\n"); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%+v: Warnings = %q", tt, got)
		}
	}
}

func TestWarningsOfTheHTTPServer(t *testing.T) {
	dir := t.TempDir()
	open, closed := filepath.Join(dir, "open"), filepath.Join(dir, "closed")
	for path, mode := range map[string]os.FileMode{open: 0o644, closed: 0o640} {
		if err := os.WriteFile(path, []byte("secret\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		listen string
		http   config.HTTP
		want   string
	}{
		{":9193", config.HTTP{TokenFile: closed}, ""},
		{"127.0.0.1:9193", config.HTTP{TokenFile: closed}, ""},
		{":9193", config.HTTP{Public: true}, ""},
		{"127.0.0.1:9193", config.HTTP{TokenFile: open}, "http.token_file: everybody may read " + open},
		{":9193", config.HTTP{TokenFile: closed, Public: true}, "http.public: true beside http.token_file"},
		{"", config.HTTP{TokenFile: closed}, "http.token_file with listen"},
	} {
		c := config.Default()
		c.Listen, c.HTTP = tt.listen, tt.http
		if got := strings.Join(c.Warnings(), "\n"); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%+v: Warnings = %q, want %q", tt, got, tt.want)
		}
	}
}

func TestHTTPToken(t *testing.T) {
	for _, tt := range []struct{ text, want, says string }{
		{"s3cret\n", "s3cret", ""},
		{"s3cret\r\n", "s3cret", ""},
		{"a+/b~._-=", "a+/b~._-=", ""},
		{"", "", "got the empty file"},
		{"\n", "", "got the empty file"},
		{" \n", "", "has blanks"},
		{"s3cret \n", "", "has blanks"},
		{"a b\n", "", "has blanks"},
		{"one\ntwo\n", "", "several lines"},
		{"s3cret\n\n", "", "several lines"},
		{"geheimnisß\n", "", "not ASCII"},
		{"\ufeffs3cret\n", "", "not ASCII"},
	} {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := config.Config{HTTP: config.HTTP{TokenFile: file}}
		got, err := c.HTTPToken()
		if got != tt.want || (err != nil) != (tt.says != "") || err != nil && (!strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "http.token_file") || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("HTTPToken of %q = %q, %v, want %q, %q", tt.text, got, err, tt.want, tt.says)
		}
	}
	c := config.Default()
	if got, err := c.HTTPToken(); got != "" || err != nil {
		t.Errorf("HTTPToken without a file = %q, %v", got, err)
	}
	c.HTTP.TokenFile = filepath.Join(t.TempDir(), "none")
	if _, err := c.HTTPToken(); err == nil || !strings.Contains(err.Error(), "http.token_file") {
		t.Errorf("HTTPToken of no file: %v", err)
	}
}

// Who listens for this machine alone need not say more.
func TestListenOnLoopback(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:9193", "127.8.9.10:0", "[::1]:9193", "localhost:9193", "LocalHost:9193", "[::ffff:127.0.0.1]:9193", ""} {
		layers{file: "sources: [{path: /a.log}]\nlisten: '" + listen + "'\n"}.mustLoad(t)
	}
	for _, http := range []string{"{public: true}", "{token_file: /t}"} {
		layers{file: "sources: [{path: /a.log}]\nlisten: ':0'\nhttp: " + http + "\n"}.mustLoad(t)
	}
}

func TestWarningsOfTLS(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		db   config.InfluxDB
		want string
	}{
		{config.InfluxDB{URL: "https://db", CAFile: "/ca", ClientCertFile: "/c", ClientKeyFile: "/k", TokenFile: token}, ""},
		{config.InfluxDB{URL: "http://127.0.0.1", TokenFile: token}, ""},
		{config.InfluxDB{URL: "unix:/s", TokenFile: token, Headers: []string{"X-A: b"}}, ""},
		{config.InfluxDB{URL: "http://db", TokenFile: token}, "influxdb.url: the token crosses the network unencrypted to db; use https"},
		{config.InfluxDB{URL: "https://db", Insecure: true}, "influxdb.insecure_skip_verify: whoever is in between can read and change"},
		{config.InfluxDB{URL: "http://127.0.0.1", Insecure: true}, "influxdb.url: http://127.0.0.1 is not https, so certificates are not used"},
		{config.InfluxDB{URL: "unix:/s", CAFile: "/ca"}, "influxdb.url: unix:/s is not https"},
	} {
		c := config.Config{InfluxDB: tt.db}
		if got := strings.Join(c.Warnings(), "\n"); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%+v: Warnings = %q, want %q", tt.db, got, tt.want)
		}
	}
}

// Files that cannot be used are named with their keys, all at once.
func TestAccessFiles(t *testing.T) {
	dir := t.TempDir()
	noPEM, lines := filepath.Join(dir, "ca.der"), filepath.Join(dir, "lines")
	for path, text := range map[string]string{noPEM: "0\x82", lines: "a\nb\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := config.Config{InfluxDB: config.InfluxDB{CAFile: noPEM, TokenFile: lines, ClientCertFile: noPEM, ClientKeyFile: noPEM, PasswordFile: dir + "/none"}}
	_, err := c.Access()
	for _, want := range []string{
		"influxdb.ca_file: " + noPEM + " has no certificate in PEM", "influxdb.token_file: " + lines + " has several lines",
		"influxdb.client_cert_file " + noPEM, "influxdb.password_file: open ",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Access() = %v, want %s", err, want)
		}
	}
	for want, db := range map[string]config.InfluxDB{
		"influxdb.token_file beside influxdb.username":                                         {TokenFile: lines, Username: "u"},
		"influxdb.client_cert_file: got /c without its key, want influxdb.client_key_file too": {ClientCertFile: "/c"},
		"influxdb.client_key_file: got /k without its certificate":                             {ClientKeyFile: "/k"},
	} {
		if _, err := (&config.Config{InfluxDB: db}).Access(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Access() = %v, want %s", err, want)
		}
	}
}
