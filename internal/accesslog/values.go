package accesslog

import (
	"bytes"
	"strconv"
)

// nginx writes the values of all upstream servers that were asked into one
// variable, separated by ", " within a group and by " : " between groups:
//
//	0.010, 0.020 : 0.100
//
// https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_addr

// nextOfList cuts the first entry off a list.
func nextOfList(list []byte) (entry, rest []byte) {
	for i := range list {
		switch {
		case list[i] == ',':
			return list[:i], bytes.TrimPrefix(list[i+1:], []byte{' '})
		case list[i] == ' ' && i+2 < len(list) && list[i+1] == ':' && list[i+2] == ' ':
			return list[:i], list[i+3:]
		}
	}
	return list, nil
}

// isList reports whether there may be more than one entry.
func isList(v []byte) bool {
	return bytes.IndexByte(v, ',') >= 0 || bytes.IndexByte(v, ' ') >= 0
}

// lastOfList is the last entry that is not "-", the one that counted.
func lastOfList(list []byte) []byte {
	if !isList(list) {
		return list
	}
	var last []byte
	for len(list) > 0 {
		var entry []byte
		if entry, list = nextOfList(list); len(entry) > 0 && string(entry) != "-" {
			last = entry
		}
	}
	return last
}

// countList is the number of entries.
func countList(list []byte) (n int64) {
	if len(list) > 0 && len(list) <= 8 && !hasByte(word(list), ',') && !hasByte(word(list), ' ') {
		return 1
	}
	for len(list) > 0 {
		_, list = nextOfList(list)
		n++
	}
	return n
}

// appendInteger appends an integer field. Of a list it appends the sum, or the last
// entry. Anything that is not an integer of 64 bits is not appended.
func appendInteger(p, v []byte, list, last bool) ([]byte, bool) {
	v = withoutPlus(v)
	digits := v
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	switch {
	case isDigits(digits):
	case list && isList(v) && last:
		return appendInteger(p, lastOfList(v), false, false)
	case list && isList(v):
		return appendIntegerSum(p, v)
	default:
		return p, false
	}
	if len(digits) > 18 {
		if _, err := strconv.ParseInt(string(v), 10, 64); err != nil {
			return p, false
		}
	}
	return append(append(p, v...), 'i'), true
}

// appendIntegerSum adds integers up.
func appendIntegerSum(p, list []byte) ([]byte, bool) {
	var sum int64
	some := false
	for len(list) > 0 {
		var entry []byte
		entry, list = nextOfList(list)
		if string(entry) == "-" || len(entry) == 0 {
			continue
		}
		some = true
		n, err := strconv.ParseInt(string(entry), 10, 64)
		if err != nil || n < 0 || sum > 1<<63-1-n {
			return p, false
		}
		sum += n
	}
	return append(appendInt(p, sum), 'i'), some
}

// withoutPlus is the number without the sign that HAProxy writes before what goes on
// (option logasap): line protocol has none.
func withoutPlus(v []byte) []byte {
	if len(v) > 1 && v[0] == '+' && v[1] != '-' {
		return v[1:]
	}
	return v
}

// allDigits reports whether all four bytes are digits: adding six to one carries
// into its upper half if it is over '9'.
func allDigits(four uint32) bool {
	const upper, six, digit = 0xF0F0F0F0, 0x06060606, 0x30303030
	return four&upper == digit && (four+six)&upper == digit
}

// maxFloat is the longest text that is taken for a float: nginx writes seconds
// with three decimals.
const maxFloat = 24

// appendFloat appends a decimal number as it stands, or the sum of a list. Anything
// else is not appended.
func appendFloat(p, v []byte, list bool) ([]byte, bool) {
	switch {
	case isDecimal(withoutPlus(v)):
		return append(p, withoutPlus(v)...), true
	case list && isList(v):
		return appendSum(p, v)
	default:
		return p, false
	}
}

// appendSum adds decimals up, exactly, to six places.
func appendSum(p, list []byte) ([]byte, bool) {
	var micros int64
	some := false
	for len(list) > 0 {
		var entry []byte
		entry, list = nextOfList(list)
		if string(entry) == "-" || len(entry) == 0 {
			continue
		}
		some, entry = true, withoutPlus(entry)
		whole, fraction, _ := bytes.Cut(entry, []byte{'.'})
		if !isDecimal(entry) || entry[0] == '-' || len(whole) > 10 || len(fraction) > 6 {
			return p, false
		}
		sixPlaces := [6]byte{'0', '0', '0', '0', '0', '0'}
		copy(sixPlaces[:], fraction)
		micros += number(whole)*1e6 + number(sixPlaces[:])
		if micros > 1<<62 {
			return p, false
		}
	}
	p = append(appendInt(p, micros/1e6), '.')
	fraction := micros % 1e6
	for unit := int64(1e5); unit > 0 && (fraction > 0 || unit >= 1e3); unit /= 10 {
		p = append(p, byte('0'+fraction/unit))
		fraction %= unit
	}
	return p, some
}

func appendInt(p []byte, n int64) []byte { return strconv.AppendInt(p, n, 10) }

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// isDecimal accepts 1, -1.5 and 0.010, but not .5, 1e9, NaN or a text over
// maxFloat bytes.
func isDecimal(b []byte) bool {
	if len(b) > maxFloat {
		return false
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	digits := 0
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && digits == i && i > 0 && i < len(b)-1:
		default:
			return false
		}
	}
	return digits > 0
}

// hasByte reports whether one of the eight bytes of a word is that one, which is not 0.
func hasByte(word uint64, b byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	word ^= ones * uint64(b)
	return (word-ones)&^word&tops != 0
}

// number reads up to ten decimal digits; -1 is for anything else.
func number(b []byte) int64 {
	if len(b) > 0 && len(b) <= 8 {
		return eightDigits(word(b)<<(64-8*len(b)) | zeros>>(8*len(b)))
	}
	return manyDigits(b)
}

// eightDigits reads eight decimal digits, the first one in the lowest byte, all at once; -1
// is for anything else.
func eightDigits(w uint64) int64 {
	if !isDigits8(w) {
		return -1
	}
	w -= zeros
	w = w*10 + w>>8 // pairs, each in the lower byte of two
	const two = 0x000000FF000000FF
	return int64((w&two*(100+1000000<<32) + w>>16&two*(1+10000<<32)) >> 32)
}

// manyDigits does it digit by digit.
func manyDigits(b []byte) int64 {
	if len(b) == 0 || len(b) > 10 {
		return -1
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
