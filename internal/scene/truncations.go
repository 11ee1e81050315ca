package scene

import (
	"slices"

	"github.com/tailflux/tailflux/internal/logfile"
)

// truncations are files that hold something else now. That is a new generation. The one
// before goes on in the copy that logrotate made of the file before it truncated it
// (copytruncate), if there is one; by now it is whole.
func (d *decision) truncations() {
	for i := range d.Open {
		f := &d.Open[i]
		if f.Holds {
			continue
		}
		a := Action{Do: Truncated, ID: f.ID, File: -1, Since: d.asOf(f)}
		best, sure := -1, logfile.Different
		elsewhere := false // all that is known of it is in a copy that was found before, and is read
		var parts []int    // copies that were made when it had less than what is known of its beginning
		for i, c := range d.Beside {
			if c.Held == f.ID || c.predates(&f.Generation) || d.Trouble(i) != nil {
				continue
			}
			if c.Held != 0 && !d.OpenAs(c.Held).Unsure {
				elsewhere = elsewhere || d.Size(i) >= f.Known && d.Is(i, &f.Generation) >= logfile.Copy
				continue
			}
			how := d.Is(i, &f.Generation)
			isPart := d.IsPart(i, f.ID)
			if isPart {
				how = logfile.Prefix
			}
			if how == logfile.Different || d.wasRead(i, f.ID, 0) {
				continue
			}
			if isPart && !c.AtPath {
				parts = append(parts, i)
			}
			if how > sure || how == sure && !c.AtPath { // a log that is alike is another one, if there is a copy
				best, sure = i, how
			}
		}
		for _, part := range parts {
			if part != best { // nothing else tells any more that it was read
				d.add(Action{Do: NoteCopy, File: part, Prior: f.Generation})
			}
		}
		unread := f.Known - f.Offset
		switch {
		case best >= 0 && d.Size(best) >= 0 && d.Size(best) <= f.Offset:
			// More of it was read than was copied.
			d.add(Action{Do: NoteCopy, File: best, Prior: f.Generation})
		case best >= 0:
			a.File = best
		case unread > 0 && f.Kept == 0 && !elsewhere:
			a.Bytes = unread
		}
		d.add(a)
		return
	}
}

// emptyOnes are files that were empty when they were found beside the log. What one holds
// since may be a copy, whole or still being made.
func (d *decision) emptyOnes() {
	for i := range d.Open {
		f := &d.Open[i]
		if f.Compressed { // at the path it cannot be opened, and beside it is found once more, as what it is
			d.add(Action{Do: Forget, ID: f.ID})
			d.add(Action{Do: Search, Since: d.latest()})
			return
		}
		if !f.Unsure || f.Empty {
			continue
		}
		file := slices.IndexFunc(d.Beside, func(c Beside) bool { return c.Held == f.ID })
		if f.Superseded && file >= 0 && (d.wasRead(file, f.ID, 0) || d.anonymised(file) != nil) {
			d.add(Action{Do: Forget, ID: f.ID})
		} else {
			d.add(Action{Do: Sure, ID: f.ID})
		}
		return
	}
}
