package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		"influxdb.ca_file: got " + noPEM + ", which has no certificate in PEM", "influxdb.token_file: got " + lines + ", which has several lines",
		"influxdb.client_cert_file: got " + noPEM, "influxdb.password_file: open ",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Access() = %v, want %s", err, want)
		}
	}
}

// They are reported where they are named, with everything else.
func TestFilesAreNamedWhereTheyStand(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"lines": "a\nb\n", "blank": "a b\n", "empty": "", "good": "good\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := func(c *config.Config) error {
		_, access := c.Access()
		_, token := c.HTTPToken()
		return errors.Join(access, token)
	}
	for _, tt := range []struct {
		name string
		give layers
		want string
	}{
		{"all is well", layers{file: one + "influxdb: {token_file: DIR/good}\nhttp: {token_file: DIR/good}\n"}, ""},
		{
			"beside other mistakes",
			layers{file: "http:\n  token_file: DIR/none\n" + one + "influxdb:\n  ca_file: DIR/good\n  client_cert_file: DIR/good\n  username: a\n  token_file: DIR/lines\n  password_file: DIR/empty\nquery: no\n"},
			`t.yaml:2:15: http.token_file: open DIR/none: no such file or directory, want a file with a token
t.yaml:5:12: influxdb.ca_file: got DIR/good, which has no certificate in PEM (-----BEGIN CERTIFICATE-----)
t.yaml:6:21: influxdb.client_cert_file: got "DIR/good" without influxdb.client_key_file, want both influxdb.client_cert_file and influxdb.client_key_file, or none
t.yaml:8:15: influxdb.token_file: got "DIR/lines" beside influxdb.username at t.yaml:7:13, want one of the two
t.yaml:8:15: influxdb.token_file: got DIR/lines, which has several lines, want the token alone
t.yaml:9:18: influxdb.password_file: got the empty file DIR/empty, want a password in it
t.yaml:10:8: query: got "no", want drop or keep`,
		},
		{
			"a certificate",
			layers{file: one + "influxdb: {client_cert_file: DIR/good, client_key_file: DIR/none}\n"},
			"t.yaml:2:30: influxdb.client_cert_file: got DIR/good, and influxdb.client_key_file DIR/none, want a certificate and its key in PEM: open DIR/none: no such file or directory",
		},
		{"a flag", layers{file: one, flags: []string{"--http-token-file=DIR/blank"}}, "--http-token-file: got DIR/blank, which has blanks or characters that are not ASCII, want the token alone, such as openssl rand -hex 32 makes one"},
		{"a variable", layers{file: one, env: map[string]string{"TAILFLUX_INFLUXDB_CA_FILE": "DIR/none"}}, "TAILFLUX_INFLUXDB_CA_FILE: open DIR/none: no such file or directory, want a file with certificates in PEM"},
	} {
		tt.give.file, tt.give.files = strings.ReplaceAll(tt.give.file, "DIR", dir), files
		for i, flag := range tt.give.flags {
			tt.give.flags[i] = strings.ReplaceAll(flag, "DIR", dir)
		}
		for name, text := range tt.give.env {
			tt.give.env[name] = strings.ReplaceAll(text, "DIR", dir)
		}
		_, got := tt.give.load(t)
		if diff := cmp.Diff(tt.want, strings.ReplaceAll(got, dir, "DIR")); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
}
