//go:build !amd64 || purego

package marks

const fast = false

func find(*byte, int, *uint16, int) int { panic("marks: no vectors") }

func fit(*byte, int, *Positions, *Run, int, *Spans) bool { panic("marks: no vectors") }
