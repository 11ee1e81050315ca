//go:build !purego

package marks

import "golang.org/x/sys/cpu"

var fast = cpu.X86.HasAVX2 && cpu.X86.HasPCLMULQDQ && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT

// cut is Cut. It reads the line alone.
//
//go:noescape
func cut(line *byte, size int, layout *Layout, found *Found) bool
