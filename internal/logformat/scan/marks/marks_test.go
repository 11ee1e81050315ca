package marks

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// plainly finds marks as the package comment defines them.
func plainly(line []byte) (at []uint16) {
	inside := false
	for i, c := range line {
		if c == '"' {
			inside = !inside
		}
		if c == '"' || c == ' ' && !inside {
			at = append(at, uint16(i))
		}
	}
	return at
}

// agree holds both ways against the plain one, with each number of marks to ask for that
// makes a difference.
func agree(t testing.TB, line []byte) {
	t.Helper()
	want := plainly(line)
	check := func(name string, find func([]byte, *Positions, int) int, most int) {
		t.Helper()
		var at Positions
		for i := range at {
			at[i] = 0xABCD
		}
		n := find(line, &at, most)
		switch {
		case len(want) > most && n <= most:
			t.Fatalf("%s(%q, most %d) = %d, want more", name, line, most, n)
		case len(want) <= most && (n != len(want) || !slices.Equal(at[1:1+n], want)):
			t.Fatalf("%s(%q, most %d) = %d %v, want %v", name, line, most, n, at[1:1+min(n, Most)], want)
		case at[0] != 0xABCD || slices.ContainsFunc(at[1+most+8:], func(p uint16) bool { return p != 0xABCD }):
			t.Fatalf("%s(%q, most %d) wrote outside: %v", name, line, most, at)
		}
	}
	for _, most := range []int{Most, min(len(want), Most), max(0, min(len(want), Most+1)-1), len(want) / 2 % Most} {
		check("Find", Find, most)
		check("findPortable", findPortable, most)
	}
}

// Lines of every length begin and end everywhere, with bytes around them that would be
// marks.
func TestFind(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	buffer := make([]byte, 300)
	for _, kinds := range []string{`" `, `"  ab`, `" abcdefghijklmnopqrstuvwxyz0123456789`, "\"\n \x00\xa2\xa0\x22\x20\xff\x02!#\x1f", `"`, ` `, "a"} {
		for size := Shortest; size <= 200; size++ {
			for from := 0; from < 64; from += 1 + from/8 {
				for i := range buffer {
					buffer[i] = `" `[i%2]
				}
				line := buffer[from : from+size : from+size]
				for i := range line {
					line[i] = kinds[r.IntN(len(kinds))]
				}
				agree(t, line)
			}
		}
	}
}

// Nothing behind a line is read: here it ends where its page does.
func TestFindAtTheEndOfAPage(t *testing.T) {
	page := lastPage(t)
	for i := range page {
		page[i] = `" ab`[i%4]
	}
	for size := Shortest; size <= 200; size++ {
		agree(t, page[len(page)-size:])
		agree(t, page[:size])
	}
}

// runsOf makes runs, and a line for them or nearly so, of random bytes.
func runsOf(r *rand.Rand) (line []byte, runs []Run) {
	b := func(s string) { line = append(line, s...) }
	marked, inside := 0, false
	for range 1 + r.IntN(12) {
		from := len(line)
		for range r.IntN(20) {
			b(string("abcdef0123.- "[r.IntN(12+r.IntN(2)):][:1]))
		}
		text := []string{" ", ` "`, `" `, `" "`, "] ", " - ", ` "abcdefgh`, "-", ""}[r.IntN(9)]
		var word, mask [8]byte
		for i := range min(8, len(text)) {
			word[i], mask[i] = text[i], 0xFF
		}
		least := max(0, len(line)-from-r.IntN(2)) + r.IntN(40)/39
		lead := uint16(0)
		for i := range text {
			if text[i] == '"' || text[i] == ' ' && !inside {
				lead = uint16(i)
				break
			}
		}
		runs = append(runs, Run{
			Text: binary.LittleEndian.Uint64(word[:]), Mask: binary.LittleEndian.Uint64(mask[:]),
			Mark: uint16(marked+1) % uint16(Most+2), Offset: -lead + uint16(r.IntN(40)/39), Least: uint16(least), Skip: uint16(len(text)),
		})
		for i := range text {
			if text[i] == '"' {
				inside = !inside
			}
			if text[i] == '"' || text[i] == ' ' && !inside {
				marked++
			}
		}
		b(text)
	}
	for len(line) < Shortest {
		b("x")
	}
	runs = append(runs, Run{Mark: uint16(marked + 1)})
	return line, runs
}

// fitsAlike holds both ways of Fit against each other.
func fitsAlike(t testing.TB, line []byte, runs []Run) bool {
	t.Helper()
	var at Positions
	n := Find(line, &at, Most)
	if n > Most {
		return false
	}
	at[0], at[n+1] = 0, uint16(len(line))
	var got, want Spans
	fits := Fit(line, &at, runs, &got)
	if fitPortable(line, &at, runs, &want) != fits || fits && got != want {
		t.Fatalf("Fit(%q, %v) = %v %v, want %v %v", line, runs, fits, got, !fits, want)
	}
	return fits
}

func TestFit(t *testing.T) {
	r, fitting := rand.New(rand.NewPCG(3, 4)), 0
	const tries = 100_000
	for range tries {
		line, runs := runsOf(r)
		if fitsAlike(t, line[:len(line):len(line)], runs) {
			fitting++
		}
	}
	if t.Logf("%d of %d fit", fitting, tries); fitting < tries/10 || fitting > tries*9/10 {
		t.Error("lines like these do not test Fit")
	}
}

func FuzzFit(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		line, runs := runsOf(rand.New(rand.NewPCG(a, b)))
		fitsAlike(t, line, runs)
	})
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(`172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "KeepAliveClient" "-" 1.005 1.854`))
	f.Add([]byte(strings.Repeat(`" `, 100)))
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) < Longest {
			line = append(line, bytes.Repeat([]byte{' '}, max(0, Shortest-len(line)))...)
			agree(t, line)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	line := []byte(`172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /api/v1/orders?utm_source=newsletter HTTP/1.0" 200 2133 "https://www.example.com/product/search"` +
		` "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0" "-" 1.005 1.854`)
	run := func(name string, find func([]byte, *Positions, int) int) {
		b.Run(name, func(b *testing.B) {
			var at Positions
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				if find(line, &at, Most) != 21 {
					b.Fatal("other marks")
				}
			}
		})
	}
	run("find", Find)
	run("portable", findPortable)
}
