package logfile

import (
	"errors"
	"io/fs"
	"os"
)

// Refusal is a file that cannot be opened, and why.
type Refusal struct {
	Sibling
	Err error
}

// OpenAll opens those of the listed files that are wanted and can be had. Then it
// lists them again, and starts over if they are not the same: while logrotate
// renames a long chain of files, the name of one may be that of another when it
// is opened, and a file may be listed under none of its names. settled is false
// when there was no end of that.
func OpenAll(list func() []Sibling, wanted func(Sibling) bool) (files []*Opened, settled bool, refused []Refusal) {
	const attempts = 10
	found := list()
	for n := 1; ; n++ {
		for _, f := range found {
			if !wanted(f) {
				continue
			}
			o, err := f.Open()
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				refused = append(refused, Refusal{f, err})
			case os.SameFile(o.Info, f.Info):
				files = append(files, o)
			default:
				o.Close()
			}
		}
		before := found
		found = list()
		if settled = SameFiles(before, found); settled || n == attempts {
			return files, settled, refused
		}
		CloseAll(files)
		files, refused = nil, nil
	}
}

// CloseAll closes those that nobody has taken.
func CloseAll(files []*Opened) {
	for _, o := range files {
		if o != nil {
			o.Close()
		}
	}
}
