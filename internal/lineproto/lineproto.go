// Package lineproto appends values as InfluxDB line protocol, and takes a point
// apart again ([Split]). The caller owns every buffer, and appending allocates
// nothing while there is room.
//
// What InfluxDB would refuse is cleaned on the way: control bytes, among them
// the newline, and bytes that are not UTF-8 become U+FFFD in strings and ? in tags,
// and so does the backslash at the end of a tag value. (InfluxDB 1.8.10 answers 400
// to a newline or a trailing backslash in a tag, stores U+FFFD for invalid UTF-8, and
// with validate-keys refuses U+FFFD in a tag.) A point is therefore always one line.
package lineproto

import (
	"strconv"
	"unicode/utf8"
)

// MaxTagValue is the most bytes a tag value keeps; the rest is cut off at the
// end of a rune. InfluxDB refuses series keys over 65,535 bytes.
const MaxTagValue = 1024

// What stands for bytes that InfluxDB refuses.
const (
	inString = "\uFFFD"
	inTag    = "?"
)

// What to do with a byte.
const (
	plain = iota
	special
	control
	nonASCII
)

// tagBytes and stringBytes say it for tag values and for quoted strings. The
// backslash escapes nothing but , = and space in tags; it needs no escape there.
var tagBytes, stringBytes = classes(", ="), classes(`"\`)

func classes(specials string) (c [256]byte) {
	for b := range c {
		switch {
		case b < ' ' || b == 0x7f:
			c[b] = control
		case b >= utf8.RuneSelf:
			c[b] = nonASCII
		}
	}
	for i := range len(specials) {
		c[specials[i]] = special
	}
	return c
}

// AppendMeasurement appends a measurement name.
func AppendMeasurement(dst []byte, name string) []byte {
	for i := range len(name) {
		if name[i] == ',' || name[i] == ' ' {
			dst = append(dst, '\\')
		}
		dst = append(dst, name[i])
	}
	return dst
}

// AppendTag appends a tag, comma first. prefix is the comma, the key and the
// equals sign, as made by [TagPrefix]. An empty value appends nothing: InfluxDB
// has no empty tags.
func AppendTag(dst, prefix, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	if len(value) > MaxTagValue {
		value = cut(value, MaxTagValue)
	}
	dst = appendClean(append(dst, prefix...), value, &tagBytes, inTag)
	if dst[len(dst)-1] == '\\' {
		dst[len(dst)-1] = inTag[0]
	}
	return dst
}

// TagValue is what InfluxDB has as the value of a tag, with what AppendTag escapes.
func TagValue(value string) string { return string(AppendTag(nil, nil, []byte(value))) }

// TagPrefix returns what AppendTag puts before a value of the tag called key.
func TagPrefix(key string) []byte {
	return append(appendClean([]byte{','}, []byte(key), &tagBytes, inTag), '=')
}

// FieldPrefix returns what stands before a field's value: the key and the
// equals sign.
func FieldPrefix(key string) []byte {
	return append(appendClean(nil, []byte(key), &tagBytes, inTag), '=')
}

// AppendString appends a string field's value in quotes.
func AppendString(dst, value []byte) []byte {
	return append(appendClean(append(dst, '"'), value, &stringBytes, inString), '"')
}

// AppendEnd appends the timestamp, in nanoseconds since 1970, and the newline.
func AppendEnd(dst []byte, unixNano int64) []byte {
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, unixNano, 10)
	return append(dst, '\n')
}

// Ender is AppendEnd for many points of few seconds: it keeps the digits of the last one.
// Its zero value is ready, and for one goroutine.
type Ender struct {
	last   int64 // 0 before the first; those that are not kept are not counted
	second int64
	text   [endRoom]byte // of last
}

// endLen is the length of a space, ten digits of a second, nine below it, and
// the newline. (A second has ten from 2001 on.) endRoom is that with padding, so that it is
// copied at once.
const (
	endLen  = 1 + 10 + 9 + 1
	endRoom = 24
	ones    = endLen - 2 // where the last digit is
)

// AppendEnd does the same as the function.
func (e *Ender) AppendEnd(dst []byte, unixNano int64) []byte {
	switch {
	case unixNano < 1e18:
		return AppendEnd(dst, unixNano)
	case unixNano == e.last+1 && e.text[ones] < '9': // the next line, of the same second
		e.text[ones]++
		e.last = unixNano
	default:
		e.set(unixNano)
	}
	at := len(dst)
	if cap(dst)-at < endRoom {
		return append(dst, e.text[:endLen]...)
	}
	text := e.text // apart from dst: copied without a call
	*(*[endRoom]byte)(dst[at : at+endRoom]) = text
	return dst[:at+endLen]
}

// set makes it the text of a time.
func (e *Ender) set(unixNano int64) {
	e.last = unixNano
	second := unixNano / 1e9
	if second != e.second {
		e.text[0], e.text[endLen-1] = ' ', '\n'
		strconv.AppendInt(e.text[1:1], second, 10)
		e.second = second
	}
	below := uint32(unixNano - second*1e9)
	for i := endLen - 3; i > endLen-10; i -= 2 {
		two := below % 100 * 2
		below /= 100
		e.text[i], e.text[i+1] = pairs[two], pairs[two+1]
	}
	e.text[endLen-10] = byte('0' + below)
}

// pairs are the numbers from 00 to 99.
const pairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

// appendClean copies runs of plain bytes and deals with the others one by one.
// replacement stands for what InfluxDB refuses.
func appendClean(dst, value []byte, class *[256]byte, replacement string) []byte {
	from := 0
	for i := 0; i < len(value); {
		switch class[value[i]] {
		case plain:
			i++
		case special:
			dst = append(append(dst, value[from:i]...), '\\')
			from = i
			i++
		case control:
			dst = append(append(dst, value[from:i]...), replacement...)
			i++
			from = i
		case nonASCII:
			r, size := utf8.DecodeRune(value[i:])
			if r == utf8.RuneError { // also U+FFFD itself
				dst = append(append(dst, value[from:i]...), replacement...)
				from = i + size
			}
			i += size
		}
	}
	return append(dst, value[from:]...)
}

// cut shortens value to at most n bytes, at the end of a rune.
func cut(value []byte, n int) []byte {
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(value[i]) {
			return value[:i]
		}
	}
	return value[:n]
}
