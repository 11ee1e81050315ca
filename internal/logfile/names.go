package logfile

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/tailflux/tailflux/internal/lazyregexp"
)

// The names of rotated logs. This is the one grammar of them: logrotate calls the
// rotated files of access.log
//
//	access.log.1            numbered
//	access.log-20261122     dated (dateext)
//	access.log.old, .bak    by people
//	access.1.log            numbered, with the extension kept
//	access-20261122.log     dated, the same
//
// each with the ending of a compressed file behind it, and people access.log.gz. Any
// other name that is the log's, one of .-_ and something with a digit may be that of a
// rotated file, too (dateformat -%Y%m, access.log.2.xz), or of another log.
const (
	number = `\.\d{1,3}`
	// A year, month and day in either order, or seconds since 1970; addresses
	// and ports do not match.
	date       = `[-._]?(?:(?:19|20)\d\d[-._]?\d\d[-._]?\d\d|\d\d[-._]?\d\d[-._]?(?:19|20)\d\d|1\d{9})(?:[-._T]?\d+)*`
	byPeople   = `\.(?:old|bak)`
	readable   = `(?:\.gz|\.zst)`        // compressed, and can probably be read
	compressed = `\.(?:gz|bz2|xz|zst|Z)` // by anything
)

// renamed is what renamecopy adds until postrotate is over and the log is copied to one of these.
// Scripts call theirs so, too.
const renamed = ".tmp"

// passing matches the ends of names that editors and others give to files for a while.
var passing = lazyregexp.New(`(?:~|\.(?:tmp|part|bak|orig|save|sw[a-p]|lock|pid))$`)

// noLog matches the ends of names that people give to what they make of a log.
var noLog = lazyregexp.New(`\.(?:html?|json|csv|pdf|md5|sha\d+|asc|sig|tar(?:\.\w+)?|tgz|zip|7z|sqlite3?|db)$`)

// rotatedName matches the names of rotated logs of whatever log, and extended
// those that kept the extension. A date is taken for one only behind a dash here:
// logs may have dates in their names.
var (
	readableEnd = lazyregexp.New(readable + `$`)
	rotatedName = lazyregexp.New(`(?:` + number + `|-\d{8,}|` + byPeople + `|\` + renamed + `|` + compressed + `)$`)
	extended    = lazyregexp.New(`(?:` + number + `|` + date + `)(\.[^./]+)$`)
)

// IsRotated reports whether a path is called as the rotated files of some log are.
func IsRotated(path string) bool { return rotatedName().MatchString(path) }

// IsCompressed reports whether a file is called as compressed ones are that can be
// read. What is in it may be something else.
func IsCompressed(path string) bool { return readableEnd().MatchString(path) }

// RotatedFrom is the path of the log that a path, which keeps the log's extension,
// may be a rotated file of, or "".
func RotatedFrom(path string) string {
	at := extended().FindStringSubmatchIndex(path)
	if at == nil {
		return ""
	}
	return path[:at[0]] + path[at[2]:at[3]]
}

// names reports from its name whether a file may be a rotated file of one log.
type names struct {
	base     string // of the log
	stem     string
	begin    string // of all names that match a pattern, if it is known
	patterns []*regexp.Regexp
}

// newNames is for a log called base, which may be a link to another name.
func newNames(base, to string) names {
	n := names{base: base, stem: stem(base), begin: strings.TrimSuffix(base, filepath.Ext(base))}
	const order = `\.(\d{1,3})` // number, and a group for it
	ext := filepath.Ext(base)
	plain := quote(strings.TrimSuffix(base, ext))
	quoted := quote(base)
	add := func(pattern string) {
		n.patterns = append(n.patterns, regexp.MustCompile(`^`+pattern+readable+`?$`))
	}
	n.patterns = append(n.patterns, regexp.MustCompile(`^`+quoted+readable+`$`))
	for _, p := range []string{
		quoted + order, quoted + date, quoted + byPeople, plain + order + quote(ext), plain + date + quote(ext),
	} {
		add(p)
	}
	if to != base {
		// A link is turned to a file of another date or number.
		add(regexp.MustCompile(`\d+`).ReplaceAllString(quote(to), `\d+`))
		n.begin = ""
		if s := stem(to); !strings.HasPrefix(s, n.stem) {
			n.stem = ""
		}
	}
	return n
}

// quote is an expression for a name. A byte that is not UTF-8 is U+FFFD, as which an
// expression sees it; begin compares the bytes.
func quote(name string) string { return regexp.QuoteMeta(string([]rune(name))) }

// stem is what all names of rotated files begin with.
func stem(base string) string {
	end := strings.IndexFunc(base, func(r rune) bool { return strings.ContainsRune(".-_", r) || unicode.IsDigit(r) })
	if end <= 0 {
		return base
	}
	return base[:end]
}

func (n *names) alike(name string) bool { return strings.HasPrefix(name, n.stem) }

func (n *names) rotated(name string) (ok bool, order int) {
	if n.begin != "" && !strings.HasPrefix(name, n.begin) {
		return false, 0 // without asking an expression, for the sake of thousands of logs in one directory
	}
	for _, p := range n.patterns {
		if m := p.FindStringSubmatch(name); m != nil {
			if len(m) > 1 {
				order, _ = strconv.Atoi(m[1])
			}
			return true, order
		}
	}
	return false, 0
}

// maybe reports whether a file may be a rotated one although it is not called as those
// that are known.
func (n *names) maybe(name string) bool {
	if n.renamed(name) {
		return true
	}
	rest, ok := strings.CutPrefix(name, n.base)
	return ok && rest != "" && !passing().MatchString(rest) &&
		(!noLog().MatchString(rest) || filepath.Ext(name) == filepath.Ext(n.base)) &&
		strings.ContainsRune(".-_", rune(rest[0])) && strings.ContainsFunc(rest, unicode.IsDigit)
}

func (n *names) renamed(name string) bool { return name == n.base+renamed }

// RotatedName reports whether a file is called as rotated files are of the log that is
// called base.
func RotatedName(base, name string) bool {
	n := newNames(base, base)
	rotated, _ := n.rotated(name)
	return rotated || n.maybe(name)
}
