package nginxconf

import (
	"cmp"
	"strings"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// A dump is what nginx -T prints: each file after a line with its name.
type dump struct {
	main   string // the first one
	files  map[string]string
	before string // what nginx said before it
}

var dumped = lazyregexp.New(`(?m)^# configuration file (.+):\r?$`)

// readDump reads a dump; ok is false for any other text.
func readDump(text string) (d dump, ok bool) {
	heads := dumped().FindAllStringSubmatchIndex(text, -1)
	if heads == nil {
		return d, false
	}
	d.before, d.files = text[:heads[0][0]], map[string]string{}
	for i, head := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		path := text[head[2]:head[3]]
		if i == 0 {
			d.main = path
		}
		if _, twice := d.files[path]; !twice {
			d.files[path] = strings.TrimPrefix(text[head[1]:end], "\n")
		}
	}
	return d, true
}

var (
	emergency = lazyregexp.New(`(?m)^(?:nginx: |[0-9/]+ [0-9:]+ )\[emerg\] .*\S`)
	failed    = lazyregexp.New(`(?m)^nginx: configuration file .* test failed`)
)

// failure is the line in which nginx says why its -T failed, or "".
func failure(text string) string {
	return cmp.Or(emergency().FindString(text), failed().FindString(text))
}

// Build is what an nginx was built with: it says where files are that nginx.conf does
// not name. The zero value is an nginx of which nothing is known.
type Build struct {
	Prefix    string // of relative paths
	Conf      string // nginx.conf
	AccessLog string // of servers without an access_log
}

// ReadBuild reads what nginx -V prints.
func ReadBuild(text string) (b Build) {
	_, arguments, ok := strings.Cut(text, "configure arguments:")
	if !ok {
		return b
	}
	arguments, _, _ = strings.Cut(arguments, "\n")
	b = Build{Prefix: "/usr/local/nginx", Conf: "conf/nginx.conf", AccessLog: "logs/access.log"}
	for argument := range strings.FieldsSeq(arguments) {
		key, value, _ := strings.Cut(argument, "=")
		switch key {
		case "--prefix":
			b.Prefix = strings.TrimRight(value, "/")
		case "--conf-path":
			b.Conf = value
		case "--http-log-path":
			b.AccessLog = value
		}
	}
	b.Conf = b.full(b.Conf)
	return b
}

// full is a path as nginx opens it; it stays relative if the prefix is not known.
func (b Build) full(path string) string {
	if strings.HasPrefix(path, "/") || b.Prefix == "" {
		return path
	}
	return b.Prefix + "/" + path
}
