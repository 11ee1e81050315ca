package draft

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"

	"github.com/tailflux/tailflux/internal/nginxconf"
)

// Left is an access_log that was left out.
type Left struct{ Log, Why string }

// leave notes logs that are left out for the same reason.
func (d *Draft) leave(logs []nginxconf.Log, why string) {
	var also []nginxconf.Place
	for _, log := range logs[1:] {
		also = append(also, log.At)
	}
	text := logs[0].String()
	if len(also) > 0 {
		text += " (and " + some(places(also), 4) + ")"
	}
	d.Left = append(d.Left, Left{text, why})
}

// packed says that nginx compresses a file, if one of the logs that write it does so.
func packed(log nginxconf.Log, group []nginxconf.Log) string {
	for _, other := range group {
		if other.Gzip && other.Used && other.Path == log.Path {
			return "nginx compresses it (gzip), and tailflux follows plain logs: take the parameter out, or read it with tailflux import"
		}
	}
	return ""
}

// unfit says why a log is no file that can be followed.
func unfit(log nginxconf.Log, files fs.FS) string {
	const output = "it goes to standard output, which no file keeps: let nginx write a file, or follow the log of the container's runtime, with docker or cri before the format"
	switch {
	case strings.HasPrefix(log.Target, "syslog:"):
		return "it goes to syslog: follow the file that syslog writes, with syslog before the format"
	case !log.IsFile():
		return "it goes to a program: follow the file that this writes"
	case standardOutput(log.Path):
		return output
	case strings.HasPrefix(log.Path, "/dev/"):
		return "it is a device, and no file"
	case files == nil || len(nginxconf.VariablesOf(log.Path)) > 0:
		return ""
	}
	name := strings.TrimPrefix(log.Path, "/")
	if target, err := fs.ReadLink(files, name); err == nil && standardOutput(target) {
		return output + " (there is a link to " + target + ")"
	}
	switch info, err := fs.Stat(files, name); {
	case err != nil || info.Mode().IsRegular():
		return "" // nginx makes it
	case info.IsDir():
		return "there is a directory"
	case info.Mode()&fs.ModeNamedPipe != 0:
		return "it is a pipe, and no file: what tailflux read from it, its reader would not get"
	}
	return "it is no file"
}

func standardOutput(path string) bool {
	return slices.Contains([]string{"/dev/stdout", "/dev/stderr", "/dev/console", "/dev/tty"}, path) ||
		strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/")
}

// unnamed says why the path of a log cannot be told, nor a glob that has its files and
// no other; followed is the glob of a source that has its files nevertheless, or "".
func unnamed(log nginxconf.Log, found *nginxconf.Found, followed string) string {
	switch {
	case !strings.HasPrefix(log.Path, "/"):
		return "it is relative to the prefix of nginx, which is not known here: run tailflux init where nginx is, or { nginx -V; nginx -T; } 2>&1 there, and tailflux init - here"
	case strings.ContainsAny(log.Path, `*?[\`):
		return `its name has a *, ?, [ or \, which would be a wildcard here`
	case strings.ContainsFunc(log.Path, func(r rune) bool { return r == '\uFFFD' || !unicode.IsPrint(r) }):
		return "its name has characters that a configuration cannot have"
	}
	glob := globOf(log)
	wide := strings.HasSuffix(glob, "*")
	for _, name := range nginxconf.VariablesOf(log.Path) {
		if found.Kind(name) == nginxconf.Any {
			why := fmt.Sprintf("its name has $%s in it, which a client may choose, or which has slashes, so that nobody can tell which files there will be",
				name)
			switch {
			case followed != "":
				why += "; the path " + followed + " matches them"
			case !wide:
				why += "; if you want them all, add a source with path: " + glob
			}
			return why
		}
		if wide {
			return fmt.Sprintf("its name ends with a variable, and %s would match rotated and compressed files too; write the variable further to the front",
				glob)
		}
	}
	return ""
}
