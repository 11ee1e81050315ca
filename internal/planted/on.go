//go:build planted

package planted

import "sync/atomic"

var one atomic.Pointer[Bug]

// Plant plants one bug in place of any other.
func Plant(b Bug) { one.Store(&b) }

// Is tells whether a bug is planted.
func Is(b Bug) bool {
	planted := one.Load()
	return planted != nil && *planted == b
}
