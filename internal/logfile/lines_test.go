package logfile_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

// Lines are cut as run cuts them, and only the longest are too long.
func TestLineReader(t *testing.T) {
	const long = 300 << 10 // more than the buffer
	nuls := strings.Repeat("\x00", 2*long+1)
	exact := strings.Repeat("x", long)
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"\n", "[]"},
		{"a\n\nb", "[a][][b]"},
		{"a\r\n", "[a]"},
		{"a\r\r\nb\rc\n\r\nd\r", "[a\r][b\rc][][d]"},
		{exact[1:] + "\r\n" + exact + "\r\na\n", "[" + exact[1:] + "][" + exact + "]![a]"}, // as run, which counts the CR
		{exact[1:] + "\ry\n", "[" + exact[1:] + "\r]!"},
		{exact + "\n" + exact, "[" + exact + "][" + exact + "]"},
		{exact + "y\na\n", "[" + exact + "]![a]"},
		{exact + exact, "[" + exact + "]!"},
		{"\x00", ""},
		{"\x00a\x00\x00b\n\x00\nc\x00", "[a][b][][c]"},
		{"a\r\x00b\r\x00\n", "[a][b][]"},
		{nuls + exact + nuls + "a\n" + nuls, "[" + exact + "][a]"},
		{exact + "y" + nuls + "\na", "[" + exact + "]![][a]"},
	} {
		for _, peek := range []int{0, 2} {
			lines := logfile.NewLineReader(strings.NewReader(tt.text), long)
			if _, err := lines.Peek(peek); err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for {
				text, over, err := lines.Next()
				if err != nil {
					break
				}
				fmt.Fprintf(&got, "[%s]", text)
				if over {
					got.WriteByte('!')
				}
			}
			if got.String() != tt.want {
				t.Errorf("lines of %.50q, %d peeked: %.50s, want %.50s", tt.text, peek, got.String(), tt.want)
			}
		}
	}
}

// Looking ahead changes nothing in what is read, in whatever order it is done.
func TestLinesAhead(t *testing.T) {
	lines := logfile.NewLineReader(strings.NewReader("a\nb\nlonger\nd\ne"), 4)
	at := func(n int, want string) {
		t.Helper()
		if text, _, err := lines.At(n); err != nil || string(text) != want {
			t.Errorf("At(%d) = %q, %v, want %q", n, text, err, want)
		}
	}
	next := func(want string) {
		t.Helper()
		if text, _, err := lines.Next(); err != nil || string(text) != want {
			t.Errorf("Next = %q, %v, want %q", text, err, want)
		}
	}
	at(1, "b")
	at(0, "a")
	if got, err := lines.Peek(1); err != nil || len(got) != 1 || string(got[0]) != "a" {
		t.Errorf("Peek(1) = %q, %v", got, err)
	}
	next("a")
	at(1, "long")
	next("b")
	next("long")
	at(1, "e")
	if _, _, err := lines.At(2); !errors.Is(err, io.EOF) {
		t.Errorf("At behind the end: %v", err)
	}
	next("d")
	next("e")
	if _, _, err := lines.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("Next at the end: %v", err)
	}
}
