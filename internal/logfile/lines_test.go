package logfile_test

import (
	"fmt"
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
