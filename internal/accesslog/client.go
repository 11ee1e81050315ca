package accesslog

import (
	"bytes"
	"net/netip"
	"slices"
)

// proxy finds the client of a request that came through proxies of ours. Each of
// them appends the address it was called from to X-Forwarded-For, so the entries
// are true from the right, as far as the proxies are trusted; what is left of
// the first one that is not trusted is whatever that one chose to send.
type proxy struct {
	trusted   []netip.Prefix
	remote    int // captures, -1 if there is none
	forwarded int
	buf       [maxAddr]byte
}

// maxAddr is more than the longest address has.
const maxAddr = 64

func newProxy(names []string, trusted []netip.Prefix) proxy {
	const mapped = 96 // the bits of ::ffff:
	trusted = slices.Clone(trusted)
	for i, p := range trusted {
		if p.Addr().Is4In6() && p.Bits() >= mapped {
			trusted[i] = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
		}
	}
	return proxy{
		trusted:   trusted,
		remote:    slices.Index(names, "remote_addr"),
		forwarded: slices.Index(names, "http_x_forwarded_for"),
	}
}

// client is the address, or nil if $remote_addr is not an address.
func (p *proxy) client(captures [][]byte) []byte {
	addr, ok := p.addr(captures)
	if !ok {
		return nil
	}
	return addr.AppendTo(p.buf[:0])
}

// addr is the same, as an address.
func (p *proxy) addr(captures [][]byte) (addr netip.Addr, ok bool) {
	if addr, ok = parseAddr(captures[p.remote]); !ok {
		return addr, false
	}
	if p.forwarded >= 0 {
		rest := captures[p.forwarded]
		for len(rest) > 0 && p.trusts(addr) {
			var entry []byte
			entry, rest = lastOfHeader(rest)
			host, _ := splitPort(entry)
			next, ok := parseAddr(host)
			if !ok {
				break // the trusted proxy before it is all we know
			}
			addr = next
		}
	}
	return addr.Unmap(), true
}

func (p *proxy) trusts(addr netip.Addr) bool {
	addr = addr.Unmap()
	for i := range p.trusted {
		if p.trusted[i].Contains(addr) {
			return true
		}
	}
	return false
}

// lastOfHeader cuts the last entry off a list with commas.
func lastOfHeader(list []byte) (entry, rest []byte) {
	if at := bytes.LastIndexByte(list, ','); at >= 0 {
		list, rest = list[at+1:], list[:at]
	}
	return bytes.Trim(list, " "), rest
}
