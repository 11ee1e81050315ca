package lineproto_test

import (
	"strings"
	"testing"

	"github.com/tailflux/tailflux/internal/lineproto"
)

func TestTextIsAppendedWholeWhateverRoomThereIs(t *testing.T) {
	for _, length := range []int{0, 1, 31, 32, 33, 200} {
		for _, room := range []int{0, 1, 31, 32, 33, 300} {
			want := strings.Repeat("x", length)
			text := lineproto.NewText([]byte(want))
			dst := append(make([]byte, 0, 3+room), "abc"...)
			if got := string(text.Append(dst)); got != "abc"+want {
				t.Errorf("%d bytes appended where there is room for %d: %q", length, room, got)
			}
		}
	}
}
