//go:build !man

package main

import "github.com/spf13/cobra"

// extra is none: see man.go.
func extra(*cobra.Command) *cobra.Command { return nil }
