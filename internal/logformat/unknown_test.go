package logformat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The keys of a line are those of the object that a wrapper holds.
func TestKeysOfWrappedJSON(t *testing.T) {
	const line = `{"time":"2026-11-20T10:00:00Z","code":200,"req":{"verb":"GET"}}`
	want := []string{"time", "code", "req.verb"}
	for format, text := range map[string]string{
		"json":        line,
		"docker json": `{"log":"{\"time\":\"2026-11-20T10:00:00Z\",\"code\":200,\"req\":{\"verb\":\"GET\"}}\n","stream":"stdout","time":"2026-11-20T10:00:00.1Z"}`,
		"cri json":    "2026-11-20T10:00:00.123456789Z stdout F " + line,
		"syslog json": "<190>Nov 20 10:00:00 web1 nginx: " + line,
	} {
		for _, format := range []string{format, "json"} {
			f := mustFormat(t, format)
			if got := f.Keys([][]byte{[]byte(text)}); !cmp.Equal(got, want) {
				t.Errorf("%s: Keys = %q, want %q", format, got, want)
			}
			if got := f.Unknown([][]byte{[]byte(text)}); !cmp.Equal(got, want[1:]) {
				t.Errorf("%s: Unknown = %q, want %q", format, got, want[1:])
			}
			if got := f.Strange([][]byte{[]byte(text)}); !cmp.Equal(got, want[1:]) {
				t.Errorf("%s: Strange = %q, want %q", format, got, want[1:])
			}
		}
	}
}
