package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/doctor"
	"github.com/tailflux/tailflux/internal/help"
)

// answersWithin bounds each question to InfluxDB.
const answersWithin = 3 * time.Second

// unitDirs is where the unit is looked for; a test has its own.
var unitDirs = doctor.UnitDirs

func checkCommand() *cobra.Command {
	var asJSON, asYAML bool
	var user string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what keeps tailflux from working here",
		Long: `Check looks at the configuration, the logs, logrotate's rules, the state
directory and InfluxDB, and says what does not fit, why, and what to do: a line a
finding (docs/check.md lists them). It changes nothing, and may be run beside the
daemon.

Run as root, it looks with the rights of the user of tailflux.service.

The exit code is 0 if there is no error, 1 if there is one, and 2 if the
configuration is wrong: then every mistake in it is printed.`,
		Example: `  sudo tailflux check
  tailflux check --config tailflux.yaml
  tailflux check --json | jq '.findings[] | select(.verdict != "ok")'
  tailflux check --print          # the configuration as it applies`,
		Args: help.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asYAML && asJSON {
				return config.UsageError{Err: errors.New("check: --print and --json: want one of the two, the configuration is printed as YAML")}
			}
			var unit doctor.Unit
			if !cmd.Flags().Changed("path") { // else it is not the service that is meant
				unit = doctor.FindUnit(unitDirs)
			}
			c, err := configured(cmd, true, func(c *config.Config) error {
				return errors.Join(checkSecrets(unit.HandOver(c)), checkPaths(c))
			})
			if err != nil || asYAML {
				warnOfVariables(cmd)
			}
			switch {
			case err != nil:
				return err
			case asYAML:
				return c.Print(cmd.OutOrStdout())
			}
			o, err := examination(cmd, unit.HandOver(c), unit, user)
			if err != nil {
				return err
			}
			defer o.Store.Close()
			return examine(cmd, o, asJSON)
		},
	}
	help.WantConfigFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.Flags().BoolVar(&asYAML, "print", false, "print the configuration as it applies, and look at nothing else")
	cmd.Flags().StringVar(&user, "user", "", "look with the rights of this user, instead of those of the unit's user")
	return cmd
}

// checkSecrets returns an error if a file with a secret or a certificate cannot be used. In
// ExecReload= of a unit with a sandbox systemd hides its credentials (systemd #35227, TestSystemd):
// there the daemon judges them.
func checkSecrets(c *config.Config) error {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		if _, err := os.Stat(dir); err != nil {
			return nil //nolint:nilerr // hidden
		}
	}
	return secrets(c)
}

// examination says what to look at.
func examination(cmd *cobra.Command, c *config.Config, unit doctor.Unit, user string) (o doctor.Options, err error) {
	o = doctor.Options{Config: c, Rollups: definitions(c), Unit: unit, Misnomers: config.Misnomers(os.Environ())}
	if o.User, err = doctor.Whose(user, o.Unit); err != nil {
		return o, config.UsageError{Err: err}
	}
	o.File, _ = cmd.Flags().GetString("config")
	if _, err := os.Stat(config.DefaultFile); o.File == "" && err == nil {
		o.File = config.DefaultFile
	}
	quick := *c
	quick.InfluxDB.Timeout = min(quick.InfluxDB.Timeout, answersWithin)
	o.Store, err = openInflux(&quick, slog.New(slog.DiscardHandler))
	return o, err
}

// examine prints the findings, and returns an error if one of them is one.
func examine(cmd *cobra.Command, o doctor.Options, asJSON bool) error {
	out, progress := cmd.OutOrStdout(), cmd.ErrOrStderr()
	erase := func() {}
	if isTerminal(progress) {
		erase = func() { _, _ = io.WriteString(progress, "\r\x1b[K") }
		o.Asking = func(what string) {
			erase()
			fmt.Fprintf(progress, "%s…", what)
		}
	}
	printer := doctor.Printer{W: out, Colour: isTerminal(out) && os.Getenv("NO_COLOR") == ""}
	if !asJSON {
		o.Found = func(f doctor.Finding) {
			erase()
			printer.Print(f)
		}
	}
	all := doctor.Run(cmd.Context(), o)
	erase()
	if asJSON {
		if err := doctor.JSON(out, o, all); err != nil {
			return err
		}
	} else {
		printer.End(all)
	}
	if doctor.Worst(all) == doctor.Error {
		return doctor.Failed(all)
	}
	return nil
}
