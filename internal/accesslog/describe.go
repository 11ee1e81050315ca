package accesslog

import (
	"encoding/binary"
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
	Method, Client, Agent, Referrer, Host, Status []byte

	Folded []byte // the path, as the tag has it
	Path   []byte // as it was sent, with the query if that is kept; only after DescribePath

	memory []byte
}

// MaxText is the most bytes of a text of a description; one that is longer ends with an
// ellipsis.
const MaxText = 256

// maxRaw is how much is looked at of a value: nginx writes a byte with at most six.
const maxRaw = 6 * MaxText

// described is where the texts of descriptions come from; nil: the format does not have it.
type described struct {
	method, path, folded, query, client, agent, referrer, host, status *item
}

// describedBy finds them.
func (e *Encoder) describedBy(names []string, s Schema) (d described) {
	s.Mask = slices.DeleteFunc(slices.Clone(s.Mask), isClient) // that is for Describe to say
	first := func(keys ...string) *item {
		for _, key := range keys {
			if it, ok := e.find(key, names); ok {
				it.protect(key, s)
				return &it
			}
		}
		return nil
	}
	d.method, d.path, d.status = first("method"), first("path"), first("status")
	d.agent, d.referrer = first("http_user_agent"), first("http_referer")
	d.host, d.client = first("vhost", "http_host", "server_name"), first("client")
	if s.KeepQuery {
		d.query = first("query")
	}
	if d.path != nil {
		folded := *d.path
		folded.fold = true
		d.folded = &folded
	}
	return d
}

func isClient(variable string) bool {
	return variable == "client" || nginxvar.Unalias(variable) == "remote_addr"
}

// Describe describes the line that was last appended or judged, which was a point. What d
// says is valid until the next line, or the next call. Of the client's address it has only
// the network, unless addresses may be shown.
func (e *Encoder) Describe(d *Description, captures [][]byte, addresses bool) {
	is := &e.described
	d.memory = d.memory[:0]
	d.Client = e.describeClient(d, captures, addresses)
	d.Method = e.describe(d, is.method, captures)
	d.Folded = e.describe(d, is.folded, captures)
	d.Agent = e.describe(d, is.agent, captures)
	d.Referrer = e.describe(d, is.referrer, captures)
	d.Host = e.describe(d, is.host, captures)
	d.Status = e.describe(d, is.status, captures)
	d.Path = nil
}

// DescribePath adds the path to what Describe said.
func (e *Encoder) DescribePath(d *Description, captures [][]byte) {
	is := &e.described
	d.Path = e.describe(d, is.path, captures)
	if query := e.describe(d, is.query, captures); len(query) > 0 {
		d.Path = appendReadable(nil, slices.Concat(d.Path, []byte{'?'}, query))
	}
}

// describe is one text.
func (e *Encoder) describe(d *Description, it *item, captures [][]byte) []byte {
	if it == nil {
		return nil
	}
	raw := e.raw(it, captures)
	if len(raw) == 0 {
		return nil
	}
	raw = raw[:min(len(raw), maxRaw)]
	if !it.fold && !it.list && it.cut == cutNothing && !it.mask && isPlain(raw) {
		return raw
	}
	start := len(d.memory)
	d.memory = appendReadable(d.memory, e.text(it, raw))
	return d.memory[start:len(d.memory):len(d.memory)]
}

// describeClient is the address, or its network.
func (e *Encoder) describeClient(d *Description, captures [][]byte, whole bool) []byte {
	it := e.described.client
	switch {
	case it == nil:
		return nil
	case it.origin != client: // the format calls something so itself
		masked := *it
		masked.mask = !whole
		return e.describe(d, &masked, captures)
	}
	addr, ok := e.proxy.addr(captures)
	if !ok {
		return nil
	}
	if !whole {
		addr = network(addr)
	}
	start := len(d.memory)
	d.memory = addr.AppendTo(d.memory)
	return d.memory[start:len(d.memory):len(d.memory)]
}

// isPlain reports whether a value is as short as a text may be, and of ASCII without escapes.
// It looks at eight bytes at once: those of agents are the longest values of a line.
func isPlain(raw []byte) bool {
	if len(raw) > MaxText {
		return false
	}
	for ; len(raw) >= 8; raw = raw[8:] {
		const tops = 0x8080808080808080
		if w := binary.LittleEndian.Uint64(raw); w&tops != 0 || hasByte(w, '\\') {
			return false
		}
	}
	for _, c := range raw {
		if c >= utf8.RuneSelf || c == '\\' {
			return false
		}
	}
	return true
}

// isASCII reports whether a text is of ASCII. Its length is a multiple of eight.
func isASCII(text []byte) bool {
	all := uint64(0)
	for ; len(text) >= 8; text = text[8:] {
		all |= binary.LittleEndian.Uint64(text)
	}
	return all&0x8080808080808080 == 0
}

// appendReadable appends a text with a bounded length. A byte that is not UTF-8 is written
// as nginx does, which is \xHH.
func appendReadable(dst, text []byte) []byte {
	const ellipsis = "…"
	if len(text) <= MaxText && utf8.Valid(text) {
		return append(dst, text...)
	}
	if len(text) > MaxText && isASCII(text[:MaxText]) {
		return append(append(dst, text[:MaxText-len(ellipsis)]...), ellipsis...)
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
