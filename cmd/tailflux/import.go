package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/shape"
)

const importExamples = `  systemctl stop tailflux
  runuser -u tailflux -g tailflux -G adm -- tailflux import /var/log/nginx/access.log.*
  systemctl start tailflux`

func importCommand(stderr io.Writer) *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Deliver old logs, rotated and compressed ones",
		Long: `Import reads logs from their beginning to their end, the oldest one first, plain
or compressed (.gz, .zst), and delivers their lines as tailflux does.

Nothing is delivered twice: a file that tailflux has followed, or that was
imported before, is known by what is in it, and only what is missing of it is
read: what was there before the very first start, or was lost. An import that
was interrupted is taken up by the same command. Without the state directory,
importing a file again gives the same points again; but what was followed is not
known then, and is delivered twice.

The state directory belongs to one process: stop tailflux first. It goes on
where it was afterwards, and loses nothing. It belongs to one user too: import
as the one that tailflux runs as, who must be allowed to read the files.`,
		Example: importExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return config.UsageError{Err: errors.New("import: which file? See tailflux import --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if err := importAs(c, source); err != nil {
				return err
			}
			if err := ownState(c.StateDir); err != nil {
				return err
			}
			shown := newProgress(stderr)
			defer shown.end()
			if err := run(c, job{once: true, files: files, progress: shown.show}, shown.log); err != nil {
				return err
			}
			return shown.verdict()
		},
	}
	addConfigFlags(cmd)
	cmd.Flags().StringVar(&source, "source", "", "the source whose logs they are (default: the only one)")
	return cmd
}

// ownState refuses root a state directory of another user: the daemon could not
// read what root has written there.
func ownState(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return nil //nolint:nilerr // it will be made
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 {
		return nil
	}
	owner := strconv.Itoa(int(st.Uid))
	if u, err := user.LookupId(owner); err == nil {
		owner = u.Username
	}
	return config.UsageError{Err: fmt.Errorf("import: state_dir %s belongs to the user %s, who could not read what root writes there: "+
		"runuser -u %s -g %s -G adm -- tailflux import FILE", dir, owner, owner, owner)}
}

// importAs leaves of the configuration the source of that name.
func importAs(c *config.Config, name string) error {
	c.Listen = ""
	if name == "" && len(c.Sources) == 1 {
		name = c.Sources[0].Name
	}
	for _, s := range c.Sources {
		if s.Name == name && !logfile.IsGlob(s.Path) {
			c.Sources = []config.Source{s}
			return nil
		}
	}
	// The sources of a glob are known once they were followed.
	known, err := checkpoint.Read(c.StateDir)
	if err != nil {
		return err
	}
	if s, ok := shape.Configured(c, name); ok && known[name] != nil {
		s.Name, s.Path = name, known[name].Path
		c.Sources = []config.Source{s}
		return nil
	}
	return config.UsageError{Err: fmt.Errorf("import: cannot tell which source the files belong to: use --source (one of %s)", shape.Names(c, slices.Collect(maps.Keys(known))))}
}
