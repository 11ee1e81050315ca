package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// finish fills in what follows from other keys and judges what no key can be
// judged by alone.
func (l *loader) finish(check func(*Config, Source) error, files func(*Config) error) {
	if l.needSource && len(l.sources) == 0 && !l.blind {
		got := "none"
		if l.name == "" {
			got = "none (there is no file " + DefaultFile + ")"
		}
		l.fail(l.at["sources"], "sources", got, "at least one, in "+cmp.Or(l.name, "a file with --config")+" or as --path FILE")
	}
	names, paths, tags := map[string]position{}, map[string]position{}, map[string]*located{}
	for i := range l.sources {
		s := &l.sources[i]
		l.complete(s)
		l.differ(names, s, s.Name, s.Name, "name")
		l.differAsTags(tags, s)
		l.differ(paths, s, s.Path, absolute(s.Path), "path")
		l.validateFormat(s, check)
		l.at[pathOf(i)] = s.at["path"]
		l.config.Sources = append(l.config.Sources, s.Source)
	}
	if l.described != nil {
		l.validateFormat(l.described, check)
	}
	l.differFromGlobs()
	l.exposed()
	l.credentials()
	if files != nil {
		l.unusable(files(&l.config))
	}
	l.validateMeasurement()
	l.validateRollups()
	l.validateRetention()
	l.counts("tags", l.config.Tags)
	l.counts("fields", l.config.Fields)
	for i, tag := range l.config.Tags {
		for j, before := range l.config.Tags[:i] {
			if tag != before && tag != "" && nginxvar.Same(tag, before) {
				l.twice(i, j)
			}
		}
	}
	for i, field := range l.config.Fields {
		for j, tag := range l.config.Tags {
			if field == tag && field != "" {
				l.both(field, i, j)
			}
		}
	}
}

// exposed reports an HTTP server that others can reach, and nobody said that they may.
func (l *loader) exposed() {
	c := &l.config
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || l.asks || isLoopback(host) || c.HTTP.TokenFile != "" || c.HTTP.Public {
		return // an address that is none is reported
	}
	l.fail(l.at["listen"], "listen",
		shorten(c.Listen)+", which other machines can reach: whoever asks /monitor sees paths, errors and rejected lines",
		"an address of this machine alone such as 127.0.0.1:9193; or http.token_file, a file with a token that is asked for; or http.public: true, everybody may see them")
}

// credentials judges how tailflux shows who it is.
func (l *loader) credentials() {
	db := l.config.InfluxDB
	if db.TokenFile != "" && db.Username != "" {
		l.fail(l.at["influxdb.token_file"], "influxdb.token_file",
			shorten(db.TokenFile)+" beside influxdb.username at "+l.at["influxdb.username"].String(), "one of the two")
	} else {
		l.together("influxdb.username", db.Username, "influxdb.password_file", db.PasswordFile)
	}
	l.together("influxdb.password_file", db.PasswordFile, "influxdb.username", db.Username)
	l.together("influxdb.client_cert_file", db.ClientCertFile, "influxdb.client_key_file", db.ClientKeyFile)
	l.together("influxdb.client_key_file", db.ClientKeyFile, "influxdb.client_cert_file", db.ClientCertFile)
}

// unusable reports files that cannot be used, each where it is named.
func (l *loader) unusable(err error) {
	var one fileError
	switch several, joined := err.(interface{ Unwrap() []error }); {
	case err == nil:
	case joined:
		for _, err := range several.Unwrap() {
			l.unusable(err)
		}
	case errors.As(err, &one):
		l.add(l.at[one.key], one.key, one.err.Error())
	default:
		l.other = append(l.other, err)
	}
}

// together reports a key that is set without another one that belongs to it.
func (l *loader) together(key, text, other, without string) {
	at, given := l.at[other]
	wrong := given && slices.ContainsFunc(l.problems, func(p problem) bool { return p.at == at })
	if text != "" && without == "" && !wrong {
		l.fail(l.at[key], key, shorten(text)+" without "+other, "both "+key+" and "+other+", or none")
	}
}

// complete fills in the defaults of a source.
func (l *loader) complete(s *located) {
	standard := defaultSource()
	if s.Start == "" {
		s.Start = standard.Start
	}
	_, format := s.at["format"]
	_, regexp := s.at["regexp"]
	if !format && !regexp {
		s.Format = standard.Format
	}
	s.Anew = format && s.Format == standard.Format
	if _, named := s.at["name"]; !named && s.Path != "" {
		s.Name = filepath.Base(s.Path)
	}
	if _, ok := s.at["path"]; ok {
		return
	}
	if at := s.at[""]; at.line > 0 {
		l.fail(at, s.shown, "no path", "the path of a log file, or a glob")
	} else {
		l.fail(at, "", "no path beside it", "--path FILE too: together they describe one source, in place of those of the file")
	}
}

// absolute is a path from the root; "" if there is none.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if from, err := filepath.Abs(path); err == nil {
		return from
	}
	return path // the working directory is gone
}

// differ reports a second source with the same key. text means the same as full.
func (l *loader) differ(seen map[string]position, s *located, text, full, key string) {
	if text == "" {
		return // reported, or absent, which is
	}
	at, given := s.at[key]
	got := shorten(text)
	if full != text {
		got += ", which is " + shorten(full)
	}
	if !given {
		at, got = s.at["path"], got+" (the base name of the path)"
	}
	if first, taken := seen[full]; taken {
		l.fail(at, s.shown+"."+key, got+" again, first at "+first.String(), "another "+key+" for each source")
		return
	}
	seen[full] = at
}

// differAsTags reports a source whose name is another one's in InfluxDB: two logs with one tag
// would overwrite each other's points.
func (l *loader) differAsTags(seen map[string]*located, s *located) {
	tag := lineproto.TagValue(s.Name)
	first := seen[tag]
	if first == nil || tag == "" {
		seen[tag] = s
		return
	}
	if first.Name != s.Name { // else that is reported
		l.fail(s.namedAt(), s.shown+".name",
			shorten(s.Name)+", which in InfluxDB is "+shorten(tag)+", as the name at "+first.namedAt().String()+" is",
			fmt.Sprintf("names that differ in their first %d bytes, and not only by control characters or a backslash at the end",
				lineproto.MaxTagValue))
	}
}

// namedAt is where a source has its name from.
func (s *located) namedAt() position {
	if at, given := s.at["name"]; given {
		return at
	}
	return s.at["path"]
}

// differFromGlobs reports a source that may be called like a file of a glob, which
// is named after the glob, with a colon and what the wildcards stand for.
func (l *loader) differFromGlobs() {
	for _, glob := range l.sources {
		if !glob.IsGlob() || glob.Name == "" {
			continue
		}
		for i := range l.sources {
			s := &l.sources[i]
			if !strings.HasPrefix(s.Name, glob.Name+":") {
				continue
			}
			l.fail(s.namedAt(), s.shown+".name",
				shorten(s.Name)+", which a file of the glob "+shorten(glob.Name)+" may be called",
				"a name that does not begin with "+shorten(glob.Name+":"))
		}
	}
}

// validateFormat checks how the lines of a source are parsed.
func (l *loader) validateFormat(s *located, check func(*Config, Source) error) {
	key, text := "format", s.Format
	if s.Regexp != "" {
		key, text = "regexp", s.Regexp
	}
	at, given := s.at[key]
	switch format, both := s.at["format"]; {
	case key == "regexp" && both:
		l.fail(at, s.shown+".regexp", "a regexp beside the format at "+format.String(), "one of the two")
		return
	case text == "" || check == nil:
		return
	case !given:
		at = s.at[""]
	}
	if err := check(&l.config, s.Source); err != nil {
		l.add(at, s.shown+"."+key, "got "+shorten(text)+": "+err.Error())
	}
}

// counts reports the name of the field that a point without any field has.
func (l *loader) counts(key string, names []string) {
	i := slices.Index(names, "count")
	if i < 0 {
		return
	}
	at, given := l.at[fmt.Sprintf("%s[%d]", key, i)]
	if !given {
		at = l.at[key]
	}
	l.fail(at, fmt.Sprintf("%s[%d]", key, i), `"count", which a point without any field has by itself (count=1i)`,
		"another name: leave it out, or rename the variable of the log, such as rename: {count: items}")
}

// twice reports a tag that another tag is the same as.
func (l *loader) twice(tag, before int) {
	key := fmt.Sprintf("tags[%d]", tag)
	at, given := l.at[key]
	if !given {
		at = l.at["tags"]
	}
	l.fail(at, key, shorten(l.config.Tags[tag])+", which is the same as "+shorten(l.config.Tags[before]), "one name of a variable")
}

// both reports a variable that is a field and a tag.
func (l *loader) both(name string, field, tag int) {
	key := fmt.Sprintf("fields[%d]", field)
	at, given := l.at[key]
	if !given {
		key = fmt.Sprintf("tags[%d]", tag)
		at = l.at[key]
	}
	l.fail(at, key, shorten(name)+" in tags and in fields", "it in one of them")
}
