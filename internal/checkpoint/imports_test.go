package checkpoint_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Forgetting an imported file is not silent: it can be imported twice then.
func TestForgottenImportsAreLoggedOnce(t *testing.T) {
	const limit = 4096
	o := open(t, t.TempDir())
	for id := int64(-1); id >= -limit; id-- {
		o.BeginImport(at(generation(web, id), 0), logfile.Sum{}, file(-id))
	}
	o.logged(0, 0)
	if got := o.source(web).Imports; len(got) != limit || got[0].ID != -1 {
		t.Errorf("%d imports are kept, the first one is %d; want all %d", len(got), got[0].ID, limit)
	}
	for id := int64(-limit - 1); id >= -limit-3; id-- {
		o.BeginImport(at(generation(web, id), 0), logfile.Sum{}, file(-id))
	}
	if got := o.source(web).Imports; len(got) != limit || got[0].ID != -4 || got[limit-1].ID != -limit-3 {
		t.Errorf("%d imports are kept, from %d to %d; want the last %d", len(got), got[0].ID, got[len(got)-1].ID, limit)
	}
	for _, part := range []string{"level=WARN", "too many imported files", "source=web", "limit=4096"} {
		if strings.Count(o.log.String(), part) != 1 {
			t.Errorf("logged %s, want %q once", o.log, part)
		}
	}
}
