// Package doctor finds out what keeps tailflux from working here, now and after the next
// rotation: it looks at the logs, at logrotate's rules, at the state directory and at
// InfluxDB, as the user that the daemon runs as.
//
//	Options ──► Run ──► Finding, Finding, …      a verdict, why, and what to do
//	                        └──► Printer, JSON
//
// It changes nothing on the disk and nothing in InfluxDB, and it asks each thing that may
// not answer for a few seconds only. What it cannot find out is said or left out; it is
// never called fine.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/logrotate"
	"github.com/tailflux/tailflux/internal/nginxconf"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
)

// Verdict is how bad a finding is.
type Verdict int

// Verdicts. Only an error is a reason to fail.
const (
	OK      Verdict = iota
	Note            // worth to know, and perhaps as it should be
	Warning         // lines may be lost, late or wrong
	Error           // it does not work
)

var verdicts = []string{"ok", "note", "warning", "error"}

func (v Verdict) String() string { return verdicts[v] }

// MarshalText is for JSON.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// A Finding is the answer to one question. Its JSON is documented in docs/check.md.
type Finding struct {
	Verdict Verdict `json:"verdict"`
	Subject string  `json:"subject"` // "source NAME", influxdb, state_dir, …
	Check   string  `json:"check"`   // one of those in docs/check.md
	Reason  string  `json:"reason"`
	Remedy  string  `json:"remedy,omitempty"`
}

// Options say what to look at. All but Config and Store may be left out.
type Options struct {
	Config    *config.Config
	File      string // of the configuration; "" if there is none
	Store     *influx.Client
	Rollups   []rollup.Definition // those of the configuration
	Misnomers []config.Misnomer   // variables of the environment
	User      User                // whose rights count; the zero value is who runs this
	Unit      Unit                // that was found; the zero value is none

	OpenFiles uint64            // so many may be open; 0: as of this process
	Logrotate string            // its configuration; "" is the usual one
	Proc      string            // "" is /proc
	Nginx     string            // nginx.conf; "" is the usual one
	Found     func(Finding)     // is told each finding at once
	Asking    func(what string) // is told what may take a while
}

// Run looks, and returns what it found.
func Run(ctx context.Context, o Options) []Finding {
	d := &doctor{Options: o, now: time.Now()}
	if d.Logrotate == "" {
		d.Logrotate = logrotate.Conf
	}
	if d.Nginx == "" {
		d.Nginx = nginxConf
	}
	if d.Proc == "" {
		d.Proc = "/proc"
	}
	if d.User.Name == "" {
		d.User = Self()
	}
	d.about("configuration", d.configuration)
	d.about("user", d.user)
	d.about("state_dir", d.state)
	for i := range d.Config.Sources {
		d.about("source "+d.Config.Sources[i].Name, func() { d.source(d.Config.Sources[i]) })
	}
	d.about("influxdb", func() { d.store(ctx) })
	d.about("listen", func() { d.listen(ctx) })
	return d.found
}

// Worst is the worst verdict of some findings.
func Worst(all []Finding) (worst Verdict) {
	for _, f := range all {
		worst = max(worst, f.Verdict)
	}
	return worst
}

// A doctor is one run.
type doctor struct {
	Options
	now     time.Time
	subject string
	found   []Finding

	accessLogs []nginxconf.Log

	holder  int // pid of the tailflux that has the state directory; 0: none, or not known
	running bool
	formats []shape.Finding
	blind   bool   // they cannot be known
	sample  sample // of the newest lines of all sources
	rules   []logrotate.Rule
	norules error     // why rules of logrotate are not known
	oldest  time.Time // of the lines that are to be sent; zero: there are none

	checkpoint map[string]*checkpoint.Source
}

func (d *doctor) about(subject string, look func()) {
	d.subject = subject
	look()
}

func (d *doctor) say(v Verdict, check, reason, remedy string) {
	f := Finding{Verdict: v, Subject: d.subject, Check: check, Reason: reason, Remedy: remedy}
	d.found = append(d.found, f)
	if d.Found != nil {
		d.Found(f)
	}
}

func (d *doctor) ok(check, format string, args ...any) {
	d.say(OK, check, fmt.Sprintf(format, args...), "")
}

func (d *doctor) asking(format string, args ...any) {
	if d.Asking != nil {
		d.Asking(fmt.Sprintf(format, args...))
	}
}

// configuration has what is accepted and probably not meant, in the file and around it.
func (d *doctor) configuration() {
	from := d.File
	if from == "" {
		from = "no file: flags and variables"
	}
	d.ok("configuration", "%s; %s", from, count(len(d.Config.Sources), "source"))
	for _, warning := range d.Config.Warnings() {
		d.say(Warning, "configuration", warning, "")
	}
	for _, misnomer := range d.Misnomers {
		d.say(Warning, "environment", misnomer.Name+" has no effect", misnomer.Meant)
	}
	d.readNginx()
	d.rules, d.norules = logrotate.Read(d.Logrotate)
	var err error
	d.formats, err = shape.Findings(d.Config)
	if d.blind = err != nil; d.blind && !errors.Is(err, syscall.ENOTDIR) { // said of state_dir
		d.say(Error, "state-files", err.Error(), "see docs/state-directory.md; a damaged file is set aside at the next start")
	}
}

// secrets says which files the user may not read that it must, beside the logs.
func (d *doctor) secrets() {
	db := d.Config.InfluxDB
	for _, file := range []struct{ key, path string }{
		{"the configuration", d.File},
		{"influxdb.password_file", db.PasswordFile},
		{"influxdb.token_file", db.TokenFile},
		{"http.token_file", d.Config.HTTP.TokenFile},
		{"influxdb.ca_file", db.CAFile},
		{"influxdb.client_cert_file", db.ClientCertFile},
		{"influxdb.client_key_file", db.ClientKeyFile},
	} {
		if file.path == "" || d.Unit.handsOver(file.path) {
			continue
		}
		if no := d.User.denied(file.path); no != nil {
			d.say(Error, "configuration", file.key+": "+no.Reason, no.Remedy)
		}
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%s %ss", thousands(int64(n)), what)
}

// thousands writes a number with commas.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func size(bytes int64) string {
	const unit = 1000
	if bytes < unit {
		return fmt.Sprintf("%d bytes", bytes)
	}
	f, units := float64(bytes)/unit, []string{"kB", "MB", "GB", "TB", "PB"}
	for ; f >= unit && len(units) > 1; units = units[1:] {
		f /= unit
	}
	if f < 10 {
		return fmt.Sprintf("%.1f %s", f, units[0])
	}
	return fmt.Sprintf("%.0f %s", f, units[0])
}

// span writes a duration as people say it.
func span(t time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if t >= 2*unit.of {
			return count(int(t/unit.of), unit.name)
		}
	}
	return count(int(t/time.Second), "second")
}

// paths are the files of a source that are there, but for those of others.
func (d *doctor) paths(source config.Source) []string {
	return slices.DeleteFunc(shape.Paths(d.Config, source), func(path string) bool {
		return d.formatOf(source.Name, path) == nil && slices.ContainsFunc(d.formats, func(f shape.Finding) bool { return f.Path == path && !f.Unfit })
	})
}

func (d *doctor) formatOf(source, path string) *shape.Finding {
	at := slices.IndexFunc(d.formats, func(f shape.Finding) bool { return f.Source == source && f.Path == path })
	if at < 0 {
		return nil
	}
	return &d.formats[at]
}
