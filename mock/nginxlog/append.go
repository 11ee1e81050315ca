package nginxlog

import (
	"strconv"

	"github.com/tailflux/tailflux/mock/traffic"
)

func (g *Generator) appendRequest(buf []byte) []byte {
	r := g.req
	if r.Broken {
		return g.appendString(buf, r.BrokenLine)
	}
	buf = append(append(buf, r.Method...), ' ')
	buf = appendEscaped(buf, r.URI, g.template.escape)
	return append(append(buf, ' '), r.Protocol...)
}

// appendTries lists a variable of all tries: ", " between servers, " : " where
// an internal redirect led to another group of them.
func (g *Generator) appendTries(buf []byte, v variable) []byte {
	tries := g.req.Tries()
	if len(tries) == 0 {
		return append(buf, g.absent...)
	}
	for i := range tries {
		t := &tries[i]
		switch {
		case i == 0:
		case t.Redirected:
			buf = append(buf, " : "...)
		default:
			buf = append(buf, ", "...)
		}
		switch v {
		case varUpstreamAddr:
			buf = append(buf, "10.0.0."...)
			buf = strconv.AppendInt(buf, int64(11+t.Server), 10)
			buf = append(buf, ":8080"...)
		case varUpstreamStatus:
			if t.Status == 0 {
				buf = append(buf, '-')
			} else {
				buf = strconv.AppendInt(buf, int64(t.Status), 10)
			}
		case varUpstreamConnectTime:
			buf = appendTryTime(buf, t.Connect)
		case varUpstreamHeaderTime:
			buf = appendTryTime(buf, t.Header)
		default:
			buf = appendTryTime(buf, t.Response)
		}
	}
	return buf
}

// appendTryTime writes a dash for no time in every escaping: it is part of the
// list, not an absent variable.
func appendTryTime(buf []byte, ms int64) []byte {
	if ms < 0 {
		return append(buf, '-')
	}
	return appendSeconds(buf, ms)
}

// appendString appends a text as the log shows it.
func (g *Generator) appendString(buf []byte, s string) []byte {
	switch s {
	case "":
		return append(buf, g.absent...)
	case traffic.Blank:
		return buf
	}
	return appendEscaped(buf, s, g.template.escape)
}

func (g *Generator) appendText(buf, s []byte) []byte {
	if len(s) == 0 {
		return append(buf, g.absent...)
	}
	return appendEscaped(buf, s, g.template.escape)
}

// appendSeconds writes milliseconds as seconds with three decimals.
func appendSeconds(buf []byte, ms int64) []byte {
	buf = strconv.AppendInt(buf, ms/1000, 10)
	f := ms % 1000
	return append(buf, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
}

func appendHundredths(buf []byte, n int64) []byte {
	buf = strconv.AppendInt(buf, n/100, 10)
	return append(buf, '.', byte('0'+n/10%10), byte('0'+n%10))
}

func appendHex(buf []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		buf = append(buf, digits[n>>shift&15])
	}
	return buf
}
