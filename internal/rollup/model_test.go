package rollup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/flow"
	"github.com/tailflux/tailflux/internal/logfile"
	"github.com/tailflux/tailflux/internal/rollup"
)

// The model is tailflux around the rollups, in one goroutine and without a disk: lines of
// several generations are read in pieces, added up, cut, sent in requests of which several
// are on the way, and acknowledged in order. It is killed between any two steps, loses the
// latest save of the checkpoint, and starts again. Whatever happens, what is stored in the
// end adds up to the lines.
func TestModel(t *testing.T) {
	sequences := uint64(10_000)
	if testing.Short() {
		sequences = 1000
	}
	for seed := range sequences {
		w := newWorld(t, seed)
		w.run()
		if t.Failed() {
			t.Fatalf("sequence %d:\n%s", seed, strings.Join(w.steps, "\n"))
		}
	}
}

// modelLine is a line of a log.
type modelLine struct {
	m        accesslog.Measures
	tags     [2]string
	rejected bool
}

// modelLog is one generation.
type modelLog struct {
	id, first int64
	lines     []modelLine
	over      bool // nothing is appended any more
}

// world is what outlives a process.
type world struct {
	t     *testing.T
	r     *rand.Rand
	now   time.Time
	logs  []*modelLog
	store map[string]map[string]int64 // fields by series and stamp
	files [2]map[string]*checkpoint.Source
	book  modelDisk
	steps []string

	coarse      bool // the store keeps milliseconds
	definitions []rollup.Definition
	begun       map[string]map[int64]int64 // by key, the first line of each generation that counts
	clean       bool
}

// modelDisk keeps the records of the book, and fails at times.
type modelDisk struct {
	r       *rand.Rand
	records []byte
	torn    []byte // of an append that failed
}

var errDisk = errors.New("disk is full")

func (d *modelDisk) Append(records []byte) error {
	d.torn = nil
	if d.r.IntN(8) == 0 {
		d.torn = slices.Clone(records[:d.r.IntN(len(records))])
		return errDisk
	}
	d.records = append(d.records, records...)
	return nil
}

func (d *modelDisk) Replace(records []byte) error {
	d.records, d.torn = slices.Clone(records), nil
	return nil
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, r: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(1_795_168_800, 0), store: map[string]map[string]int64{},
		definitions: slices.Clone(defaults), begun: map[string]map[int64]int64{}, clean: true,
	}
	w.book.r = w.r
	w.coarse = seed%4 == 3
	w.rotate()
	return w
}

func (w *world) say(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// rotate begins a new log; the one before it still grows for a while.
func (w *world) rotate() {
	g := &modelLog{id: int64(len(w.logs)) + 1, first: 1}
	if n := len(w.logs); n > 0 {
		before := w.logs[n-1]
		g.first = before.first + int64(len(before.lines)) + 1000
	}
	w.logs = append(w.logs, g)
}

// grow appends lines to a log.
func (w *world) grow(g *modelLog) {
	for range w.r.IntN(12) {
		w.now = w.now.Add(time.Duration(w.r.IntN(3000)) * time.Millisecond)
		g.lines = append(g.lines, modelLine{
			m: randomMeasures(w.r, w.now.UnixNano()),
			tags: [2]string{
				fmt.Sprintf(",method=GET,status=%d", 200+w.r.IntN(2)), fmt.Sprintf(",path=/%d,status_class=2xx", w.r.IntN(3)),
			},
			rejected: w.r.IntN(6) == 0,
		})
	}
}

// process is one run of tailflux.
type process struct {
	*world
	checkpoint *checkpoint.Checkpoint
	ledger     *checkpoint.Ledger
	book       *rollup.Book
	sums       *rollup.Sums
	source     *flow.Source
	keys       []string
	at         map[int64]*flow.Position // of open generations
	batches    []modelBatch
	requests   []*modelRequest
}

type modelBatch struct {
	end    flow.Position // of lines
	cut    *flow.Cut
	deltas []byte
	more   bool // of the cut follows
}

type modelRequest struct {
	batches []modelBatch
	synced  bool
	done    bool
}

func (w *world) run() {
	for range 1 + w.r.IntN(4) {
		p := w.start()
		for range w.r.IntN(120) {
			p.step()
		}
		if w.r.IntN(3) == 0 {
			p.stop()
		} else {
			w.say("killed")
			w.clean = false
		}
	}
	for range 50 { // until a stop leaves nothing
		for _, g := range w.logs {
			g.over = true
		}
		p := w.start()
		p.drain()
		if p.stop() {
			w.check()
			return
		}
	}
	w.t.Error("no stop was clean")
}

// start begins a process with what is on the disk.
func (w *world) start() *process {
	file := w.files[0]
	if w.files[1] != nil && w.r.IntN(3) == 0 {
		w.say("the latest save is lost")
		file, w.files[0] = w.files[1], w.files[1]
		w.clean = false
	}
	if w.r.IntN(4) == 0 {
		w.define()
	}
	w.book.torn = nil // cut off
	kept, _, err := rollup.ReadIntents(append([]byte(rollup.Header), w.book.records...))
	if err != nil {
		w.t.Fatal(err)
	}
	p := &process{
		world: w, source: &flow.Source{Name: "web"}, at: map[int64]*flow.Position{},
		checkpoint: checkpoint.InMemory(cloned(file)), book: rollup.NewBook(&w.book, kept),
		sums: rollup.New(w.definitions, "web1", 3000+w.r.IntN(9000)),
	}
	for _, d := range w.definitions {
		p.keys = append(p.keys, d.Key())
	}
	p.book.KeepsMilliseconds(w.coarse)
	p.ledger = p.checkpoint.Ledger("web")
	p.ledger.Follow("/log")
	p.checkpoint.Deliver(slices.Concat([]string{checkpoint.Lines, checkpoint.Raw}, p.keys))
	p.removeIntents()
	w.say("start with %v, %d intents", p.keys, len(kept))
	for _, g := range p.ledger.Copy().Open {
		of := &flow.Generation{Source: p.source, ID: g.ID, FirstLine: g.FirstLine}
		p.at[g.ID] = &flow.Position{Generation: of, Offset: g.Offset, Line: g.Line}
		for _, key := range p.keys {
			w.begins(key, g.ID, p.checkpoint.From(of, key))
		}
	}
	p.save() // what must be saved before it is used, twice
	p.save()
	return p
}

// begins notes from which line on a generation counts for a rollup, the first time.
func (w *world) begins(key string, id, line int64) {
	if w.begun[key] == nil {
		w.begun[key] = map[int64]int64{}
	}
	if _, known := w.begun[key][id]; !known {
		w.begun[key][id] = line
	}
}

// define changes a rollup. After an unclean stop what was on the way is counted by both, so
// it goes to another measurement.
func (w *world) define() {
	d := w.definitions[1]
	d.Measurement = fmt.Sprintf("paths%d", w.r.IntN(1000))
	w.definitions = []rollup.Definition{w.definitions[0], d}
	w.say("changed to %s", d.Key())
}

// cloned is a copy that a process may change.
func cloned(sources map[string]*checkpoint.Source) map[string]*checkpoint.Source {
	all := map[string]*checkpoint.Source{}
	for name, s := range sources {
		c := *s
		c.Open, c.Finished = slices.Clone(s.Open), slices.Clone(s.Finished)
		all[name] = &c
	}
	return all
}

func (p *process) save() {
	s := p.ledger.Copy()
	p.files[0], p.files[1] = map[string]*checkpoint.Source{"web": &s}, p.files[0]
	p.removeIntents()
}

// removeIntents removes those that both files have passed, and those of rollups that are
// gone.
func (p *process) removeIntents() {
	_, err := p.book.Remove(func(i rollup.Intent) bool {
		if !slices.Contains(p.keys, i.Rollup) {
			return true
		}
		for _, file := range p.files {
			if file == nil || file["web"] == nil || !passed(file["web"], i) {
				return false
			}
		}
		return true
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func passed(s *checkpoint.Source, i rollup.Intent) bool {
	for _, g := range s.Open {
		if g.ID == i.Generation {
			for _, a := range g.Ahead {
				if a.Destination == i.Rollup {
					return a.Line >= i.End
				}
			}
			return g.Line >= i.End
		}
	}
	return slices.ContainsFunc(s.Finished, func(g checkpoint.Generation) bool { return g.ID == i.Generation })
}

func (p *process) step() {
	switch p.r.IntN(17) {
	case 0, 1, 2:
		g := p.logs[p.r.IntN(len(p.logs))]
		if !g.over {
			p.grow(g)
		}
	case 3, 4, 5, 6:
		p.read(p.logs[p.r.IntN(len(p.logs))], 1+p.r.IntN(20))
	case 7:
		p.now = p.now.Add(time.Duration(p.r.IntN(90)) * time.Second)
		p.tick()
	case 8:
		if len(p.logs) < 4 {
			p.rotate()
			p.logs[len(p.logs)-2].over = p.r.IntN(2) == 0
		}
	case 9:
		p.leave(p.logs[p.r.IntN(len(p.logs))])
	case 10, 11:
		p.take()
	case 12, 13, 14:
		p.deliver(false)
	case 15:
		p.save()
	case 16:
		p.again()
	}
}

// read is the reader and the parser for a few lines.
func (p *process) read(g *modelLog, lines int) {
	at := p.at[g.id]
	if at == nil {
		if slices.ContainsFunc(p.ledger.Copy().Finished, func(f checkpoint.Generation) bool { return f.ID == g.id }) || len(g.lines) == 0 {
			return
		}
		of := &flow.Generation{Source: p.source, ID: g.id, FirstLine: g.first}
		at = &flow.Position{Generation: of, Line: g.first}
		p.at[g.id] = at
		p.ledger.Begin(*at, logfile.Sum{}, logfile.File{})
		for _, key := range p.keys {
			p.begins(key, g.id, g.first)
		}
		p.save()
		p.save()
	}
	from := at.Line
	for lines = min(lines, len(g.lines)-int(at.Line-g.first)); lines > 0; {
		lines -= p.parse(g, at, lines)
	}
	if at.Line > from {
		p.say("read %d: %d to %d", g.id, from, at.Line)
	}
}

// parse makes one batch of some lines, and of what is to be cut behind them.
func (p *process) parse(g *modelLog, at *flow.Position, lines int) (n int) {
	open := p.sums.Of(at.Generation)
	if open == nil {
		open = p.sums.Begin(*at, func(key string) int64 { return p.checkpoint.From(at.Generation, key) }, func(key string) []rollup.Intent {
			return p.book.Of(at.Generation, key)
		})
	}
	open.Arrive(p.now)
	for ; n < lines && (n == 0 || at.Line < open.Due()); n++ {
		l := &g.lines[at.Line-g.first]
		if !l.rejected && open.Turns(at.Line, l.m.At) {
			if n > 0 {
				break
			}
			p.cutDue(open)
		}
		for i := range p.keys {
			if !l.rejected && open.Counts(i, at.Line) {
				p.sums.Add(open, i, at.Line, &l.m, []byte(l.tags[i]))
			}
		}
		at.Line++
		at.Offset += 10
	}
	open.Reach(*at, []byte("lines"), p.now)
	p.batches = append(p.batches, modelBatch{end: *at})
	p.cutDue(open)
	for most, ok := p.sums.Largest(); ok; most, ok = p.sums.Largest() {
		p.cut(most)
	}
	return n
}

func (p *process) cutDue(open *rollup.Generation) {
	for _, i := range p.sums.Due(open) {
		p.cut(rollup.Open{Generation: open, Rollup: i})
	}
}

func (p *process) cut(o rollup.Open) {
	c := p.sums.Cut(o)
	p.say("cut %s of %d: %d to %d, %d cells", c.Rollup, o.ID, c.Begin, c.End.Line, c.Deltas)
	room := make([]byte, 0, 9<<10) // for one delta, or few
	for {
		text, _ := c.Append(room)
		p.batches = append(p.batches, modelBatch{cut: &c.Cut, deltas: bytes.Clone(text), more: c.More()})
		if !c.More() {
			return
		}
	}
}

func (p *process) tick() {
	for _, o := range p.sums.Tick(p.now) {
		p.cut(o)
	}
}

// leave is the end of a log that was read to its end.
func (p *process) leave(g *modelLog) {
	at := p.at[g.id]
	if at == nil || !g.over || int(at.Line-g.first) < len(g.lines) {
		return
	}
	p.ledger.Leave(*at, logfile.Sum{})
	if open := p.sums.Of(at.Generation); open != nil {
		for _, o := range p.sums.Leave(open) {
			p.cut(o)
		}
	}
}

// again goes back in a log, as when a file that was left has come back before all of it was
// acknowledged.
func (p *process) again() {
	for _, g := range p.ledger.Copy().Open {
		if at := p.at[g.ID]; at != nil && p.r.IntN(2) == 0 {
			at.Offset, at.Line = g.Offset, g.Line
			p.say("read %d again from %d", g.ID, g.Line)
		}
	}
}

// take makes a request of a few batches.
func (p *process) take() {
	if len(p.requests) == 2 || len(p.batches) == 0 {
		return
	}
	n := 1 + p.r.IntN(min(4, len(p.batches)))
	r := &modelRequest{batches: p.batches[:n:n]}
	p.batches = p.batches[n:]
	for _, b := range r.batches {
		if b.cut != nil {
			rollup.Restamp(b.deltas, b.cut, p.book.Register(b.cut))
		}
	}
	p.requests = append(p.requests, r)
}

// deliver sends a request, of which some points may be stored before an answer is lost.
func (p *process) deliver(surely bool) {
	if len(p.requests) == 0 {
		return
	}
	r := p.requests[p.r.IntN(len(p.requests))]
	if !r.synced {
		if r.synced = p.book.Sync(context.Background()) == nil; !r.synced {
			return
		}
	}
	answered := surely || p.r.IntN(3) > 0
	for _, b := range r.batches {
		for line := range strings.Lines(string(b.deltas)) {
			if answered || p.r.IntN(2) == 0 {
				p.insert(line)
			}
		}
	}
	r.done = r.done || answered
	for len(p.requests) > 0 && p.requests[0].done {
		for _, b := range p.requests[0].batches {
			switch {
			case b.cut == nil:
				p.checkpoint.Acknowledge(b.end, []byte("lines"))
			case !b.more:
				p.checkpoint.AcknowledgeCut(b.cut)
			}
		}
		p.requests = p.requests[1:]
	}
}

// insert stores a point as InfluxDB does: over one of the same series and stamp; or, if the
// store is coarse, as VictoriaMetrics: of values of one millisecond the greatest counts.
func (w *world) insert(line string) {
	series, rest, _ := strings.Cut(line, " ")
	fields, stamp, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), " ")
	key := series + " " + stamp
	if w.coarse {
		key = key[:len(key)-6] + "000000"
	}
	if w.store[key] == nil {
		w.store[key] = map[string]int64{}
	}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(field, "=")
		n, err := strconv.ParseInt(strings.TrimSuffix(value, "i"), 10, 64)
		if err != nil {
			w.t.Fatalf("field %q of %q: %v", field, line, err)
		}
		if w.coarse {
			n = max(n, w.store[key][name])
		}
		w.store[key][name] = n
	}
}

// drain reads and delivers all there is.
func (p *process) drain() {
	for _, g := range p.logs {
		p.read(g, 1<<30)
		p.leave(g)
	}
	p.deliverAll()
}

func (p *process) deliverAll() {
	for len(p.batches)+len(p.requests) > 0 {
		p.take()
		p.deliver(true)
	}
}

// stop ends the process. It is clean if nothing is left open.
func (p *process) stop() bool {
	for _, o := range p.sums.End() {
		p.cut(o)
	}
	p.deliverAll()
	p.save()
	p.clean = p.sums.Missing(p.checkpoint.Missing) == 0
	p.say("stopped, clean: %t", p.clean)
	return p.clean
}

// check compares what is stored with the lines, for each rollup that there is now.
func (w *world) check() {
	for i, d := range w.definitions {
		want := sums{}
		for _, g := range w.logs {
			from, known := w.begun[d.Key()][g.id]
			if !known {
				if len(g.lines) > 0 && !w.changed(d) {
					w.t.Errorf("generation %d was never read", g.id)
				}
				continue
			}
			for n, l := range g.lines {
				if g.first+int64(n) >= from && !l.rejected {
					want.addLine(fmt.Sprintf("%s%s %d", d.Measurement, l.tags[i], window(l.m.At, d.Interval)), l.m)
				}
			}
		}
		got := sums{}
		for key, fields := range w.store {
			series, stamp, _ := strings.Cut(key, " ")
			name, tags, _ := strings.Cut(series, ",host=web1")
			if tags, ok := strings.CutPrefix(tags, ",source=web"); ok && name == d.Measurement {
				at, _ := strconv.ParseInt(stamp, 10, 64)
				for field, n := range fields {
					got.add(fmt.Sprintf("%s%s %d", name, tags, window(at, d.Interval)), field, n)
				}
			}
		}
		want.compare(w.t, got)
	}
	w.checkZeros()
}

// changed reports whether a rollup was defined later: it has nothing of generations that were
// over before.
func (w *world) changed(d rollup.Definition) bool {
	return d.Measurement != defaults[1].Measurement && d.Measurement != defaults[0].Measurement
}

// checkZeros wants a point of zeros in each hour of a rollup that has a point. That of one
// that is gone may have been on the way.
func (w *world) checkZeros() {
	has, zeros := map[string]bool{}, map[string]bool{}
	isThere := func(name string) bool {
		return slices.ContainsFunc(w.definitions, func(d rollup.Definition) bool { return d.Measurement == name })
	}
	for key := range w.store {
		series, stamp, _ := strings.Cut(key, " ")
		name, _, _ := strings.Cut(series, ",")
		if !isThere(name) {
			continue
		}
		at, _ := strconv.ParseInt(stamp, 10, 64)
		of := has
		if strings.HasSuffix(series, rollup.Zeros) {
			of = zeros
			if at%3600e9 != 0 {
				w.t.Errorf("%s is a point of zeros that is not there once an hour", key)
			}
		}
		of[fmt.Sprint(name, " ", at/3600e9)] = true
	}
	for hour := range has {
		if !zeros[hour] {
			w.t.Errorf("%s has points, and none of zeros", hour)
		}
	}
}
