package grafanatest

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/influxdtest"
)

// checker asks all queries of a dashboard and compares.
type checker struct {
	db     *influxdtest.Server
	d      *dashboard
	expect expectations
	seen   map[string]bool          // expectations that expected something
	only   string                   // the panel that is asked; "" is all
	took   map[string]time.Duration // the least of each query; nil: nobody wants to know
	known  answers                  // of what was asked before; nil: everything is asked

	wrong []string
}

// answers are those to each question, by database and query.
type answers map[[2]string][]influxdtest.Series

func (c *checker) fault(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// ask is one question: what is wrong with the answer is a fault.
func (c *checker) ask(ctx context.Context, e expander, s *site, name string, q *target, interval time.Duration) (answer []*frame, ok bool) {
	text, err := e.expand(q.Query, interval)
	if err != nil {
		c.fault("%s: %v", name, err)
		return nil, false
	}
	if series, is := c.known[[2]string{s.database, text}]; is {
		return frames(q, series), true
	}
	began, worked := time.Now(), cpuOf(c.db.PID())
	series, err := c.db.Query(ctx, s.database, text)
	took := min(time.Since(began), cpuOf(c.db.PID())-worked)
	if least, is := c.took[name]; c.took != nil && (!is || took < least) {
		c.took[name] = took
	}
	if err != nil {
		c.fault("%s: %v", name, err)
		return nil, false
	}
	if c.known != nil {
		c.known[[2]string{s.database, text}] = series
	}
	return frames(q, series), true
}

// check asks everything for a view of a site.
func (c *checker) check(ctx context.Context, s *site, v view) {
	e := expander{view: v, values: map[string]value{}}
	for _, variable := range c.d.Templating.List {
		c.variable(ctx, &e, s, variable)
	}
	for _, p := range c.d.Panels {
		if c.only == "" || c.only == p.Title {
			c.panel(ctx, e, s, p)
		}
	}
	for _, a := range c.d.Annotations.List {
		if a.BuiltIn == 1 || c.only != "" {
			continue
		}
		name := "@" + a.Name
		if answer, ok := c.ask(ctx, e, s, name, &target{RefID: a.Name, Query: a.text(), ResultFormat: "table"}, time.Second); ok {
			c.compare(e, name, name, asked{s, v, time.Second}, answer)
		}
	}
}

// variable finds the value of one, which those behind it may use.
func (c *checker) variable(ctx context.Context, e *expander, s *site, v *variable) {
	is := value{multi: v.Multi}
	var all []string
	values := map[string]string{} // of what is shown, where that differs
	switch v.Type {
	case "datasource":
		is.texts = []string{"tailflux"}
	case "textbox", "constant", "interval":
		is.texts = []string{fmt.Sprint(v.Current.Value)}
		if v.Current.Value == nil {
			is.texts = []string{v.text()}
		}
	case "custom":
		for each := range strings.SplitSeq(v.text(), ",") {
			shown, after, found := strings.Cut(each, " : ")
			if !found {
				after = each
			}
			all = append(all, strings.TrimSpace(after))
			values[strings.TrimSpace(shown)] = strings.TrimSpace(after)
		}
	case "query":
		answer, ok := c.ask(ctx, *e, s, "$"+v.Name, &target{RefID: v.Name, Query: v.text(), ResultFormat: "table"}, time.Second)
		if !ok {
			return
		}
		all = optionsOf(v, answer[0])
		came := &frame{columns: []column{{name: v.Name}}}
		for _, text := range all {
			came.columns[0].values = append(came.columns[0].values, text)
		}
		if c.only == "" {
			c.compare(*e, "$"+v.Name, "$"+v.Name, asked{s, e.view, time.Second}, []*frame{came})
		}
	default:
		c.fault("$%s: nobody knows a variable of type %q", v.Name, v.Type)
		return
	}
	chosen, isChosen := e.chosen[v.Name]
	current := fmt.Sprint(v.Current.Value)
	switch {
	case isChosen:
		for _, text := range chosen {
			is.texts = append(is.texts, cmp.Or(values[text], text))
		}
	case v.Type != "query" && v.Type != "custom":
	case v.IncludeAll && (current == "[$__all]" || current == "$__all" || current == "<nil>"):
		if is.texts = all; v.AllValue != "" {
			is.texts, is.all = []string{v.AllValue}, true
		}
	case slices.Contains(all, current):
		is.texts = []string{current}
	case len(all) > 0:
		is.texts = all[:1]
	default:
		is.texts = []string{""}
	}
	e.values[v.Name] = is
}

// optionsOf are what a variable offers: the second column of what the server lists, or the
// first, of which its regular expression keeps some.
func optionsOf(v *variable, answer *frame) (all []string) {
	query := strings.ToLower(v.text())
	n := 1
	if strings.Contains(query, "show field keys") || strings.Contains(query, "show retention policies") || strings.Contains(query, "show measurements") {
		n = 0
	}
	if len(answer.columns) <= n {
		return nil
	}
	filter := regexp.MustCompile(strings.TrimSuffix(strings.TrimPrefix(v.Regex, "/"), "/"))
	for _, each := range answer.columns[n].values {
		m := filter.FindStringSubmatch(fmt.Sprint(each))
		if m == nil {
			continue
		}
		text := fmt.Sprint(each)
		if len(m) > 1 {
			text = m[1]
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// viewOf is the view of a panel that shows another time than the dashboard.
func viewOf(p *panel, v view) (view, error) {
	if p.TimeFrom != "" {
		d, err := durationOf(p.TimeFrom)
		if err != nil {
			return v, err
		}
		v.from = v.to.Add(-d)
	}
	if p.TimeShift != "" {
		d, err := durationOf(p.TimeShift)
		if err != nil {
			return v, err
		}
		v.from, v.to = v.from.Add(-d), v.to.Add(-d)
	}
	return v, nil
}

func (c *checker) panel(ctx context.Context, e expander, s *site, p *panel) {
	var err error
	if e.view, err = viewOf(p, e.view); err != nil {
		c.fault("%s: %v", p.Title, err)
		return
	}
	least, err := durationOf(p.Interval)
	if err != nil {
		c.fault("%s: %v", p.Title, err)
		return
	}
	points := e.points
	if p.MaxDataPoints > 0 {
		points = p.MaxDataPoints
	}
	a := asked{s, e.view, intervalOf(e.to.Sub(e.from), points, least)}
	drawn := []*frame{}
	_, whole := c.expect[p.Title]
	for _, q := range p.Targets {
		name := p.Title + " " + q.RefID
		answer, ok := c.ask(ctx, e, s, name, q, a.interval)
		if !ok {
			return
		}
		if _, is := c.expect[name]; is || !whole {
			c.compare(e, name, q.Query, a, answer)
		}
		c.unobserved(name, q, a, answer)
		drawn = append(drawn, answer...)
	}
	if drawn, err = transform(p, drawn); err != nil {
		c.fault("%s: %v", p.Title, err)
		return
	}
	switch {
	case whole:
		c.compare(e, p.Title, p.Title, a, drawn)
	case len(p.Transformations) > 0:
		c.fault("%s: it is transformed, and nobody expects how it looks then", p.Title)
	}
}

// compare holds what came against the expectation.
func (c *checker) compare(e expander, name, query string, a asked, came []*frame) {
	expected, is := c.expect[name]
	if !is {
		if text := name + ": nobody expects anything of it"; !slices.Contains(c.wrong, text) {
			c.fault("%s", text)
		}
		return
	}
	want := expected(a)
	if !want.empty() && c.seen != nil {
		c.seen[name] = true
	}
	if wrong := want.differs(came); len(wrong) > 0 {
		more := ""
		if len(wrong) > 4 {
			wrong, more = wrong[:4], fmt.Sprintf("\n\tand %d more", len(wrong)-4)
		}
		text, _ := e.expand(query, a.interval)
		c.fault("%s, %s:\n\t%s%s\n\t%s", name, e.name, strings.Join(wrong, "\n\t"), more, text)
	}
}

// unobserved finds values of traffic over time where nobody looked, whatever is expected.
func (c *checker) unobserved(name string, q *target, a asked, came []*frame) {
	if !strings.Contains(q.Query, "nginx_") || !strings.Contains(q.Query, "time($__interval)") {
		return
	}
	for _, f := range came {
		if f.table {
			continue
		}
		for i, v := range f.columns[1].values {
			at, _ := f.columns[0].values[i].(time.Time)
			if v != nil && a.observed(at.Add(-time.Second), at.Add(a.interval+time.Second)) == 0 {
				c.fault("%s, %s: %q is %v at %s, and nobody looked then", name, a.name, f.columns[1].name, v, at.Format(timeFormat))
				return
			}
		}
	}
}
