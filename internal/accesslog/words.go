package accesslog

import (
	"encoding/binary"

	"github.com/tailflux/tailflux/internal/lineproto"
	"github.com/tailflux/tailflux/internal/nginxvar"
)

// Most numbers have at most eight bytes, and are looked at and copied as one word.

// field is an item that is a field.
type field struct {
	item
	number number8
	length int           // of its name, with a comma and =, if it is such a number
	name   [maxName]byte // this, with padding
}

const maxName = 32

// number8 is what a field is whose values may be copied so.
type number8 uint8

const (
	noNumber8 number8 = iota
	integer8
	decimal8
)

// newField returns a field with the text that is before its value.
func newField(it item, name []byte) field {
	it.fixed = lineproto.NewText(name)
	f := field{item: it, length: len(name)}
	switch copied := copy(f.name[:], name); {
	case copied < len(name), it.origin != capture:
	case it.kind == nginxvar.Int, it.kind == nginxvar.Status:
		f.number = integer8
	case it.kind == nginxvar.Float, it.kind == nginxvar.Msec:
		f.number = decimal8
	}
	return f
}

// appendFields appends those that the line has, commas first. A number of one to eight bytes
// without a sign is appended here.
func (e *Encoder) appendFields(p []byte, captures [][]byte) []byte {
	at, room := len(p), p[:cap(p)]
	fields := e.fields
	for i := range fields {
		f := &fields[i]
		if f.number != noNumber8 {
			value := captures[f.index]
			n := len(value)
			if n >= 1 && n <= 8 && cap(value) >= 8 && len(room)-at >= maxName+9 {
				w := binary.LittleEndian.Uint64(value[:8])
				if f.number.is(w, n) {
					name := f.name // apart from p: copied without a call
					*(*[maxName]byte)(room[at : at+maxName]) = name
					at += f.length
					binary.LittleEndian.PutUint64(room[at:at+8], w)
					if at += n; f.number == integer8 {
						room[at] = 'i'
						at++
					}
					continue
				}
			}
		}
		p = e.appendField(room[:at], &f.item, captures)
		at, room = len(p), p[:cap(p)]
	}
	return room[:at]
}

// is reports whether the first n bytes of a word are such a number.
func (k number8) is(w uint64, n int) bool {
	behind := 8 * uint(8-n) & 63
	w = w<<behind | zeros>>8>>(56-behind&63) // with zeros before it; what stands behind it is gone
	if k == decimal8 {
		w = withoutPoint(w, n)
	}
	return isDigits8(w)
}

const zeros = 0x3030303030303030

// withoutPoint is a number of n bytes, which are the upper ones of a word, with a zero in
// place of a point that is neither its first nor its last byte. nginx writes three decimals.
func withoutPoint(w uint64, n int) uint64 {
	const point = '.' ^ '0'
	if byte(w>>32) == '.' && n > 4 {
		return w ^ point<<32
	}
	return withoutAnyPoint(w, n)
}

// withoutAnyPoint does it for any number of decimals.
func withoutAnyPoint(w uint64, n int) uint64 {
	for at := 8 - n + 1; at < 7; at++ {
		if byte(w>>(8*uint(at)&63)) == '.' {
			return w ^ ('.'^'0')<<(8*uint(at)&63)
		}
	}
	return w
}

// isDigits8 reports whether all eight bytes are digits: without their upper half as that has
// it they are at most nine, and adding to one that is more reaches its top bit, if that is not
// set by itself.
func isDigits8(w uint64) bool {
	const most, tops = 0x7F7F7F7F7F7F7F7F - 0x0909090909090909, 0x8080808080808080
	w ^= zeros
	return ((w+most)|w)&tops == 0
}

// isSame reports whether two texts are equal. Those as long as a time are compared as four
// words, of which two may overlap.
func isSame(a, b []byte) bool {
	n := len(a)
	if n != len(b) {
		return false
	}
	if n < 16 || n > 32 {
		return string(a) == string(b)
	}
	return (wordAt(a, 0)^wordAt(b, 0))|(wordAt(a, 8)^wordAt(b, 8))|(wordAt(a, n-16)^wordAt(b, n-16))|(wordAt(a, n-8)^wordAt(b, n-8)) == 0
}

func wordAt(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at : at+8]) }
