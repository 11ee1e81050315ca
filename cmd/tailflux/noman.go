//go:build !man

package main

import "github.com/spf13/cobra"

// extra returns nothing here; man.go has the other one.
func extra(*cobra.Command) *cobra.Command { return nil }
