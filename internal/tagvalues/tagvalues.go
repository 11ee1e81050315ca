// Package tagvalues limits how many values each tag may have. The first distinct
// values up to the limit are admitted, for ever. InfluxDB 1.x loses good points
// when it reaches a limit of its own, and slows down long before.
//
// A line that is read again must become the same point again. So the values are
// kept in a file, and are on the disk before the first point that uses them is
// sent: Admit admits a value, Sync makes all admitted values durable. A value that
// is not durable was not used yet, and nothing that was refused because of it was
// sent either, so losing it costs nothing.
//
//	tailflux tag values 1
//	5f1c22aa path /users/:id
//
// Each value is a line that begins with its checksum. The package never forgets a
// value by itself. It keeps the good values of a damaged file.
package tagvalues

import (
	"context"
	"fmt"
	"hash/crc32"
	"log/slog"
	"sync"

	"github.com/tailflux/tailflux/internal/statedir"
	"github.com/tailflux/tailflux/internal/stats"
)

// Values holds the values of all tags. Admit must be called by one goroutine only;
// Sync may be called by several.
type Values struct {
	tags []tag
	file file

	mu    sync.Mutex // guards what follows; never held over I/O
	fresh []byte     // records of values admitted since the last Sync
}

type tag struct {
	name  string
	known map[string]struct{}
	count *stats.Tag
}

// Open reads the values of tags, each of which may have limit distinct ones, from
// the file in dir, and creates the file if necessary. An incomplete record at its
// end is cut off: it was not used. A damaged file is renamed and its good values
// are kept; the log says what that costs.
//
// Open returns [statedir.ErrNewer], or an error if the file can neither be used nor
// renamed.
func Open(dir *statedir.Dir, tags []string, limit int, st *stats.Stats, log *slog.Logger) (*Values, error) {
	v := &Values{tags: make([]tag, len(tags))}
	index := make(map[string]*tag, len(tags))
	for i, name := range tags {
		v.tags[i] = tag{name: name, known: map[string]struct{}{}, count: st.AddTag(name, limit)}
		index[name] = &v.tags[i]
	}
	err := v.file.open(dir, log, func(name, value []byte) {
		// Values of other tags stay in the file, in case these become tags again.
		if t := index[string(name)]; t != nil {
			t.known[string(value)] = struct{}{}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("tag values: %w", err)
	}
	for i := range v.tags {
		v.tags[i].count.Values.Store(int64(len(v.tags[i].known)))
	}
	return v, nil
}

// Admit reports whether value may be written under a tag, given by its index in the
// tags of Open. The answer for a value never changes. The value must be escaped as
// in line protocol, without control characters.
func (v *Values) Admit(tag int, value []byte) bool {
	t := &v.tags[tag]
	if _, ok := t.known[string(value)]; ok {
		return true
	}
	if len(t.known) >= t.count.Limit {
		t.count.Other.Add(1)
		return false
	}
	t.known[string(value)] = struct{}{}
	t.count.Values.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fresh = appendRecord(v.fresh, t.name, value)
	return true
}

// Sync returns nil when every value that was admitted before the call is on the
// disk. Without new values it is cheap. After an error the next call saves the same
// values. It is called before each request, by several goroutines, and blocks until
// another call has returned or ctx ends.
func (v *Values) Sync(ctx context.Context) error {
	return v.file.save(ctx, func(unsaved []byte) []byte {
		v.mu.Lock()
		defer v.mu.Unlock()
		unsaved = append(unsaved, v.fresh...)
		v.fresh = v.fresh[:0]
		return unsaved
	})
}

// Close closes the file. Values that were not synced are forgotten.
func (v *Values) Close() error { return v.file.close() }

// The first line of the file.
const (
	headerBegin = "tailflux tag values "
	format      = 1
	header      = headerBegin + "1\n"
)

// EmptySize is the size in bytes of a file without values, which a start leaves that
// failed later on.
const EmptySize = int64(len(header))

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksumLen is the length of a checksum in hexadecimal.
const checksumLen = 8

func appendRecord(dst []byte, name string, value []byte) []byte {
	start := len(dst)
	dst = append(dst, "00000000 "...)
	dst = append(dst, name...)
	dst = append(dst, ' ')
	dst = append(dst, value...)
	copy(dst[start:], checksum(dst[start+checksumLen+1:]))
	return append(dst, '\n')
}

func checksum(text []byte) string {
	return fmt.Sprintf("%0*x", checksumLen, crc32.Checksum(text, castagnoli))
}
