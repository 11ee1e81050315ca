package logformat

import "bytes"

// quoteLists appends line to dst with quotes around what nginx writes into a number's
// place when it asked several upstream servers, or none, and log_format has no quotes:
//
//	"upstream_response_time": 0.001, 0.024     "upstream_status": 502, 200 : -
//
// It reports whether there was any. A key begins with a quote, so a number behind a
// comma can only go on with the value before it.
func quoteLists(dst, line []byte) (mended []byte, some bool) {
	for len(line) > 0 {
		switch c := line[0]; c {
		case '"':
			n := stringLen(line)
			dst, line = append(dst, line[:n]...), line[n:]
		case ':':
			blanks := len(line) - len(bytes.TrimLeft(line[1:], " "))
			dst, line = append(dst, line[:blanks]...), line[blanks:]
			n, list := listLen(line)
			if list {
				dst, some = append(append(append(dst, '"'), line[:n]...), '"'), true
			} else {
				dst = append(dst, line[:n]...)
			}
			line = line[n:]
		default:
			dst, line = append(dst, c), line[1:]
		}
	}
	return dst, some
}

// stringLen is the length of the string that line begins with, its quotes included.
func stringLen(line []byte) int {
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(line)
}

// listLen is the length of the numbers that line begins with, and whether they are a
// list, or the dash of an absent one.
func listLen(line []byte) (n int, list bool) {
	n = entryLen(line)
	list = n == 1 && line[0] == '-'
	for n > 0 {
		rest := line[n:]
		between := len(rest) - len(bytes.TrimLeft(rest, " ,:"))
		if between == 0 || !bytes.ContainsAny(rest[:between], ",:") {
			break
		}
		next := entryLen(rest[between:])
		if next == 0 {
			break
		}
		n, list = n+between+next, true
	}
	return n, list
}

// entryLen is the length of the number or dash that line begins with.
func entryLen(line []byte) int {
	return len(line) - len(bytes.TrimLeft(line, "0123456789.-"))
}
