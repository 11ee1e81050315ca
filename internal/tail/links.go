package tail

import (
	"fmt"
	"os"
	"slices"

	"github.com/tailflux/tailflux/internal/logfile"
)

// isOther reports whether a path is known as another name of what is followed. A link that
// leads somewhere else since is not.
func (g *glob) isOther(path string) bool {
	was, known := g.others[path]
	if known && was != behind(path) {
		delete(g.others, path)
		return false
	}
	return known
}

// behind is what a path stands for: where the link leads, or which file it is.
func behind(path string) string {
	if names := logfile.Behind(path); len(names) > 0 {
		return names[len(names)-1]
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(logfile.InodeIn(info))
}

// otherNames are those of the paths that are another name of what is followed, by links:
// each file is read once, under the name that is no link. A link may lead to what matches
// any glob, or is at the path of a source; the other names of a file tell its inode.
func (r *Reader) otherNames(paths []string) map[string]string {
	if len(paths) == 0 {
		return nil
	}
	known, others := map[logfile.Inode]string{}, map[string]string{}
	note := func(path string) {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return
		}
		if is := logfile.InodeIn(info); known[is] == "" {
			known[is] = path
		} else if known[is] != path {
			others[path] = known[is]
		}
	}
	for _, s := range r.sources {
		if s.glob == nil {
			note(s.Path)
		}
	}
	var links []string
	for _, path := range paths {
		names := logfile.Behind(path)
		if len(names) == 0 {
			note(path)
			continue
		}
		links = append(links, path)
		if at := slices.IndexFunc(names, r.isFollowed); at >= 0 {
			others[path] = names[at]
		}
	}
	for _, path := range links {
		if others[path] == "" {
			note(path)
		}
	}
	return others
}

// isFollowed reports whether a path is that of a source, or is going to be.
func (r *Reader) isFollowed(path string) bool {
	matches := func(g *glob) bool { return g.pattern.Matches(path) && !logfile.IsRotated(path) }
	return r.paths[path] != nil || slices.ContainsFunc(r.globs, matches)
}
