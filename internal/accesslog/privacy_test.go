package accesslog_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/accesslog"
)

func TestDrop(t *testing.T) {
	line := []string{
		"request", `GET /healthz?deep=\x22 HTTP/1.1`, "http_user_agent", "kube-probe/1.30", "status", "200",
		"http_referer", "-", "upstream_status", "502, 200", "remote_addr", "192.0.2.7",
	}
	for _, tt := range []struct {
		name string
		drop []accesslog.Rule
		want bool
	}{
		{"nothing", nil, false},
		{"empty rule", []accesslog.Rule{{}}, false},
		{"exact", []accesslog.Rule{{{"path", "/healthz"}}}, true},
		{"part of it", []accesslog.Rule{{{"path", "/health"}}}, false},
		{"expression", []accesslog.Rule{{{"path", "~^/health"}}}, true},
		{"case", []accesslog.Rule{{{"path", "~^/HEALTH"}}}, false},
		{"any case", []accesslog.Rule{{{"path", "~*^/HEALTH"}}}, true},
		{"a value with a tilde", []accesslog.Rule{{{"path", `\~^/health`}}}, false},
		{"second rule", []accesslog.Rule{{{"path", "/x"}}, {{"http_user_agent", "~^kube-probe/"}}}, true},
		{"all of a rule", []accesslog.Rule{{{"http_user_agent", "~^kube"}, {"status", "200"}, {"method", "GET"}, {"protocol", "HTTP/1.1"}}}, true},
		{"not all of a rule", []accesslog.Rule{{{"http_user_agent", "~^kube"}, {"status", "500"}}}, false},
		{"unescaped", []accesslog.Rule{{{"query", `deep="`}}}, true},
		{"absent", []accesslog.Rule{{{"http_referer", ""}}}, true},
		{"absent and an expression", []accesslog.Rule{{{"http_referer", "~^$"}}}, true},
		{"not there", []accesslog.Rule{{{"http_x", ""}}}, false},
		{"not there beside another", []accesslog.Rule{{{"status", "200"}, {"http_x", "~."}}}, false},
		{"a list", []accesslog.Rule{{{"upstream_status", "~^502"}}}, true},
		{"how many", []accesslog.Rule{{{"upstream_tries", "2"}}}, true},
		{"none was asked", []accesslog.Rule{{{"upstream_tries", ""}}}, false},
		{"how many, an expression", []accesslog.Rule{{{"upstream_tries", "~^5"}}}, false},
		{"the same by another name", []accesslog.Rule{{{"user_agent", "kube-probe/1.30"}}}, true},
		{"unmasked", []accesslog.Rule{{{"remote_addr", "192.0.2.7"}}}, true},
		{"client", []accesslog.Rule{{{"client", "~^192[.]0[.]2[.]"}}}, true},
		{"whole request", []accesslog.Rule{{{"request", "~deep="}}}, true},
	} {
		got := one(t, accesslog.Schema{Drop: tt.drop, Mask: []string{"remote_addr"}}, line...)
		if dropped := got == "[filtered]"; dropped != tt.want || !dropped && !strings.HasSuffix(got, "count=1i") {
			t.Errorf("%s: got %s, want dropped %v", tt.name, got, tt.want)
		}
	}
	for _, match := range []string{"~(", "~*("} {
		if _, err := accesslog.New([]string{"msec"}, accesslog.Schema{Drop: []accesslog.Rule{{{"msec", match}}}}); err == nil {
			t.Errorf("%s is no error", match)
		}
	}
}

// A line that is dropped is not rejected for its time.
func TestDropBeforeBadTime(t *testing.T) {
	e, err := accesslog.New([]string{"msec"}, accesslog.Schema{Drop: []accesslog.Rule{{{"msec", ""}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, outcome := e.Append(nil, [][]byte{[]byte("-")}, 1); outcome != accesslog.Filtered {
		t.Errorf("Append = %v, want it filtered", outcome)
	}
}

func TestMask(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"192.0.2.7", "192.0.2.0"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
		{"::1", "::"},
		{"::ffff:192.0.2.7", "::ffff:192.0.2.0"},
		{"192.0.2.7:443", "192.0.2.0:443"},
		{"[2001:db8:1:2::7]:443", "[2001:db8:1::]:443"},
		{"[2001:db8:1:2::7]", "[2001:db8:1::]"},
		{"192.0.2.7, 2001:db8:1:2::7,10.1.2.3", "192.0.2.0, 2001:db8:1::, 10.1.2.0"},
		{"192.0.2.7, unknown, _secret, 10.1.2.3", "192.0.2.0, 10.1.2.0"},
		{"192.0.2.7,  [2001:db8::1]:80", "192.0.2.0, [2001:db8::]:80"},
		{"unix:", ""},
		{"unknown", ""},
		{"192.0.2.777", ""},
		{"fe80::1%eth0", ""},
		{"-", ""},
	} {
		s := accesslog.Schema{Mask: []string{"http_x_forwarded_for"}, Fields: []string{"http_x_forwarded_for"}}
		want := `source=s http_x_forwarded_for="` + tt.want + `"`
		if tt.want == "" {
			want = "source=s count=1i"
		}
		if got := one(t, s, "http_x_forwarded_for", tt.give); got != want {
			t.Errorf("mask of %s = %s, want %s", tt.give, got, want)
		}
	}
	s := accesslog.Schema{Mask: []string{"upstream_addr", "remote_addr"}, Tags: []string{"upstream_addr", "remote_addr"}}
	got := one(t, s, "upstream_addr", "10.0.0.1:80, 10.0.0.2:80", "remote_addr", "unix:")
	if want := "source=s,upstream_addr=10.0.0.0:80 count=1i"; got != want {
		t.Errorf("masked tags = %s, want %s", got, want)
	}
}

// Masking an address is what netip makes of it.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"192.0.2.7", "::", "1::2", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::1.2.3", "1::2::3", "01.2.3.4", "1:", ":1", "12345::", "1:2:3:4:5:6:7:8:9", "::1:", "1:2:3:4:5:6:1.2.3.4", "a:b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, ", []%") || s == "-" || s == "" || strings.Count(s, ":") == 1 {
			t.Skip("a list, a port or a zone")
		}
		want := ""
		if addr, err := netip.ParseAddr(s); err == nil {
			bits := 48
			if addr.Is4() || addr.Is4In6() {
				bits = addr.BitLen() - 8
			}
			prefix, err := addr.Prefix(bits)
			if err != nil {
				t.Fatal(err)
			}
			want = prefix.Addr().String()
			if addr.Is4In6() {
				b := addr.As16()
				b[15] = 0
				want = netip.AddrFrom16(b).String()
			}
		}
		schema := accesslog.Schema{Escape: "none", Mask: []string{"http_x"}}
		got := field(t, schema, "http_x", s)
		if got == "source=s count=1i" {
			got = ""
		}
		if got != want {
			t.Errorf("mask of %q = %q, want %q", s, got, want)
		}
	})
}

func TestQuery(t *testing.T) {
	for _, tt := range []struct{ variable, give, drop string }{
		{"request_uri", "/a?b=c", "/a"},
		{"request_uri", "/a#b?c", "/a"},
		{"http_referer", "https://example.com/a?b=c#d", "https://example.com/a"},
		{"http_referer", "https://example.com/a", "https://example.com/a"},
		{"request", "GET /a?b=c HTTP/1.1", "GET /a HTTP/1.1"},
		{"request", "GET /a#b HTTP/1.1", "GET /a HTTP/1.1"},
		{"request", "GET /a?b c HTTP/1.1", "GET /a HTTP/1.1"},
		{"request", "GET /a?b", "GET /a"},
		{"request", `\x16\x03?secret more`, "\uFFFD\uFFFD"},
		{"upstream_http_location", "/login?next=x", "/login"},
		{"sent_http_location", "/login?next=x", "/login"},
		{"http_x_original_url", "/a?b", "/a"},
		{"uri", "/a", "/a"},
		{"http_user_agent", "what?", "what?"},
		{"args", "b=c", "b=c"},
	} {
		if got := field(t, accesslog.Schema{}, tt.variable, tt.give); got != tt.drop {
			t.Errorf("%s %s = %s, want %s", tt.variable, tt.give, got, tt.drop)
		}
		if strings.Contains(tt.give, `\x`) {
			continue
		}
		if got := field(t, accesslog.Schema{KeepQuery: true}, tt.variable, tt.give); got != tt.give {
			t.Errorf("kept %s %s = %s", tt.variable, tt.give, got)
		}
	}
}

// The path has no query and no fragment, kept or not.
func TestTarget(t *testing.T) {
	for _, tt := range []struct{ give, want string }{
		{"GET /a?b#c HTTP/1.1", "path=/a,query=b,source=s"},
		{"GET /a#b?c HTTP/1.1", "path=/a,source=s"},
		{"GET http://h?u=/x HTTP/1.1", `path=/,query=u\=/x,source=s`},
		{"GET http://h/?u HTTP/1.1", "path=/,query=u,source=s"},
		{"GET # HTTP/1.1", "source=s"},
		{"GET ?x HTTP/1.1", "source=s"},
	} {
		s := accesslog.Schema{Tags: []string{"path", "query"}, KeepQuery: true}
		if got := one(t, s, "request", tt.give); got != tt.want+" count=1i" {
			t.Errorf("%s = %s, want %s", tt.give, got, tt.want)
		}
	}
}

func TestClient(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::ffff:172.16.0.0/108")}
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7", "-", "192.0.2.7"},
		{"192.0.2.7", "198.51.100.1", "192.0.2.7"}, // anybody can say that
		{"10.0.0.1", "-", "10.0.0.1"},
		{"172.17.0.1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1", "", "10.0.0.1"},
		{"10.0.0.1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1", "203.0.113.5, 198.51.100.1, 10.2.2.2", "198.51.100.1"},
		{"10.0.0.1", "10.3.3.3,10.2.2.2", "10.3.3.3"},
		{"10.0.0.1", "198.51.100.1:1234", "198.51.100.1"},
		{"10.0.0.1", "[2001:db9::1]:1234", "2001:db9::1"},
		{"2001:db8::5", "::ffff:198.51.100.1", "198.51.100.1"},
		{"::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"},
		{"10.0.0.1", "198.51.100.1, unknown, 10.2.2.2", "10.2.2.2"},
		{"10.0.0.1", "198.51.100.1,, 10.2.2.2", "10.2.2.2"},
		{"unix:", "198.51.100.1", ""},
		{"-", "198.51.100.1", ""},
	} {
		s := accesslog.Schema{Tags: []string{"client"}, TrustedProxies: trusted}
		line := []string{"remote_addr", tt.remote, "http_x_forwarded_for", tt.forwarded}
		want := "client=" + tt.want + ",source=s count=1i"
		if tt.want == "" {
			want = "source=s count=1i"
		}
		if got := one(t, s, line...); got != want {
			t.Errorf("client of %q = %s, want %s", line, got, want)
		}
	}
	for _, mask := range []string{"client", "remote_addr"} {
		s := accesslog.Schema{Fields: []string{"client"}, TrustedProxies: trusted, Mask: []string{mask}}
		got := one(t, s, "remote_addr", "10.0.0.1", "http_x_forwarded_for", "2001:db9:1:2::7")
		if want := `source=s client="2001:db9:1::"`; got != want {
			t.Errorf("client with %s masked = %s, want %s", mask, got, want)
		}
	}
	s := accesslog.Schema{Fields: []string{"client"}}
	if got := one(t, s, "status", "200"); got != "source=s count=1i" {
		t.Errorf("client without $remote_addr = %s", got)
	}
}

// limit admits so many values.
type limit struct {
	max     int
	seen    map[string]bool
	refused int // so often
}

func (l *limit) Admit(_ int, value []byte) bool {
	if !l.seen[string(value)] && len(l.seen) < l.max {
		l.seen[string(value)] = true
	}
	if !l.seen[string(value)] {
		l.refused++
	}
	return l.seen[string(value)]
}

// What stands in the point is what counts: values that are cleaned or folded to
// the same are one, however they look in the log. Host and source never count.
func TestAdmitted(t *testing.T) {
	l := &limit{max: 2, seen: map[string]bool{}}
	e, err := accesslog.New([]string{"msec", "path"}, accesslog.Schema{
		Measurement: "m", Host: "h", Source: "s", Tags: []string{"path"}, Fold: true, Values: l,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ give, want string }{
		{"/users/1", "/users/:id"},
		{"/users/2", "/users/:id"},
		{`/a\x00 b`, "/a?\\ b"},
		{`/a\x01 b`, "/a?\\ b"},
		{"/c", "other"},
		{"/c", "other"},
		{"/users/1", "/users/:id"},
		{"/" + strings.Repeat("x", 2000), "other"},
		{"-", ""},
	} {
		got, _ := e.Append(nil, [][]byte{[]byte("1795168800.123"), []byte(tt.give)}, 1)
		want := "m,host=h,path=" + tt.want + ",source=s count=1i 1795168800123000001\n"
		if tt.want == "" {
			want = strings.Replace(want, ",path=", "", 1)
		}
		if !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s: got %s, want %s", tt.give, got, want)
		}
	}
}
