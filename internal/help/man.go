//go:build man

package help

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// WriteManual writes the manual pages and the completions of bash, zsh and fish
// into two directories of dir. The date on the pages is SOURCE_DATE_EPOCH.
func WriteManual(root *cobra.Command, version, dir string) error {
	pages, completions := filepath.Join(dir, "man"), filepath.Join(dir, "completions")
	for _, dir := range []string{pages, completions} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := root.GenBashCompletionFileV2(filepath.Join(completions, "tailflux.bash"), true); err != nil {
		return err
	}
	if err := root.GenZshCompletionFile(filepath.Join(completions, "_tailflux")); err != nil {
		return err
	}
	if err := root.GenFishCompletionFile(filepath.Join(completions, "tailflux.fish"), true); err != nil {
		return err
	}
	// Only tailflux(1) has the flags of the configuration, which run shares with it.
	root.DisableAutoGenTag = true
	header := doc.GenManHeader{Title: "TAILFLUX", Section: "1", Source: "tailflux " + version, Manual: "tailflux"}
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Hidden = IsConfigFlag(f) })
		for _, shell := range cmd.Commands() {
			shell.Hidden = true
		}
	}
	if err := doc.GenManTree(root, &header, pages); err != nil {
		return err
	}
	root.Flags().VisitAll(func(f *pflag.Flag) { f.Hidden = false })
	page, err := os.Create(filepath.Join(pages, "tailflux.1"))
	if err != nil {
		return err
	}
	defer page.Close()
	if err := doc.GenMan(root, &header, page); err != nil {
		return err
	}
	return page.Close()
}
