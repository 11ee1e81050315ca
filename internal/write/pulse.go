package write

import (
	"time"

	"github.com/tailflux/tailflux/internal/stats"
)

// Watchdog must hear from the stage regularly, or it ends the process. It is told that all
// stages work: they move lines, or wait for a reason, such as a quiet log, InfluxDB that is
// away or a disk that is full.
type Watchdog struct {
	Alive func()        // called from the loop of Run
	Every time.Duration // how long it waits for that; 0: nobody watches
}

// readerPatience is how long one look at the logs may last: a rotated file that is
// compressed may have to be unpacked to its end.
const readerPatience = 10 * time.Minute

// pulse judges whether the stages work, by what has changed since it last did.
type pulse struct {
	patience time.Duration // how long nothing may move that has to
	moved    time.Time     // when something last did, or had not to
	sum      int64         // of what only grows, then
	looked   time.Time     // when the reader last had, the last time
}

// patience is as long as the watchdog waits, and also as long as a request may last, with
// the pause after it, and as lines may wait for others.
func (c *Config) patience() time.Duration {
	return c.Watchdog.Every + c.Timeout + maxPause + c.FlushInterval
}

// works reports whether the stages work. prepares is whether InfluxDB is being prepared,
// tries counts what was tried there and has ended.
func (p *pulse) works(now time.Time, m stats.Motion, prepares bool, tries int64) bool {
	sum := m.Books.Written + m.Books.Rejected + m.Books.Filtered + tries
	idle := !prepares && m.Books.InFlight == 0
	// The reader has read lines, and is looking at its logs before it sends them.
	looking := m.Books.InFlight == m.Read && m.Looked.Equal(p.looked)
	p.looked = m.Looked
	if sum != p.sum || idle || looking {
		p.moved, p.sum = now, sum
	}
	reads := m.Looked.IsZero() || now.Sub(m.Looked) <= readerPatience
	return reads && now.Sub(p.moved) <= p.patience
}

// beat is when the watchdog must hear again that all is well; nil: never.
func (w *Writer) beat() (beats <-chan time.Time, stop func()) {
	if w.config.Watchdog.Every == 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(w.config.Watchdog.Every / 3)
	return ticker.C, ticker.Stop
}

// alive tells the watchdog that the stages work, if they do.
func (w *Writer) alive(prepares bool) {
	if w.pulse.works(time.Now(), w.stats.Motion(), prepares, w.tries.Load()) {
		w.config.Watchdog.Alive()
	}
}
