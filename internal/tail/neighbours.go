package tail

import (
	"slices"

	"github.com/tailflux/tailflux/internal/checkpoint"
	"github.com/tailflux/tailflux/internal/logfile"
)

// everywhere are the siblings of the path, and of those at which the source was
// when generations began that are not finished.
func (s *source) everywhere(saved *checkpoint.Source) []logfile.Sibling {
	paths := []string{s.Path}
	for _, g := range saved.Open {
		if g.Path != "" && !slices.Contains(paths, g.Path) {
			paths = append(paths, g.Path)
		}
	}
	var found []logfile.Sibling
	for _, path := range paths {
		found = append(found, s.siblings(path)...)
	}
	return found
}

// siblings are those of a path, without the files that other sources follow.
func (s *source) siblings(path string) []logfile.Sibling {
	found := s.without(s.reader.directories.Siblings(path, s.rotated...))
	if path != s.Path {
		for i := range found {
			found[i].Log = path
		}
	}
	return found
}

// without leaves out the files that other sources follow: one may be called like
// a rotated log of another, as app-20261127.log beside app.log.
func (s *source) without(found []logfile.Sibling) []logfile.Sibling {
	return slices.DeleteFunc(found, func(f logfile.Sibling) bool {
		return slices.ContainsFunc(s.reader.sources, func(other *source) bool {
			return other != s && (other.Path == f.Path || other.openAs(f.Info) != nil)
		})
	})
}
