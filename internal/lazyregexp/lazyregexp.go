// Package lazyregexp compiles a package's expressions when they are first used: together
// they would cost each start a millisecond, and a run needs few of them.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns what compiles an expression once. A mistake in it panics when it is first
// used, so a test must.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
