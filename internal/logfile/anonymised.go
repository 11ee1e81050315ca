package logfile

import (
	"bytes"
	"net/netip"
)

// IsAnonymised reports whether a file that begins with now is one that began with h, or a copy
// of it, out of which somebody took addresses: line for line both are the same but for those.
func (h Head) IsAnonymised(now Head) bool {
	was, is := wholeLines(h), wholeLines(now)
	fewer := false // addresses
	for range min(len(was), len(is)) {
		without, same := withoutAddresses(was[0], is[0])
		if !same {
			return false
		}
		fewer = fewer || without
		was, is = was[1:], is[1:]
	}
	return fewer
}

// wholeLines are the lines of a head whose ends are in it.
func wholeLines(h Head) [][]byte {
	lines := bytes.SplitAfter(h, []byte{'\n'})
	return lines[:len(lines)-1]
}

// withoutAddresses reports whether a line is what another one was but for its addresses, and
// whether there are some that are hidden in it.
func withoutAddresses(was, is []byte) (hidden, same bool) {
	for {
		at, end := address(was)
		if !bytes.HasPrefix(is, was[:at]) {
			return false, false
		}
		if end == at { // there is none any more
			return hidden, len(is) == len(was)
		}
		text, behind := was[at:end], was[end:]
		is = is[at:]
		length := bytes.IndexByte(is, behind[0])
		if length < 0 {
			return false, false
		}
		if now := is[:length]; !bytes.Equal(now, text) {
			if !hides(now, text) {
				return false, false
			}
			hidden = true
		}
		was, is = behind, is[length:]
	}
}

// address is where the first IP address of a line is, which ends with a newline; both are its
// length if it has none.
func address(line []byte) (from, end int) {
	isPart := func(c byte) bool { return c == '.' || c == ':' || isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
	for at := 0; at < len(line); at++ {
		if !isPart(line[at]) {
			continue
		}
		length := 1
		for isPart(line[at+length]) { // up to the newline
			length++
		}
		for from := at; from < at+length; from++ {
			if from > at && line[from-1] != ':' { // of a name, as in host:192.0.2.7
				continue
			}
			for end := at + length; end-from >= len("::1"); end-- { // a port may be behind it
				if _, err := netip.ParseAddr(string(line[from:end])); err == nil {
					return from, end
				}
			}
		}
		at += length
	}
	return len(line), len(line)
}

// hides reports whether a text tells less than an address that was in its place: it is no
// address, or has zeros in place of the last bits.
func hides(now, was []byte) bool {
	addr, err := netip.ParseAddr(string(now))
	if err != nil {
		return true
	}
	of, err := netip.ParseAddr(string(was))
	if err != nil || addr == of {
		return false
	}
	for bits := range of.BitLen() {
		if p, err := of.WithZone("").Prefix(bits); err == nil && p.Addr() == addr {
			return true
		}
	}
	return addr.IsUnspecified()
}
