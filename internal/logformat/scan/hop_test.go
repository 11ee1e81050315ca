package scan

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// The first byte that is not in a set is found, whatever is before it and behind it.
func TestOutside(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	known := make(map[hopKind]int)
	for range 20_000 {
		set := randomSet(r)
		h, ok := newHop(&link{kind: linkSpan, above: -1, capture: -1, set: set}, false)
		if !ok {
			t.Fatalf("no hop for all bytes but %q", set.missing())
		}
		known[h.kind]++
		for range 20 {
			var word [8]byte
			for i := range word {
				word[i] = byte(r.Uint32())
				for tries := 0; tries < 100 && !set[word[i]] && r.IntN(12) > 0; tries++ {
					word[i] = byte(r.Uint32())
				}
			}
			x := binary.LittleEndian.Uint64(word[:])
			var out uint64
			switch h.kind {
			case hopTwo:
				out = h.outsideTwo(x)
			case hopFew:
				out = h.outsideFew(x)
			case hopUntil:
				out = h.outsideOne(x)
			default:
				continue
			}
			want := slices.IndexFunc(word[:], func(b byte) bool { return !set[b] })
			if want < 0 {
				want = 8
			}
			if got := bits.TrailingZeros64(out) / 8; got != want {
				t.Fatalf("all bytes but %q: the first one outside in %q is %d, want %d", set.missing(), word, got, want)
			}
		}
	}
	for _, kind := range []hopKind{hopAsks, hopTwo, hopFew, hopUntil} {
		if known[kind] < 200 {
			t.Errorf("%d sets of kind %d: sets like these test nothing", known[kind], kind)
		}
	}
}

// randomSet is all bytes but few, or few ranges of ASCII.
func randomSet(r *rand.Rand) *byteSet {
	set := new(byteSet)
	if r.IntN(2) == 0 {
		for c := range set {
			set[c] = true
		}
		some := []byte{' ', '"', ',', 0, 1, 0x1F, '0', '9', 'z', 0x7E, 0x7F}
		for range 1 + r.IntN(4) {
			set[some[r.IntN(len(some))]] = false
		}
		return set
	}
	for range 1 + r.IntN(3) {
		from := r.IntN(0x80)
		for c := from; c < min(0x80, from+1+r.IntN(40)); c++ {
			set[c] = true
		}
	}
	return set
}

// Which link must be asked. This is about speed, not about answers; but hops that always
// ask would pass every other test.
func TestHops(t *testing.T) {
	tree, err := syntax.Parse(timed, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(tree, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	if err != nil {
		t.Fatal(err)
	}
	const none = -1
	const line = `172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "Keep Alive" "-" 1.005 1.854`
	check := func(from, to string, want int) {
		t.Helper()
		s := p.NewScratch()
		c, captures := p.steps[0].chain, make([][]byte, 12)
		if at, step := c.take([]byte(line), 0, lastWord([]byte(line)), captures, &s.hopped); at != len(line) || step != len(p.steps) {
			t.Fatalf("take(%q) = %d, %d", line, at, step)
		}
		got := none
		if _, h := c.first.hop([]byte(strings.Replace(line, from, to, 1)), 0, &s.hopped); h != nil {
			got = int(h.number)
		}
		if got != want {
			t.Errorf("%q for %q: link %d is asked, want %d", to, from, got, want)
		}
	}
	check("", "", none)
	check("172.0.0.12", "2001:db8:0:1:2:3:4:5", none)
	check("- -", "- ada lovelace", 1)
	check("13:49:52", "13:49:53", 2)
	check("+0000]", "+0000 ]", 2)
	check("Keep Alive", strings.Repeat("k", 200), none)
	check("Keep Alive", strings.Repeat("k", 500), 8) // where the standard library is faster
	check("Keep Alive", `é\x22`, none)
	check("Keep Alive", `Keep" "Alive`, 10) // then a quote comes for a time
	check("200", "", 5)
	check("200", "123456789", none)
	check("200 ", "200  ", 6)
	check("1.005", "1.005, 0.1", 10)
	check("1.005", "1.005 : 0.1", 10)
	check("1.854", "1.854 ", 12)
	check("1.854", "", 11)
}

// Lines that are too short or too long for hops are gone through step by step.
func TestNoHops(t *testing.T) {
	tree, err := syntax.Parse(`^(?P<a>[^ "]+) (?P<b>[^"]*)$`, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(tree, []int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{3, 7, 8, 9, math.MaxUint16, math.MaxUint16 + 1, 1 << 17} {
		for _, first := range []int{1, size - 2} {
			line := bytes.Repeat([]byte{'x'}, size)
			line[first] = ' '
			captures := make([][]byte, 2)
			if out := p.Scan(line, captures, p.NewScratch()); out != Matched || len(captures[0]) != first || len(captures[1]) != size-first-1 {
				t.Errorf("%d bytes with a space at %d: %v, %d and %d bytes", size, first, out, len(captures[0]), len(captures[1]))
			}
		}
	}
}

// A format may have more links than a chain.
func TestMoreLinksThanHops(t *testing.T) {
	for _, n := range []int{mostHops - 1, mostHops, mostHops + 1, 3 * mostHops} {
		fields, groups, wanted := make([]string, n), make([]string, n), make([]int, n)
		for i := range n {
			fields[i], groups[i], wanted[i] = strings.Repeat("x", 1+i%9), `([^ ]+)`, i+1
		}
		tree, err := syntax.Parse("^"+strings.Join(groups, " ")+"$", syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(tree, wanted)
		if err != nil {
			t.Fatal(err)
		}
		captures := make([][]byte, n)
		if out := p.Scan([]byte(strings.Join(fields, " ")), captures, p.NewScratch()); out != Matched {
			t.Errorf("%d fields: %v", n, out)
			continue
		}
		for i, got := range captures {
			if string(got) != fields[i] {
				t.Errorf("%d fields: number %d is %q, want %q", n, i, got, fields[i])
			}
		}
	}
}
