package logformat

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A skeleton is all of a JSON line but its values, and what becomes of each of these. A
// program writes the same keys in the same order and with the same blanks into line after
// line: then nothing is left to be found but where each value ends.
//
// It is exact since all that a parser knows where a value begins comes from what stands
// before it, and since a value is only cut if it is clear where it ends:
//
//	a string                at the next quote: there is no backslash in the line
//	a number                where its characters end, and the text behind it has no such character
//	true, false and null    behind themselves
//
// A line that is not so is the parser's, and so is one in which a key stands for something
// else than in the line that the skeleton is of.
type skeleton struct {
	places []place
	end    []byte // what stands behind the last value
	line   []byte // that it is of
}

// place is where a value stands.
type place struct {
	before  []byte // what stands between the value before and this one
	index   int    // of the capture; -1: it becomes none
	of      int    // the same, even if the value of another key counts
	key     *key   // nil: it is not known
	when    bool   // the key is one of whens
	time    int    // then, which one of times the value is, or -1
	several bool   // another key is for the same variable
	long    bool   // the last string was
}

// cut fills the captures, or reports that the line may not have the skeleton. Then some
// are filled.
func (o *object) cut(s *skeleton, line []byte) bool {
	captures, number, filled := o.captures, o.number, o.filled[:0]
	at := 0
	for i := range s.places {
		p := &s.places[i]
		from := at + len(p.before)
		if from >= len(line) || !isSame(line[at:from], p.before) {
			return false
		}
		var text []byte
		isNumber := false
		if line[from] == '"' {
			from++
			n := p.stringLen(line[from:])
			if n < 0 {
				return false
			}
			at = from + n + 1
			text = line[from : from+n : from+n]
		} else if text, isNumber, at = o.valueOf(line, from); at < 0 || p.several {
			return false
		}
		if p.when && text != nil && timeOf(text) != p.time {
			return false
		}
		if p.index < 0 {
			continue
		}
		captures[p.index], number[p.index] = text, isNumber
		if text != nil {
			filled = append(filled, p.index)
		}
	}
	o.filled = filled
	return string(line[at:]) == string(s.end)
}

// isSame reports whether two texts of one length are equal.
func isSame(a, b []byte) bool {
	n := len(b)
	if n < 8 || n > 32 || len(a) != n {
		return string(a) == string(b)
	}
	if n < 16 { // what is in both halves is compared twice
		return *(*[8]byte)(a) == *(*[8]byte)(b) && *(*[8]byte)(a[n-8:]) == *(*[8]byte)(b[n-8:])
	}
	return *(*[16]byte)(a) == *(*[16]byte)(b) && *(*[16]byte)(a[n-16:]) == *(*[16]byte)(b[n-16:])
}

// stringLen is the length of the string that text begins with, or -1. Most are short.
func (p *place) stringLen(text []byte) int {
	const each, tops, short = 0x0101010101010101, 0x8080808080808080, 24
	if !p.long {
		for i := 0; i < short && i+8 <= len(text); i += 8 {
			x := binary.LittleEndian.Uint64(text[i:]) ^ '"'*each // a quote becomes 0
			if hit := (x - each) &^ x & tops; hit != 0 {
				return i + bits.TrailingZeros64(hit)/8
			}
		}
	}
	n := bytes.IndexByte(text, '"')
	p.long = n >= short
	return n
}

// valueOf is the text of the value that begins at from and is no string, or nil if it has
// none; whether it is a number; and where it ends, or -1 if that is not clear.
func (o *object) valueOf(line []byte, from int) (text []byte, number bool, end int) {
	for end = from; end < len(line) && isOfNumber(line[end]); {
		end++
	}
	if end == from {
		return nil, false, wordEnd(line, from)
	}
	dash := end == from+1 && line[from] == '-'
	if o.lists && (line[from] == '-' || !bytes.HasPrefix(line[end:], []byte(`,"`)) && !bytes.HasPrefix(line[end:], []byte(`}`))) {
		if n, list := listLen(line[from:]); list {
			return line[from : from+n : from+n], false, from + n
		}
	}
	if dash || end == from+1 && line[from] == '+' { // or it is -Inf
		return nil, false, -1
	}
	return line[from:end:end], true, end
}

// wordEnd is where true, false or null ends, or -1.
func wordEnd(line []byte, from int) int {
	for _, word := range [...]string{"null", "true", "false"} {
		if end := from + len(word); end <= len(line) && string(line[from:end]) == word {
			return end
		}
	}
	return -1
}

// isOfNumber reports whether the parser takes a byte for a part of a number.
func isOfNumber(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == 'e' || c == 'E' || c == '+'
}
