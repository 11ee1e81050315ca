// Harness: no goroutine may stay behind when the tests have ended.

package tail_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The library's tracker is global and never ends; nothing else may stay behind.
func TestMain(m *testing.M) {
	if os.Getenv(withoutDescriptors) != "" {
		os.Exit(readWithoutDescriptors())
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "32") // they wait most of the time
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/hpcloud/tail/watch.(*InotifyTracker).run"),
		goleak.IgnoreAnyFunction("gopkg.in/fsnotify%2ev1.(*Watcher).readEvents"))
}
