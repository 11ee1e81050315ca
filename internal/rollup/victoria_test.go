package rollup_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/rollup"
)

// percentileOfVictoria is an expression for a percentile of the site's request times, in
// seconds.
func percentileOfVictoria() string {
	seconds := func(bucket int) string {
		us := rollup.Upper(bucket)
		return fmt.Sprintf("%d.%06d", us/1e6, us%1e6)
	}
	var b strings.Builder
	b.WriteString("```promql\nhistogram_quantile(0.95, sum(label_map(label_replace(\n" +
		"  sum(sum_over_time({__name__=~\"nginx_site_request_time_b[0-9]+\"}[1m]) keep_metric_names) by (__name__),\n" +
		"  \"vmrange\", \"$1\", \"__name__\", \".+_(b[0-9]+)\"), \"vmrange\",")
	from := "0"
	for i := range rollup.Buckets {
		to := "+Inf"
		if i < rollup.Buckets-1 {
			to = seconds(i)
		}
		sep := " "
		if i%4 == 0 {
			sep = "\n  "
		}
		fmt.Fprintf(&b, "%s\"b%02d\", \"%s...%s\"", sep, i, from, to)
		if i < rollup.Buckets-1 {
			b.WriteByte(',')
		}
		from = to
	}
	b.WriteString(")) by (vmrange))\n```\n")
	return b.String()
}

// The expression for VictoriaMetrics is as the scale is.
func TestPercentileOfVictoriaIsDocumented(t *testing.T) {
	const page, begin, end = "../../docs/scaling.md", "<!-- percentile -->\n", "<!-- end -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(data), begin)
	text, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%s has no %q and %q", page, begin, end)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+percentileOfVictoria()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != percentileOfVictoria() {
		t.Errorf("%s disagrees with the scale; go test -update writes it anew", page)
	}
}
