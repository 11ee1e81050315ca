package top

import (
	"math"
	"strings"
	"time"
)

// pipeline draws the three stages and the two channels between them, and what they hold.
func (v *view) pipeline(c *canvas, y int) int {
	if v.shown == nil || v.shown.Pipeline == nil {
		c.text(1, y, c.w-2, "no figures of the pipeline", dim)
		return y + 2
	}
	p := v.shown.Pipeline
	wide := min(16, max(4, (c.w-44)/6))
	x := c.text(1, y, c.w, "read ", title)
	x = c.text(x, y, c.w, perSecond(p.Throughput.Lines.Over1s)+" ", bold)
	x = c.channel(x, y, wide, p.Channels.Read)
	x = c.text(x, y, c.w, " parse ", title)
	if v.alone {
		c.text(x, y, c.w-1-x, "   (a file alone, without InfluxDB)", dim)
	} else {
		x = c.channel(x, y, wide, p.Channels.Write)
		x = c.text(x, y, c.w, " write ", title)
		x = c.put(x, y, "→ ", normal)
		state, s := p.influxdb()
		c.text(x, y, c.w-1-x, state, s)
	}
	v.books(c, y+1, p)
	return y + 2
}

// influxdb is how it does.
func (p *Pipeline) influxdb() (string, style) {
	db := p.InfluxDB
	switch {
	case db.Up:
		return strings.TrimSpace("InfluxDB "+db.Version) + " up", good
	case db.LastError == "":
		return "InfluxDB: no answer yet", warn
	}
	return "InfluxDB away " + span(seconds(db.Outage)), bad
}

// channel draws how full one is.
func (c *canvas) channel(x, y, wide int, ch Channel) int {
	full, s := 0, good
	if ch.Length > 0 && ch.Capacity > 0 {
		share := float64(ch.Length) / float64(ch.Capacity)
		full = min(wide, int(math.Ceil(share*float64(wide))))
		if share > 0.8 {
			s = warn
		}
	}
	for i := range wide {
		if i < full {
			c.set(x+i, y, '█', s)
		} else {
			c.set(x+i, y, '░', dim)
		}
	}
	return x + wide
}

// books are lag and counts, as many as there is room for.
func (v *view) books(c *canvas, y int, p *Pipeline) {
	bytes, late := p.lag()
	behind, s := size(float64(bytes)), normal
	if bytes > 0 && late >= 1 {
		behind, s = behind+", "+span(seconds(late)), warn
	}
	if done, is := p.read(); v.alone && bytes > 0 && is {
		behind += " (" + done + " read)"
	}
	waits := count(p.Lines.InFlight)
	if p.Undelivered >= 1 {
		waits += ", " + span(time.Duration(p.Undelivered*float64(time.Second)))
	}
	rejected := normal
	if p.Lines.Rejected > 0 {
		rejected = warn
	}
	x := 1
	for _, is := range []struct {
		name, value string
		style       style
	}{
		{"lag", behind, s},
		{"in flight", waits, normal},
		{"rejected", count(p.Lines.Rejected), rejected},
		{"filtered", count(p.Lines.Filtered), normal},
		{"written", count(p.Lines.Written), normal},
		{"read", count(p.Lines.Read), normal},
	} {
		if v.alone && (is.name == "written" || is.name == "in flight") {
			continue
		}
		if x+columns(is.name)+1+columns(is.value) >= c.w {
			return
		}
		x = c.text(x, y, c.w, is.name+" ", dim)
		x = c.text(x, y, c.w, is.value, is.style) + 2
	}
}

// read is how much of the logs is read, in percent.
func (p *Pipeline) read() (done string, ok bool) {
	var offset, size int64
	for _, s := range p.Sources {
		offset, size = offset+s.Offset, size+s.Size
	}
	return share(offset, size), size > 0
}
