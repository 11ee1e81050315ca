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
