package tail

import (
	"errors"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// isPacked reports whether a file that was opened as a plain one, when it had no first
// bytes yet, turns out to be compressed. It is closed then as if it had never been
// opened: at the path it is refused, and beside it found once more, as what it is.
func (f *file) isPacked(now time.Time) bool {
	if f.packed != nil || !f.head.IsCompressed() {
		return false
	}
	f.drop()
	f.source.unsettled = f.source.latest(now)
	return true
}

// unpackable says which of the files that cannot be unpacked may be that of a
// generation, if there is one.
func unpackable(refused []logfile.Refusal, g *checkpoint.Generation) string {
	for _, f := range refused {
		if packed, ok := errors.AsType[logfile.PackedError](f.Err); ok && f.Info.ModTime().UnixNano() >= g.Modified {
			return ", but this may be it: " + packed.Error() + ", and tailflux import delivers the rest"
		}
	}
	return ""
}
