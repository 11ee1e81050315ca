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
		{"http://127.0.0.1:8086", "u", "", "influxdb.username without influxdb.password_file"},
		{"http://127.0.0.1:8086", "", closed, "influxdb.password_file without influxdb.username"},
	} {
		c := config.Default()
		c.InfluxDB.URL, c.InfluxDB.Username, c.InfluxDB.PasswordFile = tt.url, tt.user, tt.file
		if got := strings.Join(c.Warnings(), "\n"); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%+v: Warnings = %q", tt, got)
		}
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
