package history

import (
	"fmt"
	"time"
)

// early says why there are no requests yet, soon after the first one: a rollup with long windows
// has them later than those that tables may be from.
func (a *asking) early() {
	soon := 2*a.window + notYet
	if a.answer.Total.Requests > 0 || a.now.Sub(a.To) > soon || !a.isYoung(soon) && !a.hasRows() {
		return
	}
	unit, size := "minute", time.Minute
	if a.window%time.Minute != 0 {
		unit, size = "second", time.Second
	}
	remedy := "wait a minute or two"
	if a.long() > ranges["1h"] {
		remedy = "choose 1h"
	}
	a.answer.Missing[partSeries] = fmt.Sprintf("no %d-%s window with requests has ended yet: %s", a.window/size, unit, remedy)
	a.markSoon()
}

// isYoung reports whether tailflux was started so short a time ago, and all that came since is
// asked about.
func (a *asking) isYoung(span time.Duration) bool {
	return a.now.Sub(a.began) < span && a.now.Sub(a.To) < span && len(a.filters()) == 0
}

func (a *asking) hasRows() bool {
	for _, rows := range a.answer.Tables {
		if len(rows) > 0 {
			return true
		}
	}
	return false
}

// markSoon says that what the answer lacks comes soon.
func (a *asking) markSoon() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer.soon = true
}
