package nginxconf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Found is what a configuration says of logs.
type Found struct {
	Main      string   // nginx.conf
	Logs      []Log    // in the order of the configuration; one that nginx has by itself is the last
	ErrorLogs []string // files
	Variables map[string]Variable
	Troubles  []string // what could not be read; logs may be missing then
}

// A Log is one access_log, or the one that nginx has when there is none.
type Log struct {
	At      Place  // of the statement; without a line if it is nginx's own
	Target  string // as it is written
	Path    string // of a file: absolute, unless the prefix is not known; may have variables
	Format  Format
	If      string // the condition; or ""
	Buffer  string // its size; or ""
	Flush   string // how long a line waits in it; or "": until it is full
	Gzip    bool   // nginx compresses what it writes
	Stream  bool   // its lines are connections, not requests
	Off     bool   // it is "off": nothing is logged there
	Own     bool   // nginx's own
	Used    bool   // requests reach it
	Beside  bool   // an "access_log off" stands beside it, and wins
	Servers []string
}

// IsFile reports whether the log is a file at Path.
func (l Log) IsFile() bool {
	return !l.Off && !strings.HasPrefix(l.Target, "syslog:") && !strings.HasPrefix(l.Target, "pipe:") && !strings.HasPrefix(l.Target, "|")
}

// Read reads nginx.conf, whose path is absolute, and what it includes, of a file system
// from its root.
func Read(fsys fs.FS, file string, b Build) (*Found, error) {
	return inFiles(fsys, filepath.Clean(file)).find(b)
}

// ErrNoDump is that a text is no dump of nginx -T.
var ErrNoDump = errors.New("no dump of nginx -T: it has no line with # configuration file and a path")

// ReadDump reads what nginx -T has printed; what nginx -V has printed may stand before
// it, and counts for more than b. The error is [ErrNoDump] for any other text, but for what
// an nginx -T has printed that failed.
func ReadDump(in io.Reader, b Build) (*Found, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	d, ok := readDump(string(text))
	if why := failure(string(text)); !ok && why != "" {
		return nil, fmt.Errorf("nginx -T failed: %s", why)
	}
	if !ok && len(bytes.TrimSpace(text)) == 0 {
		return nil, fmt.Errorf("%w; it is empty, as if nginx -T had failed", ErrNoDump)
	}
	if !ok {
		return nil, ErrNoDump
	}
	if own := ReadBuild(d.before); own.Prefix != "" {
		b = own
	}
	return inDump(d).find(b)
}

func (t *tree) find(b Build) (*Found, error) {
	all, err := t.statements()
	if err != nil {
		return nil, err
	}
	w := walker{build: b, found: &Found{Main: t.main, Variables: map[string]Variable{}}}
	for _, s := range all {
		switch s.name {
		case "http":
			w.http(s)
		case "stream":
			w.stream(s)
		}
	}
	w.errorLogs(all)
	w.finish()
	w.found.Troubles = t.troubles
	return w.found, nil
}

// A walker goes through the blocks.
type walker struct {
	build   Build
	found   *Found
	inBlock bool // of stream
	formats map[string]Format
	logs    []*Log
	own     *level
}

// A level is what a block logs to.
type level struct {
	logs []*Log
	off  bool // and so nowhere
}

func (w *walker) http(block statement) {
	w.formats = formats(block)
	w.formats[combinedName] = combined
	w.variables(block, Any)
	w.own = &level{logs: []*Log{{
		Target: w.build.full(w.build.AccessLog), Path: w.build.full(w.build.AccessLog),
		At: Place{File: "nginx's default"}, Format: combined, Own: true,
	}}}
	if w.build.AccessLog == "" {
		w.own.logs[0].Target = "logs/access.log"
		w.own.logs[0].Path = "logs/access.log"
	}
	outer := w.level(block, w.own)
	servers := 0
	for _, s := range block.block {
		if s.name == "server" {
			servers++
			w.requests(s, outer, serverName(s), true)
		}
	}
	if servers == 0 && outer != w.own {
		outer.use("")
	}
	w.logs = append(w.logs, w.own.logs[0])
}

func (w *walker) stream(block statement) {
	w.formats, w.inBlock = formats(block), true
	w.variables(block, Any)
	defer func() { w.inBlock = false }()
	outer := w.level(block, nil)
	servers := 0
	for _, s := range block.block {
		if s.name == "server" {
			servers++
			if own := w.level(s, outer); own != nil {
				own.use("")
			}
		}
	}
	if servers == 0 && outer != nil {
		outer.use("")
	}
}

// requests goes through a block that requests end in: a server or one within it.
func (w *walker) requests(block statement, outer *level, server string, counts bool) {
	own := w.level(block, outer)
	if own != outer || counts {
		own.use(server)
	}
	for _, s := range block.block {
		switch s.name {
		case "location", "if", "limit_except":
			w.requests(s, own, server, false)
		}
	}
}

// use notes that requests of a server reach the logs.
func (l *level) use(server string) {
	for _, log := range l.logs {
		log.Used = log.Used || !l.off || log.Off
		if server != "" && !slices.Contains(log.Servers, server) {
			log.Servers = append(log.Servers, server)
		}
	}
}

// level is what a block logs to: to that of the block around it, unless it has an
// access_log.
func (w *walker) level(block statement, outer *level) *level {
	own := &level{}
	for _, s := range block.block {
		if s.name != "access_log" || len(s.args) == 0 {
			continue
		}
		log := w.log(s)
		own.off = own.off || log.Off
		own.logs = append(own.logs, log)
	}
	if len(own.logs) == 0 {
		return outer
	}
	for _, log := range own.logs {
		log.Beside = own.off && !log.Off
	}
	w.logs = append(w.logs, own.logs...)
	return own
}

// log reads one access_log.
func (w *walker) log(s statement) *Log {
	l := &Log{At: s.at, Target: s.arg(0), Stream: w.inBlock}
	if l.Off = l.Target == "off"; l.Off {
		return l
	}
	if l.IsFile() {
		l.Path = w.build.full(l.Target)
	}
	name := combinedName
	if len(s.args) > 1 {
		name = s.arg(1)
	}
	format, known := w.formats[name]
	if !known {
		format = Format{Name: name}
	}
	l.Format = format
	for i := 2; i < len(s.args); i++ {
		switch key, value, _ := strings.Cut(s.arg(i), "="); key {
		case "buffer":
			l.Buffer = value
		case "flush":
			l.Flush = value
		case "gzip":
			l.Gzip = value != "0"
		case "if":
			l.If = value
		}
	}
	return l
}

// serverName is what a server is called, or "": its first name, one that is no regular
// expression if there is such a one.
func serverName(server statement) (name string) {
	for _, s := range server.block {
		for _, word := range s.args {
			switch {
			case s.name != "server_name" || word.text == "" || word.text == "_":
			case !strings.HasPrefix(word.text, "~"):
				return word.text
			case name == "":
				name = word.text
			}
		}
	}
	return name
}

// errorLogs notes the files of all error_logs.
func (w *walker) errorLogs(all []statement) {
	for _, s := range all {
		w.errorLogs(s.block)
		if s.name != "error_log" || len(s.args) == 0 {
			continue
		}
		target := s.arg(0)
		if target == "stderr" || strings.HasPrefix(target, "syslog:") || strings.HasPrefix(target, "memory:") {
			continue
		}
		if path := w.build.full(target); !slices.Contains(w.found.ErrorLogs, path) {
			w.found.ErrorLogs = append(w.found.ErrorLogs, path)
		}
	}
}

// finish takes the logs into what was found.
func (w *walker) finish() {
	for _, log := range w.logs {
		if !log.Own || log.Used {
			w.found.Logs = append(w.found.Logs, *log)
		}
	}
}

// String is the statement, for people.
func (l Log) String() string {
	if l.Own {
		return "nginx's own access_log " + l.Target
	}
	text := "access_log " + l.Target
	if !l.Off && l.Format.Name != combinedName {
		text += " " + l.Format.Name
	}
	return fmt.Sprintf("%s: %s", l.At, text)
}
