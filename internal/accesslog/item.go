package accesslog

import (
	"slices"

	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// item is a value of the line: where it comes from, and how it is processed.
type item struct {
	prefix []byte         // ",key=" of a tag or field, and the value too of a constant
	fixed  lineproto.Text // prefix, of a constant or a field
	origin origin
	index  int   // of the capture, or of the part of the request
	lists  []int // captures with upstream lists, for tries
	kind   nginxvar.Kind
	list   bool

	untyped bool // neither the table nor the operator says what it is

	cut  cut
	mask bool
	fold bool
}

type origin uint8

const (
	constant origin = iota
	capture
	part   // of the request
	tries  // the number of entries of an upstream list
	client // who is behind the proxies
	class  // the first digit of the status
)

// find says where the value of a tag, of a field or in a condition comes from.
func (e *Encoder) find(key string, names []string) (item, bool) {
	if n := slices.Index(partNames[:], key); n >= 0 {
		return e.origin.find(n)
	}
	variable := key
	if !slices.Contains(names, key) { // what the format calls so itself comes first
		switch key {
		case "client":
			return item{origin: client, kind: nginxvar.Token}, e.proxy.remote >= 0
		case "upstream_tries":
			it := item{origin: tries, kind: nginxvar.Int}
			for i, name := range names {
				if nginxvar.Lookup(name).List {
					it.lists = append(it.lists, i)
				}
			}
			return it, len(it.lists) > 0
		case "status_class":
			i := slices.Index(names, "status")
			return item{origin: class, index: i, kind: nginxvar.Token}, i >= 0
		}
		variable = nginxvar.Unalias(key)
	}
	i := slices.Index(names, variable)
	known := e.dialect.Lookup(variable)
	if kind, ok := e.dialect.Types[key]; ok && kind != known.Kind {
		known = nginxvar.Dialect{Types: map[string]nginxvar.Kind{variable: kind}}.Lookup(variable)
	}
	_, typed := e.dialect.Types[variable]
	number := known.Kind == nginxvar.Int || known.Kind == nginxvar.Float || known.Kind == nginxvar.Status
	return item{
		origin: capture, index: i, kind: known.Kind, list: known.List || e.lists && number,
		untyped: !typed && !nginxvar.Known(variable),
	}, i >= 0
}

// protect removes from the value what the schema withholds.
func (it *item) protect(key string, s Schema) {
	if !s.KeepQuery {
		it.cut = cutOf(key)
		for part, name := range s.StandIns {
			if name == key {
				it.cut = cutOf(part)
			}
		}
	}
	it.mask = slices.ContainsFunc(s.Mask, func(masked string) bool {
		return nginxvar.Unalias(masked) == nginxvar.Unalias(key) || masked == "remote_addr" && key == "client"
	})
}

// raw is the value as the log has it; empty when the line has none.
func (e *Encoder) raw(it *item, captures [][]byte) []byte {
	if it.origin != capture {
		return e.derived(it, captures)
	}
	if v := captures[it.index]; present(v) {
		return v
	}
	return nil
}

// derived is raw for values that are not captures.
func (e *Encoder) derived(it *item, captures [][]byte) []byte {
	switch it.origin {
	case part:
		return e.origin.part(it.index, captures)
	case client:
		return e.proxy.client(captures)
	case tries:
		return firstPresent(captures, it.lists)
	case class:
		if v := captures[it.index]; isStatus(v) {
			return v
		}
	}
	return nil // a constant
}

// isStatus reports whether it is a status of HTTP, which has three digits.
func isStatus(v []byte) bool {
	return len(v) == 3 && v[0]-'0' <= 9 && v[1]-'0' <= 9 && v[2]-'0' <= 9
}

// texts makes texts of raw values. Its buffers are used again for each value.
type texts struct {
	unescape             func(dst, raw []byte) []byte // nil: there is nothing to unescape
	short, plain, masked []byte
}

// text is what the value says, as far as it may be known. It is valid until the
// next call.
func (e *Encoder) text(it *item, raw []byte) []byte {
	value := raw
	switch {
	case it.origin == tries:
		e.texts.plain = appendInt(e.texts.plain[:0], countList(raw))
		return e.texts.plain
	case it.origin == class:
		e.texts.plain = append(e.texts.plain[:0], raw[0], 'x', 'x')
		return e.texts.plain
	case it.list && (it.kind == nginxvar.Float || it.kind == nginxvar.Int) && isList(raw):
		return e.texts.sum(raw, it.kind)
	case it.list:
		value = lastOfList(value)
	}
	value = e.texts.decode(e.texts.cutQuery(value, it.cut))
	if it.mask {
		e.texts.masked = appendMasked(e.texts.masked[:0], value)
		value = e.texts.masked
	}
	if it.fold {
		value = e.folder.fold(value)
	}
	return value
}

// sum is the sum of a list's entries, or nil if they are not numbers.
func (t *texts) sum(list []byte, kind nginxvar.Kind) []byte {
	var ok bool
	if kind == nginxvar.Float {
		t.plain, ok = appendSum(t.plain[:0], list)
	} else if t.plain, ok = appendInteger(t.plain[:0], list, true, false); ok {
		t.plain = t.plain[:len(t.plain)-1] // the i of line protocol
	}
	if !ok {
		return nil
	}
	return t.plain
}

// tag is an item with the answers for values that were met before.
type tag struct {
	item
	index int // in Schema.Tags
	memo  *memo

	id uint64 // of the value that was last appended; see Series

	// Of the tag of a rollup.
	summed bool
	line   uint64 // of the encoder, in which it was looked for last
	text   []byte // that was found in it; kept for what has no number
}

// setConstant makes it a tag that every point has, from ",key=value".
func (t *tag) setConstant(text []byte) {
	t.origin, t.prefix, t.fixed = constant, text, lineproto.NewText(text)
}

var other = []byte("other")

func (e *Encoder) appendTag(p []byte, t *tag, captures [][]byte) []byte {
	if t.origin == constant {
		return t.fixed.Append(p)
	}
	raw := e.raw(&t.item, captures)
	if len(raw) == 0 {
		t.id = absentID
		return p
	}
	isBrief := len(raw) <= maxBrief && t.memo != nil
	if isBrief {
		if known := t.memo.findBrief(raw); known != nil {
			t.id = known.id
			return known.append(p)
		}
	} else if known := t.memo.find(raw); known != nil {
		t.id = known.id
		return append(t.fixed.Append(p), known.text()...)
	}
	return e.appendNew(p, t, raw, isBrief)
}

// appendNew appends the tag of a value that is not remembered.
func (e *Encoder) appendNew(p []byte, t *tag, raw []byte, isBrief bool) []byte {
	start := len(p)
	p = lineproto.AppendTag(p, t.prefix, e.text(&t.item, raw))
	if len(p) == start {
		t.id = absentID
		return p
	}
	value := start + len(t.prefix)
	if e.values != nil && t.origin != class && !e.values.Admit(t.index, p[value:]) {
		t.id = otherID
		return append(p[:value], other...) // not remembered: it must be counted each time
	}
	if isBrief {
		t.id = t.memo.keepBrief(raw, p[start:], len(t.prefix))
	} else {
		t.id = t.memo.keep(raw, p[value:])
	}
	return p
}

// appendField appends a field, comma first.
func (e *Encoder) appendField(p []byte, f *item, captures [][]byte) []byte {
	value := e.raw(f, captures)
	if len(value) == 0 {
		return p
	}
	before := len(p)
	p = f.fixed.Append(p)
	ok := true
	switch {
	case f.origin == tries:
		p = append(appendInt(p, countList(value)), 'i')
	case f.kind == nginxvar.Int, f.kind == nginxvar.Status:
		if p, ok = appendInteger(p, value, f.list, f.kind == nginxvar.Status); !ok {
			e.omitted++
		}
	case f.kind == nginxvar.Float, f.kind == nginxvar.Msec:
		if p, ok = appendFloat(p, value, f.list); !ok {
			e.omitted++
		}
	case f.untyped && f.index < len(e.numbers) && e.numbers[f.index]:
		if p, ok = appendFloat(p, value, false); !ok {
			e.omitted++
		}
	default:
		value = e.text(f, value)
		if ok = len(value) > 0; ok {
			p = lineproto.AppendString(p, value)
		}
	}
	if !ok {
		return p[:before]
	}
	return p
}
