package query_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/influx"
	"github.com/tailflux/tailflux/internal/influxdtest"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/query"
	"github.com/tailflux/tailflux/internal/rollup"
)

// line is one of a log, as far as rollups know.
type line struct {
	at             int64 // seconds since 1970
	host           string
	path, status   string
	time, upstream int64 // milliseconds; -1: it has none
	bytes          int64
}

func (l line) tag(name string) string {
	switch name {
	case "host":
		return l.host
	case "source":
		return "web"
	case "path":
		return l.path
	case "status":
		return l.status
	case "status_class":
		return l.status[:1] + "xx"
	}
	return ""
}

// lineTime is its request_time or upstream_response_time.
func (l line) lineTime(i int) int64 { return [...]int64{l.time, l.upstream}[i] }

// definition has windows of 10 s.
var definition = rollup.Definition{Measurement: "nginx_t", Interval: 10 * time.Second, Tags: []string{"path", "status"}}

// deltas are lines as rollups write them: each host its own, cut anywhere.
func deltas(d rollup.Definition, lines []line, r *rand.Rand) (text []byte) {
	hosts := map[string][]line{}
	for _, l := range lines {
		hosts[l.host] = append(hosts[l.host], l)
	}
	for host, lines := range hosts {
		s := rollup.New([]rollup.Definition{d}, host, 1<<30)
		g := &flow.Generation{Source: &flow.Source{Name: "web"}, ID: 1, FirstLine: 1}
		position := func(n int) flow.Position {
			return flow.Position{Generation: g, Offset: int64(n) * 100, Line: int64(n) + 1}
		}
		open := s.Begin(position(0), func(string) int64 { return 1 }, func(string) []rollup.Intent { return nil })
		for i, l := range lines {
			m := accesslog.Measures{At: l.at * 1e9, Sizes: [3]int64{l.bytes, -1, -1}, Times: [2]int64{l.time, l.upstream}}
			var tags []byte
			for _, tag := range d.Tags {
				if value := l.tag(tag); value != "" {
					tags = lineproto.AppendTag(tags, lineproto.TagPrefix(tag), []byte(value))
				}
			}
			s.Add(open, 0, int64(i)+1, &m, tags)
			if i+1 == len(lines) || r.IntN(2000) == 0 {
				open.Reach(position(i+1), []byte("x"), time.Time{})
				for _, o := range s.End() {
					for c := s.Cut(o); c.More(); {
						some, _ := c.Append(make([]byte, 0, 1<<20))
						text = append(text, some...)
					}
				}
			}
		}
	}
	return text
}

// store is an influxd, with a database for each test.
type store struct {
	t      testing.TB
	server *influxdtest.Server
	client *influx.Client
	name   string
}

func newStore(t testing.TB, server *influxdtest.Server, name string) *store {
	t.Helper()
	client, err := influx.New(influx.Config{URL: server.URL(), Database: name, Timeout: time.Minute, InFlight: 1})
	if err == nil {
		t.Cleanup(client.Close)
		err = client.CreateDatabase(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return &store{t, server, client, name}
}

// add stores line protocol.
func (s *store) add(text []byte) {
	s.t.Helper()
	for part := range slices.Chunk(splitLines(text), 5000) {
		if err := s.client.Write(s.t.Context(), part); err != nil {
			s.t.Fatal(err)
		}
	}
}

func splitLines(text []byte) (lines [][]byte) {
	for begin, i := 0, 0; i < len(text); i++ {
		if text[i] == '\n' {
			lines = append(lines, text[begin:i+1])
			begin = i + 1
		}
	}
	return lines
}

// ask asks a question of rollups.
func (s *store) ask(q query.Question, all ...rollup.Definition) (*query.Plan, []query.Row) {
	s.t.Helper()
	plan, err := query.Ask(q, all)
	if err != nil {
		s.t.Fatal(err)
	}
	return plan, s.rows(plan)
}

func (s *store) rows(plan *query.Plan) []query.Row {
	s.t.Helper()
	var answers [][]influx.Table
	for _, statement := range plan.Statements {
		tables, err := s.client.Select(context.WithoutCancel(s.t.Context()), statement)
		if err != nil {
			s.t.Fatalf("%v\n%.2000s", err, statement)
		}
		answers = append(answers, tables)
	}
	rows, err := plan.Rows(answers)
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

func measures(t testing.TB, names ...string) (all []query.Measure) {
	t.Helper()
	for _, name := range names {
		m, err := query.ParseMeasure(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func conditions(t testing.TB, texts ...string) (all []query.Condition) {
	t.Helper()
	for _, text := range texts {
		c, err := query.ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// text is a row for messages.
func text(r query.Row) string {
	values, _ := json.Marshal(r.Values)
	return fmt.Sprintf("%s %q %s", r.From.Format(time.RFC3339), r.Tags, values)
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

func texts(rows []query.Row) string {
	var all []string
	for _, r := range rows {
		all = append(all, text(r))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
