// Package help is what the command line says of itself: the help of each command,
// which fits a screen, and what was probably meant by a mistake.
//
// Every key of the configuration is a flag of most commands. These flags are
// listed once, by "tailflux help config", and not by each command.
package help

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tailflux/tailflux/internal/config"
)

const completion = "completion"

const configFlag = "config"

// configTopic are the arguments of help for the configuration.
var configTopic = []string{"config"}

// width of a terminal.
const width = 80

// Setup gives root and its commands their help.
func Setup(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { write(cmd.OutOrStdout(), cmd) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		write(cmd.OutOrStderr(), cmd)
		return nil
	})
	root.SetFlagErrorFunc(flagError)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(completion)
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Short = "Print the help of a command, or of the configuration"
			c.Long = ""
			c.Use = "help [COMMAND | config]"
			c.Example = "  tailflux help explain\n  tailflux help config"
			ofCommand := c.Run
			c.Run = func(c *cobra.Command, args []string) {
				if slices.Equal(args, configTopic) {
					fmt.Fprintf(c.OutOrStdout(), "%s\n\nFlags:\n%s", configText, keys())
					return
				}
				ofCommand(c, args)
			}
			c.Args = func(_ *cobra.Command, args []string) error {
				if slices.Equal(args, configTopic) {
					return nil
				}
				if of, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return NoArguments(of, args)
				}
				return nil
			}
		case completion:
			c.Short = "Print a script that completes commands and flags in a shell"
			c.Long = ""
			c.Example = "  tailflux completion bash >/etc/bash_completion.d/tailflux"
			c.RunE = func(c *cobra.Command, args []string) error {
				return config.UsageError{Err: fmt.Errorf("%s: got %q, want one of the shells bash, fish, powershell and zsh", c.Name(), args)}
			}
			c.Args = cobra.ArbitraryArgs
			for _, shell := range c.Commands() {
				shell.Args = NoArguments
			}
		}
	}
}

// configText comes before the flags in the help of the configuration.
const configText = `Each key of the configuration is a flag and a variable too: influxdb.url is
--influxdb-url and TAILFLUX_INFLUXDB_URL. A flag overrides a variable, a variable
the file, and the file the default. The lists paths, drop, types and rename are
for the file alone. --name, --path, --format, --regexp and --start describe one
source, which replaces those of the file.`

// AddConfigFlags adds --config and a flag for each key of the configuration.
func AddConfigFlags(flags *pflag.FlagSet) {
	flags.StringP(configFlag, "c", "", "configuration file (default "+config.DefaultFile+" if it exists)")
	config.Flags(flags)
}

// wanted marks commands.
const wanted = "tailflux: flags of the configuration"

// WantConfigFlags is AddConfigFlags for a command that is not called each time: it gets
// its flags from [AddWanted].
func WantConfigFlags(cmd *cobra.Command) { cmd.Annotations = map[string]string{wanted: ""} }

// AddWanted adds the flags of the configuration to the command that args call. If that
// command does not want them, all that do get theirs: help and completion are about those.
// To make all of them, a thousand, takes longer than to read the configuration. It keeps
// args, too, for what [NoArguments] says.
func AddWanted(root *cobra.Command, args []string) {
	root.Annotations = map[string]string{arguments: strings.Join(args, "\x00")} // which is in no argument
	called, _, err := root.Find(args)
	itself := len(args) == 0 || strings.HasPrefix(args[0], "-")
	others := err != nil || called == root && !itself || called != root && called.Flags().Lookup(configFlag) == nil && !wants(called)
	for _, cmd := range root.Commands() {
		if wants(cmd) && (others || cmd == called) {
			AddConfigFlags(cmd.Flags())
		}
	}
}

func wants(cmd *cobra.Command) bool {
	_, is := cmd.Annotations[wanted]
	return is
}

// configFlags are those of AddConfigFlags.
func configFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddConfigFlags(flags)
	return flags
}

// IsConfigFlag reports whether a flag is one of AddConfigFlags.
func IsConfigFlag(f *pflag.Flag) bool { return configFlags().Lookup(f.Name) != nil }

// write prints the help of a command.
func write(w io.Writer, cmd *cobra.Command) {
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.TrimRight(text, " \n"); text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", title, text)
		}
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if !strings.HasPrefix(paragraph, " ") { // else it is laid out already
			paragraph = strings.Join(wrap(paragraph, width), "\n")
		}
		fmt.Fprintln(&b, paragraph)
	}
	use := "  " + cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use += "\n  " + cmd.CommandPath() + " COMMAND [flags]"
	}
	section("Usage", use)
	section("Examples", cmd.Example)
	section("Commands", commands(cmd))
	own, configured := pflag.NewFlagSet("", pflag.ContinueOnError), false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if IsConfigFlag(f) {
			configured = true
		} else if !f.Hidden {
			own.AddFlag(f)
		}
	})
	section("Flags", own.FlagUsagesWrapped(width))
	if configured {
		section("Configuration", "  -c, --config FILE, and a flag for each key; tailflux help config lists them")
	}
	_, _ = io.WriteString(w, b.String()) // unless the terminal is gone
}

func commands(cmd *cobra.Command) string {
	var b strings.Builder
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			fmt.Fprintf(&b, "  %-*s  %s\n", max(10, cmd.NamePadding()), c.Name(), c.Short)
		}
	}
	return b.String()
}

// keys lists the flags of the configuration.
func keys() string {
	var b strings.Builder
	const column = 34
	configFlags().VisitAll(func(f *pflag.Flag) {
		text := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.Name != "config" {
			text += " (default " + strings.ReplaceAll(f.DefValue, ",", ", ") + ")"
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		for _, line := range wrap(text, width-column) {
			fmt.Fprintf(&b, "  %-*s%s\n", column-2, name, line)
			name = ""
		}
	})
	return b.String()
}

// wrap cuts a text into lines at its spaces.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
