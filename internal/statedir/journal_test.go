package statedir_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/tailflux/tailflux/internal/statedir"
)

// What is appended is there once, behind what was there before, wherever somebody has
// moved the file meanwhile.
func TestJournal(t *testing.T) {
	d, err := statedir.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const name = statedir.Intents
	j := d.Journal(name, nil)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(text string) {
		t.Helper()
		if got, err := d.Read(name); err != nil || string(got) != text {
			t.Errorf("the file is %q, %v, want %q", got, err, text)
		}
	}
	must(j.Replace([]byte("a\n")))
	must(j.Append([]byte("b\n")))
	want("a\nb\n")
	must(os.Rename(d.Path(name), d.Path(name)+".away"))
	must(j.Append([]byte("c\n")))
	want("a\nb\nc\n")
	must(j.Append([]byte("d\n")))
	want("a\nb\nc\nd\n")

	// The directory cannot be written to: nothing is lost, and nothing there twice.
	must(os.Rename(d.Path(name), d.Path(name)+".away"))
	must(os.Mkdir(d.Path(name), 0o700))
	if err := j.Append([]byte("e\n")); err == nil {
		t.Error("it was appended to a directory")
	}
	must(os.Remove(d.Path(name)))
	must(j.Append([]byte("e\n")))
	want("a\nb\nc\nd\ne\n")
	must(j.Close())

	f, err := d.OpenFile(name, os.O_RDWR)
	must(err)
	j = d.Journal(name, f)
	must(j.ContinueAt(int64(len("a\nb\n"))))
	want("a\nb\n")
	must(j.Append([]byte("f\n")))
	want("a\nb\nf\n")
	must(j.Close())
}
