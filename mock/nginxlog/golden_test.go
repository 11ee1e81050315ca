package nginxlog_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/mock/nginxlog"
	"github.com/tailflux/tailflux/mock/traffic"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// everything is a format of all variables that have a value now and then, in
// both ways to write one.
const everything = `a=$args bbs=$body_bytes_sent bs=$bytes_sent c=$connection cr=${connection_requests} gz=$gzip_ratio ` +
	`h=$host hn=$hostname hh=$http_host ref="$http_referer" ua="$http_user_agent" x="$http_x_forwarded_for" s=$https ia=$is_args ` +
	`ms=$msec v=${nginx_version}x pid=$pid p=$pipe ra=$remote_addr:$remote_port ru=$remote_user r="$request" id=$request_id ` +
	`rl=$request_length m=$request_method rt=$request_time uri=$request_uri sch=$scheme sa=$server_addr sn=$server_name ` +
	`sp=$server_port spr=$server_protocol st=$status iso=$time_iso8601 tl=$time_local uad=$upstream_addr ` +
	`uct=$upstream_connect_time uht=$upstream_header_time urt=$upstream_response_time us=$upstream_status u=$uri cookie=$cookie_a`

func TestGolden(t *testing.T) {
	for _, preset := range nginxlog.Names() {
		golden(t, preset+".log", nginxlog.Options{Format: preset, Garbage: 0.4}, 10)
	}
	stormy := traffic.Options{Seed: 7, CalmRequests: 2, OutageRequests: 20}
	golden(t, "everything.log", nginxlog.Options{Format: everything, Garbage: 0.1, Traffic: stormy}, 8)
	golden(t, "torn.txt", nginxlog.Options{Torn: 1, Traffic: traffic.Options{Seed: 4}}, 12)
}

// golden compares the first lines with a file; those of a .txt are quoted.
func golden(t *testing.T, name string, o nginxlog.Options, n int) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		var got []byte
		g := generator(t, o)
		for i := range n {
			from := len(got)
			got = g.Append(got, start.Add(time.Duration(i)*1234*time.Millisecond))
			if strings.HasSuffix(name, ".txt") {
				got = fmt.Appendf(got[:from], "%q\n", got[from:len(got)-1])
			}
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not what %+v gives, -want +got:\n%s", path, o, diff)
		}
	})
}

func TestSameOptionsSameBytes(t *testing.T) {
	o := nginxlog.Options{Traffic: traffic.Options{Seed: 42}, Garbage: 0.05, Torn: 0.05}
	a, b := log(t, o, 5000), log(t, o, 5000)
	if !bytes.Equal(a, b) {
		t.Error("two generators with the same options differ")
	}
	o.Traffic.Seed++
	if bytes.Equal(a, log(t, o, 5000)) {
		t.Error("another seed gives the same log")
	}
}

// The clock and the format are mere clothing of the same requests.
func TestRequestsDependOnSeedOnly(t *testing.T) {
	o := nginxlog.Options{Garbage: 0.05}
	a := generator(t, o)
	o.Format = "json"
	b := generator(t, o)
	for i := range 1000 {
		a.Append(nil, start)
		b.Append(nil, start.Add(time.Duration(i)*time.Hour))
		if diff := cmp.Diff(a.Last(), b.Last()); diff != "" {
			t.Fatalf("request %d differs between formats and times: %s", i, diff)
		}
	}
}

func TestTimeIsWrittenInItsLocation(t *testing.T) {
	g := generator(t, nginxlog.Options{Format: "$time_local|$time_iso8601|$msec"})
	at := time.Date(2026, 1, 2, 3, 4, 5, 67e6, time.UTC)
	for _, row := range []struct {
		at   time.Time
		want string
	}{
		{at, "02/Jan/2026:03:04:05 +0000|2026-01-02T03:04:05+00:00|1767323045.067\n"},
		{at.Add(time.Millisecond), "02/Jan/2026:03:04:05 +0000|2026-01-02T03:04:05+00:00|1767323045.068\n"},
		{at.In(time.FixedZone("", -5400)), "02/Jan/2026:01:34:05 -0130|2026-01-02T01:34:05-01:30|1767323045.067\n"},
	} {
		if got := string(g.Append(nil, row.at)); got != row.want {
			t.Errorf("Append(%v) = %q, want %q", row.at, got, row.want)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	for _, torn := range []float64{0, 1} {
		g := generator(t, nginxlog.Options{Torn: torn})
		for range 100 {
			if got := g.Append([]byte(`kept " \`), start); !bytes.HasPrefix(got, []byte(`kept " \`)) {
				t.Fatalf("Append changed what was in the buffer: %q", got)
			}
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	g := generator(t, nginxlog.Options{Garbage: 0.1, Torn: 0.1})
	at := start
	buf := make([]byte, 0, 64<<10)
	line := func() {
		at = at.Add(time.Millisecond)
		buf = g.Append(buf[:0], at)
	}
	for range 1000 { // buffers inside grow to their size
		line()
	}
	if n := testing.AllocsPerRun(10_000, line); n != 0 {
		t.Errorf("Append allocates %v times a line, want 0", n)
	}
}

func generator(t *testing.T, o nginxlog.Options) *nginxlog.Generator {
	t.Helper()
	g, err := nginxlog.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// log returns n lines, 1 ms apart.
func log(t *testing.T, o nginxlog.Options, n int) []byte {
	t.Helper()
	g := generator(t, o)
	var buf []byte
	for i := range n {
		buf = g.Append(buf, start.Add(time.Duration(i)*time.Millisecond))
	}
	return buf
}
