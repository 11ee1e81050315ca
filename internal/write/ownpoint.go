package write

import (
	"strconv"
	"time"

	"github.com/tailflux/tailflux/internal/lineproto"
)

// OwnMeasurement is that of the points about tailflux itself.
const OwnMeasurement = "tailflux"

// ownPoint is one that is being written.
type ownPoint struct {
	text []byte
	any  bool
}

func point(dst []byte, host, tag, value string) *ownPoint {
	p := &ownPoint{text: append(dst, OwnMeasurement...)}
	p.tag("host", host)
	if tag != "" {
		p.tag(tag, value)
	}
	return p
}

func (p *ownPoint) tag(key, value string) {
	p.text = lineproto.AppendTag(p.text, lineproto.TagPrefix(key), []byte(value))
}

func (p *ownPoint) field(key string) {
	if p.any {
		p.text = append(p.text, ',')
	} else {
		p.text = append(p.text, ' ')
	}
	p.any = true
	p.text = append(p.text, key...)
	p.text = append(p.text, '=')
}

func (p *ownPoint) integer(key string, value int64) {
	p.field(key)
	p.text = append(strconv.AppendInt(p.text, value, 10), 'i')
}

func (p *ownPoint) seconds(key string, value time.Duration) {
	p.field(key)
	p.text = strconv.AppendFloat(p.text, value.Seconds(), 'f', -1, 64)
}

func (p *ownPoint) end(unixNano int64) []byte { return lineproto.AppendEnd(p.text, unixNano) }
