package accesslog

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// appendMasked appends the networks of the addresses in a value, which may be a
// list of them: 192.0.2.7 becomes 192.0.2.0, and of IPv6 the first 48 bits are
// kept. Ports stay. What is not an address is left out.
func appendMasked(dst, list []byte) []byte {
	start := len(dst)
	for len(list) > 0 {
		var entry []byte
		entry, list = nextOfList(list)
		entry = bytes.Trim(entry, " ")
		host, port := splitPort(entry)
		addr, ok := parseAddr(host)
		if !ok {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		bracket := len(host) < len(entry) && entry[0] == '['
		if bracket {
			dst = append(dst, '[')
		}
		dst = network(addr).AppendTo(dst)
		if bracket {
			dst = append(dst, ']')
		}
		if len(port) > 0 {
			dst = append(append(dst, ':'), port...)
		}
	}
	return dst
}

// network sets the last octet of IPv4 and the last 80 bits of IPv6 to zero.
func network(addr netip.Addr) netip.Addr {
	if addr.Is4() {
		b := addr.As4()
		b[3] = 0
		return netip.AddrFrom4(b)
	}
	b := addr.As16()
	if addr.Is4In6() {
		b[15] = 0
	} else {
		clear(b[6:])
	}
	return netip.AddrFrom16(b)
}

// splitPort cuts 192.0.2.7:80 and [2001:db8::1]:80; the host comes without its
// brackets. An address without a port, and anything else, is all host.
func splitPort(b []byte) (host, port []byte) {
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || end+1 < len(b) && (b[end+1] != ':' || !isDigits(b[end+2:])) {
			return b, nil
		}
		if end+1 == len(b) {
			return b[1:end], nil
		}
		return b[1:end], b[end+2:]
	}
	colon := bytes.IndexByte(b, ':')
	if colon < 0 || bytes.LastIndexByte(b, ':') != colon || !isDigits(b[colon+1:]) {
		return b, nil
	}
	return b[:colon], b[colon+1:]
}

// parseAddr reads an address without a zone. netip.ParseAddr takes a string and keeps
// it in its error, which is dropped here: a string that shares b's bytes saves an
// allocation a value, and what cannot be an address, which a client
// may send in X-Forwarded-For, is not asked about, since an error allocates too.
func parseAddr(b []byte) (netip.Addr, bool) {
	for _, c := range b {
		if c != '.' && c != ':' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return netip.Addr{}, false
		}
	}
	addr, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	return addr, err == nil
}
