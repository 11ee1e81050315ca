package service

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/docker/go-units"

	"github.com/tailflux/tailflux/internal/stats"
)

// sentence says in a few words what the daemon is doing, and what hinders it.
func sentence(s *stats.Snapshot, at time.Time) string {
	now := fmt.Sprintf("%s lines/s, %s behind", rate(s.LinesPerSecond.Over10s), span(behind(s, at)))
	if db := s.InfluxDB; db.Outage > 0 {
		now = fmt.Sprintf("InfluxDB away for %s; %s: %s", span(db.Outage), waiting(s), db.LastError)
	}
	switch all := troubles(s); len(all) {
	case 0:
		return now
	case 1:
		return now + "; " + all[0]
	default:
		return fmt.Sprintf("%s; %s; and %d more, see /readyz", now, all[0], len(all)-1)
	}
}

// troubles are what somebody should look after, the gravest first.
func troubles(s *stats.Snapshot) (all []string) {
	if s.RejectsTrouble != "" {
		all = append(all, "reading is paused, the reject file cannot be written: "+s.RejectsTrouble)
	}
	if s.Checkpoint.Trouble != "" {
		all = append(all, "checkpoint not saved: "+s.Checkpoint.Trouble)
	}
	for _, source := range s.Sources {
		if trouble := cmp.Or(source.Trouble, source.Unfit); trouble != "" {
			all = append(all, "source "+source.Name+": "+trouble)
		}
	}
	for _, glob := range s.Globs {
		if glob.Trouble != "" {
			all = append(all, "source "+glob.Name+": "+glob.Trouble)
		}
	}
	return all
}

// waiting is what is to be delivered.
func waiting(s *stats.Snapshot) string {
	var unread int64
	for _, source := range s.Sources {
		unread += source.Size - source.Offset
	}
	lines := grouped(s.Books.InFlight) + " lines"
	if s.Books.InFlight == 1 {
		lines = "1 line"
	}
	switch {
	case unread > 0:
		return lines + " and " + units.HumanSize(float64(unread)) + " of logs wait"
	case s.Books.InFlight == 1:
		return lines + " waits"
	}
	return lines + " wait"
}

// behind is how old the oldest line is that is read and not delivered, or that is not
// read. A few seconds count as 0: lines wait for others.
func behind(s *stats.Snapshot, at time.Time) time.Duration {
	const usual = 3 * time.Second
	old := s.Undelivered
	for _, source := range s.Sources {
		if source.Size > source.Offset && !source.LastLine.IsZero() {
			old = max(old, at.Sub(source.LastLine))
		}
	}
	if old < usual {
		return 0
	}
	return old
}

// rate is a number of lines per second: 0.3, 12 or 3,214.
func rate(perSecond float64) string {
	if perSecond > 0 && perSecond < 9.95 {
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return grouped(int64(perSecond + 0.5))
}

// grouped is 12,000.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// span is 42 s, 12 min, 5 h or 3 days.
func span(d time.Duration) string {
	for _, unit := range []struct {
		length, most time.Duration
		name         string
	}{
		{time.Second, 2 * time.Minute, "s"},
		{time.Minute, 2 * time.Hour, "min"},
		{time.Hour, 48 * time.Hour, "h"},
	} {
		if d < unit.most {
			return fmt.Sprintf("%d %s", d/unit.length, unit.name)
		}
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// clean is text without line breaks, of which each would begin a message of its own: text
// may quote an answer, and that what a client has sent.
func clean(text string) string {
	const most = 300
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
