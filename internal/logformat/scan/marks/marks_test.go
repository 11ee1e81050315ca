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

// whole is a layout of a line with so many marks, in which nothing else is asked.
func whole(n int) *Layout {
	return &Layout{Marks: n, Runs: []Run{{Mark: uint16(n + 1)}}}
}

// finds holds the marks that both ways find in line against the plain ones, with as many
// as there are and with others to ask for.
func finds(t testing.TB, line []byte) {
	t.Helper()
	want := plainly(line)
	for _, n := range []int{len(want), len(want) - 1, len(want) + 1, len(want) / 2, MostMarks} {
		if n < 0 || n > MostMarks {
			continue
		}
		check := func(name string, cut func([]byte, *Layout, *Found) bool) {
			t.Helper()
			var found Found
			for i := range found.At {
				found.At[i] = 0xABCD
			}
			ok := cut(line, whole(n), &found)
			if ok != (n == len(want)) || ok && !slices.Equal(found.At[1:1+n], want) {
				t.Fatalf("%s(%q, %d marks) = %v %v, want %v", name, line, n, ok, found.At, want)
			}
			// What comes behind the layout's marks is written once, eight at most.
			if slices.ContainsFunc(found.At[min(1+n+8, len(found.At)):], func(p uint16) bool { return p != 0xABCD }) {
				t.Fatalf("%s(%q, %d marks) wrote behind them: %v", name, line, n, found.At)
			}
		}
		check("Cut", Cut)
		check("cutPortable", cutPortable)
	}
}

// Lines of every length begin and end everywhere, with bytes around them that would be
// marks.
func TestMarks(t *testing.T) {
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
				finds(t, line)
			}
		}
	}
}

// Nothing behind a line is read, nor before it: here its page ends and begins there.
func TestAtTheEndOfAPage(t *testing.T) {
	page, r := lastPage(t), rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		line, layout := fitting(r)
		copy(page, line)
		alike(t, page[:len(line)], layout)
		at := len(page) - len(line)
		copy(page[at:], line)
		alike(t, page[at:], layout)
		finds(t, page[at:])
	}
}

// texts are what stands behind runs.
var texts = []string{" ", ` "`, `" `, `" "`, "] ", " - ", ` "abcdefgh`, "-", "", `"x" `}

// fitting makes a line, and a layout for it or nearly so.
func fitting(r *rand.Rand) (line []byte, layout *Layout) {
	layout = &Layout{}
	marked, inside := 0, false
	for i := range 2 + r.IntN(12) {
		from, bytes := len(line), "0123.-abcd e"[:4+r.IntN(9)]
		for range r.IntN(8) * (1 + r.IntN(6)) {
			line = append(line, bytes[r.IntN(len(bytes))])
		}
		if inside {
			line = append(line, "  "[r.IntN(3):]...)
		} else {
			marked += strings.Count(string(line[from:]), " ")
		}
		text := texts[r.IntN(len(texts))]
		word, mask := first(text)
		lead := max(0, strings.IndexAny(text, `" `))
		if inside {
			lead = max(0, strings.IndexByte(text, '"'))
		}
		layout.Runs = append(layout.Runs, Run{
			Text: word, Mask: mask,
			Mark: uint16(marked + 1), Offset: -uint16(lead), Least: uint16(max(0, len(line)-from-r.IntN(3))), Skip: uint16(len(text)),
		})
		if r.IntN(2) == 0 {
			c := Class{Run: uint16(i), From0: ' ', Above0: 'z' - ' ', From1: '0', Above1: 9}
			if r.IntN(8) == 0 {
				c = Class{Run: uint16(i), From0: '-', Above0: uint8(r.IntN(256)), From1: 'a', Above1: uint8(r.IntN(4))}
			}
			layout.Classes = append(layout.Classes, c)
		}
		for i := range text {
			if text[i] == '"' {
				inside = !inside
			}
			if text[i] == '"' || text[i] == ' ' && !inside {
				marked++
			}
		}
		line = append(line, text...)
	}
	for len(line) < Shortest {
		line = append(line, 'x')
	}
	layout.Marks = len(plainly(line))
	if len(layout.Runs) > 0 && r.IntN(3) > 0 { // up to the end
		layout.Runs = append(layout.Runs, Run{Mark: uint16(layout.Marks + 1)})
	}
	if r.IntN(4) == 0 { // not quite
		switch i := r.IntN(len(line)); r.IntN(3) {
		case 0:
			line[i] = ` "a0`[r.IntN(4)]
		case 1:
			line = append(line, " "[:1]...)
		case 2:
			run := &layout.Runs[r.IntN(len(layout.Runs))]
			run.Offset += uint16(r.IntN(5)) - 2
			run.Mark = uint16(r.IntN(layout.Marks + 2))
		}
	}
	return line[:len(line):len(line)], layout
}

// first are the first eight bytes of a text, and the bits that they have.
func first(text string) (word, mask uint64) {
	var w, m [8]byte
	for i := range min(8, len(text)) {
		w[i], m[i] = text[i], 0xFF
	}
	return binary.LittleEndian.Uint64(w[:]), binary.LittleEndian.Uint64(m[:])
}

// alike holds both ways of Cut against each other, and reports whether the line fits.
func alike(t testing.TB, line []byte, layout *Layout) bool {
	t.Helper()
	if layout.Marks > MostMarks || len(line) < Shortest {
		return false
	}
	for _, r := range layout.Runs {
		if int(r.Mark) > layout.Marks+1 {
			return false
		}
	}
	var got, want Found
	fits, n := cutPortable(line, layout, &want), len(layout.Runs)
	if Cut(line, layout, &got) != fits || fits && !slices.Equal(got.Spans[:n], want.Spans[:n]) {
		t.Fatalf("Cut(%q, %+v) = %v %v, want %v %v", line, layout, !fits, got.Spans[:n], fits, want.Spans[:n])
	}
	return fits
}

func TestCut(t *testing.T) {
	r, fit := rand.New(rand.NewPCG(3, 4)), 0
	const tries = 200_000
	for range tries {
		line, layout := fitting(r)
		if alike(t, line, layout) {
			fit++
		}
	}
	if t.Logf("%d of %d fit", fit, tries); fit < tries/20 || fit > tries*19/20 {
		t.Error("lines like these do not test Cut")
	}
}

func FuzzCut(f *testing.F) {
	f.Add(uint64(1), []byte(`172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /foo?query=t HTTP/1.0" 200 2133 "-" "KeepAliveClient" "-" 1.005 1.854`))
	f.Add(uint64(2), []byte(strings.Repeat(`" `, 100)))
	f.Fuzz(func(t *testing.T, seed uint64, line []byte) {
		made, layout := fitting(rand.New(rand.NewPCG(seed, 1)))
		alike(t, made, layout)
		if len(line) <= Longest {
			line = append(line, bytes.Repeat([]byte{' '}, max(0, Shortest-len(line)))...)
			finds(t, line)
			alike(t, line, layout)
		}
	})
}

func BenchmarkCut(b *testing.B) {
	line := []byte(`172.0.0.12 - - [04/Mar/2018:13:49:52 +0000] http "GET /api/v1/orders?utm_source=newsletter HTTP/1.0" 200 2133 "https://www.example.com/product/search"` +
		` "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0" "-" 1.005 1.854`)
	run := func(name string, cut func([]byte, *Layout, *Found) bool) {
		b.Run(name, func(b *testing.B) {
			var found Found
			layout := whole(21)
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				if !cut(line, layout, &found) {
					b.Fatal("other marks")
				}
			}
		})
	}
	run("vectors", Cut)
	run("portable", cutPortable)
}
