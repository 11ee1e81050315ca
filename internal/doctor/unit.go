package doctor

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailflux/tailflux/internal/config"
)

// UnitDirs is where systemd looks for units, the first one counts.
var UnitDirs = []string{
	"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	"/lib/systemd/system",
}

// Unit is what the service's unit says, with its drop-ins, of what the daemon may do.
type Unit struct {
	File        string // "" if there is none
	Config      string // that it hands to tailflux
	User, Group string
	Groups      []string
	Dynamic     bool
	State       []string // directories below /var/lib that systemd makes
	Writable    []string
	Credentials map[string]string // files that systemd hands over, by their names
	Strict      bool              // all but what is writable is read-only
	NoHome      bool              // there is no /home
	OwnTmp      bool              // /tmp is another one
}

// FindUnit reads tailflux.service.
func FindUnit(dirs []string) (u Unit) {
	const name = "tailflux.service"
	for _, dir := range dirs {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			u.File = filepath.Join(dir, name)
			u.read(string(text))
			break
		}
	}
	if u.File == "" {
		return u
	}
	for _, dir := range slices.Backward(dirs) {
		ins, _ := filepath.Glob(filepath.Join(dir, name+".d", "*.conf")) // the pattern is right
		for _, in := range ins {
			if text, err := os.ReadFile(in); err == nil {
				u.read(string(text))
			}
		}
	}
	return u
}

func (u *Unit) read(text string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(key, "#") || strings.HasPrefix(key, ";") {
			continue
		}
		value = strings.TrimSpace(value)
		yes := slices.Contains([]string{"yes", "true", "on", "1"}, value)
		switch strings.TrimSpace(key) {
		case "ExecStart":
			u.Config = configIn(value)
		case "User":
			u.User = value
		case "Group":
			u.Group = value
		case "SupplementaryGroups":
			u.Groups = several(u.Groups, value)
		case "DynamicUser":
			u.Dynamic = yes
		case "StateDirectory":
			u.State = several(u.State, value)
		case "ReadWritePaths":
			u.Writable = several(u.Writable, value)
		case "LoadCredential":
			if name, path, ok := strings.Cut(value, ":"); ok {
				if u.Credentials == nil {
					u.Credentials = map[string]string{}
				}
				u.Credentials[name] = path
			}
		case "ProtectSystem":
			u.Strict = value == "strict"
		case "ProtectHome":
			u.NoHome = yes || value == "tmpfs"
		case "PrivateTmp":
			u.OwnTmp = yes || value == "disconnected"
		}
	}
}

// configIn is the configuration that a command line names.
func configIn(command string) string {
	words := strings.Fields(command)
	for i, word := range words {
		if name, ok := strings.CutPrefix(word, "--config="); ok {
			return name
		}
		if (word == "--config" || word == "-c") && i+1 < len(words) {
			return words[i+1]
		}
	}
	return config.DefaultFile
}

// several adds the words of a directive that may come again; without a word it forgets.
func several(before []string, value string) []string {
	if value == "" {
		return nil
	}
	return append(before, strings.Fields(value)...)
}

// credentials is where systemd puts what it hands over, while the service runs.
const credentials = "/run/credentials/tailflux.service/"

// HandOver returns the configuration as the service has it: where it names a file that
// systemd hands over, and the service does not run, the file is named that this is from.
func (u *Unit) HandOver(c *config.Config) *config.Config {
	handed := *c
	db := &handed.InfluxDB
	for _, file := range []*string{&db.PasswordFile, &db.TokenFile, &db.CAFile, &db.ClientCertFile, &db.ClientKeyFile, &handed.HTTP.TokenFile} {
		name, ok := strings.CutPrefix(*file, credentials)
		if from := u.Credentials[name]; ok && from != "" && missing(*file) {
			*file = from
		}
	}
	return &handed
}

// handsOver reports whether a file is read by systemd, and not by the user.
func (u *Unit) handsOver(path string) bool {
	return strings.HasPrefix(path, credentials) || slices.Contains(slices.Collect(maps.Values(u.Credentials)), path)
}

// makes reports whether systemd makes a directory for the unit.
func (u *Unit) makes(dir string) bool {
	return slices.ContainsFunc(u.State, func(name string) bool { return "/var/lib/"+name == dir })
}

// unit says what the unit keeps from the daemon, and not from who runs this. It is about
// the unit's configuration only.
func (d *doctor) unit() {
	u := d.Unit
	if u.File == "" || u.Config != d.File {
		return
	}
	hidden := func(path string) (why string) {
		switch {
		case u.OwnTmp && (below(path, "/tmp") || below(path, "/var/tmp")):
			return "PrivateTmp="
		case u.NoHome && (below(path, "/home") || below(path, "/root") || below(path, "/run/user")):
			return "ProtectHome="
		}
		return ""
	}
	for _, s := range d.Config.Sources {
		if why := hidden(s.Path); why != "" {
			d.say(Error, "unit", fmt.Sprintf("%s of %s hides %s from the daemon", why, u.File, s.Path),
				"log to another directory, or set "+why+"no in a drop-in (systemctl edit tailflux)")
		}
	}
	writable := slices.ContainsFunc(u.Writable, func(dir string) bool { return below(d.Config.StateDir, strings.TrimLeft(dir, "-+")) })
	if u.Strict && !writable && !u.makes(d.Config.StateDir) {
		d.say(Error, "unit", fmt.Sprintf("ProtectSystem=strict of %s makes state_dir %s read-only for the daemon", u.File, d.Config.StateDir),
			"add ReadWritePaths="+d.Config.StateDir+" in a drop-in (systemctl edit tailflux), or keep /var/lib/tailflux")
	}
}

// below reports whether a path is in a directory, or is it.
func below(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
