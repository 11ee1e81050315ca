//go:build !amd64 || purego

package marks

const fast = false

func cut(*byte, int, *Layout, *Found) bool { panic("marks: no vectors") }
