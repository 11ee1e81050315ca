//go:build man

package main

import (
	"github.com/spf13/cobra"

	"github.com/tailflux/tailflux/internal/help"
)

// extra is the command that writes the manual: "make man" builds it in, so that
// the program does not carry what makes it.
func extra(root *cobra.Command) *cobra.Command {
	return &cobra.Command{Use: "man DIR", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		return help.WriteManual(root, version, args[0])
	}}
}
