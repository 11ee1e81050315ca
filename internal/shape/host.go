package shape

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/statedir"
)

// Host returns the tag host of the points. The machine's name is kept in the state
// directory once it was chosen: were it to change, a line that is read again would
// become another point.
func Host(c *config.Config, dir *statedir.Dir) (host string, err error) {
	if c.Host != "" {
		return c.Host, nil
	}
	if found, err := load(dir, statedir.Host, hostParser(&host)); found || err != nil {
		return host, err
	}
	if host, err = os.Hostname(); err != nil {
		return "", fmt.Errorf("host: %w (set host in the configuration)", err)
	}
	return host, dir.Replace(statedir.Host, []byte(host+"\n"))
}

// KeptHost returns the tag host that the points have so far, "" if none was chosen
// yet. It changes nothing.
func KeptHost(c *config.Config) (host string, err error) {
	if c.Host != "" {
		return c.Host, nil
	}
	_, err = look(c.StateDir, statedir.Host, hostParser(&host))
	return host, err
}

func hostParser(host *string) func(data []byte) error {
	return func(data []byte) error {
		name := strings.TrimSpace(string(data))
		switch {
		case name == "":
			return errors.New("the file is empty")
		case data[len(data)-1] != '\n':
			return errors.New("the file does not end with a newline: it may be cut short")
		case len(name) > 255 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
			return errors.New("this is not the name of a machine")
		}
		*host = name
		return nil
	}
}
