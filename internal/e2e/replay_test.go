package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/tailfluxtest"
)

// crowd are lines of many paths and agents, more than a small tag_limit admits,
// that have prefix in them.
func crowd(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		page := i * 7919 % 997
		fmt.Fprintf(&b, "192.0.2.7 - - [20/Nov/2026:10:00:%02d +0000] \"GET /%s/%c%c HTTP/1.1\" 200 %d \"-\" \"%s-%c\"\n",
			i*60/n, prefix, 'a'+page%26, 'a'+page/26%26, i%5000, prefix, 'a'+i*31%23)
	}
	return b.String()
}

// perValue counts points by their tags.
func (b *bench) perValue(db, where string) map[string]int64 {
	b.t.Helper()
	series, err := b.db.Query(b.t.Context(), db,
		"SELECT count(body_bytes_sent) FROM nginx_access "+where+" GROUP BY path, http_user_agent, status")
	if err != nil {
		b.t.Fatal(err)
	}
	counts := make(map[string]int64)
	for _, s := range series {
		n, err := s.Values[0][1].(json.Number).Int64()
		if err != nil {
			b.t.Fatal(err)
		}
		counts[s.Tags["path"]+" "+s.Tags["http_user_agent"]+" "+s.Tags["status"]] = n
	}
	return counts
}

func sumOf(counts map[string]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// A run is killed with -9 in the middle, the cap of its tags reached, some of
// its points delivered and some on the way. Other lines are read, which would
// take the places under the cap if it had been forgotten who has them, and more
// runs are killed. In the end no line has two points, and every point is the one
// that a run in peace gives.
func TestKilledWithACapReached(t *testing.T) {
	t.Parallel()
	const n, others = 60_000, 1000
	db := influxdtest.New(t, influxdtest.Options{})
	b, peace := newBench(t, db), newBench(t, db)
	args := func(path, name string, more ...string) []string {
		return append(more, "--path", path, "--name", name, "--start", "beginning",
			"--tags", "path,http_user_agent,status", "--tag-limit", "20")
	}
	log := b.write("access.log", crowd("web", n))
	peace.once(args(log, "web", "--influxdb-database", "peace")...)
	want := peace.perValue("peace", "")
	if got := sumOf(want); got != n {
		t.Fatalf("%d points without a kill, want %d", got, n)
	}

	killed := args(log, "web", "--influxdb-batch-points", "500")
	for i := range int64(4) {
		d := b.start(killed...)
		if _, err := d.WaitFor(arrival, func(r tailfluxtest.Report) bool { return r.Lines.Written > 1+i*7001 }); err != nil {
			t.Fatal(err)
		}
		d.Kill()
		if i > 0 {
			continue
		}
		if got := b.points(""); got >= n {
			t.Fatalf("%d of %d points when it was killed: not in the middle", got, n)
		}
		if b.points("path = 'other' AND http_user_agent = 'other'") == 0 {
			t.Fatal("no cap was reached when it was killed")
		}
		b.once(args(b.write("other.log", crowd("other", others)), "others")...)
	}
	b.once(killed...)
	if diff := cmp.Diff(want, b.perValue(database, "WHERE source = 'web'")); diff != "" {
		t.Errorf("points per value without (-) and with kills (+):\n%s", diff)
	}
	if got := b.points("source = 'others' AND path = 'other' AND http_user_agent = 'other'"); got != others {
		t.Errorf("%d points under the cap's name of the lines that came when it was reached, want %d", got, others)
	}
}
