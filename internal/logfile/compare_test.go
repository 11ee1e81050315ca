package logfile_test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/tailflux/tailflux/internal/logfile"
)

// A checkpoint that somebody edited says that more stands before an offset than the
// offset: the file is another one, and nobody reads before its beginning.
func TestHoldsAllOfWithMoreBeforeThanThereIs(t *testing.T) {
	text := []byte("one\ntwo\n")
	path := filepath.Join(t.TempDir(), "access.log.1.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	o, err := logfile.Sibling{Path: path}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	was := logfile.File{Head: logfile.SumOf(text)}
	if !o.HoldsAllOf(was, int64(len(text)), logfile.SumOf(text)) {
		t.Error("a copy that was read to its end is not recognised")
	}
	if o.HoldsAllOf(was, 4, logfile.SumOf(text)) {
		t.Error("what cannot be is taken for a copy")
	}
}
