package rollup

import (
	"github.com/tailflux/tailflux/internal/accesslog"
	"github.com/tailflux/tailflux/internal/lineproto"
)

// Alone is what one line adds to its cell: the point that the cell would be if it had no other
// lines, with the beginning of the window as its time. tags are those of the rollup, commas
// first.
func (d Definition) Alone(host, source string, m *accesslog.Measures, tags []byte) string {
	p := lineproto.AppendTag(lineproto.AppendMeasurement(nil, d.Measurement), lineproto.TagPrefix("host"), []byte(host))
	p = lineproto.AppendTag(p, lineproto.TagPrefix("source"), []byte(source))
	var c cell
	var line addend
	line.set(m)
	c.add(&line)
	return string(lineproto.AppendEnd(c.appendFields(append(p, tags...)), d.Window(m.At)))
}
