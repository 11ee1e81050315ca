package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/draft"
	"github.com/tailflux/tailflux/internal/help"
	"github.com/tailflux/tailflux/internal/shape"
)

const initExamples = `  sudo tailflux init
  sudo tailflux init --yes --influxdb-url http://db:8086
  tailflux init --nginx-conf /etc/nginx/nginx.conf >tailflux.yaml
  docker exec web nginx -T | tailflux init -`

// initiation is what init is asked for.
type initiation struct {
	nginxConf  string // "" is what nginx -T says
	file       string // to write
	yes, force bool
}

func initCommand() *cobra.Command {
	var do initiation
	cmd := &cobra.Command{
		Use:   "init [-]",
		Short: "Write the configuration that nginx.conf asks for",
		Long: `Init asks nginx (nginx -T) which access logs it writes, and makes a configuration
that follows them: a source for each, with its format. It says which it left
out and why: syslog, off, gzip, standard output, names that a client may choose.

On a terminal, it shows the configuration and asks. --yes writes it at once.
Otherwise it is printed, and nothing is written. A file that is there already is
replaced only if you say so, or with --yes --force, and kept as FILE.old.

The file is that of --config. Flags for keys of the configuration are written
into it; --start is for each source. If nginx runs elsewhere, - reads what
nginx -T says there. Logs of Apache are not looked for.`,
		Example: initExamples,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == standardInput && do.nginxConf == "" {
				do.nginxConf = standardInput
				return nil
			}
			return help.NoArguments(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := do.draft(cmd)
			if err != nil {
				return err
			}
			if len(d.Sources) == 0 {
				for _, left := range d.Left {
					fmt.Fprintf(cmd.ErrOrStderr(), "left out: %s: %s\n", left.Log, left.Why)
				}
				return errors.New("init: nginx writes no access log that can be followed; nothing was written")
			}
			return do.offer(cmd, d)
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().StringVar(&do.nginxConf, "nginx-conf", "", "read this file and its includes, or a saved nginx -T; - is standard input")
	cmd.Flags().BoolVar(&do.yes, "yes", false, "write the file without asking")
	cmd.Flags().BoolVar(&do.force, "force", false, "with --yes: replace a file that is there; it is kept as FILE.old")
	return cmd
}

// draft makes the configuration.
func (do *initiation) draft(cmd *cobra.Command) (*draft.Draft, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	do.file = cmp.Or(file, config.DefaultFile)
	for _, name := range []string{"name", "path", "format", "regexp"} {
		if cmd.Flags().Changed(name) {
			return nil, config.UsageError{Err: fmt.Errorf("init: --%s is of one source, and init finds them all in nginx.conf; leave it out", name)}
		}
	}
	c, described, err := config.Load(config.Options{NoFile: true, Flags: cmd.Flags(), Check: shape.Check})
	if err != nil {
		return nil, config.UsageError{Err: err}
	}
	found, origin, err := findLogs(cmd, do.nginxConf)
	if err != nil {
		return nil, err
	}
	d := draft.New(found, draft.Options{Config: c, Start: described.Start, Flags: cmd.Flags(), Origin: origin, Files: os.DirFS("/")})
	for _, trouble := range found.Troubles {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", trouble)
	}
	if len(d.Sources) == 0 {
		return d, nil
	}
	return d, accepted(d.Text)
}

// accepted makes sure that tailflux itself accepts the configuration, as is promised.
func accepted(text string) error {
	f, err := os.CreateTemp("", "tailflux-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if _, _, err := config.Load(config.Options{File: f.Name(), Check: shape.Check, NeedSource: true}); err != nil {
		return fmt.Errorf("init: the configuration that it made is refused, which is a fault of tailflux, please report it: %w", err)
	}
	return nil
}

// offer shows the configuration, and writes it if that is wanted.
func (do *initiation) offer(cmd *cobra.Command, d *draft.Draft) error {
	out, notes := cmd.OutOrStdout(), cmd.ErrOrStderr()
	old, err := os.ReadFile(do.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("init: %w", err)
	}
	replaces := configures(string(old))
	switch {
	case string(old) == d.Text:
		fmt.Fprintf(notes, "%s is like that already; nothing was written\n", do.file)
		return nil
	case do.yes && replaces && !do.force:
		fmt.Fprint(out, draft.Diff(string(old), d.Text))
		return fmt.Errorf("init: %s is there already, and differs (- is what it has, + what nginx.conf asks for); nothing was written: add --force to replace it",
			do.file)
	case !do.yes:
		if wanted, err := do.ask(cmd, string(old), d, replaces); err != nil || !wanted {
			return err
		}
	}
	if err := writeConfigFile(do.file, d.Text, replaces); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if do.yes { // otherwise it was shown
		for _, s := range d.Sources {
			fmt.Fprintf(notes, "followed: %s (%s)\n", s.Path, s.Shown)
		}
		for _, left := range d.Left {
			fmt.Fprintf(notes, "left out: %s: %s\n", left.Log, left.Why)
		}
	}
	next := "tailflux check"
	if do.file != config.DefaultFile {
		next += " --config " + do.file
	}
	fmt.Fprintf(notes, "wrote %s; next: %s\n", do.file, next)
	return nil
}

// ask shows the configuration and, on a terminal, asks whether to write it.
func (do *initiation) ask(cmd *cobra.Command, old string, d *draft.Draft, replaces bool) (wanted bool, err error) {
	out, notes := cmd.OutOrStdout(), cmd.ErrOrStderr()
	answers, done := terminalOf(cmd.InOrStdin(), out)
	if answers == nil {
		fmt.Fprint(out, d.Text)
		remedy := "--yes writes " + do.file
		if replaces {
			remedy = do.file + " is there already, and --yes --force replaces it"
		}
		fmt.Fprintf(notes, "nothing was written, because this is no terminal to ask on: %s\n", remedy)
		return false, nil
	}
	defer done()
	question := "Write it to " + do.file + "?"
	if replaces {
		fmt.Fprint(out, draft.Diff(old, d.Text))
		question = do.file + " is there already (-). Replace it (+)? It is kept as " + do.file + replacedEnd + "."
	} else {
		fmt.Fprint(out, d.Text)
	}
	fmt.Fprintf(out, "\n%s [y/N] ", question)
	answer, err := bufio.NewReader(answers).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	fmt.Fprintln(notes, "nothing was written")
	return false, nil
}

// terminalOf is where whoever sees what is written to out can answer; nil: nobody can.
// Standard input may be the output of nginx -T.
func terminalOf(in io.Reader, out io.Writer) (answers io.Reader, done func()) {
	if !isTerminal(out) {
		return nil, nil
	}
	if isTerminal(in) {
		return in, func() {}
	}
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return nil, nil
	}
	return tty, func() { tty.Close() }
}

// configures reports whether a configuration has more than comments.
func configures(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return true
		}
	}
	return false
}
