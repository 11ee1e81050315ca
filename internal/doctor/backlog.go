package doctor

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/config"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/shape"
)

// So much behind is a sign of trouble, if tailflux runs.
const (
	behindBytes = 64 << 20
	behindFor   = 5 * time.Minute
)

// backlog says how much of a log is not delivered yet, and how old that is.
func (d *doctor) backlog(s config.Source, path string) {
	known := d.followed(path)
	if known == nil {
		if s.Start == "end" {
			d.ok("backlog", "%s was not followed yet: it is begun at its end, so only new requests are seen", path)
			return
		}
		size, at := d.unread(s, path, path, 0)
		d.oldest = earlier(d.oldest, at)
		d.ok("backlog", "%s was not followed yet: it is begun at its beginning, %s of it", path, sizeSince(size, at, d.now))
		return
	}
	var behind int64
	var oldest time.Time
	for _, file := range new(logfile.Directories).Siblings(path, known.Directories...) {
		offset, unread := offsetIn(file, path, known)
		if !unread {
			continue
		}
		size, at := d.unread(s, path, file.Path, offset)
		behind += size
		oldest = earlier(oldest, at)
	}
	if behind > 0 {
		d.oldest = earlier(d.oldest, oldest)
	}
	switch late := !oldest.IsZero() && d.now.Sub(oldest) > behindFor+d.longestOpen(); {
	case behind == 0:
		d.ok("backlog", "%s is delivered to its end", path)
	case d.running && (late || behind > behindBytes):
		d.say(Warning, "backlog", fmt.Sprintf("%s of %s is not delivered yet", sizeSince(behind, oldest, d.now), path),
			"curl -s http://"+d.Config.Listen+"/monitor says which stage is slow; see docs/troubleshooting.md")
	case !d.running && behind > behindBytes:
		d.say(Note, "backlog", fmt.Sprintf("%s of %s is to be delivered at the next start", sizeSince(behind, oldest, d.now), path), "")
	default:
		d.ok("backlog", "%s: %s is not delivered yet", path, sizeSince(behind, oldest, d.now))
	}
}

// longestOpen is how long lines without points may wait in cells.
func (d *doctor) longestOpen() (longest time.Duration) {
	if d.Config.Raw {
		return 0
	}
	for _, r := range d.Config.Rollups {
		longest = max(longest, r.Interval)
	}
	return longest
}

// sizeSince is an amount, and how old it is if that is known.
func sizeSince(amount int64, since, now time.Time) string {
	if since.IsZero() || amount == 0 {
		return size(amount)
	}
	return fmt.Sprintf("%s, from %s ago,", size(amount), span(max(0, now.Sub(since))))
}

// followed is what the checkpoint has of the log at a path, nil if nothing.
func (d *doctor) followed(path string) *checkpoint.Source {
	for _, s := range d.checkpoint {
		if s.Path == path {
			return s
		}
	}
	return nil
}

// offsetIn is where delivering goes on in a file that the log was, or is; unread is false if
// it does not. Lines that wait in open cells only are delivered; without points for lines,
// nothing else shows that they are.
func offsetIn(file logfile.Sibling, path string, known *checkpoint.Source) (offset int64, unread bool) {
	opened, err := file.Open()
	if err != nil {
		return 0, false
	}
	defer opened.Close()
	for _, g := range known.Open {
		if opened.Begins(g.Head) {
			return g.Got(checkpoint.Lines, checkpoint.Raw).Offset, true
		}
	}
	for _, g := range known.Finished {
		if opened.Begins(g.Head) {
			return 0, false
		}
	}
	return 0, file.Path == path // a log that came later
}

// unread is how much of a file is behind an offset, and the time of the first line there.
func (d *doctor) unread(s config.Source, path, file string, offset int64) (rest int64, oldest time.Time) {
	opened, err := logfile.Sibling{Path: file}.Open()
	if err != nil {
		return 0, oldest
	}
	defer opened.Close()
	if rest = max(0, opened.Size()-offset); rest == 0 {
		return 0, oldest
	}
	f := d.formatOf(s.Name, path)
	if f == nil || f.Lines == nil {
		return rest, oldest
	}
	const room = 64 << 10
	text, err := opened.Bytes(offset, room)
	if err != nil {
		return rest, oldest
	}
	return rest, firstTime(f.Lines, text)
}

// firstTime is that of the first of some lines that has one.
func firstTime(shaped *shape.Lines, text []byte) (at time.Time) {
	for line := range bytes.Lines(text) {
		point, _, ok := shaped.Append(nil, bytes.TrimRight(line, "\r\n"), 0)
		if stamp, is := lineproto.Stamp(point); ok && is {
			return time.Unix(0, stamp)
		}
	}
	return at
}
