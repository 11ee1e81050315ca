package nginxconf_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/nginxconf"
)

// found reads a configuration of these files.
func found(t *testing.T, files map[string]string) *nginxconf.Found {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(text)}
	}
	f, err := nginxconf.Read(fsys, "/etc/nginx/nginx.conf", nginxconf.Build{Prefix: "/p", AccessLog: "logs/access.log"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// used are the paths of the logs that requests reach, with the names of their formats.
func used(f *nginxconf.Found) (all []string) {
	for _, log := range f.Logs {
		if log.Used && !log.Off && !log.Beside {
			all = append(all, log.Path+" "+log.Format.Name)
		}
	}
	return all
}

// The access_log of a block replaces those of the blocks around it.
func TestInheritance(t *testing.T) {
	for _, tt := range []struct {
		name, http string
		want       []string
	}{
		{"of http", `access_log /h; server { location / {} }`, []string{"/h combined"}},
		{"of a server", `access_log /h; server { access_log /s; }`, []string{"/s combined"}},
		{"of one of two servers", `access_log /h; server { access_log /s; } server {}`, []string{"/h combined", "/s combined"}},
		{"of a location", `access_log /h; server { location / { access_log /l; location /in { } } }`, []string{"/h combined", "/l combined"}},
		{"of an if in it", `server { access_log /s; location / { if ($a) { access_log /i; } } }`, []string{"/s combined", "/i combined"}},
		{"of limit_except", `server { access_log /s; location / { limit_except GET { access_log /e; } } }`, []string{"/s combined", "/e combined"}},
		{"nginx's own", `server {}`, []string{"/p/logs/access.log combined"}},
		{"nginx's own beside others", `server { access_log /s; } server {}`, []string{"/s combined", "/p/logs/access.log combined"}},
		{"several of one block", `server { access_log /a; access_log /b; }`, []string{"/a combined", "/b combined"}},
		{"off", `access_log /h; server { access_log off; }`, nil},
		{"off within", `access_log /h; server { location / { access_log off; } }`, []string{"/h combined"}},
		{"on again within off", `access_log off; server { location / { access_log /l; } }`, []string{"/l combined"}},
		{"off wins in its own block", `server { access_log /a; access_log off; }`, nil},
		{"no server", `access_log /h;`, []string{"/h combined"}},
		{"a format that comes later", `server { access_log /s x; } log_format x '$msec';`, []string{"/s x"}},
		{"not of a map", `server { access_log /s; } map $a $b { access_log /m; }`, []string{"/s combined"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := used(found(t, map[string]string{"/etc/nginx/nginx.conf": "http {" + tt.http + "}"}))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Words are read as nginx reads them (internal/e2e compares with a real one).
func TestWords(t *testing.T) {
	for conf, want := range map[string]string{
		`'a\tb'`:         "a\tb",
		`"a\tb"`:         "a\tb",
		`a\tb`:           "a\tb",
		`'it\'s'`:        `it's`,
		`"it\'s"`:        `it's`,
		`'say \"x\"'`:    `say "x"`,
		`"say \"x\""`:    `say "x"`,
		`'a\\tb'`:        `a\tb`,
		`'a\\'`:          `a\`,
		`'\\\'\\'`:       `\'\`,
		`'\w\d'`:         `\w\d`,
		`'a' "b" c`:      `abc`,
		`'a;{}#b'`:       `a;{}#b`,
		"'a' # '; }\n b": `ab`,
		`${x}y`:          `${x}y`,
		`'größe'`:        `größe`,
		"'a'\r\n\t'b'":   `ab`,
		`a"b`:            `a"b`,
	} {
		f := found(t, map[string]string{"/etc/nginx/nginx.conf": "http { log_format f " + conf + ";\nserver { access_log /l f; } }"})
		if got := f.Logs[0].Format.Text; got != want {
			t.Errorf("%s is %q, want %q", conf, got, want)
		}
		again := found(t, map[string]string{"/etc/nginx/nginx.conf": "http { " + f.Logs[0].Format.Pasted + "\nserver { access_log /l f; } }"})
		if got := again.Logs[0].Format.Text; got != want {
			t.Errorf("%s, pasted as %s, is %q, want %q", conf, f.Logs[0].Format.Pasted, got, want)
		}
	}
}

// A program in Lua has its own quotes and braces.
func TestLua(t *testing.T) {
	for _, program := range []string{
		`{ local a = "}" }`, `{ -- don't }` + "\n}", `{ --[[ don't } ]] }`, `{ --[==[ don't ]] } ]==] }`, `{ a = [[ it's } ]] }`,
		`{ a = 'it\'s }' }`, `{ t = { { 1 }, [1] = 2 } x = a[b[1]] - 1 }`, "\n{ x() }", `{}`, `{ a = '--' } `,
	} {
		for _, head := range []string{"content_by_lua_block ", "content_by_lua_block", "set_by_lua_block $x "} {
			got := used(found(t, map[string]string{"/etc/nginx/nginx.conf": "http { server { location / {\n" + head + program + "\n}\n access_log /after; } }"}))
			if diff := cmp.Diff([]string{"/after combined"}, got); diff != "" {
				t.Errorf("%s%s: %s", head, program, diff)
			}
		}
	}
}

// Includes take what nginx takes, in its order.
func TestIncludes(t *testing.T) {
	server := func(log string) string { return "server { access_log " + log + "; }\n" }
	for _, tt := range []struct {
		name, include string
		files         map[string]string
		want          []string
	}{
		{"relative to nginx.conf", "sites/a", map[string]string{"sites/a": server("/a")}, []string{"/a combined"}},
		{"relative within another directory", "sites/a", map[string]string{"sites/a": "include sites/b;", "sites/b": server("/b")}, []string{"/b combined"}},
		{"a wildcard", "sites/*", map[string]string{"sites/b": server("/b"), "sites/a": server("/a")}, []string{"/a combined", "/b combined"}},
		{"a wildcard takes no hidden file", "sites/*", map[string]string{"sites/.a.swp": server("/a"), "sites/b": server("/b")}, []string{"/b combined"}},
		{"unless its dot is said", "sites/.*", map[string]string{"sites/.a": server("/a")}, []string{"/a combined"}},
		{"a range that is not", "sites/[!a]*", map[string]string{"sites/a": server("/a"), "sites/b": server("/b")}, []string{"/b combined"}},
		{"a range", "sites/a[.]conf", map[string]string{"sites/a.conf": server("/a")}, []string{"/a combined"}},
		{"nothing matches", "none/*.conf", nil, nil},
		{"one file twice", "sites/a; include sites/a", map[string]string{"sites/a": server("/a")}, []string{"/a combined", "/a combined"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"/etc/nginx/nginx.conf": "http { include " + tt.include + "; }"}
			for name, text := range tt.files {
				files["/etc/nginx/"+name] = text
			}
			f := found(t, files)
			if diff := cmp.Diff(tt.want, used(f)); diff != "" || len(f.Troubles) > 0 {
				t.Error(diff, f.Troubles)
			}
		})
	}
}

// Includes that lead back to themselves end, and are named.
func TestCircles(t *testing.T) {
	many := map[string]string{"/etc/nginx/nginx.conf": "http { server { access_log /s; } include all/*; }"}
	for i := range 12 {
		many[fmt.Sprintf("/etc/nginx/all/%d", i)] = "include all/*;"
	}
	for name, files := range map[string]map[string]string{
		"itself":     {"/etc/nginx/nginx.conf": "http { server { access_log /s; } include nginx.conf; }"},
		"two":        {"/etc/nginx/nginx.conf": "http { server { access_log /s; } include a; }", "/etc/nginx/a": "include b;", "/etc/nginx/b": "include /etc/nginx/a;"},
		"a wildcard": {"/etc/nginx/nginx.conf": "http { server { access_log /s; } include d/*; }", "/etc/nginx/d/x": "include d/*;"},
		"many":       many,
	} {
		f := found(t, files)
		if diff := cmp.Diff([]string{"/s combined"}, used(f)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if len(f.Troubles) == 0 || !strings.Contains(f.Troubles[0], "again, which led there") {
			t.Errorf("%s: it says %q", name, f.Troubles)
		}
	}
}

// What is wrong is named with its place.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"http {\n server {\n":       "/etc/nginx/nginx.conf:2: server: the block that begins here is not closed",
		"http {\n access_log /a\n":  "/etc/nginx/nginx.conf:2: access_log: the file ends before the statement does",
		"http { access_log 'a; }\n": "the file ends before the statement does",
		"}\n":                       `/etc/nginx/nginx.conf:1: unexpected "}"`,
		"http { a }\n":              `/etc/nginx/nginx.conf:1: unexpected "}"`,
	} {
		fsys := fstest.MapFS{"etc/nginx/nginx.conf": {Data: []byte(text)}}
		if _, err := nginxconf.Read(fsys, "/etc/nginx/nginx.conf", nginxconf.Build{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// A dump of nginx -T is read like the files; what nginx -V says may stand before it.
func TestDump(t *testing.T) {
	const dump = "nginx: [warn] something\n# configuration file /etc/nginx/nginx.conf:\nhttp { include conf.d/*.conf; }\n\n" +
		"# configuration file /etc/nginx/conf.d/b.conf:\nserver { access_log logs/b; }\n\n# configuration file /etc/nginx/other.conf:\nserver { access_log /other; }\n"
	for said, want := range map[string]string{
		"": "/p/logs/b combined",
		"nginx version: nginx/1.2\nconfigure arguments: --prefix=/q/ --with-debug\n": "/q/logs/b combined",
		"configure arguments: --with-debug\n":                                        "/usr/local/nginx/logs/b combined",
	} {
		f, err := nginxconf.ReadDump(strings.NewReader(said+dump), nginxconf.Build{Prefix: "/p"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, used(f)); diff != "" {
			t.Error(said, diff)
		}
	}
	if _, err := nginxconf.ReadDump(strings.NewReader("http {}"), nginxconf.Build{}); !errors.Is(err, nginxconf.ErrNoDump) {
		t.Errorf("of another text: %v", err)
	}
}

// What nginx -T prints when it fails is no nginx.conf.
func TestDumpThatFailed(t *testing.T) {
	const version = "nginx version: nginx/1.22.1\nconfigure arguments: --prefix=/p\n"
	for text, want := range map[string]string{
		version + "2026/12/01 03:11:04 [emerg] 1668#1668: host not found in upstream \"a\" in /n.conf:1\nnginx: configuration file /n.conf test failed\n": "nginx -T failed: 2026/12/01 03:11:04 [emerg] 1668#1668: host not found in upstream \"a\" in /n.conf:1",
		"nginx: [emerg] unknown directive \"a\" in /n.conf:1\r\n": "nginx -T failed: nginx: [emerg] unknown directive \"a\" in /n.conf:1",
		"nginx: configuration file /n.conf test failed\n":         "nginx -T failed: nginx: configuration file /n.conf test failed",
		"\n":                         "it is empty, as if nginx -T had failed",
		"# no [emerg] here\nhttp {}": "no dump of nginx -T: it has no line with # configuration file and a path",
	} {
		if _, err := nginxconf.ReadDump(strings.NewReader(text), nginxconf.Build{}); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("ReadDump(%q): %v, want %s", text, err, want)
		}
	}
}

// What a variable of a path can be decides whether a wildcard may stand for it.
func TestKinds(t *testing.T) {
	f := found(t, map[string]string{"/etc/nginx/nginx.conf": `http {
		map $time_iso8601 $day { "~^(?<ymd>[0-9-]+)T" $ymd; default none; }
		map $time_iso8601 $numbered { "~^([0-9-]+)T" $1; }
		map $host $few { default a; b.example.com b; }
		map $host $group { "~^(.+)\.example" $1; }
		map $host $slash { default a/b; }
		geo $net { default out; 10.0.0.0/8 in; }
		server {
			set $const shop; set $both a;
			if ($time_iso8601 ~ "^(?<year>\d+)-(?<month>\d+)") { set $both $arg_x; }
			set $copied "$year-$month";
		} }`})
	for name, want := range map[string]nginxconf.Variable{
		"server_name": nginxconf.Fixed, "few": nginxconf.Fixed, "net": nginxconf.Fixed, "const": nginxconf.Fixed,
		"day": nginxconf.Dated, "ymd": nginxconf.Dated, "numbered": nginxconf.Dated, "year": nginxconf.Dated, "copied": nginxconf.Dated,
		"host": nginxconf.Any, "http_x": nginxconf.Any, "group": nginxconf.Any, "slash": nginxconf.Any, "both": nginxconf.Any, "unknown": nginxconf.Any,
	} {
		if got := f.Kind(name); got != want {
			t.Errorf("$%s is %d, want %d", name, got, want)
		}
	}
}
