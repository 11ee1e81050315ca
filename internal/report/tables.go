package report

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/live"
)

// kind is that of a table.
type kind int

const (
	narrow kind = iota
	wide        // names are long
	timed       // rows have times
)

// part says of which list another one is a part.
var part = map[string]string{"failing": "paths", "refused": "paths", "slowest": "paths", "bots": "agents"}

// tables are the top lists, without those that are empty.
func (r *Report) tables() (all []table) {
	top := r.Top
	for _, t := range []struct {
		id, title, of string
		rows          []live.Row
		kind          kind
	}{
		{"paths", "Paths", "Path", top.Paths, timed},
		{"failing", "Failing paths (5xx)", "Path", top.Failing, timed},
		{"refused", "Paths with client errors (4xx)", "Path", top.ClientErrors, timed},
		{"slowest", "Slowest paths (p95)", "Path", top.Slowest, timed},
		{"statuses", "Statuses", "Status", named(top.Statuses, statusText), narrow},
		{"methods", "Methods", "Method", top.Methods, narrow},
		{"clients", "Clients", "Client", top.Clients, narrow},
		{"hosts", "Hosts", "Host", top.Hosts, narrow},
		{"referrers", "Referrers", "Referrer", top.Referrers, wide},
		{"agents", "Agents", "Agent", top.Agents, wide},
		{"bots", "Bots, by their own word", "Agent", top.Bots, wide},
		{"days", "Days (UTC)", "Day", r.days(), narrow},
		{"hours", "Hours of the day (UTC)", "Hour", r.hours(), narrow},
	} {
		if len(t.rows) > 0 {
			made := r.table(t.id, t.title, t.of, t.rows, t.kind == timed && r.isTimed())
			made.Wide = t.kind == wide
			if slices.Contains(top.Full, cmp.Or(part[t.id], t.id)) {
				made.Note = "There were more values than are kept: these are those with most requests, and may lack a few."
			}
			all = append(all, made)
		}
	}
	return all
}

func (r *Report) table(id, title, of string, rows []live.Row, times bool) table {
	t := table{ID: id, Title: title, Timed: times, Heads: []head{{of, "name"}}}
	heads := []string{"Requests", "%", "4xx", "5xx", "Sent"}
	if times {
		heads = []string{"Requests", "4xx", "5xx", "Sent", "Mean", "p95"}
	}
	for _, name := range heads {
		t.Heads = append(t.Heads, head{name, "n"})
	}
	most := int64(1)
	for _, item := range rows {
		most = max(most, item.Requests)
	}
	for _, item := range rows {
		one := row{
			Name: plain(item.Name), Share: fmt.Sprintf("%.3f", float64(item.Requests)/float64(most)),
			Cells: []cell{{Text: count(item.Requests), Bar: true}},
		}
		if !times {
			one.Cells = append(one.Cells, cell{Text: percent(item.Requests, r.Total.Requests)})
		}
		one.Cells = append(one.Cells,
			cell{Text: count(item.ClientErrors), Tone: tone(item.ClientErrors, "4xx")},
			cell{Text: count(item.ServerErrors), Tone: tone(item.ServerErrors, "5xx")},
			cell{Text: size(item.Bytes)})
		if times {
			one.Cells = append(one.Cells, cell{Text: took(item.Mean)}, cell{Text: took(item.P95)})
		}
		t.Rows = append(t.Rows, one)
	}
	return t
}

// named are rows with other names.
func named(rows []live.Row, by func(string) string) (all []live.Row) {
	for _, item := range rows {
		item.Name = by(item.Name)
		all = append(all, item)
	}
	return all
}

// statusText is a status with what it means.
func statusText(status string) string {
	text := ofNginx[status]
	if code, err := strconv.Atoi(status); err == nil {
		text = cmp.Or(text, http.StatusText(code))
	}
	return strings.TrimSpace(status + " " + text)
}

// ofNginx are statuses of nginx's own.
var ofNginx = map[string]string{
	"444": "Closed Without Answer", "494": "Request Header Too Large", "495": "Client Certificate Error",
	"496": "No Client Certificate", "497": "HTTP Sent To HTTPS", "499": "Client Has Gone",
}

// days are the sums of whole days, if slots are not wider and there is more than one day.
func (r *Report) days() []live.Row {
	all := r.summed(24*time.Hour, func(at time.Time) string { return at.Format(time.DateOnly) })
	if len(all) < 2 {
		return nil
	}
	return all
}

// hours are the sums of the hours of all days, if slots are not wider than one and there is
// more than one hour.
func (r *Report) hours() []live.Row {
	all := r.summed(time.Hour, func(at time.Time) string { return at.Format("15:00") })
	if len(all) < 2 {
		return nil
	}
	slices.SortFunc(all, func(a, b live.Row) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// summed adds up the slots whose times have one name, in the order in which they come; none
// if a slot may be of two.
func (r *Report) summed(width time.Duration, name func(time.Time) string) (all []live.Row) {
	s := &r.Slots
	if s.Step == 0 || int64(width/time.Second)%s.Step != 0 {
		return nil
	}
	places := map[string]int{}
	for i, at := range s.Time {
		if isNone(s.Requests[i]) || s.Requests[i] == 0 {
			continue
		}
		is := name(time.Unix(at, 0).UTC())
		place, ok := places[is]
		if !ok {
			place = len(all)
			places[is] = place
			all = append(all, live.Row{Name: is, Mean: live.None(), P95: live.None()})
		}
		sum := &all[place]
		sum.Requests += int64(s.Requests[i])
		if !isNone(s.Bytes[i]) {
			sum.Bytes += int64(s.Bytes[i])
		}
		sum.ClientErrors += s.Classes["4xx"][i]
		sum.ServerErrors += s.Classes["5xx"][i]
	}
	return all
}

// figures are those of the charts, of slots that have requests.
func (r *Report) figures() *figures {
	s := &r.Slots
	f := &figures{Heads: []string{"Begin", "Requests", "2xx", "3xx", "4xx", "5xx", "Sent"}}
	if r.isTimed() {
		f.Heads = append(f.Heads, "p50", "p95", "p99")
	}
	for i, at := range s.Time {
		if isNone(s.Requests[i]) || s.Requests[i] == 0 {
			continue
		}
		is := figuresOf{Time: time.Unix(at, 0).UTC(), Cells: []string{counted(s.Requests[i])}}
		for _, class := range []string{"2xx", "3xx", "4xx", "5xx"} {
			is.Cells = append(is.Cells, count(s.Classes[class][i]))
		}
		bytes := int64(0)
		if !isNone(s.Bytes[i]) {
			bytes = int64(s.Bytes[i])
		}
		if is.Cells = append(is.Cells, size(bytes)); r.isTimed() {
			is.Cells = append(is.Cells, took(s.P50[i]), took(s.P95[i]), took(s.P99[i]))
		}
		f.Rows = append(f.Rows, is)
	}
	if len(f.Rows) == 0 {
		return nil
	}
	return f
}

// charts are those that there is something for.
func (r *Report) charts() (all []chart) {
	if r.Total.Requests == 0 {
		return nil
	}
	all = []chart{{"requests", "Requests a second, by status"}}
	if r.isTimed() {
		all = append(all, chart{"times", "Time of requests"})
	}
	return append(all, chart{"errors", "Share of server errors (5xx)"}, chart{"bytes", "Bytes sent a second"})
}
