package accesslog_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// folded is the path tag of a path.
func folded(t testing.TB, s accesslog.Schema, path string) string {
	t.Helper()
	s.Tags, s.Escape, s.KeepQuery = []string{"path"}, "none", true
	got := one(t, s, "path", path)
	got = strings.TrimSuffix(strings.TrimPrefix(got, "path="), ",source=s count=1i")
	return strings.NewReplacer(`\,`, ",", `\=`, "=", `\ `, " ").Replace(got)
}

func TestFold(t *testing.T) {
	static := accesslog.Schema{Fold: true, FoldStatic: true}
	rules := accesslog.Schema{Fold: true, FoldStatic: true, Paths: []accesslog.Path{
		{Match: "^/p/", As: "/p/:slug"}, {Match: "^/p/12/", As: "/never"}, {Match: `\.php$`, As: "/42"},
	}}
	for _, tt := range []struct {
		schema     accesslog.Schema
		give, want string
	}{
		{accesslog.Schema{}, "/users/42", "/users/42"},
		{fold, "/users/42/orders/7", "/users/:id/orders/:id"},
		{fold, "/", "/"},
		{fold, "*", "*"},
		{fold, "42", ":id"},
		{fold, "/1//2/", "/:id//:id/"},
		{fold, "/api/v2/users", "/api/v2/users"},
		{fold, "/2026/11/22/news", "/:id/:id/:id/news"},
		{fold, "/v1.2.3/x", "/v1.2.3/x"},
		{fold, "/media/42.jpg", "/media/:id.jpg"},
		{fold, "/static/js/app.9e3779b1.js", "/static/js/app.9e3779b1.js"},
		{fold, "/o/6b29fc40-ca47-1067-b31d-00dd010662da/x", "/o/:uuid/x"},
		{fold, "/o/6B29FC40-CA47-1067-B31D-00DD010662DA.pdf", "/o/:uuid.pdf"},
		{fold, "/o/6b29fc40ca471067b31d00dd010662da", "/o/:hash"},
		{fold, "/c/da39a3ee5e6b4b0d", "/c/:hash"},
		{fold, "/c/da39a3ee5e6b4b0", "/c/da39a3ee5e6b4b0"},
		{fold, "/c/deadbeefdeadbeef", "/c/deadbeefdeadbeef"}, // no digit: a word, as far as we know
		{fold, "/c/9007199254740993000", "/c/:id"},
		{fold, "/t/ZXlKaGJHY2lPaUpJVXpJMU5pSjkuMTIzNDU2", "/t/:token"},
		{fold, "/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmN", "/t/:token"},
		{fold, "/t/user-6b29fc40-ca47-1067-b31d-00dd010662da", "/t/:token"},
		{fold, "/blog/how-to-write-a-very-long-title-for-2026", "/blog/how-to-write-a-very-long-title-for-2026"},
		{fold, "/blog/how-to-write-a-very-long-title", "/blog/how-to-write-a-very-long-title"},
		{fold, "/t/A1bcdefghijklmnopqrstuvwxyzabcdef", "/t/:token"},
		{fold, "/t/A1bcdefghijklmnopqrstuvwxyzabcde", "/t/A1bcdefghijklmnopqrstuvwxyzabcde"}, // 32
		{fold, "/users/%34%32", "/users/%34%32"},
		{fold, "/caf\u00e9/1", "/caf\u00e9/:id"},
		{static, "/static/js/app.9e3779b1.js", "*.js"},
		{static, "/IMG/1.JPG", "*.jpg"},
		{static, "/report.pdf", "/report.pdf"},
		{static, "/js", "/js"},
		{static, "/.js/x", "/.js/x"},
		{static, "/x.woff2", "*.woff2"},
		{accesslog.Schema{FoldStatic: true}, "/users/42", "/users/42"},
		{rules, "/p/12/3", "/p/:slug"},
		{rules, "/p/x.js", "/p/:slug"},
		{rules, "/index.php", "/42"}, // not folded again
		{rules, "/q/12", "/q/:id"},
	} {
		if got := folded(t, tt.schema, tt.give); got != tt.want {
			t.Errorf("fold(%s) = %s, want %s", tt.give, got, tt.want)
		}
	}
	if _, err := accesslog.New([]string{"msec"}, accesslog.Schema{Paths: []accesslog.Path{{Match: "("}}}); err == nil {
		t.Error("a broken rule is no error")
	}
}

var fold = accesslog.Schema{Fold: true}

// Only paths are folded, and only as tags.
func TestFoldedVariables(t *testing.T) {
	s := accesslog.Schema{Fold: true, Tags: []string{"path", "request_uri", "vhost"}, Fields: []string{"uri", "query"}}
	got := one(t, s, "request_uri", "/a/1?b=2", "uri", "/a/1", "host", "10")
	want := `path=/a/:id,request_uri=/a/:id,source=s,vhost=10 uri="/a/1",query="b=2"`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzFold(f *testing.F) {
	for _, seed := range []string{
		"/users/42/7.jpg", "/o/6b29fc40-ca47-1067-b31d-00dd010662da", "/c/da39a3ee5e6b4b0d3255bf.x",
		"/t/ZXlKaGJHY2lPaUpJVXpJMU5pSjkuMTIzNDU2.a1", "1", "a/1.js", "/.1/..a", "/é1",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, path string, static bool) {
		path = strings.Map(func(r rune) rune { // what a tag keeps as it is
			if r < ' ' || r == 0x7f || r == '\\' || r == '\uFFFD' {
				return -1
			}
			return r
		}, path)
		if path == "" || path == "-" || len(path) > 400 {
			t.Skip()
		}
		s := accesslog.Schema{Fold: true, FoldStatic: static}
		once := folded(t, s, path)
		if twice := folded(t, s, once); twice != once {
			t.Errorf("fold(%q) = %q, and folded again %q", path, once, twice)
		}
		if len(once) > 2*len(path)+2 {
			t.Errorf("fold(%q) = %q, which is much longer", path, once)
		}
		if got, want := strings.Count(once, "/"), strings.Count(path, "/"); got != want && !strings.HasPrefix(once, "*.") {
			t.Errorf("fold(%q) = %q: %d slashes, want %d", path, once, got, want)
		}
	})
}
