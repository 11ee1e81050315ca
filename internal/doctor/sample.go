package doctor

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/rollup"
	"github.com/tailflux/tailflux/internal/shape"
)

// A sample is what the newest lines of the logs tell of what InfluxDB will have to keep.
type sample struct {
	points       int
	linesPerDay  float64
	bytesPerDay  float64                    // of log
	valuesPerDay float64                    // of fields in rollups
	series, late map[string]bool            // late: those that only the second half of a log has
	values       map[string]map[string]bool // of each tag
	lateValues   map[string]map[string]bool
}

// count adds the newest lines of one log.
func (s *sample) count(shaped *shape.Lines, lines [][]byte, rollups []rollup.Definition, now time.Time) (c fit) {
	if s.series == nil {
		s.series, s.late = map[string]bool{}, map[string]bool{}
		s.values, s.lateValues = map[string]map[string]bool{}, map[string]map[string]bool{}
	}
	var point []byte
	var bytes int
	values := map[string]bool{} // of deltas: fields of points
	for i, line := range lines {
		read := shaped.AppendAny(point[:0], line, int64(i))
		outcome := read.Outcome
		point = read.Points
		if outcome == accesslog.Rejected {
			c.sinceLastMisfit = 0
			continue
		}
		c.fits++
		c.sinceLastMisfit++
		bytes += len(line) + 1
		at, ok := lineproto.Stamp(point)
		if outcome != accesslog.Point || !ok {
			continue // dropped, as configured
		}
		c.last = time.Unix(0, at)
		if c.first.IsZero() {
			c.first = c.last
		}
		s.add(string(point), i >= len(lines)/2)
		addUp(values, rollups, shaped.Schema, &read)
	}
	if over := max(now.Sub(c.first), time.Second); !c.first.IsZero() && c.first.Before(now) {
		const day = 24 * time.Hour
		s.linesPerDay += float64(c.fits) * float64(day) / float64(over)
		s.bytesPerDay += float64(bytes) * float64(day) / float64(over)
		s.valuesPerDay += float64(len(values)) * float64(day) / float64(over)
	}
	return c
}

// addUp notes the values that points of rollups have of a line.
func addUp(values map[string]bool, rollups []rollup.Definition, s accesslog.Schema, line *shape.Read) {
	m := line.By.Measures(line.Captures)
	for i, r := range rollups {
		delta := r.Alone(s.Host, s.Source, m, line.By.AppendRollupTags(nil, i, line.Captures))
		series, _, _ := strings.Cut(delta, " requests=")
		stamp := r.Window(m.At)
		_, fields, _ := lineproto.Split(delta)
		for _, field := range fields {
			values[series+"\x00"+field.Key+"\x00"+strconv.FormatInt(stamp, 10)] = true
		}
	}
}

func (s *sample) add(point string, late bool) {
	s.points++
	tags, _, ok := lineproto.Split(point)
	if !ok {
		return
	}
	var key strings.Builder
	for _, tag := range tags {
		key.WriteString(tag.Key + "\x00" + tag.Value + "\x00")
		note(s.values, s.lateValues, tag.Key, tag.Value, late)
	}
	if !s.series[key.String()] {
		s.series[key.String()] = true
		s.late[key.String()] = late
	}
}

func note(all, lateOnes map[string]map[string]bool, tag, value string, late bool) {
	if all[tag] == nil {
		all[tag], lateOnes[tag] = map[string]bool{}, map[string]bool{}
	}
	if !all[tag][value] {
		all[tag][value] = true
		if late {
			lateOnes[tag][value] = true
		}
	}
}

// growing are the tags that have ever new values: of the second half of the lines, one in
// fifty had one.
func (s *sample) growing() (tags []string) {
	const enough, share = 200, 100
	for _, tag := range slices.Sorted(maps.Keys(s.values)) {
		if s.points >= enough && len(s.lateValues[tag])*share >= s.points {
			tags = append(tags, tag)
		}
	}
	return tags
}

// estimate is how many series there will be when the tags that grow have all the values
// that they may have.
func (s *sample) estimate(tagLimit int) float64 {
	n := float64(len(s.series))
	factor := 1.0
	for _, tag := range s.growing() {
		factor = max(factor, float64(tagLimit)/float64(len(s.values[tag])))
	}
	return n * factor
}
