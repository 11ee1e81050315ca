package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/config"
)

const explainExamples = `  tailflux explain --file /var/log/nginx/access.log
  tail -n 3 access.log | tailflux explain --format timed
  tailflux explain --format '$remote_addr [$time_local] "$request" $status' '192.0.2.7 [04/Mar/2018:13:49:52 +0000] "GET / HTTP/1.1" 200'
  tailflux explain --config tailflux.yaml --name web --json <access.log | jq .error`

func explainCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [LINE...]",
		Short: "Print what lines become, or where they stop being of the format",
		Long: `Explain prints what becomes of each line: its variables, the tags and fields,
and the point in line protocol; or the column where the line stops being of the
format, and what was expected there. The lines are its arguments, those of a
file, or standard input.

The format is that of --format or --regexp, else that of the configuration if
there is one (of several sources, --name or the path in --file chooses), else it
is found by the first 100 lines. Neither a state directory nor InfluxDB is
needed. The exit code is 1 if a line would be rejected.`,
		Example: explainExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && file != "" {
				return usageError{errors.New("explain: got lines and --file, want one of the two")}
			}
			return explain(cmd, args, file, asJSON)
		},
	}
	addConfigFlags(cmd)
	cmd.Flags().StringVar(&file, "file", "", "read the lines from this file; - is standard input")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func explain(cmd *cobra.Command, args []string, file string, asJSON bool) error {
	c, source, detect, err := explainConfig(cmd, file)
	if err != nil {
		return err
	}
	input, err := explainInput(cmd, args, file)
	if err != nil {
		return err
	}
	defer input.Close()
	lines := &lineReader{r: bufio.NewReader(input), max: int(c.MaxLineBytes)}

	var x *explainer
	if detect {
		x, err = detectExplainer(c, source, lines)
	} else {
		x, err = newExplainer(c, source)
	}
	if err != nil || x == nil {
		if err == nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "no lines to explain")
		}
		return err
	}
	out := explainOutput{w: cmd.OutOrStdout(), json: asJSON, colour: isTerminal(cmd.OutOrStdout()) && os.Getenv("NO_COLOR") == ""}
	head := out.w
	if asJSON {
		head = cmd.ErrOrStderr()
	}
	if _, err := io.WriteString(head, out.head(x)); err != nil {
		return err
	}
	all, failed := 0, 0
	for {
		line, long, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read lines: %w", err)
		}
		all++
		e, err := x.explain(line, long, int64(all))
		if err != nil {
			return err
		}
		if !e.Matched {
			failed++
		}
		if err := out.print(x, e); err != nil {
			return err
		}
	}
	switch {
	case all == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "no lines to explain")
	case failed > 0:
		return fmt.Errorf("explain: %d of %d lines would be rejected", failed, all)
	}
	return nil
}

// explainConfig loads the configuration and chooses the source: one of the file,
// or the one that the flags describe. detect reports whether its format must be
// found by the lines.
func explainConfig(cmd *cobra.Command, input string) (c *config.Config, source config.Source, detect bool, err error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, source, false, err
	}
	options := config.Options{File: file, Flags: cmd.Flags(), Env: os.LookupEnv, Check: checkSource}
	var unread error
	if file == "" { // the daemon's file is no reason to fail for somebody who may not read it
		if f, err := os.Open(config.DefaultFile); err == nil {
			f.Close()
		} else {
			options.NoFile, unread = true, err
		}
	}
	if c, source, err = config.Load(options); err != nil {
		return nil, source, false, usageError{err}
	}
	if len(c.Sources) > 0 {
		source, err = chooseSource(c.Sources, source.Name, input)
		return c, source, source.Format == auto, err
	}
	if unread != nil && !errors.Is(unread, os.ErrNotExist) && source.Path+source.Format+source.Regexp == "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %v; going on without it\n", unread)
	}
	switch {
	case source.Name != "":
	case source.Path != "":
		source.Name = filepath.Base(source.Path)
	case input != "" && input != "-":
		source.Name = filepath.Base(input)
	default:
		source.Name = "access.log"
	}
	return c, source, source.Regexp == "" && (source.Format == "" || source.Format == auto), nil
}

// chooseSource is the source of that name; without one the only source, or the
// one that input is a file of, or any if they are all of one format.
func chooseSource(all []config.Source, name, input string) (config.Source, error) {
	var names []string
	alike := true
	for _, s := range all {
		names = append(names, s.Name)
		alike = alike && s.Format == all[0].Format && s.Regexp == all[0].Regexp
	}
	if name != "" {
		if i := slices.Index(names, name); i >= 0 {
			return all[i], nil
		}
		return config.Source{}, usageError{fmt.Errorf("--name: got %q, want one of the sources %s", name, strings.Join(names, ", "))}
	}
	if absolute, err := filepath.Abs(input); err == nil && input != "" {
		for _, s := range all {
			path, err := filepath.Abs(s.Path)
			if ok, bad := filepath.Match(path, absolute); err == nil && bad == nil && (ok || path == absolute) {
				return s, nil
			}
		}
	}
	if alike {
		return all[0], nil
	}
	return config.Source{}, usageError{fmt.Errorf("the configured sources have several formats: choose with --name one of %s, or give --format", strings.Join(names, ", "))}
}

func explainInput(cmd *cobra.Command, args []string, file string) (io.ReadCloser, error) {
	switch {
	case len(args) > 0:
		return io.NopCloser(strings.NewReader(strings.Join(args, "\n") + "\n")), nil
	case file != "" && file != "-":
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("explain: %w", err)
		}
		return f, nil
	}
	in := cmd.InOrStdin()
	if isTerminal(in) {
		fmt.Fprintln(cmd.ErrOrStderr(), "reading lines from standard input; Ctrl-D ends them")
	}
	return io.NopCloser(in), nil
}

// isTerminal takes any character device for one, as newLogger does.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// A lineReader cuts what it reads into lines, of which it keeps max bytes.
type lineReader struct {
	r     *bufio.Reader
	max   int
	ahead []readLine // was read already
}

type readLine struct {
	text []byte
	long bool // there was more
}

// next is the next line without its newline. The last line needs none. The error
// is io.EOF after it.
func (l *lineReader) next() (text []byte, long bool, err error) {
	if len(l.ahead) > 0 {
		first := l.ahead[0]
		l.ahead = l.ahead[1:]
		return first.text, first.long, nil
	}
	begun := false
	for {
		piece, err := l.r.ReadSlice('\n')
		begun = begun || len(piece) > 0
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && (!errors.Is(err, io.EOF) || !begun) {
			return nil, false, err
		}
		whole := err == nil
		if whole {
			piece = piece[:len(piece)-1]
		}
		room := l.max - len(text)
		long = long || len(piece) > room
		text = append(text, piece[:min(len(piece), room)]...)
		if whole || errors.Is(err, io.EOF) {
			return text, long, nil
		}
	}
}

// peek reads at most n lines, which next returns later, and returns those that
// are not too long.
func (l *lineReader) peek(n int) ([][]byte, error) {
	var read []readLine
	var all [][]byte
	for len(read) < n {
		text, long, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read lines: %w", err)
		}
		read = append(read, readLine{text, long})
		if !long {
			all = append(all, text)
		}
	}
	l.ahead = read
	return all, nil
}
