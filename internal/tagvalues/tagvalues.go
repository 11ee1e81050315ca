// Package tagvalues decides which values each tag may have: the first so many
// distinct ones that are met, for ever. InfluxDB 1.x loses good points when it
// reaches a limit of its own, and slows down long before.
//
// A line that is read again must give the same point again, so the values are
// kept in a file, and are on the disk before the first point that uses them is
// sent: Admit takes a value, Sync makes all that were taken durable. A value
// that was not made durable was not used, and what was refused because of it
// was not sent either; losing it is harmless.
//
//	tailflux tag values 1
//	5f1c22aa path /users/:id
//
// Each value is a line with a checksum before it. The package never forgets a
// value by itself. Of a damaged file it keeps what is good.
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

// Values are the values of all tags. Admit is for one goroutine, Sync for any.
type Values struct {
	tags []tag
	file file

	mu    sync.Mutex // guards what follows; never held over I/O
	fresh []byte     // records of values taken since the last Sync
}

type tag struct {
	name  string
	known map[string]struct{}
	count *stats.Tag
}

// Open reads the values that the file in dir has for tags, of which each may have
// limit distinct ones. If there is no file it is made. What a crash left
// unfinished at its end is cut off: it was not used. A file that is damaged is set
// aside, and its good values are kept; the log says what that costs.
//
// The error is [statedir.ErrNewer], or that the file can be neither used nor set
// aside.
func Open(dir *statedir.Dir, tags []string, limit int, st *stats.Stats, log *slog.Logger) (*Values, error) {
	v := &Values{tags: make([]tag, len(tags))}
	index := make(map[string]*tag, len(tags))
	for i, name := range tags {
		v.tags[i] = tag{name: name, known: map[string]struct{}{}, count: st.AddTag(name, limit)}
		index[name] = &v.tags[i]
	}
	err := v.file.open(dir, log, func(name, value []byte) {
		// Others are kept for the day on which they are tags again.
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

// Admit tells whether value may be written under the tag, counted from 0 in the
// order of Open. The answer for a value never changes. The value is as it stands
// in line protocol: it has no control characters.
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
// disk. It has nothing to do but look when none is new. After an error the same
// values are saved by the next call. It is called before each request, by
// several goroutines, and blocks until another's call is over or ctx ends.
func (v *Values) Sync(ctx context.Context) error {
	return v.file.save(ctx, func(unsaved []byte) []byte {
		v.mu.Lock()
		defer v.mu.Unlock()
		unsaved = append(unsaved, v.fresh...)
		v.fresh = v.fresh[:0]
		return unsaved
	})
}

// Close closes the file. What was not synced is forgotten.
func (v *Values) Close() error { return v.file.close() }

// The first line of the file.
const (
	headerBegin = "tailflux tag values "
	format      = 1
	header      = headerBegin + "1\n"
)

// EmptySize is the size of a file without values, which a start makes that did
// not get further.
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
