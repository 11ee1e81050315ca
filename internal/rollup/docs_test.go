package rollup_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/rollup"
)

var update = flag.Bool("update", false, "write the table of docs/rollups.md anew")

// The scale is as documented, and does not change unseen.
func TestScaleIsDocumented(t *testing.T) {
	const page, begin, end = "../../docs/rollups.md", "<!-- buckets -->\n", "<!-- end -->\n"
	var b strings.Builder
	b.WriteString("| bucket | up to ms | bucket | up to ms | bucket | up to ms |\n|---|---|---|---|---|---|\n")
	const rows = rollup.Buckets / 3
	for row := range rows {
		for i := row; i < rollup.Buckets; i += rows {
			upper := "longer"
			if us := rollup.Upper(i); us > 0 {
				upper = fmt.Sprintf("%d.%03d", us/1000, us%1000)
			}
			fmt.Fprintf(&b, "| `b%02d` | %s ", i, upper)
		}
		b.WriteString("|\n")
	}
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(data), begin)
	table, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%s has no %q and %q", page, begin, end)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != b.String() {
		t.Errorf("%s disagrees with the scale; go test -update writes it anew", page)
	}
}
