package live

import (
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
)

// lists are the top lists: of each a table with the values of the last minutes.
type lists struct {
	line  accesslog.Description // that is added
	panes panes
	rows  int // that are shown of each

	paths, clients, agents, methods, statuses, hosts, referrers, sources table

	source []byte
}

// panes are the minutes of the log's time by which the lists slide, in a ring as slots are.
type panes struct {
	width   int64   // in nanoseconds; 0: there is one, for all
	numbers []int64 // of the pane at each place, in widths since 1970
	newest  int64   // of the last one that is shown
	current int     // the place of the one that lines are added to

	sampled []int64 // the most lines of a pane of which one was looked at
}

func newLists(c Config) lists {
	p := panes{width: int64(time.Minute)}
	n := int(c.Window/time.Minute) + 1
	if c.Whole {
		p.width, p.newest, n = 0, 1, 1
	}
	p.numbers, p.sampled = make([]int64, n), make([]int64, n)
	of := func(timed bool) table { return newTable(c.Capacity, timed) }
	return lists{
		panes: p, rows: c.Rows,
		paths: of(true), clients: of(false), agents: of(false), methods: of(false), statuses: of(false),
		hosts: of(false), referrers: of(false), sources: of(false),
	}
}

// all are the tables by the names that they have in Top.
func (l *lists) all() map[string]*table {
	return map[string]*table{
		"paths": &l.paths, "clients": &l.clients, "agents": &l.agents, "methods": &l.methods, "statuses": &l.statuses,
		"hosts": &l.hosts, "referrers": &l.referrers, "sources": &l.sources,
	}
}

// has reports whether a pane is shown.
func (p *panes) has(number int64) bool {
	return p.width == 0 || number > p.newest-int64(len(p.numbers)) && number <= p.newest
}

// isOther reports whether other panes are shown when a time is the last one.
func (p *panes) isOther(nano int64) bool { return p.width > 0 && p.newest != nano/p.width }

// turn makes the pane of a time the current one.
func (l *lists) turn(nano int64) {
	p := &l.panes
	if p.width == 0 {
		return
	}
	number := nano / p.width
	p.current = int(number % int64(len(p.numbers)))
	p.newest = max(p.newest, number)
	if p.numbers[p.current] != number {
		p.numbers[p.current], p.sampled[p.current] = number, 0
	}
}

// add adds the line that was described.
func (l *lists) add(source string, r *request) {
	p, d := &l.panes, &l.line
	p.sampled[p.current] = max(p.sampled[p.current], int64(r.weight))
	l.source = append(l.source[:0], source...)
	l.paths.add(d.Folded, p, r)
	l.clients.add(d.Client, p, r)
	l.agents.add(d.Agent, p, r)
	l.methods.add(d.Method, p, r)
	l.statuses.add(d.Status, p, r)
	l.hosts.add(d.Host, p, r)
	l.referrers.add(d.Referrer, p, r)
	l.sources.add(l.source, p, r)
}
