package rollup

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"
)

// Definition is a configured rollup.
type Definition struct {
	Measurement     string
	Interval        time.Duration // whole seconds, at least one
	Tags            []string      // beside host and source
	RetentionPolicy string        // "" is the default one of the database
}

// Key is how a rollup is known across restarts: its measurement, and a checksum of all
// that decides which points its lines add to. Under another key it is another rollup: it
// has no positions and no intents yet.
func (d Definition) Key() string {
	tags := slices.Sorted(slices.Values(d.Tags))
	of := fmt.Sprintf("%q %d %q %q", d.Measurement, d.Interval/time.Second, tags, d.RetentionPolicy)
	return fmt.Sprintf("%s#%08x", d.Measurement, crc32.Checksum([]byte(of), crc32.MakeTable(crc32.Castagnoli)))
}

// Measurement is that of a rollup by its key.
func Measurement(key string) string {
	name, _, _ := strings.Cut(key, "#")
	return cmp.Or(name, key)
}
