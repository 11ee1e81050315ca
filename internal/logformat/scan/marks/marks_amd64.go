//go:build !purego

package marks

import "golang.org/x/sys/cpu"

var fast = cpu.X86.HasAVX2 && cpu.X86.HasPCLMULQDQ && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT

// find is Find for lines that are long enough. It reads the line alone, and writes
// eight places more than there are marks, at most.
//
//go:noescape
func find(line *byte, size int, at *uint16, most int) int

// fit is Fit.
//
//go:noescape
func fit(line *byte, size int, at *Positions, runs *Run, n int, spans *Spans) bool
