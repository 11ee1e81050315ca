package config_test

import (
	"testing"

	"github.com/tailflux/tailflux/internal/config"
)

// A file is one source, however its path is written.
func TestOneFileByTwoPaths(t *testing.T) {
	t.Chdir("/tmp")
	for _, tt := range []struct{ first, second, got string }{
		{"/tmp/five.log", "five.log", `"five.log", which is "/tmp/five.log" again`},
		{"five.log", "/tmp/five.log", `"/tmp/five.log" again`},
		{"five.log", "../tmp/./five.log", `"../tmp/five.log", which is "/tmp/five.log" again`},
		{"/tmp/*.log", "*.log", `"*.log", which is "/tmp/*.log" again`},
		{"/five.log", "five.log", ""},
	} {
		want := tt.got
		if want != "" {
			want = "t.yaml:3:10: sources[1].path: got " + want + ", first at t.yaml:2:10, want another path for each source"
		}
		if _, got := (layers{file: "sources:\n- {path: " + tt.first + ", name: a}\n- {path: '" + tt.second + "', name: b}\n"}).load(t); got != want {
			t.Errorf("%s and %s: Load:\n got %s\nwant %s", tt.first, tt.second, got, want)
		}
	}
}

func TestUserNameHasNoColon(t *testing.T) {
	const want = `--influxdb-username: got a value that is not shown because it may hold a password, want a name without a colon, behind which HTTP has the password: that is read from influxdb.password_file`
	if _, got := (layers{file: "sources: [{path: /a}]\n", flags: []string{"--influxdb-username=u:secret", "--influxdb-password-file=/p"}}).load(t); got != want {
		t.Errorf("Load:\n got %s\nwant %s", got, want)
	}
}

// The log has a list of what has changed also if nothing has.
func TestNothingChanged(t *testing.T) {
	c := config.Default()
	if keys := config.Changed(&c, &c); keys == nil || len(keys) > 0 {
		t.Errorf("Changed = %#v, want an empty list", keys)
	}
}
