package accesslog

import (
	"bytes"
	"net/netip"
)

// appendMasked appends the networks of the addresses in a value, which may be a
// list of them: 192.0.2.7 becomes 192.0.2.0, and of IPv6 the first 48 bits are
// kept. Ports stay. What is no address is left out.
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
// brackets. An address without a port, and what is no address, is all host.
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

// parseAddr is netip.ParseAddr for bytes, without zones. It allocates nothing,
// also when clients send something else, as they may in X-Forwarded-For.
func parseAddr(b []byte) (netip.Addr, bool) {
	if bytes.IndexByte(b, ':') < 0 {
		v4, ok := parse4(b)
		return netip.AddrFrom4(v4), ok
	}
	v6, ok := parse6(b)
	return netip.AddrFrom16(v6), ok
}

func parse4(b []byte) (addr [4]byte, ok bool) {
	for i := range addr {
		octet := b
		if i < len(addr)-1 {
			dot := bytes.IndexByte(b, '.')
			if dot < 0 {
				return addr, false
			}
			octet, b = b[:dot], b[dot+1:]
		}
		n := number(octet)
		if n < 0 || n > 255 || len(octet) > 3 || len(octet) > 1 && octet[0] == '0' {
			return addr, false
		}
		addr[i] = byte(n)
	}
	return addr, true
}

func parse6(b []byte) (addr [16]byte, ok bool) {
	n, gap := 0, -1 // bytes so far, and where "::" was
	if bytes.HasPrefix(b, []byte("::")) {
		b, gap = b[2:], 0
	}
	for len(b) > 0 {
		if n == len(addr) {
			return addr, false
		}
		end := bytes.IndexByte(b, ':')
		group := b
		if end >= 0 {
			group = b[:end]
		}
		if end < 0 && bytes.IndexByte(group, '.') >= 0 { // ::ffff:192.0.2.7
			v4, ok := parse4(group)
			if !ok || n > 12 {
				return addr, false
			}
			n += copy(addr[n:], v4[:])
			break
		}
		value, ok := parseGroup(group)
		if !ok {
			return addr, false
		}
		addr[n], addr[n+1] = byte(value>>8), byte(value)
		n += 2
		if end < 0 {
			break
		}
		if b = b[end+1:]; len(b) == 0 {
			return addr, false // a colon at the end
		}
		if b[0] == ':' {
			if gap >= 0 {
				return addr, false
			}
			b, gap = b[1:], n
		}
	}
	if gap < 0 {
		return addr, n == len(addr)
	}
	if n == len(addr) {
		return addr, false
	}
	tail := copy(addr[len(addr)-(n-gap):], addr[gap:n])
	clear(addr[gap : len(addr)-tail])
	return addr, true
}

// parseGroup reads one to four hexadecimal digits.
func parseGroup(b []byte) (value uint16, ok bool) {
	if len(b) == 0 || len(b) > 4 {
		return 0, false
	}
	for _, c := range b {
		if c >= 'a' && c <= 'f' {
			c -= 'a' - 'A'
		}
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		value = value<<4 | uint16(d)
	}
	return value, true
}
