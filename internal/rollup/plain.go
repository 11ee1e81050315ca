package rollup

import (
	"strconv"
	"strings"
	"time"

	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/lineproto"
)

// SumFields are the fields of a delta that add up, without the buckets.
var SumFields = func() (names []string) {
	names = append(names, "requests")
	names = append(names, accesslog.Sizes[:]...)
	for _, name := range accesslog.Times {
		names = append(names, name+"_ms")
	}
	return append(names, "upstream_tries")
}()

// Plain are the values of SumFields, added up.
type Plain [1 + len(accesslog.Sizes) + len(accesslog.Times) + 1]int64

// Add adds a line.
func (p *Plain) Add(m *accesslog.Measures) {
	p[0]++
	for i, size := range m.Sizes {
		p[1+i] += max(0, size)
	}
	for i, ms := range m.Times {
		p[1+len(m.Sizes)+i] += max(0, ms)
	}
	p[len(p)-1] += m.Tries
}

// PlainOf are those of a delta, by its text.
func PlainOf(delta string) (p Plain) {
	_, fields, _ := lineproto.Split(delta)
	for _, field := range fields {
		for i, name := range SumFields {
			if name == field.Key {
				p[i], _ = strconv.ParseInt(strings.TrimSuffix(field.Value, "i"), 10, 64)
			}
		}
	}
	return p
}

// Window is the beginning of the window that a time is in.
func (d Definition) Window(nano int64) int64 { return nano - nano%int64(d.Interval) }

// numbers is how many line numbers a stamp can tell apart: one for each nanosecond of the
// shortest window, a second.
const numbers = int64(time.Second)

// Number is the number of the first line of a delta's cut, as its stamp has it: the
// remainder, where line numbers go beyond what a stamp can hold.
func (d Definition) Number(stamp int64) int64 { return (stamp - d.Window(stamp)) % numbers }

// Between reports whether a number of a stamp may be that of a line from one on, and before
// another one.
func Between(number, from, to int64) bool {
	after := (number - from) % numbers
	if after < 0 {
		after += numbers
	}
	return after < to-from
}

// Redelivered is the number in the stamps of a line that is added up alone, when it is
// redelivered: half of all numbers away from its own, which may be where a cut begins.
func Redelivered(number int64) int64 { return (number + numbers/2) % numbers }
