//go:build unix

package marks

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// lastPage is memory behind which, and before which, there is none.
func lastPage(t *testing.T) []byte {
	size := os.Getpagesize()
	three, err := unix.Mmap(-1, 0, 3*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(three) })
	for _, guard := range [][]byte{three[:size], three[2*size:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return three[size : 2*size : 2*size]
}
