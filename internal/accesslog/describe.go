package accesslog

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tailflux/tailflux/internal/escape"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Description is what a line says of its request, for people: as it was sent, without what
// the schema withholds. Each text is UTF-8 and of at most [MaxText] bytes; it is empty when
// the line does not have it.
type Description struct {
	Method, Path, Client, Agent, Referrer, Host, Status []byte

	Folded []byte // the path, as the tag has it

	memory []byte
}

// MaxText is the most bytes of a text of a description; one that is longer ends with an
// ellipsis.
const MaxText = 256

// maxRaw is how much is looked at of a value: nginx writes a byte with at most six.
const maxRaw = 6 * MaxText

// described is where the texts of descriptions come from; nil: the format does not have it.
type described struct {
	method, path, folded, client, network, agent, referrer, host, status *item
}

// describedBy finds them.
func (e *Encoder) describedBy(names []string, s Schema) (d described) {
	first := func(keys ...string) *item {
		for _, key := range keys {
			if it, ok := e.find(key, names); ok {
				s := s
				s.Mask = slices.DeleteFunc(slices.Clone(s.Mask), func(masked string) bool { return nginxvar.Unalias(masked) == "remote_addr" || masked == "client" })
				it.protect(key, s)
				return &it
			}
		}
		return nil
	}
	d.method, d.path, d.status = first("method"), first("path"), first("status")
	d.agent, d.referrer = first("http_user_agent"), first("http_referer")
	d.host = first("vhost", "http_host", "server_name")
	if d.path != nil {
		folded := *d.path
		folded.fold = true
		d.folded = &folded
	}
	if d.client = first("client", "remote_addr"); d.client != nil {
		network := *d.client
		network.mask = true
		d.network = &network
	}
	return d
}

// Describe describes the line that was last appended or judged, which was a point. What d
// says is valid until the next call for it. Of the client's address it has only the network,
// unless addresses may be shown.
func (e *Encoder) Describe(d *Description, captures [][]byte, addresses bool) {
	is := &e.described
	d.memory = d.memory[:0]
	client := is.network
	if addresses {
		client = is.client
	}
	d.Method = e.describe(d, is.method, captures)
	d.Path = e.describe(d, is.path, captures)
	d.Folded = e.describe(d, is.folded, captures)
	d.Client = e.describe(d, client, captures)
	d.Agent = e.describe(d, is.agent, captures)
	d.Referrer = e.describe(d, is.referrer, captures)
	d.Host = e.describe(d, is.host, captures)
	d.Status = e.describe(d, is.status, captures)
}

// describe appends one text.
func (e *Encoder) describe(d *Description, it *item, captures [][]byte) []byte {
	if it == nil {
		return nil
	}
	raw := e.raw(it, captures)
	if len(raw) == 0 {
		return nil
	}
	start := len(d.memory)
	d.memory = appendReadable(d.memory, e.text(it, raw[:min(len(raw), maxRaw)]))
	return d.memory[start:len(d.memory):len(d.memory)]
}

// appendReadable appends a text with a bounded length. A byte that is not UTF-8 is written
// as nginx does, which is \xHH.
func appendReadable(dst, text []byte) []byte {
	const ellipsis = "…"
	if len(text) <= MaxText && utf8.Valid(text) {
		return append(dst, text...)
	}
	start, whole := len(dst), len(dst) // whole is where the ellipsis may stand
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			dst = fmt.Appendf(dst, escape.Hex, text[0])
		} else {
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
		switch n := len(dst) - start; {
		case n > MaxText:
			return append(dst[:whole], ellipsis...)
		case n <= MaxText-len(ellipsis):
			whole = len(dst)
		}
	}
	return dst
}

// Class is the first digit of the status of a line, 0 if that is none.
func (e *Encoder) Class(captures [][]byte) int {
	if i := e.rollups.status; i >= 0 && isStatus(captures[i]) {
		return int(captures[i][0] - '0')
	}
	return 0
}
