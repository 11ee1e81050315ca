package help

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tailflux/tailflux/internal/config"
)

// accepted is what may stand behind a flag, by its type.
var accepted = map[string]string{"bool": "true or false, or nothing, which is true", "int": "a whole number"}

// flagError says which flag was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if want := accepted[wrong.GetFlag().Value.Type()]; want != "" {
			err = fmt.Errorf("--%s: got %q, want %s", wrong.GetFlag().Name, wrong.GetValue(), want)
		}
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return config.UsageError{Err: err}
	}
	name := unknown.GetSpecifiedName()
	given := "--" + name
	if group := unknown.GetSpecifiedShortnames(); group != "" { // -path for --path
		name, _, _ = strings.Cut(group, "=")
		given = "-" + name
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	text := fmt.Sprintf("unknown flag: %s; see %s --help", given, cmd.CommandPath())
	if name == "version" || given == "-V" {
		text = fmt.Sprintf("unknown flag: %s: did you mean %s version?", given, cmd.Root().Name())
	} else if near := config.Nearest(name, known); near != "" {
		text = fmt.Sprintf("unknown flag: %s: did you mean --%s?", given, near)
	}
	return config.UsageError{Err: errors.New(text)}
}

// NoArguments refuses what is neither a flag nor a command, and says what was
// probably meant.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	arg := args[0]
	text := fmt.Sprintf("unknown command or argument %q; see %s --help", arg, cmd.CommandPath())
	if meant := meant(cmd, arg); meant != "" {
		text = fmt.Sprintf("unknown command or argument %q: %s", arg, meant)
	}
	if cmd.HasParent() {
		text = cmd.Name() + ": " + text
	}
	return config.UsageError{Err: errors.New(text)}
}

func meant(cmd *cobra.Command, arg string) string {
	flags := cmd.Flags()
	if value, ok := truth[strings.ToLower(arg)]; ok {
		if name := switchBefore(cmd, arg); name != "" {
			return fmt.Sprintf("write --%s=%s", name, value)
		}
	}
	if f := flags.Lookup("path"); f != nil {
		ext := filepath.Ext(arg)
		info, err := os.Stat(arg)
		switch isFile := err == nil && !info.IsDir(); {
		case isFile && f.Changed:
			return fmt.Sprintf("put a glob in quotes, such as --path '%s'", filepath.Join(filepath.Dir(arg), "*"+ext))
		case ext == ".yaml" || ext == ".yml":
			return "did you mean --config " + arg + "?"
		case isFile || strings.Contains(arg, ".log"):
			return "did you mean --path " + arg + "?"
		}
	}
	var known []string
	for _, c := range cmd.Root().Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	if near := config.Nearest(arg, known); near != "" {
		return "did you mean " + cmd.Root().Name() + " " + near + "?"
	}
	return ""
}

// arguments is the annotation of the root that has all of them.
const arguments = "tailflux: arguments"

// switchBefore is the flag directly before an argument, if it takes no value behind it; or "".
func switchBefore(cmd *cobra.Command, arg string) string {
	before := ""
	for now := range strings.SplitSeq(cmd.Root().Annotations[arguments], "\x00") {
		name, long := strings.CutPrefix(before, "--")
		if f := cmd.Flags().Lookup(name); now == arg && long && f != nil && f.NoOptDefVal != "" {
			return name
		}
		before = now
	}
	return ""
}

// truth has the words that follow a flag such as --influxdb-gzip by mistake.
var truth = map[string]string{
	"true": "true", "yes": "true", "on": "true", "1": "true",
	"false": "false", "no": "false", "off": "false", "0": "false",
}
