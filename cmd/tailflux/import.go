package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/shape"
	"github.com/tailflux/tailflux/internal/statedir"
)

const importExamples = `  systemctl stop tailflux
  runuser -u tailflux -g tailflux -G adm -- \
    tailflux import /var/log/nginx/access.log.*
  systemctl start tailflux
  xzcat access.log.9.xz | tailflux import --source web -`

func importCommand(stderr io.Writer) *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Deliver old logs, including rotated and compressed ones",
		Long: `Import reads logs from beginning to end, the oldest first, plain or compressed
with gzip or zstd whatever their names are, and delivers their lines as the
daemon does.

A file that is called - is standard input, which is kept in the state directory
while the command runs.

Files are recognised by content. The state directory knows the last 64 files
that were followed for each source, and the last 4,096 that were imported. Of
a file that it knows, only the missing part is read: what was written before
tailflux first started, or what was lost. To continue after an interruption,
run the same command again.

Importing a file twice is safe. But a file that was followed and is no longer
known would be stored a second time: look first with tailflux verify.

The state directory belongs to one process and one user: stop tailflux first,
and import as the user that it runs as, who must be allowed to read the files.
The daemon then continues where it was, and loses nothing.`,
		Example: importExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return config.UsageError{Err: errors.New("import: no file given; see tailflux import --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := load(cmd, secrets)
			if err != nil {
				return err
			}
			if err := importAs(c, source); err != nil {
				return err
			}
			if err := ownState("import FILE", c.StateDir); err != nil {
				return err
			}
			shown := newProgress(stderr)
			defer shown.end()
			if isTerminal(cmd.InOrStdin()) && slices.Contains(files, standardInput) {
				shown.log.Info("reading lines from standard input; Ctrl-D ends them")
			}
			files, done, err := savedInput(c, files, cmd.InOrStdin(), shown.log)
			if err != nil {
				return err
			}
			defer done()
			if err := run(c, job{mode: importing, files: files, progress: shown.show}, shown.log); err != nil {
				return err
			}
			return shown.verdict()
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().StringVar(&source, "source", "", "source that the files belong to (default: the only one)")
	return cmd
}

// ownState refuses root a state directory of another user, who may not be able to read what
// root writes there: that root may give it away is not certain everywhere.
func ownState(command, dir string) error {
	owner := statedir.Owner(dir)
	if owner == "" || os.Geteuid() != 0 {
		return nil
	}
	return config.UsageError{Err: fmt.Errorf("state_dir %s belongs to the user %s; run it as "+
		"runuser -u %s -g %s -G adm -- tailflux %s", dir, owner, owner, owner, command)}
}

// importAs keeps only the source of that name in the configuration.
func importAs(c *config.Config, name string) error {
	c.Listen = ""
	asked := name
	if name == "" && len(c.Sources) == 1 {
		name = c.Sources[0].Name
	}
	for _, s := range c.Sources {
		if s.Name == name && !s.IsGlob() {
			c.Sources = []config.Source{s}
			return nil
		}
	}
	// The sources of a glob are known once tailflux has followed them.
	known, err := checkpoint.Read(c.StateDir)
	if err != nil {
		return err
	}
	s, ok := shape.Configured(c, name)
	if ok && known[name] != nil {
		s.Name, s.Path = name, known[name].Path
		c.Sources = []config.Source{s}
		return nil
	}
	names := shape.Names(c, slices.Collect(maps.Keys(known)))
	switch {
	case asked == "":
		err = fmt.Errorf("import: cannot tell which source the files belong to: use --source (one of %s)", names)
	case ok: // of a glob
		err = fmt.Errorf("import: source %s is none that was followed; use one of %s", name, names)
	default:
		err = fmt.Errorf("import: source %s is not configured; use one of %s", name, names)
	}
	return config.UsageError{Err: err}
}
