package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/logrotate"
)

// rotations says what logrotate will do with some logs, and whether tailflux can follow.
func (d *doctor) rotations(paths []string) {
	var without []string
	for _, path := range paths {
		at, rules := d.rulesOf(path)
		if len(rules) == 0 {
			without = append(without, path)
			continue
		}
		d.rotation(path, at, rules)
	}
	if len(without) == 0 {
		return
	}
	why := ""
	if d.norules != nil {
		why = " (" + cause(d.norules) + ")"
	}
	d.say(Note, "logrotate", "no rule of logrotate is for "+list(without)+why,
		"if nothing else rotates it, it fills the disk; docs/following.md says how")
}

// rulesOf returns the rules for a log, and the path by which they know it.
func (d *doctor) rulesOf(path string) (at string, rules []logrotate.Rule) {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	if rules = logrotate.Of(d.rules, abs); len(rules) == 0 {
		if to, err := filepath.EvalSymlinks(abs); err == nil {
			return to, logrotate.Of(d.rules, to)
		}
	}
	return abs, rules
}

func (d *doctor) rotation(path, at string, rules []logrotate.Rule) {
	if len(rules) > 1 {
		d.say(Warning, "logrotate",
			fmt.Sprintf("%s is in two rules, %s and %s: logrotate refuses the second", path, where(rules[0]), where(rules[1])),
			"leave one of them")
	}
	r := rules[0]
	before := len(d.found)
	d.nextLog(&r, at)
	d.traps(&r, at)
	d.rotatedNames(&r, at)
	if len(d.found) == before {
		d.ok("logrotate", "%s: %s", path, describe(&r))
	}
}

// list has the first ones of some paths.
func list(paths []string) string {
	const most = 3
	if len(paths) > most {
		return strings.Join(paths[:most], ", ") + fmt.Sprintf(" and %d more", len(paths)-most)
	}
	return strings.Join(paths, ", ")
}

func where(r logrotate.Rule) string { return r.File + ":" + strconv.Itoa(r.Line) }

// describe says what a rule does, in a clause.
func describe(r *logrotate.Rule) string {
	text := where(*r)
	switch {
	case r.Every == "size":
		text += ", by size"
	case r.Every != "":
		text += ", " + r.Every
	}
	text += ", " + strconv.Itoa(r.Rotate) + " kept"
	if r.MaxAge > 0 {
		text += fmt.Sprintf(" for %d days", r.MaxAge)
	}
	if r.Create != nil && r.Create.Mode != 0 {
		text += fmt.Sprintf(", create %04o %s %s", r.Create.Mode, r.Create.Owner, r.Create.Group)
	}
	return strings.TrimSpace(text)
}

// nextLog says whether the user may read the log that logrotate makes.
func (d *doctor) nextLog(r *logrotate.Rule, path string) {
	if r.Create == nil || r.CopyTruncate || r.Copy {
		return // nginx makes it, readable for all; or it stays
	}
	var mode fs.FileMode
	var is owner
	if info, err := os.Stat(path); err == nil {
		mode, is = info.Mode(), ownerOf(info)
	} else if r.Create.Mode == 0 || r.Create.Owner == "" {
		return // as that of the log, which is not there
	}
	if r.Create.Mode != 0 {
		mode = fs.FileMode(r.Create.Mode)
	}
	if id, ok := number(user.Lookup, r.Create.Owner); ok {
		is.uid = id
	}
	if id, ok := number(user.LookupGroup, r.Create.Group); ok {
		is.gid = id
	}
	if d.User.would(mode, is, unix.R_OK) {
		return
	}
	remedy := d.User.remedyFor(mode, is.gid, "")
	if remedy == "" {
		remedy = "write create 0640 " + nameOf(user.LookupId, is.uid) + " GROUP in " + r.File + ", with a group that " + d.User.Name + " is in"
	}
	d.say(Error, "next-log", fmt.Sprintf("after the next rotation %q may not read %s: %s makes it %s %s %s",
		d.User.Name, path, where(*r), mode.Perm(), nameOf(user.LookupId, is.uid), nameOf(user.LookupGroupId, is.gid)), remedy)
}

// number is the number that a name has, or is.
func number[T any](lookup func(string) (T, error), name string) (id int, ok bool) {
	if name == "" {
		return 0, false
	}
	text := name
	if is, err := lookup(name); err == nil {
		switch is := any(is).(type) {
		case *user.User:
			text = is.Uid
		case *user.Group:
			text = is.Gid
		}
	}
	id, err := strconv.Atoi(text)
	return id, err == nil
}

// traps says where a rule loses lines, or lets them lie.
func (d *doctor) traps(r *logrotate.Rule, path string) {
	at := where(*r)
	switch {
	case r.Copy && !r.CopyTruncate:
		d.say(Warning, "logrotate", at+": copy leaves the log as it is: it is never rotated, and grows",
			"write create, and nginx -s reopen in postrotate")
	case r.CopyTruncate:
		d.say(Warning, "logrotate",
			at+": copytruncate itself loses the lines that nginx writes between the copy and the truncation",
			"write create instead, and nginx -s reopen in postrotate")
	case !r.Script:
		d.say(Error, "logrotate",
			at+": nothing tells nginx to reopen its logs (no postrotate): it goes on writing to "+r.Rotated(path, d.now),
			"nginx -s reopen in postrotate")
	case r.Create == nil:
		d.say(Note, "logrotate",
			at+": nocreate: there is no log from the rotation until nginx makes one, with its own owner and mode 0644",
			"create 0640 www-data adm, or as it is now ("+rights(path)+")")
	}
	if r.Compress && !r.Delay && !r.CopyTruncate && r.Rotate > 0 {
		d.say(Warning, "logrotate",
			at+": compress without delaycompress: nginx may still write to the log that is being compressed, and these lines are lost",
			"add delaycompress")
	}
	if r.Rotate == 0 && r.MaxAge == 0 && !r.Copy {
		d.say(Warning, "logrotate", at+": rotate 0 deletes the log at once: what tailflux has not read by then is lost", "rotate 2 or more")
	}
}

// unpacks are the endings of files that tailflux can read.
var unpacks = []string{".gz", ".zst"}

// rotatedNames says whether a rotated log is found where it goes, under its name.
func (d *doctor) rotatedNames(r *logrotate.Rule, path string) {
	if r.Copy && !r.CopyTruncate {
		return
	}
	dir, at := r.Directory(path), where(*r)
	name := r.Rotated(path, d.now)
	const lost = "what is rotated while tailflux is stopped is not found"
	below, err := filepath.Rel(filepath.Dir(path), dir)
	switch {
	case err != nil || strings.HasPrefix(below, "..") || strings.Contains(below, "/"):
		d.say(Warning, "rotated-names", fmt.Sprintf("%s: olddir %s: tailflux looks in the log's directory and those right below it, and elsewhere only where it has seen the log renamed to, which it cannot be to another file system: %s",
			at, dir, lost),
			"olddir in "+filepath.Dir(path)+", or none")
	case below != "." && !missing(dir):
		if err := d.User.may(dir, unix.R_OK|unix.X_OK); err != nil {
			d.say(Warning, "rotated-names",
				fmt.Sprintf("%s: %q may not look into olddir %s (%s): %s", at, d.User.Name, dir, rights(dir), lost),
				"chmod o+rx "+dir+", or setfacl -m u:"+d.User.Name+":rx "+dir)
		}
	}
	if is := logfile.RotatedName(filepath.Base(path), name); !is {
		d.say(Warning, "rotated-names", fmt.Sprintf("%s: rotated logs are called %s, a name that tailflux does not know: %s", at, name, lost),
			"dateformat -%Y%m%d, or numbers")
	}
	if ending := r.Ending(); r.Compress && !slices.Contains(unpacks, ending) {
		d.say(Warning, "rotated-names",
			fmt.Sprintf("%s: rotated logs are compressed as %s, which tailflux cannot read: after a longer stop they must be unpacked and imported by hand", at, ending),
			"compresscmd gzip or zstd")
	}
}
