package checkpoint_test

import "testing"

// Lines may be read again from where delivery was acknowledged, as far as that is
// saved, and none of a generation that is finished or unknown.
func TestUndelivered(t *testing.T) {
	o, g := begun(t)
	check := func(what string, source string, id int64, want map[int64]bool) {
		t.Helper()
		for line, want := range want {
			if got := o.Undelivered("", source, id, line); got != want {
				t.Errorf("%s: Undelivered(%q, %d, %d) = %t, want %t", what, source, id, line, got, want)
			}
		}
	}
	begin := at(g, 0).Line
	check("begun", "web", 1, map[int64]bool{begin - 1: false, begin: true, begin + 1: true, begin + 1e6: true})
	end := at(g, 100)
	o.Acknowledge(end, []byte("x\n"))
	o.save()
	saved := map[int64]bool{begin: false, end.Line - 1: false, end.Line: true}
	check("acknowledged", "web", 1, saved)
	o.Acknowledge(at(g, 200), []byte("y\n")) // is not saved
	o = o.crash()
	check("after a crash", "web", 1, saved)
	check("another generation", "web", 2, map[int64]bool{end.Line: false})
	check("another source", "api", 1, map[int64]bool{end.Line: false})
	o.Leave(end)
	check("finished", "web", 1, map[int64]bool{end.Line: false})
}
