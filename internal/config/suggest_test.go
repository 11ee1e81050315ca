package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/config"
)

func TestNearest(t *testing.T) {
	flags := []string{"config", "influxdb-url", "influxdb-username", "influxdb-password-file", "influxdb-gzip", "path", "tags"}
	for name, want := range map[string]string{
		"influx-url": "influxdb-url", "url": "influxdb-url", "Tag": "tags", "pth": "path", "influxdb-password": "influxdb-password-file",
		"confg": "config", "verbose": "", "": "", "x": "",
	} {
		if got := config.Nearest(name, flags); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

// Variables that are near to a setting are pointed out; those that containers make
// are not, nor is what is far from any.
func TestMisnomers(t *testing.T) {
	got := config.Misnomers([]string{
		"PATH=/bin", "TAILFLUX_INFLUXDB_URL=x", "TAILFLUX_TAGS=", "TAILFLUX_INFLUXD=/usr/bin/influxd", "TAILFLUX_HOME=/srv",
		"TAILFLUX_PORT=tcp://10.0.0.1:9193", "TAILFLUX_PORT_9193_TCP=x", "TAILFLUX_PORT_9193_TCP_ADDR=x", "TAILFLUX_SERVICE_HOST=x",
		"TAILFLUX_SERVICE_PORT=x", "TAILFLUX_INFLUXDB_SERVICE_HOST=x", "TAILFLUX_INFLUXDB_PORT_8086_TCP_PORT=x", "TAILFLUX_ENV_LANG=x",
		"TAILFLUX_INFLUX_URL=x", "TAILFLUX_INFLUXDB_PASSWORD=x", "TAILFLUX_INFLUXDB_DB=x", "TAILFLUX_INFLUXDB_ORGANIZATION=x", "TAILFLUX_TAG=x", "TAILFLUX_CONFIG=x",
		"TAILFLUX_SOURCES=x", "TAILFLUX_DROP=x",
	})
	want := []config.Misnomer{
		{Name: "TAILFLUX_CONFIG", Meant: "use the flag --config"},
		{Name: "TAILFLUX_DROP", Meant: "only the configuration file can set drop"},
		{Name: "TAILFLUX_INFLUXDB_DB", Meant: "did you mean TAILFLUX_INFLUXDB_DATABASE?"},
		{Name: "TAILFLUX_INFLUXDB_ORGANIZATION", Meant: "tailflux help config lists the settings"},
		{Name: "TAILFLUX_INFLUXDB_PASSWORD", Meant: "did you mean TAILFLUX_INFLUXDB_PASSWORD_FILE?"},
		{Name: "TAILFLUX_INFLUX_URL", Meant: "did you mean TAILFLUX_INFLUXDB_URL?"},
		{Name: "TAILFLUX_SOURCES", Meant: "only the configuration file can set sources"},
		{Name: "TAILFLUX_TAG", Meant: "did you mean TAILFLUX_TAGS?"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Misnomers (-want +got)\n%s", diff)
	}
}
