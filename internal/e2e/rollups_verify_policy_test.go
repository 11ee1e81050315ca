package e2e

import (
	"os"
	"testing"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// Rollups that are kept longer than lines are found where they are; in a database that is
// somebody else's, where lines are.
func TestVerifyOfRollupsInPolicies(t *testing.T) {
	t.Parallel()
	db := influxdtest.New(t, influxdtest.Options{})
	for _, create := range []string{"", "CREATE DATABASE " + database} {
		if _, err := db.Query(t.Context(), "", "DROP DATABASE "+database); err != nil {
			t.Fatal(err)
		}
		if create != "" {
			if _, err := db.Query(t.Context(), "", create); err != nil {
				t.Fatal(err)
			}
		}
		b := newBench(t, db)
		g := newTraffic()
		config := b.rollupConfig(b.write("access.log", g.text(2000)), true)
		text := read(t, config) + "retention: {raw: 52w, rollups: 104w}\n"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b.once("--config", config)
		b.wantEqual(config, g.lines-g.rejected)
	}
}
