package logrotate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/logrotate"
)

func read(t *testing.T, files map[string]string) ([]logrotate.Rule, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules, err := logrotate.Read(filepath.Join(dir, "logrotate.conf"))
	for i := range rules {
		rules[i].File = strings.TrimPrefix(rules[i].File, dir+"/")
	}
	return rules, dir, err
}

// debian is what its package nginx brings.
const debian = `/var/log/nginx/*.log {
	daily
	missingok
	rotate 14
	compress
	delaycompress
	notifempty
	create 0640 www-data adm
	sharedscripts
	prerotate
		if [ -d /etc/logrotate.d/httpd-prerotate ]; then \
			run-parts /etc/logrotate.d/httpd-prerotate; \
		fi \
	endscript
	postrotate
		invoke-rc.d nginx rotate >/dev/null 2>&1
	endscript
}
`

func TestRead(t *testing.T) {
	mode := func(mode uint32, names ...string) *logrotate.Create {
		c := &logrotate.Create{Mode: mode}
		if len(names) == 2 {
			c.Owner, c.Group = names[0], names[1]
		}
		return c
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []logrotate.Rule
	}{
		{
			"Debian's",
			map[string]string{"logrotate.conf": "weekly\nrotate 4\ncreate\n#dateext\ninclude DIR/logrotate.d\n", "logrotate.d/nginx": debian, "logrotate.d/nginx.dpkg-old": debian},
			[]logrotate.Rule{{
				File: "logrotate.d/nginx", Line: 1, Patterns: []string{"/var/log/nginx/*.log"}, Every: "daily", Rotate: 14,
				Create: mode(0o640, "www-data", "adm"), Compress: true, Delay: true, Script: true,
			}},
		},
		{
			"what is said outside is for the rules after it",
			map[string]string{"logrotate.conf": "/a { }\ndateext\ncompress\n/b { nocompress }\n/c {\n}\n"},
			[]logrotate.Rule{
				{File: "logrotate.conf", Line: 1, Patterns: []string{"/a"}},
				{File: "logrotate.conf", Line: 4, Patterns: []string{"/b"}, DateExt: true},
				{File: "logrotate.conf", Line: 5, Patterns: []string{"/c"}, DateExt: true, Compress: true},
			},
		},
		{
			"paths on several lines, and between quotes",
			map[string]string{"logrotate.conf": "\"/var/log/my site/*.log\" /var/log/a.log\n/var/log/b.log\n{\ncopytruncate\nsize=100M\nmaxage 7\n}\n"},
			[]logrotate.Rule{{
				File: "logrotate.conf", Line: 3, Patterns: []string{"/var/log/my site/*.log", "/var/log/a.log", "/var/log/b.log"},
				CopyTruncate: true, Every: "size", MaxAge: 7,
			}},
		},
		{
			"a script may say what directives say",
			map[string]string{"logrotate.conf": "/a {\npostrotate\n nocreate\n copytruncate\n}\nendscript\ncreate 600\n}\n"},
			[]logrotate.Rule{{File: "logrotate.conf", Line: 1, Patterns: []string{"/a"}, Script: true, Create: mode(0o600)}},
		},
		{
			"names",
			map[string]string{"logrotate.conf": "/a {\ndateext\ndateformat .%s\nextension .log\nolddir old\ncompresscmd /usr/bin/xz\ncompress\nhourly\ncreate www-data adm\n}\n"},
			[]logrotate.Rule{{
				File: "logrotate.conf", Line: 1, Patterns: []string{"/a"}, DateExt: true, DateFormat: ".%s", Extension: ".log", OldDir: "old",
				CompressCmd: "/usr/bin/xz", Compress: true, Every: "hourly", Create: mode(0, "www-data", "adm"),
			}},
		},
		{
			"includes in circles",
			map[string]string{"logrotate.conf": "include DIR/logrotate.conf\ninclude none\n/a {\n}\n"},
			[]logrotate.Rule{{File: "logrotate.conf", Line: 3, Patterns: []string{"/a"}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules, _, err := read(t, tt.files)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, rules); diff != "" {
				t.Errorf("Read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadOfWhatIsNotThere(t *testing.T) {
	if rules, err := logrotate.Read(filepath.Join(t.TempDir(), "none")); err == nil || rules != nil {
		t.Errorf("Read = %v, %v, want an error", rules, err)
	}
}

func TestOf(t *testing.T) {
	rules := []logrotate.Rule{{Patterns: []string{"/var/log/nginx/*.log"}}, {Patterns: []string{"/var/log/nginx/access.log", "/x"}}}
	for path, want := range map[string]int{
		"/var/log/nginx/access.log": 2, "/var/log/nginx/error.log": 1, "/var/log/nginx/old/access.log": 0, "/x": 1, "/var/log/nginx/access.log.1": 0,
	} {
		if got := len(logrotate.Of(rules, path)); got != want {
			t.Errorf("Of(%s): %d rules, want %d", path, got, want)
		}
	}
}

// The names are those that logrotate 3.21 gives.
func TestRotated(t *testing.T) {
	at := time.Date(2026, 3, 5, 7, 8, 9, 0, time.UTC)
	for _, tt := range []struct {
		rule       logrotate.Rule
		want, ends string
	}{
		{logrotate.Rule{}, "access.log.1", ".gz"},
		{logrotate.Rule{Extension: ".log"}, "access.1.log", ".gz"},
		{logrotate.Rule{AddExtension: ".log"}, "access.1.log", ".gz"},
		{logrotate.Rule{DateExt: true}, "access.log-20260305", ".gz"},
		{logrotate.Rule{DateExt: true, Every: "hourly"}, "access.log-2026030507", ".gz"},
		{logrotate.Rule{DateExt: true, DateFormat: "-%Y-%m"}, "access.log-2026-03", ".gz"},
		{logrotate.Rule{DateExt: true, DateFormat: ".%s", CompressCmd: "/bin/xz"}, "access.log.1772694489", ".xz"},
		{logrotate.Rule{CompressCmd: "zstdmt"}, "access.log.1", ".gz"},
		{logrotate.Rule{CompressCmd: "zstd"}, "access.log.1", ".zst"},
		{logrotate.Rule{CompressCmd: "bzip2", CompressExt: ".b"}, "access.log.1", ".b"},
	} {
		if got := tt.rule.Rotated("/var/log/access.log", at); got != tt.want || tt.rule.Ending() != tt.ends {
			t.Errorf("%+v: %s and %s, want %s and %s", tt.rule, got, tt.rule.Ending(), tt.want, tt.ends)
		}
	}
	for old, want := range map[string]string{"": "/var/log", "old": "/var/log/old", "/srv/old": "/srv/old"} {
		if got := (&logrotate.Rule{OldDir: old}).Directory("/var/log/access.log"); got != want {
			t.Errorf("olddir %q: Directory = %s, want %s", old, got, want)
		}
	}
}
