package top

import (
	"math"
	"strings"

	"github.com/tailflux/tailflux/internal/live"
)

// ended is how many slots are over; the one that is not has a part of its requests.
func ended(s *live.Snapshot) int {
	n := len(s.Slots.Time)
	for n > 0 && s.Slots.Time[n-1]+s.Slots.Step > s.At.Unix() {
		n--
	}
	return n
}

// recent is how many slots a rate is of.
const recent = 2

// rate is per second, of the last slots that are over; NaN if none of them was observed.
func rate(s *live.Snapshot, of func(i int) float64) float64 {
	end := ended(s)
	sum, n := 0.0, 0
	for i := max(0, end-recent); i < end; i++ {
		if f := of(i); !math.IsNaN(f) {
			sum += f
			n++
		}
	}
	if n == 0 || s.Slots.Step <= 0 {
		return math.NaN()
	}
	return sum / float64(n) / float64(s.Slots.Step)
}

// numbers is a column of slots.
func numbers(column []live.Number) func(i int) float64 {
	return func(i int) float64 {
		if i >= len(column) {
			return math.NaN()
		}
		return float64(column[i])
	}
}

// class is a column of counts, which are known where requests are.
func class(s *live.Slots, name string) func(i int) float64 {
	counts, requests := s.Classes[name], numbers(s.Requests)
	return func(i int) float64 {
		switch {
		case math.IsNaN(requests(i)):
			return math.NaN()
		case i >= len(counts):
			return 0
		}
		return float64(counts[i])
	}
}

// Signs of a course: what was not observed, nothing, and how much.
const (
	notObserved = '·'
	nothing     = '▁'
)

var levels = []rune("▂▃▄▅▆▇█")

// course draws slots in at most so many columns, the newest at the right. Of several in a
// column it draws the one with most, unless half of them were not observed: of the newest
// column, all of them. Blank is where there were requests, or none, and no value.
func course(s *live.Snapshot, columns int, of func(i int) float64) string {
	end := ended(s)
	if columns <= 0 || end == 0 {
		return ""
	}
	each := (end + columns - 1) / columns
	columns = (end + each - 1) / each
	values, missed, most := make([]float64, columns), make([]int, columns), 0.0
	requests := numbers(s.Slots.Requests)
	for c := range values {
		values[c] = math.NaN()
		to := end - (columns-1-c)*each
		from := max(0, to-each)
		for i := from; i < to; i++ {
			if f := of(i); math.IsNaN(values[c]) || f > values[c] {
				values[c] = f
			}
			if math.IsNaN(requests(i)) {
				missed[c]++
			}
		}
		if all := to - from; missed[c] == all || 2*missed[c] >= all && to < end {
			values[c] = -1
		}
		if values[c] > most {
			most = values[c]
		}
	}
	var b strings.Builder
	for _, f := range values {
		switch {
		case math.IsNaN(f):
			b.WriteRune(' ')
		case f < 0:
			b.WriteRune(notObserved)
		case f == 0:
			b.WriteRune(nothing)
		default:
			b.WriteRune(levels[min(len(levels)-1, int(f/most*float64(len(levels))))])
		}
	}
	return b.String()
}
